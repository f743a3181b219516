"""What a restore is about to do, written down before it does it: ``.git/cmat/restore.json``.

As a landing, a restore that is killed leaves ``index.lock`` and half written files. Both sides are
commits by then, so the journal needs no more than their names.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.store.git import Repository
from gitcmat.store.journals import JournalFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """One restore in one work tree."""

    token: str
    """Names it in ``index.lock`` and in the environment of the processes it starts."""
    work_tree: str
    git_dir: str
    target: str
    """The commit of the checkpoint that is restored."""
    present: str = ""
    """The commit that what was there is saved in; empty before that."""
    begun: bool = False
    """Whether files are being written. Not before, and not when all is in place."""

    def private(self, repo: Repository) -> Path:
        """The folder for what is made on the way."""
        return repo.cmat / "checkpoint" / f"restore-{self.token}"


def _plain(_data: object) -> None:
    """A restore's journal holds nothing but texts."""


_FILE: Final = JournalFile("restore.json", Journal, inner=_plain)
needs_repair, read, write, remove = _FILE.there, _FILE.read, _FILE.write, _FILE.remove
