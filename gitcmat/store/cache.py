"""A copy of the records at one commit of the state, made for questions; disposable.

The truth is the state ref. The cache is keyed by the commit it was built from: at the same commit
nothing is read, at another one only what differs is parsed. A cache that is damaged, of another
version or of a commit that is gone is made anew.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.state import State
from gitcmat.store import layout
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind

if TYPE_CHECKING:  # what decodes records is imported by those who ask for records
    from gitcmat.model.blocker import Blocker
    from gitcmat.model.checkpoint import Checkpoint
    from gitcmat.model.entry import Entry
    from gitcmat.model.run import Run
    from gitcmat.model.spending import Part
    from gitcmat.model.subtask import Progress, Subtask
    from gitcmat.store.records import Record
    from gitcmat.store.rows import Files, Step

_CHANGED: Final = b":"

VERSION: Final = "13"
"""What the rows were written by. It goes up with every key that a record gains or loses (a test
sees to that): rows of another version are read anew.
"""

_MAKE: Final = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS record (
    path TEXT PRIMARY KEY, kind TEXT, id TEXT, state TEXT, day TEXT, task TEXT, open INTEGER,
    rank TEXT, oid TEXT, json BLOB
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS by_id_with_state ON record (kind, id, state);
CREATE INDEX IF NOT EXISTS by_state ON record (kind, state, rank);
CREATE INDEX IF NOT EXISTS by_task ON record (kind, task, rank);
CREATE INDEX IF NOT EXISTS by_day ON record (kind, day);
"""


class Cache:
    """The records at one commit. Not thread-safe; processes may share the file."""

    def __init__(self, folder: Path, git: Git) -> None:
        self._file = folder / "cache.sqlite"
        self._git = git
        self._db: sqlite3.Connection | None = None
        self._memory = False
        self._known: Step | None = None

    def close(self) -> None:
        """Close the file."""
        if self._db is not None:
            self._db.close()
            self._db = None

    def at(self, tip: str | None, *, back: bool = False) -> bool:
        """Bring the cache to the state commit `tip` (None: the empty state) and hold it there.

        Whatever other processes do to the file, questions are answered as at `tip` until the next
        call. False when the file is at a later commit by now: `tip` is not the state any more,
        unless somebody moved the state `back` to it.
        """
        self.rest()
        try:
            return self._hold(tip, back=back)
        except (sqlite3.DatabaseError, UnicodeDecodeError):
            # Damaged, or written by another version: it holds nothing that is not in git.
            return self._anew(tip)

    def know(self, step: "Step") -> None:
        """Remember a commit that this process has made: git need not be asked what it changed."""
        self._known = step

    def past(self, commit: str) -> "Cache":
        """Return a cache in memory at an earlier commit; this one stays as it is.

        It begins as a copy of this one, so that only what has changed since is read.
        """
        found = Cache(self._file.parent, self._git)
        found._memory = True
        db, own = found._open(), self._open()
        own.backup(db)
        version, had = self._stamp(own)
        with _transaction(db):
            found._refresh(db, had if version == VERSION else "", commit)
        return found

    def rest(self) -> None:
        """Let go of the commit that questions are answered at, so that the file can be tidied."""
        if self._db is not None and self._db.in_transaction:
            self._db.execute("COMMIT")

    def _anew(self, tip: str | None) -> bool:
        self.close()
        try:
            self._file.unlink(missing_ok=True)
            return self._hold(tip)
        except (OSError, sqlite3.DatabaseError):
            # A disk that is full or read only is no reason not to answer.
            self.close()
            self._memory = True
            return self._hold(tip)

    def _open(self) -> sqlite3.Connection:
        if self._db is None:
            # A repository that gitcmat never wrote to is not written to by a question either.
            memory = self._memory or not self._file.parent.is_dir()
            db = sqlite3.connect(":memory:" if memory else self._file, timeout=30)
            db.isolation_level = None
            db.execute("PRAGMA journal_mode=WAL")
            db.execute("PRAGMA synchronous=OFF")
            db.executescript(_MAKE)
            self._db = db
        return self._db

    def _hold(self, tip: str | None, *, back: bool = True) -> bool:
        db = self._open()
        if self._pin(db, tip):
            return True
        with _transaction(db):
            version, had = self._stamp(db)
            if (version, had) != (VERSION, tip or ""):
                known = had if version == VERSION else ""
                if known and tip and not self._follows(tip, known):
                    if not back and self._follows(known, tip):
                        return False
                    known = ""
                self._refresh(db, known, tip)
        self._known = None
        return self._pin(db, tip)

    def _pin(self, db: sqlite3.Connection, tip: str | None) -> bool:
        """Begin to read at `tip`: a transaction sees the file as it is now until it ends."""
        db.execute("BEGIN")
        if self._stamp(db) == (VERSION, tip or ""):
            return True
        db.execute("COMMIT")
        return False

    def _follows(self, later: str, earlier: str) -> bool:
        if self._own(earlier, later):
            return True
        return self._git.ok("merge-base", "--is-ancestor", earlier, later)

    def _refresh(self, db: sqlite3.Connection, had: str, tip: str | None) -> None:
        if not had or not tip:
            db.execute("DELETE FROM record")
        if tip:
            own = self._own(had, tip)
            _take(db, own.files if own else self._differences(had, tip))
        db.executemany(
            "INSERT OR REPLACE INTO meta VALUES (?, ?)",
            (("version", VERSION), ("tip", tip or "")),
        )

    def _stamp(self, db: sqlite3.Connection) -> tuple[str, str]:
        held = dict(db.execute("SELECT key, value FROM meta"))
        return held.get("version", ""), held.get("tip", "")

    def _own(self, old: str, new: str) -> "Step | None":
        """Return what was changed from `old` to `new`, if this process has done that itself."""
        step = self._known
        return step if step is not None and (step.old, step.new) == (old, new) else None

    def _differences(self, old: str, new: str) -> "Files":
        """Ask git what is different in `new` from `old` (empty: from nothing)."""
        changed = dict(self._changed(old, new))
        blobs = self._git.blobs([oid for oid in changed.values() if oid], damaged=True)
        return {path: (oid, blobs.get(oid)) if oid else None for path, oid in changed.items()}

    def _changed(self, old: str, new: str) -> Iterator[tuple[str, str | None]]:
        """Yield (path, blob id, or None where it is gone)."""
        if not old:
            for entry in self._git.tree(new, layout.CMAT):
                yield entry.path, entry.oid
            return
        raw = self._git.run(
            "diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", old, new
        )
        parts = iter(raw.out.split(b"\0"))
        for meta in parts:
            if meta.startswith(_CHANGED):
                _, _, _, oid, status = meta.decode().split(" ")
                yield next(parts).decode(), None if status == "D" else oid

    # --- questions ------------------------------------------------------------------------------

    def one(self, kind: Kind, record_id: str) -> "Record | None":
        """Return one record by its whole id."""
        found = self._select("kind = ? AND id = ?", (kind.value, record_id))
        return next(iter(found), None)

    def prefixed(self, kind: Kind, prefix: str, limit: int = 10) -> list[str]:
        """Return ids that begin with `prefix`; those of deleted checkpoints are left out."""
        db = self._open()
        asked = (
            "SELECT id FROM record WHERE kind = ? AND id >= ? AND id < ? "
            "AND (kind != 'checkpoints' OR open = 1) ORDER BY id LIMIT ?"
        )
        found = db.execute(asked, (kind.value, prefix, prefix + "\uffff", limit))
        return [row[0] for row in found]

    def entries(self, states: Iterable[State], limit: int | None = None) -> "list[Entry]":
        """Return the entries in these states, what starts first (of finished: what ended last)
        first.
        """
        from gitcmat.store.rows import record_of

        with _damage():
            return [record_of("queue", data) for data in self._in_states(states, limit)]  # type: ignore[misc]

    def counts(self) -> dict[State, int]:
        """Return how many entries are in each state."""
        asked = "SELECT state, COUNT(*) FROM record WHERE kind = 'queue' GROUP BY state"
        held = dict(self._open().execute(asked))
        return {state: held.get(state.value, 0) for state in State}

    def count(self, states: Iterable[State]) -> int:
        """Return how many entries are in these states."""
        asked = "SELECT COUNT(*) FROM record WHERE kind = 'queue' AND state = ?"
        return sum(self._open().execute(asked, (s.value,)).fetchone()[0] for s in states)

    def states(self) -> dict[str, State]:
        """Return the state of every entry by id."""
        asked = "SELECT id, state FROM record WHERE kind = 'queue'"
        named = {state.value: state for state in State}
        return {row[0]: named[row[1]] for row in self._open().execute(asked)}

    def blockers(self, *, task: str | None = None, only_open: bool = True) -> "list[Blocker]":
        """Return blockers, the oldest first."""
        where, given = "kind = 'blockers'", []
        if task is not None:
            where, given = f"{where} AND task = ?", [task]
        if only_open:
            where += " AND open = 1"
        return self._select(where, given, order="rank")  # type: ignore[return-value]

    def runs(
        self, *, task: str | None = None, limit: int | None = None, only_open: bool = False
    ) -> "list[Run]":
        """Return runs, the newest first."""
        where, given = f"kind = 'runs'{' AND open = 1' if only_open else ''}", []
        if task is not None:
            where, given = f"{where} AND task = ?", [task]
        return self._select(where, given, order="rank DESC", limit=limit)  # type: ignore[return-value]

    def spent(self, task: str | None, since: str) -> "list[Part]":
        """Return what runs used, the newest first, of those that began on the UTC day `since` or
        later.
        """
        from gitcmat.model.spending import Part
        from gitcmat.store import codec

        where, given = "kind = 'runs' AND day >= ?", [since]
        if task is not None:
            where, given = f"{where} AND task = ?", [since, task]
        with _damage():
            rows = self._rows(where, given, "rank DESC", None)
            return [codec.json_decode(Part, data) for _, data in rows]

    def checkpoints(self, *, only_kept: bool = True) -> "list[Checkpoint]":
        """Return checkpoints, the newest first."""
        where = f"kind = 'checkpoints'{' AND open = 1' if only_kept else ''}"
        return self._select(where, (), order="rank DESC")  # type: ignore[return-value]

    def subtasks(self, task: str | None = None) -> "list[Subtask]":
        """Return subtasks, also closed and deleted ones, the oldest first."""
        where, given = "kind = 'subtasks'", []
        if task is not None:
            where, given = f"{where} AND task = ?", [task]
        return self._select(where, given, order="rank")  # type: ignore[return-value]

    def progress(self) -> "dict[str, Progress]":
        """Return how far each task is that has subtasks."""
        asked = (
            "SELECT task, SUM(state = 'done'), COUNT(*) FROM record"
            " WHERE kind = 'subtasks' AND state != 'deleted' GROUP BY task"
        )
        held = self._open().execute(asked).fetchall()
        if not held:
            return {}
        from gitcmat.model.subtask import Progress

        return {task: Progress(done, of) for task, done, of in held}

    def shown(self, since: str) -> dict[str, str]:
        """Return view path → blob id of what is open, and of what ended on the UTC day `since` or
        later.
        """
        asked = "SELECT path, oid FROM record WHERE open = 1 OR day >= ?"
        found: dict[str, str] = {}
        for path, oid in self._open().execute(asked, (since,)):
            key = layout.parse(path)
            if key is not None:
                found[key.view] = oid
        return found

    def set_aside(self) -> dict[str, tuple[str, str, str]]:
        """Return what cannot be read: path → (kind, id, what is wrong)."""
        asked = "SELECT path, state, id, json FROM record WHERE kind = 'set aside' ORDER BY path"
        return {row[0]: (row[1], row[2], row[3]) for row in self._open().execute(asked)}

    def path(self, kind: Kind, record_id: str) -> str | None:
        """Return where a record lies in the state tree."""
        asked = "SELECT path FROM record WHERE kind = ? AND id = ?"
        row = self._open().execute(asked, (kind.value, record_id)).fetchone()
        return row[0] if row else None

    def plain_entries(
        self, states: Iterable[State], limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return what `entries` returns as plain data, as it would be printed: what only shows
        records decodes none.
        """
        import json

        with _damage():
            return [json.loads(data) for data in self._in_states(states, limit)]

    def _select(
        self, where: str, given: Iterable[str], *, order: str = "path", limit: int | None = None
    ) -> "list[Record]":
        found = self._rows(where, given, order, limit)
        if not found:
            return []
        from gitcmat.store.rows import record_of

        with _damage():
            return [record_of(kind, data) for kind, data in found]

    def _rows(
        self, where: str, given: Iterable[str], order: str, limit: int | None
    ) -> list[tuple[str, bytes]]:
        asked = f"SELECT kind, json FROM record WHERE {where} ORDER BY {order}"  # noqa: S608 - only our own words
        if limit is not None:
            asked += f" LIMIT {int(limit)}"
        return self._open().execute(asked, tuple(given)).fetchall()

    def _in_states(self, states: Iterable[State], limit: int | None) -> list[bytes]:
        """Each state is asked for alone, so that the index has its rows in order: the first of a
        hundred thousand cost what those of a thousand cost.
        """
        one = (
            "SELECT rank, json FROM record WHERE kind = 'queue' AND state = ? ORDER BY rank LIMIT ?"
        )
        most = -1 if limit is None else limit
        db = self._open()
        found = [row for state in states for row in db.execute(one, (state.value, most))]
        return [data for _, data in sorted(found, key=itemgetter(0))[:limit]]


def _take(db: sqlite3.Connection, files: "Files") -> None:
    from gitcmat.store.rows import row_of

    gone = [(path,) for path, file in files.items() if file is None]
    db.executemany("DELETE FROM record WHERE path = ?", gone)
    rows = []
    for path, file in files.items():
        key = layout.parse(path)
        if key is not None and file is not None:
            rows.append(row_of(key, path, *file))
    db.executemany("INSERT OR REPLACE INTO record VALUES (?,?,?,?,?,?,?,?,?,?)", rows)


@contextmanager
def _damage() -> Iterator[None]:
    """Make what rows that nobody wrote so would raise an error of the file."""
    try:
        yield
    except (ValueError, KeyError, InvalidData) as error:
        raise sqlite3.DatabaseError(f"a row is damaged ({error})") from error


@contextmanager
def _transaction(db: sqlite3.Connection) -> Iterator[None]:
    with closing(db.execute("BEGIN IMMEDIATE")):
        pass
    try:
        yield
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
