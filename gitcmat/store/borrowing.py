"""Where git reads the objects of a repository from: its own folder, and those it borrows from."""

import os
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.system.files import read_regular

_DEEPEST: Final = 5  # git's own limit
_LARGEST: Final = 1_000_000
_ESCAPE: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_LETTERS: Final = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t"}


def object_folders(common_dir: Path) -> list[Path]:
    """Return the folders of objects that a git directory needs, its own first.

    Those that are named and not there are left out, as git does it.
    """
    found = dict.fromkeys(_folders(common_dir / "objects", 0))
    return [folder for folder in found if folder.is_dir()]


def lenders(objects: Path) -> list[Path]:
    """Return the folders that a folder of objects itself names as alternates, there or not."""
    try:
        lines = read_regular(objects / "info" / "alternates", _LARGEST).split(b"\n")
    except (OSError, InvalidData):
        return []
    named = (line for line in lines if line and not line.startswith(b"#"))
    return [objects / os.fsdecode(_unquoted(line)) for line in named]


def leads_out(objects: Path, allowed: Collection[Path]) -> bool:
    """Whether git would read, for `objects`, a file of any other folder than those `allowed`.

    Symlinks lead there, and alternates that are there. Who can write into `objects` could have us
    read so what they cannot.
    """
    for parent, folders, names in os.walk(objects):
        if any(os.path.islink(os.path.join(parent, name)) for name in (*folders, *names)):  # noqa: PTH114, PTH118 - one call each
            return True
    return any(folder.is_dir() for folder in lenders(objects) if folder not in allowed)


def _folders(objects: Path, depth: int) -> Iterator[Path]:
    yield objects
    if depth == _DEEPEST:
        return
    for folder in lenders(objects):
        yield from _folders(folder, depth + 1)


def _unquoted(line: bytes) -> bytes:
    if len(line) < len(b'""') or not (line.startswith(b'"') and line.endswith(b'"')):
        return line
    return _ESCAPE.sub(_character, line[1:-1])


def _character(match: re.Match[bytes]) -> bytes:
    said = match[1]
    return bytes([int(said, 8) & 0xFF]) if said.isdigit() else _LETTERS.get(said, said)


def linked_trees(common_dir: Path) -> list[Path]:
    """Return the linked work trees of a repository that are there; starts no git."""
    found = []
    for file in sorted((common_dir / "worktrees").glob("*/gitdir")):
        try:
            text = read_regular(file, _LARGEST).removesuffix(b"\n")
        except (OSError, InvalidData):
            continue
        tree = (file.parent / os.fsdecode(text)).parent
        if tree.is_dir():
            found.append(tree)
    return found
