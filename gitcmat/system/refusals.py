"""What the machine refuses (space, permission, a disk that fails), said for people."""

import errno
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from gitcmat.errors import UserError

_AGAIN: Final = "then do it again; nothing that was acknowledged is lost"


class _Kind(NamedTuple):
    """One kind of refusal: what a person is told, and (a pattern) what the system calls it."""

    why: str
    hint: str
    called: str
    verb: str = "write"


_KINDS: Final[Mapping[int, _Kind]] = {
    errno.ENOSPC: _Kind(
        "no space is left on the disk",
        f"free some space, {_AGAIN}",
        "No space left on device|Out of diskspace",
    ),
    errno.EDQUOT: _Kind(
        "your quota on the disk is used up", f"free some space, {_AGAIN}", "Disk quota exceeded"
    ),
    errno.EFBIG: _Kind(
        "a file may not grow that large here", f"raise ulimit -f, {_AGAIN}", "File too large"
    ),
    errno.EIO: _Kind(
        "the disk reports an error",
        "see what the system says about that disk (dmesg), then: gitcmat doctor",
        "Input/output error",
        "read or write",
    ),
    errno.EROFS: _Kind(
        "the file system is read-only",
        "make it writable, or work in a clone elsewhere",
        "Read-only file system",
    ),
    errno.EACCES: _Kind(
        "permission is denied",
        "see whose it is, and what its mode allows: ls -ld",
        "Permission denied",
        "read or write",
    ),
    errno.EPERM: _Kind(
        "the system does not permit it",
        "see whose it is, and what its mode and attributes allow: ls -ld, lsattr -d",
        "Operation not permitted",
        "read or write",
    ),
    errno.EMFILE: _Kind(
        "too many files are open", "raise ulimit -n", "Too many open files", "open"
    ),
    errno.ENFILE: _Kind(
        "too many files are open on this machine",
        "end what is not needed, then do it again",
        "Too many open files in system",
        "open",
    ),
    errno.ENOMEM: _Kind(
        "no memory is left",
        "end what is not needed, then do it again",
        "Cannot allocate memory",
        "read or write",
    ),
    errno.ENOTDIR: _Kind(
        "something on the way to it is not a folder",
        "see what lies there, and move it away",
        "Not a directory",
        "read or write",
    ),
    errno.EISDIR: _Kind(
        "a folder is in its place",
        "see what lies there, and move it away",
        "Is a directory",
        "read or write",
    ),
}


_PASSING: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EMFILE, errno.ENFILE})


class Refused(UserError):
    """The machine would not do it: no space, no permission, a disk that fails."""

    passing = False
    """Whether the same may well work in a while: there is space again, or memory."""


def refusal(error: OSError, *, what: str = "") -> Refused | None:
    """Return the error for people that a system error stands for; None when it may be a bug.

    `what` is named where the system does not say which file it was.
    """
    if error.errno is None or error.errno not in _KINDS:
        return None
    name = error.filename2 or error.filename
    return _refused(error.errno, "" if name is None else str(name), what)


def refusal_in(said: str, *, what: str = "") -> Refused | None:
    """Return the error for people that a program's complaint stands for, as `refusal`."""
    for number, kind in _KINDS.items():
        if re.search(rf"(?:{kind.called})\b", said, re.IGNORECASE):
            return _refused(number, "", what)
    return None


def passes(error: Exception) -> bool:
    """Whether what failed may well work in a while, so that it is no verdict on anything."""
    known = refusal(error) if isinstance(error, OSError) else error
    return bool(getattr(known, "passing", False))


def told(error: Exception) -> str:
    """Return one sentence about an error that was caught, whatever kind it is."""
    known = refusal(error) if isinstance(error, OSError) else error
    return known.message if isinstance(known, UserError) else str(error)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Say of every system error in the block that it is about `path`: what a person knows, in
    place of a temporary name, or of none.
    """
    try:
        yield
    except OSError as error:
        error.filename, error.filename2 = str(path), None
        raise


def _refused(number: int, name: str, what: str) -> Refused:
    kind = _KINDS[number]
    place = f" {name or what}" if name or what else ""
    hint = f"{kind.hint} {name}" if name and "ls -ld" in kind.hint else kind.hint
    error = Refused(f"Cannot {kind.verb}{place}: {kind.why}.", hint=hint)
    error.passing = number in _PASSING
    return error
