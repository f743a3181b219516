"""Records that cannot be read: the last version of each that could be."""

from typing import NamedTuple

from gitcmat.errors import InvalidData
from gitcmat.model.names import Sha
from gitcmat.store import layout, records
from gitcmat.store.git import Git
from gitcmat.store.records import Record


class Version(NamedTuple):
    """A record as it was at a commit of the state."""

    commit: Sha
    record: Record


def last_good(git: Git, tip: str, path: str) -> Version | None:
    """Return the newest version of the record at `path` that can be read; None when none can."""
    key = layout.parse(path)
    if key is None:
        return None
    told = git.text("log", "--format=%H", "--end-of-options", tip, "--", path)
    for commit in told.splitlines():
        name = f"{commit}:{path}"
        text = git.blobs([name], damaged=True).get(name)
        try:
            if text is not None:
                return Version(Sha(commit), records.read(key, text))
        except InvalidData:
            continue
    return None
