"""The tasks that a commit of the state holds, for comparing two of them."""

from collections.abc import Iterable

from gitcmat.errors import NotFound
from gitcmat.model.checkpoint import TaskNow
from gitcmat.model.entry import Entry
from gitcmat.store import layout, records
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind


def tasks_at(git: Git, state: str) -> dict[str, TaskNow]:
    """Return the tasks at a commit of the state by id, reading no record; none for no commit.

    Raises `NotFound` when the commit is not here: the checkpoint was fetched from elsewhere.
    """
    if not state:
        return {}
    found = {}
    if git.rev(state) is None:
        raise NotFound(
            f"The records of that time, {state}, are not in this repository.",
            hint="they stay where the checkpoint was made; its files are here",
        )
    for each in git.tree(state, f"{layout.CMAT}/{Kind.QUEUE}"):
        key = layout.parse(each.path)
        if key is not None and key.state is not None:
            found[key.id] = TaskNow(key.state, each.path, each.oid)
    return found


def entries_of(git: Git, tasks: Iterable[TaskNow]) -> dict[str, Entry]:
    """Read the records of some tasks, by id."""
    rows = list(tasks)
    blobs = git.blobs([row.blob for row in rows])
    found = {}
    for row in rows:
        key = layout.parse(row.path)
        if key is not None and row.blob in blobs:
            record = records.read(key, blobs[row.blob])
            if isinstance(record, Entry):
                found[record.id] = record
    return found
