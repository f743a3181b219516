"""Brings the files of the view to what the records are now, and leaves every edit where it is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from gitcmat.store.layout import CMAT
from gitcmat.store.view_files import ObstacleError, Outcome
from gitcmat.store.view_manifest import Displaced, Intent, Row, Verdict
from gitcmat.store.view_recover import UNSEEN
from gitcmat.store.view_session import Session
from gitcmat.system.files import write_atomic

_REFUSED: Final = ".yaml.refused"
_STRANGER: Final = "gitcmat did not write it; it lay in the place of a record"
_DAY_DEPTH: Final = 3
"""Parts of ``.cmat/runs/<day>``, the shortest folder that is removed while other records remain."""

Contents = Callable[[Iterable[str]], Mapping[str, bytes]]
"""Fetches blobs by id; missing ones are left out."""
Known = Callable[[Iterable[str]], frozenset[str]]
"""Says which of these blob ids git has."""


@dataclass(slots=True)
class Written:
    """What `write_view` did."""

    written: int = 0
    removed: int = 0
    kept: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)


def write_view(
    session: Session, wanted: Mapping[str, str], contents: Contents, known: Known
) -> Written:
    """Make the view show `wanted` (path → blob id), as far as no edit is in the way."""
    done = Written()
    due = _due(session, wanted, done, known)
    gone = _gone(session, wanted)
    if due or gone:
        texts = contents({wanted[path] for path in due})
        _announce(session, wanted, due, gone)
        spares = {i.path: Path(i.file) for i in session.manifest.intents}
        for path, row in due.items():
            if wanted[path] not in texts:
                session.problems[path] = f"its blob {wanted[path]} is missing"
            elif path in spares:
                with _noting(session, path):
                    _put(session, path, row, texts[wanted[path]], spares[path], done)
        homes = {_name(path): path for path in wanted}
        for path in gone.keys() & spares.keys():
            with _noting(session, path):
                _take(session, path, gone[path], spares[path], homes, done)
        session.manifest.intents.clear()
        session.changed = True
    _follow(session, wanted, done)
    _sweep(session, wanted)
    return done


class _noting:  # noqa: N801 - reads as the word it is in a with statement
    """Turns an error with one file into a problem of the report; the others go on."""

    def __init__(self, session: Session, path: str) -> None:
        self._session = session
        self._path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, ObstacleError):
            self._session.problems[error.path] = error.reason
        elif isinstance(error, OSError):
            self._session.problems[self._path] = f"cannot be written: {error.strerror}"
        else:
            return False
        return True


def _due(
    session: Session, wanted: Mapping[str, str], done: Written, known: Known
) -> dict[str, Row | None]:
    """Return the paths to write, with what is there now (None: nothing)."""
    due: dict[str, Row | None] = {}
    strangers: dict[str, Row] = {}
    for path, oid in wanted.items():
        if session.tracked.covers(path):
            session.drop_row(path)
            continue
        with _noting(session, path):
            row = session.manifest.rows.get(path)
            sign = session.files.sign(path)
            if sign is None:
                due[path] = None
            elif row is None:
                session.record(path, session.files.oid(session.files.read(path)))
                row = session.manifest.rows[path]
                if row.seen != oid:
                    strangers[path] = row
            elif row.base != oid:
                row = session.look(path)
                if row is None or session.ours(row):
                    due[path] = row
                elif row.seen == oid:  # the edit, taken in word for word
                    session.record(path, oid)
                else:
                    done.kept.append(path)
    # What git has in its store is lost to nobody; the rest is kept beside the record.
    safe = known({row.seen for row in strangers.values()}) if strangers else frozenset()
    for path, row in strangers.items():
        with _noting(session, path):
            session.drop_row(path)
            due[path] = row
            if row.seen not in safe:
                due[path] = None
                _stranger(session, path, row, done)
    return due


def _stranger(session: Session, path: str, row: Row, done: Written) -> None:
    spare = session.files.spare(path)
    if session.files.take_out(path, spare, allowed={row.seen}) is not Outcome.PLACED:
        moved = session.set_aside(spare, path, Verdict(1, _STRANGER)) if spare.exists() else None
        done.moved += [moved] if moved else []


def _gone(session: Session, wanted: Mapping[str, str]) -> dict[str, Row]:
    """Return the files to take out: records that moved or are no longer shown."""
    gone: dict[str, Row] = {}
    for path in [p for p in session.manifest.rows if p not in wanted]:
        if session.tracked.covers(path):
            session.drop_row(path)
            continue
        with _noting(session, path):
            row = session.look(path)
            if row is None:
                session.drop_row(path)
            elif session.ours(row) or row.verdict is not None:
                gone[path] = row
    return gone


def _announce(
    session: Session,
    wanted: Mapping[str, str],
    due: Mapping[str, Row | None],
    gone: Mapping[str, Row],
) -> None:
    """Write down what is about to happen, so that a crash in the middle leaves no riddle."""
    for path, row in {**due, **gone}.items():
        with _noting(session, path):
            if path in due:
                session.manifest.folders.update(session.files.make_folders(path))
            spare = session.files.spare(path)
            oid = wanted.get(path)
            base = row.base if row else (oid or "")
            session.manifest.intents.append(Intent(path, oid, str(spare), base))
    session.save()


def _put(
    session: Session, path: str, row: Row | None, text: bytes, spare: Path, done: Written
) -> None:
    files, oid = session.files, session.files.oid(text)
    write_atomic(spare, text)
    if row is None:
        outcome = files.put_new(spare, path)
    else:
        outcome = files.exchange_in(spare, path, own=oid, allowed={row.base, row.seen})
    match outcome:
        case Outcome.PLACED | Outcome.REPLACED:
            session.record(path, oid)
            done.written += 1
        case Outcome.KEPT:
            spare.unlink(missing_ok=True)
            done.kept.append(path)
        case Outcome.CROSSED:
            done.kept.append(path)
    if outcome in {Outcome.REPLACED, Outcome.CROSSED}:
        _remember(session, path, row, spare, outcome)


def _take(
    session: Session, path: str, row: Row, spare: Path, homes: Mapping[str, str], done: Written
) -> None:
    allowed = {row.base, row.seen} if session.ours(row) else {row.seen}
    outcome = session.files.take_out(path, spare, allowed=allowed)
    match outcome:
        case Outcome.KEPT:
            done.kept.append(path)
            return
        case Outcome.CROSSED:
            done.kept.append(path)
            _remember(session, path, row, spare, outcome)
            return
        case Outcome.PLACED | Outcome.REPLACED:
            session.drop_row(path)
            done.removed += 1
    if outcome is Outcome.REPLACED:
        if session.ours(row) or row.verdict is None:
            _remember(session, path, row, spare, outcome)
        else:
            moved = session.set_aside(spare, homes.get(_name(path), path), row.verdict)
            done.moved += [moved] if moved else []


def _remember(session: Session, path: str, row: Row | None, spare: Path, outcome: Outcome) -> None:
    """Keep what came out: an editor may still write to it, or already has (CROSSED)."""
    if row is not None:
        held = row.seen if outcome is Outcome.REPLACED else row.base
        kept = Displaced(str(spare), path, row.base, held, UNSEEN, session.now)
        session.manifest.displaced.append(kept)


def _follow(session: Session, wanted: Mapping[str, str], done: Written) -> None:
    """Keep refused files beside their records, and forget those that a person deleted."""
    homes: dict[str, str] | None = None
    for aside, verdict in list(session.manifest.asides.items()):
        file = session.files.root / aside
        if not file.exists():
            del session.manifest.asides[aside]
            session.changed = True
            continue
        homes = homes if homes is not None else {_name(path): path for path in wanted}
        home = homes.get(_name(aside))
        if home and str(PurePosixPath(home).parent) != str(PurePosixPath(aside).parent):
            with _noting(session, aside):
                session.files.sign(aside)  # no link in the way
                moved = session.set_aside(file, home, verdict)
                del session.manifest.asides[aside]
                done.moved += [moved] if moved else []


def _name(path: str) -> str:
    """Return kind and id, by which a record is found again at another path."""
    parts = PurePosixPath(path).parts
    return f"{parts[1]}/{parts[-1].partition(_REFUSED)[0].removesuffix('.yaml')}"


def _sweep(session: Session, wanted: Mapping[str, str]) -> None:
    """Remove folders that we made and that nothing is in any more.

    Days come and go; the folders of kinds and states stay while there is anything to show, for
    editors and watchers that look at them.
    """
    manifest = session.manifest
    filled = {path.rpartition("/")[0] for path in (*wanted, *manifest.rows)}
    used = filled | {str(p) for folder in filled for p in PurePosixPath(folder).parents}
    for folder in sorted(manifest.folders - used, key=len, reverse=True):
        day = folder.count("/") >= _DAY_DEPTH - 1 and folder.rsplit("/", 1)[1][:1].isdigit()
        if (day or not wanted) and folder != CMAT:
            with _noting(session, folder):
                session.files.sign(f"{folder}/any")  # no link on the way
                if session.files.remove_folder(folder):
                    manifest.folders.discard(folder)
                    session.changed = True
