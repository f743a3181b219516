"""What came out of the view is looked at once more: late saves, and what a crash left half done."""

from dataclasses import replace
from pathlib import Path
from typing import Final

from gitcmat.store.view_files import ObstacleError, Outcome
from gitcmat.store.view_manifest import Displaced, Sign, Verdict
from gitcmat.store.view_session import Session

KEEP_SECONDS: Final = 30.0
"""How long a file that came out is kept: an editor that had it open writes within moments."""

UNSEEN: Final[Sign] = (0, 0, 0, 0)
"""Of a file that must be read in any case."""

_SECOND_SAVE: Final = "saved while another save of the same file was being written"


def finish_intents(session: Session) -> None:
    """After a crash: find out how far each announced step came, and lose nothing."""
    manifest, files = session.manifest, session.files
    if not manifest.intents:
        return
    for intent in manifest.intents:
        if intent.oid and files.holds(files.root / intent.path, {intent.oid}):
            session.record(intent.path, intent.oid)
        file = Path(intent.file)
        if intent.oid and files.holds(file, {intent.oid}):
            file.unlink()
        elif file.exists():
            manifest.displaced.append(
                Displaced(intent.file, intent.path, intent.base, intent.base, UNSEEN, session.now)
            )
    manifest.intents.clear()
    known = {Path(d.file) for d in manifest.displaced} | {Path(p) for p in manifest.asides}
    for path in files.kept.iterdir():
        if path not in known:
            path.unlink()
    session.changed = True


def look_again(session: Session) -> None:
    """Bring back what was saved into a file after it came out of the view; let go of the rest."""
    still: list[Displaced] = []
    for kept in session.manifest.displaced:
        still.extend(_remaining(session, kept))
    if still != session.manifest.displaced:
        session.manifest.displaced[:] = still
        session.changed = True


def _remaining(session: Session, kept: Displaced) -> list[Displaced]:
    """Return what is to be looked at again instead of `kept`."""
    file, files = Path(kept.file), session.files
    sign = files.sign_kept(file)
    if sign is None:
        return []
    expired = abs(session.now - kept.since) > KEEP_SECONDS
    if sign == kept.sign and not expired:
        return [kept]
    row = session.manifest.rows.get(kept.path)
    own = {kept.base, kept.held, row.base if row else kept.base}
    # Empty: an editor has truncated it and is about to write.
    if sign[1] and not files.holds(file, own):
        return _bring_back(session, kept)
    if expired:
        file.unlink(missing_ok=True)
        return []
    return [replace(kept, sign=sign)]


def _bring_back(session: Session, kept: Displaced) -> list[Displaced]:
    """Make a late save an edit again: at its path, or beside it where there is another edit."""
    files, path, file = session.files, kept.path, Path(kept.file)
    try:
        session.check_untracked(path)
        oid = files.oid_kept(file)
        session.manifest.folders.update(files.make_folders(path))
        row = session.look(path) if path in session.manifest.rows else None
        if files.sign(path) is None:
            outcome = files.put_new(file, path)
        elif row is not None and session.ours(row):
            allowed = {row.base, row.seen}
            outcome = files.exchange_in(file, path, own=oid, allowed=allowed)
        else:
            outcome = Outcome.KEPT
        match outcome:
            case Outcome.PLACED | Outcome.REPLACED:
                session.record(path, oid, base=kept.base)
            case Outcome.KEPT | Outcome.CROSSED:
                session.set_aside(file, path, Verdict(1, _SECOND_SAVE))
        if outcome is Outcome.REPLACED and row is not None:
            return [Displaced(kept.file, path, row.base, row.seen, UNSEEN, session.now)]
    except ObstacleError as error:
        # It cannot go where it belongs: it stays where it is, and `status` names it.
        reason = f"saved while {path} was being replaced, but {error.path} {error.reason}"
        session.manifest.asides[kept.file] = Verdict(1, reason)
    return []
