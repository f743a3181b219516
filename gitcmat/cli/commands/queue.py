"""``gitcmat queue``: what is where, and moving it."""

from typing import Any, cast

import click

from gitcmat.cli import listing, past
from gitcmat.cli.shown import ENTRY_HEAD, counts_line, entry_row, plain, plain_room
from gitcmat.cli.state import State as CliState
from gitcmat.cli.state import common
from gitcmat.engine.room_note import noted
from gitcmat.errors import NotFound, NoWork, Usage
from gitcmat.model.state import State
from gitcmat.model.task import Priority
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind


@click.group(name="queue")
def command() -> None:
    """What is where, and moving it."""


@command.command(name="list")
@click.argument(
    "which",
    metavar="[STATE]",
    required=False,
    type=click.Choice([*(s.value for s in State), "all"]),
)
@click.option("--limit", type=click.IntRange(1), default=listing.ROWS, show_default=True)
@past.at_option
@common
def list_(state: CliState, **given: Any) -> None:
    """List entries: the open ones, or those in STATE."""
    listing.show(state, **given)


@command.command()
@click.argument("task")
@common
def get(state: CliState, *, task: str) -> None:
    """Show the record of one entry."""
    facts = state.app.deps.store.read()
    entry_id = facts.resolve(Kind.QUEUE, task)
    path = facts.path(Kind.QUEUE, entry_id)
    text = state.app.deps.git.blob(f"{facts.tip}:{path}") or b""
    entry = facts.entry(entry_id)
    if entry is None:
        raise NotFound(f"There is no task {task!r}.", hint="gitcmat queue list")
    state.out.show({"entry": plain(entry)}, text.decode())


@command.command(name="status")
@common
def status_(state: CliState) -> None:
    """Who runs what, what waits, and what ended last."""
    facts = state.app.deps.store.read()
    counts = facts.counts()
    groups = {
        "active": facts.entries(State.ACTIVE),
        "pending": facts.entries(State.PENDING, limit=20),
        "finished": facts.entries(State.DONE, State.FAILED, State.CANCELLED, limit=3),
    }
    shown = {name: [plain(e) for e in entries] for name, entries in groups.items()}
    held = noted(state.app.deps.repo)
    lines = [counts_line(counts)]
    for name, entries in shown.items():
        if entries:
            lines += ["", f"{name}:"]
            lines += state.out.table(ENTRY_HEAD, (entry_row(e, held=held) for e in entries))
    state.out.show({"counts": counts, **shown, "no_room": plain_room(held)}, lines)


@command.command()
@click.argument("title")
@click.option("-p", "--prompt", default="")
@click.option("--agent")
@click.option(
    "--gate", "gates", multiple=True, help="A gate that judges it; default: as configured."
)
@click.option("--no-gates", is_flag=True, help="No gate judges it.")
@click.option("--needs", multiple=True, metavar="ID")
@click.option("--priority", type=click.Choice([p.value for p in Priority]))
@click.option("--hold", is_flag=True)
@click.option("--id", "wanted_id")
@click.option("--target", help="The branch it starts from; default: the one checked out.")
@common
def add(
    state: CliState, *, wanted_id: str | None, target: str | None, no_gates: bool, **given: Any
) -> None:
    """Queue work that has no task file."""
    from gitcmat.engine import queue

    state.app.settle()
    deps = state.app.deps
    head = f"refs/heads/{target}" if target else Git(deps.repo.git_dir).head()
    if head is None:
        raise Usage("HEAD is on no branch to start from.", hint="--target BRANCH")
    gates: Any = () if no_gates else given.pop("gates") or None
    fields = {**given, "hold": given["hold"] or None}
    fields |= {"gates": gates} if gates is not None else {}
    entry = queue.add(deps, fields, wanted_id=wanted_id, target=head)
    state.app.settle()
    state.out.show({"entry": plain(entry)}, entry.id)


@command.command()
@click.argument("tasks", nargs=-1, required=True)
@click.option("--reason", default="", help="Why, for the record.")
@common
def cancel(state: CliState, *, tasks: tuple[str, ...], reason: str) -> None:
    """Cancel TASKS; of a running one, every process is ended first."""
    _cancel(state, tasks, reason)


@command.command(name="cancel-all")
@click.option("--reason", default="", help="Why, for the record.")
@common
def cancel_all(state: CliState, *, reason: str) -> None:
    """Cancel everything that is not finished."""
    from gitcmat.engine import queue

    found = queue.open_ids(state.app.deps)
    if not found:
        raise NoWork("Nothing is open.", hint="gitcmat queue list all")
    _cancel(state, tuple(found), reason)


def _cancel(state: CliState, tasks: tuple[str, ...], reason: str) -> None:
    from gitcmat.engine import queue, runs

    state.app.settle()
    facts = state.app.deps.store.read()
    wanted = [facts.resolve(Kind.QUEUE, t) for t in tasks]
    was = {i: e.state for i in wanted if (e := facts.entry(i))}
    queue.cancel(state.app.deps, wanted, reason)
    runs.wait_until_over(state.app.deps, wanted, state.app.settle)
    state.app.settle()
    counts = {s: sum(1 for w in was.values() if w is s) for s in State if s in was.values()}
    lines = [f"{i}: cancelled (was {w})" for i, w in was.items()]
    if len(was) > 1:
        lines.append(f"cancelled {len(was)}: {counts_line(counts)}")
    state.out.show({"cancelled": list(was), "counts": counts}, lines)


@command.command()
@click.argument("task")
@click.option("--start", is_flag=True, help="Run it at once, in the foreground.")
@common
@click.pass_context
def rerun(ctx: click.Context, state: CliState, *, task: str, start: bool) -> None:
    """Start a finished task again from the beginning."""
    from gitcmat.engine import queue

    state.app.settle()
    facts = state.app.deps.store.read()
    entry = queue.rerun(state.app.deps, facts.resolve(Kind.QUEUE, task))
    state.app.settle()
    if start:
        run = cast("click.Group", ctx.find_root().command).get_command(ctx, "run")
        now = cast("click.Group", run).get_command(ctx, "now")
        ctx.invoke(cast("click.Command", now), task=entry.id)
        return
    state.out.show({"entry": plain(entry)}, f"{entry.id}: pending")


@command.command()
@click.argument("task")
@common
def hold(state: CliState, *, task: str) -> None:
    """Keep a task from starting."""
    _hold(state, task, on=True)


@command.command()
@click.argument("task")
@common
def release(state: CliState, *, task: str) -> None:
    """Let a held task start."""
    _hold(state, task, on=False)


def _hold(state: CliState, task: str, *, on: bool) -> None:
    from gitcmat.engine import queue

    state.app.settle()
    entry_id = state.app.deps.store.read().resolve(Kind.QUEUE, task)
    entry = queue.hold(state.app.deps, entry_id, on=on)
    state.app.settle()
    state.out.show({"entry": plain(entry)}, f"{entry.id}: {'on hold' if on else 'released'}")


@command.command()
@common
def pause(state: CliState) -> None:
    """Have the daemon that watches start nothing new; what runs goes on."""
    from gitcmat.engine import pauses

    if not pauses.pause(state.app.deps):
        raise NoWork("No daemon watches: nothing starts by itself.", hint="gitcmat watch")
    state.app.wake()
    state.out.show({"paused": True}, "paused; what runs goes on: gitcmat run stop --all")


@command.command()
@click.option("--account", metavar="NAME", help="Do not wait any more for the limit of an account.")
@common
def resume(state: CliState, *, account: str | None) -> None:
    """Let the daemon start again what is ready."""
    from gitcmat.engine import pauses

    if account is not None:
        if not pauses.release_account(account):
            raise NotFound(f"The account {account!r} is not on hold.", hint="gitcmat status")
        state.app.wake()
        state.out.show({"account": account}, f"{account}: resumed")
        return
    if not pauses.resume(state.app.deps.repo):
        raise NoWork("Nothing is paused.", hint="gitcmat status")
    state.app.wake()
    state.out.show({"paused": False}, "resumed")


@command.command()
@click.argument("task")
@click.argument("priority", type=click.Choice([p.value for p in Priority]))
@common
def priority(state: CliState, *, task: str, **given: Any) -> None:
    """Give an unfinished task another priority."""
    from gitcmat.engine import queue

    state.app.settle()
    entry_id = state.app.deps.store.read().resolve(Kind.QUEUE, task)
    entry = queue.prioritise(state.app.deps, entry_id, Priority(given["priority"]))
    state.app.settle()
    state.out.show({"entry": plain(entry)}, f"{entry.id}: {entry.priority}")
