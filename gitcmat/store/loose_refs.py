"""Refs that are read without a process: those that have a file of their own.

git looks at that file first too, and replaces it by one rename. Everything else (packed, symbolic
or damaged refs, those in a reftable or of a linked work tree) is for git to say.
"""

import os
import re
from pathlib import Path
from typing import Final

_OID: Final = re.compile(rb"((?:[0-9a-f]{40}|[0-9a-f]{64}))\n")
_BRANCH: Final = re.compile(rb"ref: (refs/heads/(?!\.invalid\n).+)\n")


def loose_ref(git_dir: Path, name: str) -> str | None:
    """The object that a full ref name has in its file; None does not mean that there is no ref."""
    if not name.startswith("refs/") or ".." in name:
        return None
    return _read(git_dir / name, _OID)


def head_branch(git_dir: Path) -> str | None:
    """The full name of the branch that HEAD is on; None when its file does not say that plainly."""
    return _read(git_dir / "HEAD", _BRANCH)


def _read(path: Path, form: re.Pattern[bytes]) -> str | None:
    try:
        found = form.fullmatch(path.read_bytes())
    except (OSError, ValueError):
        return None
    return os.fsdecode(found[1]) if found else None
