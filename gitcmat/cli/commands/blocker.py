"""``gitcmat blocker``: questions that wait for a person."""

import os

import click

from gitcmat.cli import past
from gitcmat.cli.shown import blocker_lines, plain
from gitcmat.cli.state import State, common
from gitcmat.errors import NotFound
from gitcmat.model import permission
from gitcmat.store.layout import Kind


@click.group(name="blocker")
def command() -> None:
    """Questions that wait for you."""


@command.command(name="list")
@click.option("--all", "every", is_flag=True, help="Answered and closed ones too.")
@click.option("--task", help="Only about this task.")
@past.at_option
@common
def list_(state: State, *, every: bool, task: str | None, at: str | None) -> None:
    """List the open questions."""
    facts = past.facts(state, at)
    about = facts.resolve(Kind.QUEUE, task) if task else None
    found = facts.blockers(task=about, only_open=not every)
    rows = [(b.id, b.status, b.task, b.kind, b.question) for b in found]
    head = ("ID", "STATUS", "TASK", "KIND", "QUESTION")
    lines = past.lines(facts.point)
    lines += state.out.table(head, rows) if rows else ["no open questions"]
    counts: dict[str, int] = {}
    for blocker in facts.blockers(task=about, only_open=False):
        counts[blocker.status] = counts.get(blocker.status, 0) + 1
    data = {"blockers": [plain(b) for b in found], "counts": counts}
    state.out.show(data | past.plain(facts.point), lines)


@command.command()
@click.argument("blocker")
@common
def show(state: State, *, blocker: str) -> None:
    """Show one question, and its answer."""
    facts = state.app.deps.store.read()
    found = facts.blocker(facts.resolve(Kind.BLOCKERS, blocker))
    if found is None:
        raise NotFound(f"There is no blocker {blocker!r}.", hint="gitcmat blocker list")
    state.out.show({"blocker": plain(found)}, blocker_lines(found))


@command.command()
@click.argument("blocker")
@click.argument("text")
@common
def answer(state: State, *, blocker: str, text: str) -> None:
    """Answer a question; the task goes on."""
    from gitcmat.engine import blockers

    state.app.settle()
    blocker_id = state.app.deps.store.read().resolve(Kind.BLOCKERS, blocker)
    done, entry = blockers.answer(state.app.deps, blocker_id, text, through=state.through)
    state.app.settle()
    taken = permission.taken_for(done.question, done.answer)
    shown = [f"{done.id}: answered; {entry.id} is {entry.state}"]
    shown += [f"taken for {taken} ({permission.RULE})"] if taken else []
    data = {"blocker": plain(done), "entry": plain(entry)} | ({"taken_for": taken} if taken else {})
    state.out.show(data, shown)


@command.command()
@click.argument("question")
@click.option("--task", help="The task it is about; inside a run: the run's own.")
@common
def ask(state: State, *, question: str, task: str | None) -> None:
    """Ask a person. Inside a run the task waits for the answer once the agent has stopped."""
    from gitcmat.engine import blockers, tasks

    if task is None or "CMAT_INBOX" in os.environ:
        blockers.ask_from_run(question)
        shown = "asked; stop now, the answer comes with the next attempt"
        state.out.show({"asked": question}, shown)
        return
    state.app.settle()
    entry_id = state.app.deps.store.read().resolve(Kind.QUEUE, task)
    blocker_id = tasks.block(state.app.deps, entry_id, question)
    state.app.settle()
    state.out.show({"blocker": blocker_id, "task": entry_id}, blocker_id)
