"""``gitcmat task``: what is wanted."""

from typing import Any, Final

import click

from gitcmat.cli import past
from gitcmat.cli.shown import blocker_lines, entry_row, plain
from gitcmat.cli.state import State as CliState
from gitcmat.cli.state import common
from gitcmat.errors import InvalidData, NoWork, Usage
from gitcmat.model.task import Priority
from gitcmat.store.layout import Kind

_TEXTS: Final = frozenset({"title", "prompt", "agent", "timeout", "idle_timeout"})
_LISTS: Final = frozenset({"needs", "gates", "paths"})


@click.group(name="task")
def command() -> None:
    """What is wanted."""


@command.command()
@click.argument("title", required=False, default="")
@click.option("--title", "title_option", default="", help="The same as TITLE.")
@click.option("-p", "--prompt", default="", help="What the agent is asked to do.")
@click.option("--agent", help="Name of .cmat/agents/<name>.md.")
@click.option(
    "--gate", "gates", multiple=True, help="A gate that judges it; default: as configured."
)
@click.option("--no-gates", is_flag=True, help="No gate judges it.")
@click.option("--needs", multiple=True, metavar="ID", help="A task that must have landed before.")
@click.option("--path", "paths", multiple=True, metavar="GLOB", help="What it may change.")
@click.option("--priority", type=click.Choice([p.value for p in Priority]))
@click.option("--attempts", type=click.IntRange(1, 20))
@click.option("--timeout", help="Longest run, such as 30m.")
@click.option("--hold", is_flag=True, help="Do not start it yet.")
@click.option("--id", "wanted_id", help="Its id; default: made from the title.")
@click.option("--request-id", help="The same request gives the same task.")
@common
def add(
    state: CliState,
    *,
    title: str,
    title_option: str,
    no_gates: bool,
    wanted_id: str | None,
    request_id: str | None,
    **given: Any,
) -> None:
    """Write and commit a task file; print the task's id."""
    from gitcmat.engine import tasks

    if not (title or title_option or given["prompt"]):
        raise Usage("A task needs a title or a prompt.", hint='gitcmat task add "…" --agent NAME')
    fields = {"title": title or title_option, **given, "hold": given["hold"] or None}
    fields["gates"] = list(given["gates"]) or None
    fields |= {"needs": list(given["needs"]) or None, "paths": list(given["paths"]) or None}
    if no_gates:
        fields["gates"] = []
    state.app.settle()
    added = tasks.add(state.app.deps, fields, wanted_id=wanted_id, request_id=request_id)
    report = state.app.settle()
    state.out.progress(f"{'found' if added.existed else 'committed'} {added.path}")
    if report.wants is not None and state.app.deps.store.read().entry(added.id) is None:
        state.out.warn(f"{added.id} is not taken in now: {report.wants.sources.not_from_here}")
    data = {"id": added.id, "path": added.path, "commit": added.commit, "existed": added.existed}
    state.out.show(data, added.id)


@command.command(name="set")
@click.argument("task")
@click.argument("changes", nargs=-1, required=True, metavar="KEY=VALUE…")
@common
def set_(state: CliState, *, task: str, changes: tuple[str, ...]) -> None:
    """Change keys of a task file, keeping its comments, and commit it. KEY= removes a key."""
    from gitcmat.engine import tasks

    wanted: dict[str, Any] = {}
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise Usage(f"{change!r} is not KEY=VALUE.", hint="gitcmat task set ID priority=high")
        wanted[key] = _value(key, text)
    state.app.settle()
    done = tasks.change(state.app.deps, _resolve(state, task), wanted)
    state.app.settle()
    data = {"id": done.id, "path": done.path, "commit": done.commit}
    state.out.show(data, f"{done.id}: changed {', '.join(wanted)}")


def _value(key: str, text: str) -> Any:
    """What is typed behind KEY=: text as it is, a list with commas or brackets, YAML otherwise."""
    from gitcmat.store import yamlio

    if not text:
        return None
    if key in _TEXTS:
        return text
    if key in _LISTS and not text.startswith("["):
        return [part.strip() for part in text.split(",")]
    try:
        return yamlio.load(text, name=key).data
    except InvalidData as error:
        raise Usage(f"{key}={text} cannot be read.", hint="put the text in quotes") from error


@command.command()
@click.argument("ids", nargs=-1, metavar="ID…")
@click.option("--all", "every", is_flag=True, help="Everything that waits.")
@click.option("--exclude", multiple=True, metavar="ID", help="With --all: not this one.")
@common
def approve(
    state: CliState, *, ids: tuple[str, ...], every: bool, exclude: tuple[str, ...]
) -> None:
    """Let tasks run that somebody else wrote."""
    from gitcmat.engine import tasks

    state.app.settle()
    done = tasks.approve(state.app.deps, ids, every=every, exclude=exclude)
    if not done:
        raise NoWork("Nothing waits for approval.", hint="gitcmat status")
    state.app.settle(approved=done)
    state.out.show({"approved": done}, [f"{i}: approved" for i in done])


@command.command()
@click.argument("task")
@past.at_option
@common
def show(state: CliState, *, task: str, at: str | None) -> None:
    """Show a task: what is wanted, where it is, what it waits for."""
    from gitcmat.engine import details

    facts = past.facts(state, at)
    if facts.point is None:
        found = details.details(state.app.deps, task)
    else:
        found = details.details_at(state.app.deps, facts, task)
    data = {
        "entry": plain(found.entry),
        **({"waits": found.why} if facts.point is None else past.plain(facts.point)),
        "runs": [plain(run) for run in found.runs],
        "blockers": [plain(blocker) for blocker in found.blockers],
        "subtasks": [plain(subtask) for subtask in found.subtasks],
        "used": found.used.plain(),
    }
    state.out.show(data, [*past.lines(facts.point), *details.lines(found)])


@command.command()
@click.argument("task")
@common
def prompt(state: CliState, *, task: str) -> None:
    """Print the prompt of the next attempt, byte for byte."""
    from gitcmat.engine import details

    text = details.prompt(state.app.deps, task)
    if state.as_json:
        state.out.show({"prompt": text}, text)
    else:
        state.out.raw(text.encode())


@command.command()
@click.argument("task")
@common
def log(state: CliState, *, task: str) -> None:
    """Show the history of a task's record."""
    from gitcmat.engine import details

    found = details.log(state.app.deps, _resolve(state, task))
    rows = [(step.at, step.by, step.what) for step in found]
    data = {"history": [step.plain() for step in found]}
    state.out.show(data, state.out.table(("WHEN", "WHO", "WHAT"), rows))


@command.command()
@click.argument("task")
@click.option("--reason", required=True, help="The question to answer before it goes on.")
@common
def block(state: CliState, *, task: str, reason: str) -> None:
    """Block a task with a question."""
    from gitcmat.engine import tasks

    state.app.settle()
    blocker = tasks.block(state.app.deps, _resolve(state, task), reason)
    state.app.settle()
    state.out.show({"blocker": blocker}, blocker)


@command.command()
@click.argument("task")
@click.argument("text", required=False)
@click.option("--answer", help="The same as TEXT.")
@common
def unblock(state: CliState, *, task: str, text: str | None, answer: str | None) -> None:
    """Answer every open question about a task with TEXT; left out: go on."""
    from gitcmat.engine import blockers

    if text is not None and answer is not None:
        raise Usage("TEXT and --answer say the same.", hint=f'gitcmat task unblock {task} "…"')
    said = next((t for t in (text, answer) if t is not None), "go on")
    state.app.settle()
    facts = state.app.deps.store.read()
    found = facts.blockers(task=facts.resolve(Kind.QUEUE, task))
    if not found:
        raise NoWork(f"{task} has no open question.", hint=f"gitcmat task show {task}")
    done = [blockers.answer(state.app.deps, b.id, said)[0] for b in found]
    state.app.settle()
    lines = [line for b in done for line in blocker_lines(b)]
    state.out.show({"blockers": [plain(b) for b in done]}, lines)


@command.command()
@common
def tree(state: CliState) -> None:
    """Show which task needs which."""
    from gitcmat.engine import details

    found = details.tree(state.app.deps)
    rows = [(f"{'  ' * depth}{entry.id}", *entry_row(plain(entry))[1:]) for depth, entry in found]
    data = {"tasks": [{"depth": depth, **plain(entry)} for depth, entry in found]}
    head = ("ID", "STATE", "PRIORITY", "AGENT", "NOTE", "TITLE")
    state.out.show(data, state.out.table(head, rows) if rows else ["no open tasks"])


@command.command()
@common
def prune(state: CliState) -> None:
    """Remove the files of finished tasks, in one commit."""
    from gitcmat.engine import tasks

    state.app.settle()
    gone, commit = tasks.prune(state.app.deps)
    if not gone:
        raise NoWork("No finished task has a file.", hint="gitcmat queue list all")
    state.app.settle()
    state.out.show({"removed": gone, "commit": commit}, [f"{i}: file removed" for i in gone])


def _resolve(state: CliState, text: str) -> str:
    return state.app.deps.store.read().resolve(Kind.QUEUE, text)
