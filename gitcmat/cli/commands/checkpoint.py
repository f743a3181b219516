"""``gitcmat checkpoint``: save the work tree as it is, look back, and go back."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.shown import plain
from gitcmat.cli.state import State, common
from gitcmat.errors import NotFound, Usage
from gitcmat.model.checkpoint import Checkpoint, NewFiles, TaskChanges
from gitcmat.model.marks import one_line
from gitcmat.store.layout import Kind

if TYPE_CHECKING:
    from gitcmat.engine.checkpoints import Allow, Listing
    from gitcmat.engine.restores import Restored

_MOST_ROWS = 20


@click.group(name="checkpoint")
def command() -> None:
    """Save the work tree as it is, look back, and go back."""


@command.command()
@click.argument("name")
@click.option("--task", help="The task it belongs to.")
@click.option("--yes", is_flag=True, help="Also with very many, or very large, new files.")
@click.option("--limit", type=click.FloatRange(0), metavar="MB", help="Ask above this size.")
@common
def create(state: State, *, name: str, task: str | None, yes: bool, limit: float | None) -> None:
    """Save the work tree and the index under NAME, with untracked files and without ignored ones.

    Nothing in the work tree, the index or HEAD changes.
    """
    from gitcmat.engine import checkpoints, views
    from gitcmat.engine.checkpoints import About

    app = state.app
    app.settle()
    about = About(task=app.deps.store.read().resolve(Kind.QUEUE, task) if task else None)
    done = checkpoints.create(app.deps, name, about, _allow(state, limit, yes=yes))
    views.write(app.deps)
    state.out.show({"checkpoint": plain(done)}, _created(done))


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List the checkpoints, the newest first."""
    from gitcmat.engine import checkpoints

    found = checkpoints.listed(state.app.deps)
    for ref, repair in found.broken.items():
        state.out.warn(f"{ref} is broken, and git stumbles over it. To mend it: {repair}")
    data = {
        "checkpoints": [plain(c) for c in found.found],
        "missing": sorted(found.missing),
        "broken": [{"ref": ref, "repair": how} for ref, how in found.broken.items()],
    }
    state.out.show(data, _table(state, found))


@command.command()
@click.argument("checkpoint")
@common
def show(state: State, *, checkpoint: str) -> None:
    """Show what CHECKPOINT is, and what to type to look at its files."""
    from gitcmat.engine import checkpoints

    found = checkpoints.find(state.app.deps, checkpoint)
    state.out.show({"checkpoint": plain(found)}, _lines(found))


@command.command()
@click.argument("old")
@click.argument("new")
@click.option("--stat", is_flag=True, help="Only how much changed in each file.")
@click.argument("paths", nargs=-1, metavar="[-- PATHS]")
@common
def diff(state: State, *, old: str, new: str, stat: bool, paths: tuple[str, ...]) -> None:
    """Compare two checkpoints: the tasks, and the files as git prints a diff."""
    from gitcmat.engine import checkpoints, restores

    deps, out = state.app.deps, state.out
    sides = (checkpoints.find(deps, old), checkpoints.find(deps, new))
    try:
        tasks = restores.compare(deps, *sides)
    except NotFound as error:
        tasks = None
        out.warn(f"Tasks are not compared. {error.message}")
    text = restores.diff(deps, *sides, stat=stat, paths=paths)
    if state.as_json:
        files = restores.files_between(deps, *sides)
        data = {
            "old": plain(sides[0]),
            "new": plain(sides[1]),
            "tasks": _tasks_data(tasks) if tasks else None,
            "files": [{"status": how, "path": path} for path, how in files.items()],
            "diff": text.decode("utf-8", "backslashreplace"),
        }
        out.show(data, "")
        return
    if tasks:
        out.show({}, _task_lines(tasks))
    out.diff(text)


@command.command()
@click.argument("checkpoint", required=False)
@click.option("--undo", is_flag=True, help="What was saved before the last restore.")
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--records", is_flag=True, help="Priority and hold of unfinished tasks too.")
@click.option("--yes", is_flag=True, help="Also with very many, or very large, new files.")
@click.option("--limit", type=click.FloatRange(0), metavar="MB", help="Ask above this size.")
@common
def restore(
    state: State,
    *,
    checkpoint: str | None,
    undo: bool,
    dry_run: bool,
    records: bool,
    yes: bool,
    limit: float | None,
) -> None:
    """Make the work tree and the index what they were at CHECKPOINT.

    What is there now is saved first. HEAD and branches stay, ignored files stay, and the records of
    tasks stay, but for --records.
    """
    from gitcmat.engine import restores, views

    if undo == (checkpoint is not None):
        raise Usage("Name a checkpoint, or give --undo.", hint="gitcmat checkpoint list")
    app, out = state.app, state.out
    if dry_run:
        found = _chosen(state, checkpoint)
        planned = restores.preview(app.deps, found, records=records)
        out.show(_restored_data(planned), _planned(planned))
        return
    app.settle(out.progress)
    found = _chosen(state, checkpoint)
    allow = _allow(state, limit, yes=yes)
    done = restores.restore(app.deps, found, allow, records=records)
    views.write(app.deps)
    out.show(_restored_data(done), _done(done))


@command.command()
@click.argument("checkpoints", nargs=-1, required=True)
@common
def delete(state: State, *, checkpoints: tuple[str, ...]) -> None:
    """Delete CHECKPOINTS; their files are gone with the next git gc."""
    from gitcmat.engine import checkpoints as engine
    from gitcmat.engine import views

    app = state.app
    app.settle()
    found = list({c.id: c for c in (engine.find(app.deps, text) for text in checkpoints)}.values())
    engine.delete(app.deps, found)
    views.write(app.deps)
    lines = [f"{c.id}: deleted; until git gc: git update-ref {c.ref} {c.commit}" for c in found]
    state.out.show({"deleted": [c.id for c in found]}, lines)


@command.command()
@click.option("--keep", type=click.IntRange(0), metavar="N", help="Keep the newest N of them.")
@click.option("--older", type=click.FloatRange(0), metavar="DAYS", help="Only older ones.")
@click.option("--dry-run", is_flag=True, help="Only say which.")
@common
def prune(state: State, *, keep: int | None, older: float | None, dry_run: bool) -> None:
    """Delete old checkpoints that gitcmat made by itself; those you made stay.

    Without an option: those that are older than 90 days.
    """
    from gitcmat.engine import checkpoints, views

    app = state.app
    if not dry_run:
        app.settle()
    gone = checkpoints.prune(app.deps, keep=keep, days=older, dry=dry_run)
    if not dry_run:
        views.write(app.deps)
    word = "would be deleted" if dry_run else "deleted"
    lines = [f"{c.id}: {word} ({c.name})" for c in gone] or ["nothing to delete"]
    state.out.show({"deleted": [c.id for c in gone], "dry_run": dry_run}, lines)


def _allow(state: State, limit: float | None, *, yes: bool) -> "Allow":
    """Who decides on many new files: the options, or the person, where there is one to ask."""
    import sys

    from gitcmat.engine import checkpoints

    silent = state.no_input or state.as_json or not sys.stdin.isatty()

    def ask(new: NewFiles) -> bool:
        whole = f"{new.count:,} new files with {new.size / 1e6:,.1f} MB would be saved"
        said = f"{whole}. The largest: {new}. Go on?"
        return not silent and click.confirm(said, err=True)

    return checkpoints.allowed(limit, yes=yes, ask=ask)


def _chosen(state: State, checkpoint: str | None) -> Checkpoint:
    from gitcmat.engine import checkpoints, restores

    deps = state.app.deps
    return checkpoints.find(deps, checkpoint) if checkpoint else restores.to_undo(deps)


def _table(state: State, found: "Listing") -> list[str]:
    rows = []
    for each in found.found:
        notes = [each.branch.removeprefix("refs/heads/") or each.head[:10]]
        notes += ["its ref is gone"] if each.id in found.missing else []
        when = f"{each.created.astimezone():%Y-%m-%d %H:%M}"
        rows.append((each.id, when, each.why, each.files, ", ".join(notes), each.name))
    head = ("ID", "CREATED", "WHY", "FILES", "ON", "NAME")
    return state.out.table(head, rows) if rows else ["no checkpoints"]


def _created(done: Checkpoint) -> Iterator[str]:
    yield f"{done.id}: {_size(done)}"
    yield from _left_out(done)
    yield f"back to it: gitcmat checkpoint restore {done.id}"


def _size(found: Checkpoint) -> str:
    new = f", {found.new_files} of them new" if found.new_files else ""
    return f"{found.files} {'path differs' if found.files == 1 else 'paths differ'} from HEAD{new}"


def _left_out(found: Checkpoint) -> Iterator[str]:
    for path in found.left_out:
        yield f"not in it: {path}, which is a repository of its own"


def _lines(found: Checkpoint) -> Iterator[str]:
    yield f"{found.id}  {found.name}"
    yield f"  made      {found.created.astimezone():%Y-%m-%d %H:%M:%S} by {found.by} ({found.why})"
    branch = found.branch.removeprefix("refs/heads/") or "a detached HEAD"
    yield f"  on        {branch} at {found.head}"
    if found.work_tree:
        yield f"  in        the work tree {found.work_tree}"
    if found.task:
        yield f"  task      {found.task}{f', run {found.run}' if found.run else ''}"
    yield f"  files     {_size(found)}"
    yield from (f"  {line}" for line in _left_out(found))
    if found.state:
        yield f"  records   {found.tasks} unfinished tasks, {found.blockers} open questions"
    if found.deleted:
        yield f"  deleted   {found.deleted.astimezone():%Y-%m-%d %H:%M} by {found.deleted_by}"
        return
    yield f"  diff      git diff HEAD {found.ref}"
    yield f"  staged    git diff HEAD {found.ref}^2"
    yield f"  one file  git show {found.ref}:PATH"
    yield f"  restore   gitcmat checkpoint restore {found.id} --dry-run"


def _tasks_data(tasks: TaskChanges) -> dict[str, Any]:
    return {
        "added": list(tasks.added),
        "removed": list(tasks.removed),
        "changed": [
            {"id": i, "old": old.state, "new": new.state} for i, (old, new) in tasks.changed.items()
        ],
        "unchanged": list(tasks.unchanged),
    }


def _task_lines(tasks: TaskChanges) -> Iterator[str]:
    yield from (f"task {i}: added" for i in tasks.added)
    yield from (f"task {i}: removed" for i in tasks.removed)
    for i, (old, new) in tasks.changed.items():
        moved = f"{old.state} -> {new.state}" if old.state is not new.state else "changed"
        yield f"task {i}: {moved}"
    yield f"{len(tasks.unchanged)} tasks unchanged"


def _restored_data(done: "Restored") -> dict[str, Any]:
    change = done.differences
    return {
        "checkpoint": plain(done.checkpoint),
        "saved": plain(done.saved) if done.saved else None,
        "files": [{"status": s, "path": p} for p, s in change.statuses.items()],
        "staged": change.staged,
        "submodules": list(change.submodules),
        "head": change.head,
        "records": [
            {"id": one.id, "changed": one.entry is not None, "why": one.why} for one in done.records
        ],
    }


def _planned(done: "Restored") -> Iterator[str]:
    statuses = done.differences.statuses
    shown = list(statuses.items())[:_MOST_ROWS]
    yield f"{done.checkpoint.id} would change {_changes(done)}"
    yield from (f"  {status} {one_line(path)}" for path, status in shown)
    if len(statuses) > len(shown):
        yield f"  and {len(statuses) - len(shown)} more"
    yield from _notes(done)


def _done(done: "Restored") -> Iterator[str]:
    yield f"restored {done.checkpoint.id} ({done.checkpoint.name}): {_changes(done)}"
    yield from _notes(done)
    saved = f" (what was there is {done.saved.id})" if done.saved else ""
    yield f"undo: gitcmat checkpoint restore --undo{saved}"


def _changes(done: "Restored") -> str:
    files, staged = len(done.differences.files), done.differences.staged
    return f"{files} {'file' if files == 1 else 'files'}, {staged} staged"


def _notes(done: "Restored") -> Iterator[str]:
    change, found = done.differences, done.checkpoint
    if change.head != found.head:
        yield (
            f"HEAD stays at {change.head[:10]}; the checkpoint was made at {found.head[:10]}, so "
            "what was committed in between shows as a change"
        )
    for path in change.submodules:
        yield f"submodule {path}: stays where it is; git submodule update moves it"
    yield from (f"task {one.id}: {one.why}" for one in done.records)
