"""``gitcmat land``: put the work of a task onto its target branch."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.shown import open_subtasks, plain
from gitcmat.cli.state import State, common
from gitcmat.model.landing import How, in_words
from gitcmat.store.layout import Kind

if TYPE_CHECKING:
    from gitcmat.engine.landing import Done


@click.command(name="land")
@click.argument("task")
@click.option("--squash", "how", flag_value="squash", help="As one commit; the default.")
@click.option("--merge", "how", flag_value="merge", help="As a merge commit.")
@click.option("--rebase", "how", flag_value="rebase", help="Commit by commit.")
@click.option("--override", default="", metavar="REASON", help="Why it may land unchecked.")
@common
def command(state: State, *, task: str, how: str | None, override: str) -> None:
    """Put the work of TASK onto its target branch, with your commits on its branch.

    If its gates have not judged this very tree, they do so first. Subtasks that are open stay open,
    and are named.
    """
    from gitcmat.engine import landing, subtasks

    app, out = state.app, state.out
    entry_id = app.deps.store.read().resolve(Kind.QUEUE, task)
    done = landing.land(
        app.reconciler,
        entry_id,
        how=How(how or "squash"),
        override=override.strip(),
        on_line=out.progress,
        on_text=out.log,
    )
    undo = landing.undo(done, app.deps.repo.work_tree)
    left = subtasks.still_open(app.deps, entry_id)
    said = [f"subtasks: {open_subtasks(left)}"] if left else []
    data = {**_data(done, undo), "open_subtasks": [plain(s) for s in left]}
    out.show(data, [*_lines(done, undo), *said])


def _data(done: "Done", undo: str) -> dict[str, Any]:
    return {
        "entry": plain(done.entry),
        "target": done.entry.target,
        "commit": done.commit,
        "old": done.old,
        "work_tree": _text(done.work_tree),
        "behind": _text(done.behind),
        "branch_left": done.branch_left or None,
        "undo": undo or None,
    }


def _lines(done: "Done", undo: str) -> Iterator[str]:
    entry = done.entry
    if done.commit is None:
        yield f"{entry.id}: done, nothing to land"
        if done.branch_left:
            yield done.branch_left
        return
    yield f"{entry.id}: landed on {done.target} as {done.commit[:10]}"
    yield f"gates: {in_words(entry.gates, entry.verdict)}"
    if entry.landing is not None and entry.landing.override:
        yield f"override: {entry.landing.override}"
    if done.branch_left:
        yield done.branch_left
    if done.behind is not None:
        yield f"{done.behind} still has what was before; there: git switch --detach {done.old}"
        yield f"and then: git switch {done.target}"
    yield f"undo: {undo}"


def _text(path: Path | None) -> str | None:
    return str(path) if path else None
