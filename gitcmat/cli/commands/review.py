"""``gitcmat review``: look at results, and send them back."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.pull_shown import plain_pull
from gitcmat.cli.shown import open_subtasks, plain
from gitcmat.cli.state import State, common
from gitcmat.model.landing import in_words
from gitcmat.model.marks import one_line
from gitcmat.model.pull import in_words as how

if TYPE_CHECKING:
    from gitcmat.cli.output import Output
    from gitcmat.engine.reviews import Details, Review


@click.group(name="review")
def command() -> None:
    """Look at results, and send them back."""


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List what is in review, what matters most first."""
    from gitcmat.engine import reviews

    found = reviews.listed(state.app.deps)
    lines = _table(state.out, found) if found else ["nothing is in review"]
    state.out.show({"reviews": [_data(r) for r in found]}, lines)


@command.command()
@click.argument("task")
@common
def show(state: State, *, task: str) -> None:
    """Show the result of TASK: what to look at first, gates, commits, files, what to type."""
    from gitcmat.engine import reviews

    found = reviews.show(state.app.deps, task)
    data = {
        **_data(found.review),
        "marks": list(found.marks),
        "commits": [
            {"id": c.id, "author": c.author, "subject": c.subject, "by_person": c.by_person}
            for c in found.commits
        ],
        "files": [{"status": f.status, "path": f.path} for f in found.files],
        "open_subtasks": [plain(s) for s in found.open_subtasks],
        "used": found.used.plain(),
        "commands": found.commands,
    }
    state.out.show(data, _lines(found))


@command.command()
@click.argument("task")
@click.option("--stat", is_flag=True, help="Only how much changed in each file.")
@click.argument("paths", nargs=-1, metavar="[-- PATHS]")
@common
def diff(state: State, *, task: str, stat: bool, paths: tuple[str, ...]) -> None:
    """Print the work of TASK as git prints a diff; PATHS are from the root."""
    from gitcmat.engine import reviews

    found = reviews.diff(state.app.deps, task, stat=stat, paths=paths)
    if state.as_json:
        state.out.show({"diff": found.decode("utf-8", "backslashreplace")}, "")
    else:
        state.out.diff(found)


@command.command()
@click.argument("task")
@click.option("-m", "--message", "--reason", required=True, help="Why: the agent is told.")
@common
def reject(state: State, *, task: str, message: str) -> None:
    """Send TASK back to the agent, with the why in its next prompt."""
    from gitcmat.engine import reviews

    entry = reviews.reject(state.app.reconciler, task, message)
    lines = [f"{entry.id}: {entry.state} ({entry.reason})", f"next: gitcmat run now {entry.id}"]
    state.out.show({"entry": plain(entry)}, lines)


_HEAD = ("ID", "GATES", "BRANCH", "CHANGE", "MARKS", "TITLE")


def _table(out: "Output", found: "list[Review]") -> Iterable[str]:
    """The column of pull requests stands there only where there are any."""
    if not any(review.entry.pull for review in found):
        return out.table(_HEAD, map(_row, found))
    head = (*_HEAD[:-1], "PULL", _HEAD[-1])
    return out.table(head, ((*_row(r)[:-1], _pull(r), r.entry.task.name) for r in found))


def _pull(review: "Review") -> str:
    return how(review.entry.pull) if review.entry.pull else ""


def _row(review: "Review") -> tuple[object, ...]:
    entry = review.entry
    gates = in_words(entry.gates, entry.verdict)
    marks = "; ".join(entry.marks)
    return (entry.id, gates, review.branch, review.size, marks, entry.task.name)


def _data(review: "Review") -> dict[str, Any]:
    size = review.size
    return {
        "entry": plain(review.entry),
        "branch": review.branch,
        "base": review.base,
        "tip": review.tip,
        "pull": plain_pull(review.entry.pull) if review.entry.pull else None,
        "changed": {"files": size.files, "added": size.added, "removed": size.removed},
    }


def _lines(found: "Details") -> Iterator[str]:
    review, entry = found.review, found.review.entry
    yield f"{entry.id}  {entry.state}  {entry.task.name}"
    yield from (f"  ! {mark}" for mark in found.marks)
    if entry.task.title.strip() and entry.task.prompt.strip():
        yield from (f"  | {line}" for line in entry.task.prompt.strip().splitlines())
    yield f"  gates     {in_words(entry.gates, entry.verdict)}"
    for gate in entry.gates:
        reason = f" ({gate.reason})" if gate.reason else ""
        yield f"    {gate.name}: {gate.outcome}, {gate.seconds:.1f} s{reason}"
    yield f"  branch    {review.branch} onto {review.target}: {review.size}"
    for commit in found.commits:
        whose = ", yours" if commit.by_person else ""
        yield f"    {commit.id[:10]} {commit.subject} ({commit.author}{whose})"
    yield from (f"    {f.status} {one_line(f.path)}" for f in found.files)
    if entry.pull is not None:
        yield f"  pull      {how(entry.pull)}"
        yield f"            {entry.pull.url}"
    if found.used.told:
        yield f"  cost      {found.used}"
    if said := open_subtasks(found.open_subtasks):
        yield f"  subtasks  {said}"
    yield from (f"  {name:<9} {command}" for name, command in found.commands.items())
