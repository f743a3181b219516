"""A private copy of the cache: to see whether it is damaged, and to read records without writing.

Whoever opens the cache itself mends and refreshes it, which is a write.
"""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.names import Sha
from gitcmat.store import layout, records
from gitcmat.store.cache import Cache
from gitcmat.store.facts import Facts
from gitcmat.store.git import Git, Repository
from gitcmat.store.rows import record_of

FILES: Final = ("cache.sqlite", "cache.sqlite-wal", "cache.sqlite-shm")
"""All files of a cache; the first one alone holds it when nobody is at work."""

_TRIES: Final = 3


def damage(repo: Repository, git: Git) -> str:
    """Say what is wrong with the cache; empty when it is fine, or not there."""
    said = ""
    for _ in range(_TRIES):  # a copy that was taken while somebody wrote may be torn
        with tempfile.TemporaryDirectory(prefix="gitcmat-") as name:
            _copy(repo.cmat, Path(name))
            said = _damage(Path(name, FILES[0]), git)
        if not said:
            break
    return said


@contextmanager
def copied(repo: Repository, git: Git, tip: Sha | None) -> Iterator[Facts]:
    """Read the records at `tip` for the time of the block; nothing in the repository is written.

    Raises `InvalidData` when a record cannot be read.
    """
    with tempfile.TemporaryDirectory(prefix="gitcmat-") as name:
        folder = Path(name)
        _copy(repo.cmat, folder)
        if _damage(folder / FILES[0], git):
            _remove(folder)
        cache = Cache(folder, git)
        try:
            cache.at(tip, back=True)
            yield Facts(cache, tip)
        finally:
            cache.close()


def remove_cache(repo: Repository) -> None:
    """Remove the cache; whoever reads next makes it anew."""
    _remove(repo.cmat)


def _remove(folder: Path) -> None:
    for name in reversed(FILES):
        (folder / name).unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    _remove(target)
    for name in FILES[:2]:
        with suppress(FileNotFoundError):
            shutil.copyfile(source / name, target / name)


def _damage(file: Path, git: Git) -> str:
    if not file.exists():
        return ""
    try:
        with closing(sqlite3.connect(file)) as db:
            said = db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if said != "ok":
                return f"SQLite says: {said}"
            meta = dict(db.execute("SELECT key, value FROM meta"))
            held = dict(db.execute("SELECT path, oid FROM record"))
            for kind, data in db.execute("SELECT kind, json FROM record WHERE kind != 'set aside'"):
                record_of(kind, data)
            aside = dict(db.execute("SELECT path, oid FROM record WHERE kind = 'set aside'"))
    except sqlite3.DatabaseError as error:
        return f"SQLite says: {error}"
    except (InvalidData, ValueError, KeyError) as error:
        return f"a row of it is damaged ({error})"
    tip = meta.get("tip", "")
    if not tip or not git.ok("cat-file", "-e", tip):
        return ""
    there = {e.path: e.oid for e in git.tree(tip, layout.CMAT) if layout.parse(e.path)}
    texts = git.blobs(aside.values(), damaged=True)
    back = [path for path, oid in aside.items() if oid in texts and _reads(path, texts[oid])]
    return "" if held == there and not back else f"its records are not those of {tip[:12]}"


def _reads(path: str, text: bytes) -> bool:
    """Whether a record can be read by now: a missing object may have come back."""
    key = layout.parse(path)
    try:
        return key is not None and records.read(key, text) is not None
    except InvalidData:
        return False
