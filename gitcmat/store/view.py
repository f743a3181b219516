"""The fact folders in the work tree: the records for people to read, and to edit a little.

The bytes of a file are those of the record's blob in the state tree. A file that still is what it
was written from is ours and follows its record. One that is not is an edit: `View.scan` hands it
out, the caller takes it in, leaves it or refuses it, and no write of ours ever loses it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from gitcmat.store.exclude import ensure_excluded
from gitcmat.store.git import Git, Repository
from gitcmat.store.view_files import ObstacleError, ViewFiles
from gitcmat.store.view_home import Home, find_home, settle_home
from gitcmat.store.view_manifest import (
    Manifest,
    Refusal,
    Sign,
    Verdict,
    read_manifest,
    write_manifest,
)
from gitcmat.store.view_recover import finish_intents, look_again
from gitcmat.store.view_session import Session
from gitcmat.store.view_tracked import Tracked, TrackedPaths
from gitcmat.store.view_writer import write_view
from gitcmat.system.files import write_atomic
from gitcmat.system.locks import FileLock

_LOCK_SECONDS = 60.0
_NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A file that a person changed. `path` is from the root of the work tree."""

    path: str
    kind: str
    """The folder: ``queue``, ``blockers``, ``runs`` …"""
    id: str
    base: bytes
    """What it was written from."""
    text: bytes
    oid: str
    """Blob id of `text`."""
    age: float
    """Seconds since the file was last touched: editors save while people type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a look at the view found."""

    edits: tuple[Edit, ...] = ()
    tracked: tuple[str, ...] = ()
    """Paths of the fact folders that git tracks: never read, never written."""
    problems: Mapping[str, str]
    """Path → why it cannot be read."""
    waits: bool = False
    """There are edits, but git is writing files at this moment: look again soon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a write did."""

    written: int = 0
    removed: int = 0
    kept: tuple[str, ...] = ()
    """Left as they are, though the record changed: they hold an edit."""
    moved_aside: tuple[str, ...] = ()
    """Where refused files and strangers lie now, beside their records."""
    tracked: tuple[str, ...] = ()
    problems: Mapping[str, str]
    """Path → why nothing was written there."""


class View:
    """The view of one repository. In a bare one there is none: nothing is done and nothing found.

    Every operation holds the view's own lock (raises `Conflict` after a minute), so several
    processes may use it at once. `now` is always the wall time in seconds.
    """

    def __init__(
        self, repo: Repository, git: Git, *, between: Callable[[str], None] = lambda _path: None
    ) -> None:
        """Open it; nothing is read yet. `between` is called with the path before a replacement."""
        self._repo = repo
        self._git = git
        self._folder = repo.cmat / "view"
        self._path = self._folder / "manifest.json"
        self._between = between
        self._home: Home | None = None
        self._opened = False
        self._manifest: tuple[Sign | None, Manifest] | None = None
        self._excluded: Sign | None = None
        self._settled = False

    @property
    def home(self) -> Home | None:
        """The work tree that shows the records."""
        if not self._opened:
            self._opened = True
            self._home = find_home(self._repo)
            if self._home:
                kept = self._folder / "kept"
                form = self._repo.object_format
                self._files = ViewFiles(self._home.work_tree, kept, form, self._between)
                self._tracked = TrackedPaths(self._home, self._repo.common_dir)
        return self._home

    def scan(self, now: float) -> Scan:
        """Look for edits. Whatever was refused or left before is not handed out again."""
        if self.home is None:
            return Scan(problems={})
        with self._session(now) as session:
            look_again(session)
            found = [path for path in list(session.manifest.rows) if self._is_edit(session, path)]
            edits, tracked = self._edits(session, found), session.tracked
            if edits:
                # Texts first, then git: a merge may have put one of them there meanwhile.
                tracked = self._tracked.look()
                edits = [edit for edit in edits if not tracked.covers(edit.path)]
            return Scan(
                edits=tuple(edits) if tracked.settled else (),
                tracked=tuple(sorted(tracked.paths)),
                problems=session.problems,
                waits=bool(edits) and not tracked.settled,
            )

    def write(
        self, wanted: Mapping[str, str], now: float, *, known: Mapping[str, bytes] | None = None
    ) -> Report:
        """Show these records, path → blob id; contents that are not in `known` come from git.

        Files that are as they were written cost one `stat` each. Files of records that are gone are
        removed; edits stay; refused ones follow their record as ``<id>.yaml.refused``.
        """
        if self.home is None:
            return Report(problems={})
        self._keep_excluded()
        with self._session(now) as session:
            look_again(session)
            if not self._settled:
                settle_home(self._repo, self.home)
                self._settled = True
            given = known or {}
            done = write_view(session, wanted, lambda oids: self._texts(oids, given), self._known)
            if session.changed:
                self._drop_bases(session.manifest)
            return Report(
                written=done.written,
                removed=done.removed,
                kept=tuple(done.kept),
                moved_aside=tuple(done.moved),
                tracked=tuple(sorted(session.tracked.paths)),
                problems=session.problems,
            )

    def accept(self, edit: Edit) -> None:
        """The store took the edit in: its text is the base from now on, and may be replaced."""
        with self._rows() as manifest:
            row = manifest.rows.get(edit.path)
            if row is not None:
                write_atomic(self._folder / "bases" / edit.oid, edit.text)
                manifest.rows[edit.path] = replace(row, base=edit.oid, verdict=None)

    def leave(self, edit: Edit) -> None:
        """The edit says nothing new (a comment, white space): it stays until the record changes."""
        self._judge(edit, Verdict())

    def refuse(self, edit: Edit, *, line: int, reason: str) -> None:
        """The edit is not taken in: the file stays and is named until it changes."""
        self._judge(edit, Verdict(line, reason))

    def refusals(self) -> tuple[Refusal, ...]:
        """Return the refused edits that are still there, by path. Writes nothing."""
        if self.home is None:
            return ()
        manifest = self._load()
        found = {path: verdict for path, verdict in manifest.asides.items() if self._there(path)}
        for path, row in manifest.rows.items():
            if row.verdict is not None and row.verdict.reason and self._there(path, row.sign):
                found[path] = row.verdict
        return tuple(Refusal(path, v.line, v.reason) for path, v in sorted(found.items()))

    def tracked(self) -> tuple[str, ...]:
        """Return the paths of the fact folders that git tracks, for reading commands: no write."""
        if self.home is None:
            return ()
        self._tracked.remember(self._load().tracked)
        return tuple(sorted(self._tracked.look().paths))

    # --- one edit -----------------------------------------------------------------------------

    def _is_edit(self, session: Session, path: str) -> bool:
        """Say whether a file holds an edit that nothing was said about yet."""
        if session.tracked.covers(path):
            session.drop_row(path)
            return False
        try:
            row = session.look(path)
        except ObstacleError as obstacle:
            session.problems[obstacle.path] = obstacle.reason
            return False
        if row is None:
            row = session.manifest.rows[path]
            if row.verdict is not None:  # deleted: so is what was said about it
                session.set_row(path, replace(row, verdict=None, seen=row.base))
            return False
        return row.seen != row.base and row.verdict is None and row.sign[1] > 0

    def _edits(self, session: Session, paths: list[str]) -> list[Edit]:
        rows = session.manifest.rows
        bases = self._texts({rows[path].base for path in paths}, {}) if paths else {}
        edits = []
        for path in paths:
            row = rows[path]
            if row.base not in bases:
                session.problems[path] = f"was edited, but its base {row.base} is missing"
                continue
            try:
                text, sign = session.files.read(path), session.files.sign(path)
            except (FileNotFoundError, ObstacleError):
                continue  # gone this very moment
            oid = session.files.oid(text)
            still = sign == row.sign and oid == row.seen
            age = abs(session.now - row.sign[3] / _NS) if still else 0.0
            parts = PurePosixPath(path)
            edit = Edit(
                path=path,
                kind=parts.parts[1],
                id=parts.stem,
                base=bases[row.base],
                text=text,
                oid=oid,
                age=age,
            )
            edits.append(edit)
        return edits

    def _judge(self, edit: Edit, verdict: Verdict) -> None:
        with self._rows() as manifest:
            row = manifest.rows.get(edit.path)
            if row is not None and row.seen == edit.oid:  # else it was saved again meanwhile
                manifest.rows[edit.path] = replace(row, verdict=verdict)

    def _there(self, path: str, sign: Sign | None = None) -> bool:
        try:
            found = self._files.sign_kept(self._files.root / path)
        except OSError:
            return False
        return found is not None and sign in {None, found}

    # --- contents -----------------------------------------------------------------------------

    def _texts(self, oids: Iterable[str], given: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return contents by blob id: given, taken in but not committed as they are, or git's."""
        asked = set(oids)
        found = {oid: given[oid] for oid in asked if oid in given}
        for oid in asked - found.keys():
            base = self._folder / "bases" / oid
            if base.exists():
                found[oid] = base.read_bytes()
        missing = asked - found.keys()
        return found | (self._git.blobs(sorted(missing)) if missing else {})

    def _known(self, oids: Iterable[str]) -> frozenset[str]:
        asked = "".join(f"{oid}\n" for oid in oids)
        out = self._git.run("cat-file", "--batch-check", input=asked.encode()).text
        lines = (line.split() for line in out.splitlines())
        return frozenset(line[0] for line in lines if line[1] == "blob")

    def _drop_bases(self, manifest: Manifest) -> None:
        used = {row.base for row in manifest.rows.values()} | {d.base for d in manifest.displaced}
        folder = self._folder / "bases"
        for path in folder.iterdir() if folder.exists() else ():
            if path.name not in used:
                path.unlink(missing_ok=True)

    # --- what is remembered ---------------------------------------------------------------------

    @contextmanager
    def _session(self, now: float) -> Iterator[Session]:
        with self._locked():
            manifest = self._load()
            self._files.forget_folders()
            self._tracked.remember(manifest.tracked)
            tracked: Tracked = self._tracked.look()

            def save() -> None:
                self._save(manifest)

            session = Session(manifest, self._files, tracked, now, save)
            finish_intents(session)
            yield session
            saved = self._tracked.saved()
            if session.changed or saved != manifest.tracked:
                manifest.tracked = saved
                self._save(manifest)

    @contextmanager
    def _rows(self) -> Iterator[Manifest]:
        if self.home is None:
            yield Manifest()
            return
        with self._locked():
            manifest = self._load()
            yield manifest
            self._save(manifest)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        kept = self._folder / "kept"
        if not kept.is_dir():
            kept.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self._folder / "lock").acquire(_LOCK_SECONDS)
        try:
            yield
        except BaseException:
            self._manifest = None  # half done: what is on the disk counts
            raise
        finally:
            lock.release()

    def _load(self) -> Manifest:
        """Return the manifest, read again only if another process wrote it."""
        sign = self._files.sign_kept(self._path)
        if self._manifest is None or self._manifest[0] != sign:
            self._manifest = (sign, read_manifest(self._path))
        return self._manifest[1]

    def _save(self, manifest: Manifest) -> None:
        write_manifest(self._path, manifest)
        self._manifest = (self._files.sign_kept(self._path), manifest)

    def _keep_excluded(self) -> None:
        """Put our block back where somebody removed it."""
        path = self._repo.common_dir / "info/exclude"
        if self._excluded is None or self._files.sign_kept(path) != self._excluded:
            ensure_excluded(self._repo)
            self._excluded = self._files.sign_kept(path)
