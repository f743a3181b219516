"""Refs that a power cut left damaged, and how to write or remove one that git refuses to touch.

git calls a file of zero bytes a broken reference: it then moves and deletes it no more, and the
person's ``git fetch``, ``git push`` and ``git gc`` fail. So it is put right as a file, by git's own
protocol: whoever has made ``<ref>.lock`` may write. Where refs are no files (reftable) there are
none of these.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, Repository
from gitcmat.system.files import fsync_dir

_VALUE: Final = re.compile(rb"[0-9a-f]{40}(?:[0-9a-f]{24})?\s*|ref: \S+\s*")
_LARGEST: Final = 4096


def damaged(repo: Repository, git: Git, prefixes: Iterable[str]) -> dict[str, str]:
    """Return ref → what is wrong with it, for loose refs below `prefixes` (``refs/cmat/``)."""
    contents = _contents(repo, prefixes)
    values = {
        ref: data.decode("ascii").strip()
        for ref, data in contents.items()
        if _VALUE.fullmatch(data) and not data.startswith(b"ref:")
    }
    missing = _missing(git, set(values.values()))
    return _unreadable(contents) | {
        ref: f"points at {oid[:12]}, which is missing"
        for ref, oid in values.items()
        if oid in missing
    }


def unreadable(repo: Repository, prefixes: Iterable[str]) -> dict[str, str]:
    """Return those of `damaged` that their file alone tells of; no process, and no object asked."""
    return _unreadable(_contents(repo, prefixes))


def _unreadable(contents: Mapping[str, bytes]) -> dict[str, str]:
    return {
        ref: "holds no object id" if data else "is a file of 0 bytes"
        for ref, data in contents.items()
        if not _VALUE.fullmatch(data)
    }


def _contents(repo: Repository, prefixes: Iterable[str]) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for ref, path in loose(repo, prefixes):
        with suppress(OSError):  # deleted or packed this very moment
            found[ref] = path.read_bytes()[:_LARGEST]
    return found


def loose(repo: Repository, prefixes: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield each loose ref below `prefixes` with its file."""
    for prefix in prefixes:
        for parent, _, names in os.walk(repo.common_dir / prefix):
            for name in sorted(names):
                path = Path(parent, name)
                if not name.endswith(".lock") and not path.is_symlink():
                    yield os.fsdecode(path.relative_to(repo.common_dir)), path


def logged(repo: Repository, git: Git, ref: str) -> str | None:
    """Return the last commit in the ref's reflog that is still here, None when there is none."""
    try:
        lines = (repo.common_dir / "logs" / ref).read_bytes().splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        words = line.split(b" ", 2)
        if len(words) > 1 and _VALUE.fullmatch(words[1]):
            oid = words[1].decode("ascii")
            if git.ok("cat-file", "-e", f"{oid}^{{commit}}"):
                return oid
    return None


def rewrite(repo: Repository, git: Git, ref: str, oid: str) -> None:
    """Put a commit into a damaged ref.

    Raises `Conflict` when another process has its lock, or has mended it meanwhile.
    """
    with _locked(repo, git, ref) as (path, lock):
        lock.write_bytes(f"{oid}\n".encode("ascii"))
        with lock.open("rb") as file:
            os.fsync(file.fileno())
        lock.rename(path)
        fsync_dir(path.parent)


def remove(repo: Repository, git: Git, ref: str) -> None:
    """Remove the file of a damaged ref; `Conflict` as for `rewrite`."""
    with _locked(repo, git, ref) as (path, _):
        path.unlink()
        fsync_dir(path.parent)


@contextmanager
def _locked(repo: Repository, git: Git, ref: str) -> Iterator[tuple[Path, Path]]:
    path = repo.common_dir / ref
    lock = path.with_name(f"{path.name}.lock")
    try:
        os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o644))
    except FileExistsError:
        raise Conflict(f"Another git process holds {lock}.", hint="gitcmat doctor") from None
    try:
        if ref not in damaged(repo, git, [str(Path(ref).parent)]):
            raise Conflict(f"{ref} was mended by somebody else.", hint="gitcmat doctor")
        yield path, lock
    finally:
        lock.unlink(missing_ok=True)


def _missing(git: Git, oids: Iterable[str]) -> frozenset[str]:
    asked = sorted(oids)
    if not asked:
        return frozenset()
    fed = "".join(f"{oid}\n" for oid in asked).encode()
    done = git.run("cat-file", "--batch-check=%(objectname)", input=fed)
    return frozenset(line.split()[0] for line in done.text.splitlines() if line.endswith("missing"))
