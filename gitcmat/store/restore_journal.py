"""What a restore is about to do, written down before it does it: ``.git/cmat/restore.json``.

As a landing, a restore that is killed leaves ``index.lock`` and half written files. Both sides are
commits by then, so the journal needs no more than their names.
"""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.store.git import Repository
from gitcmat.system.files import fsync_dir, read_regular, remove_tree, write_atomic

_NAME: Final = "restore.json"
_LIMIT: Final = 1 << 20


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


def needs_repair(repo: Repository) -> bool:
    """Whether a restore is under way or was broken off; one look at one file."""
    return (repo.cmat / _NAME).exists()


def read(repo: Repository) -> Journal | None:
    """Return the journal, None when there is none.

    Raises `InvalidData` when it is damaged.
    """
    path = repo.cmat / _NAME
    try:
        return _journal(json.loads(read_regular(path, _LIMIT)))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise InvalidData(
            f"{path} is damaged: {error}.", hint="look at git status, then remove that file"
        ) from error


def write(repo: Repository, journal: Journal) -> None:
    """Write the journal, durable: it is on the disk before what it announces happens."""
    data = json.dumps(asdict(journal)).encode("ascii")
    write_atomic(repo.cmat / _NAME, data, mode=0o600, durable=True)


def remove(repo: Repository, journal: Journal) -> None:
    """Forget a restore that is over."""
    remove_tree(journal.private(repo))
    (repo.cmat / _NAME).unlink(missing_ok=True)
    fsync_dir(repo.cmat)


def _journal(data: Any) -> Journal:
    if set(data) != {f.name for f in fields(Journal)}:
        raise ValueError("unknown or missing keys")
    return Journal(**data)
