"""Examines what processes leave when they are killed: locks, temporary files, journals.

Only in our own namespace is anything removed, and only when it is older than a minute and nobody
has it open. Locks of the person's git are named, never touched.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from gitcmat.engine import landing_record
from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import Case, case
from gitcmat.model.health import Severity
from gitcmat.store import landing_journal, landing_repair, packs, refs, restore_journal
from gitcmat.store.ref_lock import is_left
from gitcmat.system import clock
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import is_locked

_OLD_FOLDER: Final = 3600.0
_GIT_LOCKS: Final = (
    "index.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "shallow.lock",
    "worktrees/*/index.lock",
    "worktrees/*/HEAD.lock",
    "refs/heads/**/*.lock",
    "refs/remotes/**/*.lock",
    "refs/tags/**/*.lock",
    "refs/*.lock",
)


def examine(deps: Deps) -> Iterator[Case]:
    """Look at all of it; needs no records."""
    yield from _journals(deps)
    yield from _locks(deps)
    yield from _keeps(deps)
    yield from _temporary(deps)


def _journals(deps: Deps) -> Iterator[Case]:
    if is_locked(landing_repair.turn(deps.repo).path):
        return  # somebody lands or restores just now
    for name, broken in (
        ("landing", landing_journal.needs_repair(deps.repo)),
        ("restore", restore_journal.needs_repair(deps.repo)),
    ):
        if broken:
            yield case(
                f"{name}-broken",
                Severity.SERIOUS,
                f"A {name} was broken off in the middle; git may refuse to work until it is mended",
                where=str(deps.repo.cmat / f"{name}.json"),
                mend=partial(landing_record.repair, deps),
            )


def _locks(deps: Deps) -> Iterator[Case]:
    git_dir = deps.repo.common_dir
    for path in sorted((git_dir / refs.OURS).rglob("*.lock")):
        if is_left(path):
            yield case(
                "lock-stale",
                Severity.SERIOUS,
                f"A git process that was killed has left {path.name}, and its ref cannot move",
                where=str(path),
                mend=partial(_remove, path),
            )
    if landing_journal.needs_repair(deps.repo) or restore_journal.needs_repair(deps.repo):
        return  # the lock is then ours, and goes with the journal
    for path in sorted({p for pattern in _GIT_LOCKS for p in git_dir.glob(pattern)}):
        if is_left(path):
            yield case(
                "lock-foreign",
                Severity.MINOR,
                f"git has been held up by {path.name} for {_minutes(path)}; it is not gitcmat's",
                where=str(path),
                how=f"if no git is at work: rm {path}",
            )


def _remove(path: Path) -> None:
    if is_left(path):  # looked at again: another process may have taken the lock since
        path.unlink(missing_ok=True)


def _keeps(deps: Deps) -> Iterator[Case]:
    left = [path for path in packs.dead_keeps(deps.repo) if is_left(path)]
    if left:
        count = "A pack" if len(left) == 1 else f"{len(left)} packs"
        yield case(
            "keep-stale",
            Severity.MINOR,
            f"{count} of a writer that was killed can never be tidied",
            where=str(left[0]),
            mend=deps.store.tidy,
        )


def _temporary(deps: Deps) -> Iterator[Case]:
    found = sorted(_left_files(deps.repo.cmat))
    if found:
        files = "a temporary file" if len(found) == 1 else f"{len(found)} temporary files"
        yield case(
            "temporary-left",
            Severity.MINOR,
            f"Processes that were killed have left {files}",
            where=str(found[0]),
            mend=partial(_remove_left_files, deps.repo.cmat),
        )


def _left_files(cmat: Path) -> Iterator[Path]:
    for path in (*(cmat / "tmp").glob("*"), *cmat.glob(".*.tmp"), *cmat.glob("*/.*.tmp")):
        # A writer locks its .keep and has the pack open only now and then.
        if is_left(path) and not is_locked(path.with_suffix(".keep")):
            yield path
    for name in ("landing", "checkpoint"):
        if (cmat / f"{name}.json").exists() or is_locked(cmat / "commit.lock"):
            continue
        for folder in (cmat / name).glob("*"):
            if is_left(folder, _OLD_FOLDER):
                yield folder


def _remove_left_files(cmat: Path) -> None:
    for path in list(_left_files(cmat)):
        remove_tree(path)


def _minutes(path: Path) -> str:
    age = int(clock.now().timestamp() - path.lstat().st_mtime) // 60
    return "a minute" if age <= 1 else f"{age} minutes"
