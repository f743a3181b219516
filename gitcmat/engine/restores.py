"""Restoring checkpoints: the files, on request what people had set on tasks, and taking it back."""

from dataclasses import dataclass

from gitcmat.engine import checkpoints
from gitcmat.engine.checkpoints import About, Allow
from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, NotFound
from gitcmat.model.checkpoint import (
    Checkpoint,
    PutBack,
    TaskChanges,
    Why,
    compare_tasks,
    last_restore,
    put_back,
)
from gitcmat.store import checkpoint_records, diffs, landing_journal, restore_journal
from gitcmat.store import restore as mechanics
from gitcmat.store.checkpoint_tree import Place, Taken
from gitcmat.store.facts import Facts
from gitcmat.store.landing_repair import TURN, turn
from gitcmat.store.packs import OnStep, no_step
from gitcmat.store.restore import Differences


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A restore that has happened, or what one would do."""

    checkpoint: Checkpoint
    saved: Checkpoint | None
    """What was there before; None when nothing was done."""
    differences: Differences
    records: tuple[PutBack, ...]


def restore(
    deps: Deps, found: Checkpoint, allow: Allow, *, records: bool, on_step: OnStep = no_step
) -> Restored:
    """Make the work tree and the index what they were; what is there now is saved first.

    With `records`, priority and hold of tasks are put back too, see `model.checkpoint.put_back`.

    Raises:
        NotFound: the checkpoint's commit is gone, or there is no work tree.
        TooLarge: `allow` said no to the new files that would be saved.
        Conflict: a merge or the like is under way, the index is held, or ignored files are in the
            way. Nothing has changed.
    """
    target = checkpoints.commit_of(deps, found)
    Place.of(deps.repo)
    deps.me  # noqa: B018 - as for create
    saved: list[Checkpoint] = []

    def keep(now: Taken) -> str:
        about = About(Why.RESTORE, checkpoint=found.id)
        saved.append(checkpoints.keep(deps, now, f"before restoring {found.id}", about))
        return saved[-1].commit

    with turn(deps.repo).acquire(TURN):
        checkpoints.mend(deps)
        check = checkpoints.size_check(allow)

        def attempt() -> Differences:
            _check_over(deps)
            try:
                return mechanics.restore(deps.repo, target, keep, check, on_step)
            except BaseException:
                # It has not happened, so there is nothing that --undo should find.
                if not restore_journal.needs_repair(deps.repo):
                    checkpoints.delete(deps, saved)
                    saved.clear()
                raise

        differences = checkpoints.steadily(attempt)
    done = _put_back(deps, found) if records else ()
    return Restored(checkpoint=found, saved=saved[-1], differences=differences, records=done)


def _check_over(deps: Deps) -> None:
    if landing_journal.needs_repair(deps.repo) or restore_journal.needs_repair(deps.repo):
        raise Conflict(
            "Nothing was restored: an earlier landing or restore was broken off.", hint="try again"
        )


def preview(deps: Deps, found: Checkpoint, *, records: bool) -> Restored:
    """Say what `restore` would do, and do nothing.

    Raises what `restore` raises.
    """
    target = checkpoints.commit_of(deps, found)
    differences = mechanics.preview(deps.repo, target, lambda _new: None)
    planned = _plan(deps, found, deps.store.read()) if records else ()
    return Restored(checkpoint=found, saved=None, differences=differences, records=planned)


def to_undo(deps: Deps) -> Checkpoint:
    """Return what was saved before the last restore in this work tree.

    Raises `NotFound` when there was none.
    """
    name = checkpoints.work_tree_name(deps.repo)
    found = last_restore(deps.store.read().checkpoints(), name)
    if found is None:
        raise NotFound("Nothing has been restored here.", hint="gitcmat checkpoint list")
    return found


def repair(deps: Deps) -> str:
    """Finish a restore that was killed; one look at one file where there was none.

    Every command that writes calls it first. Returns a line for people, empty where nothing was.
    """
    if not restore_journal.needs_repair(deps.repo):
        return ""
    with turn(deps.repo).acquire(TURN):
        done = mechanics.repair(deps.repo, deps.git)
        if done is None:
            return ""
        checkpoints.mend(deps)
        held = deps.store.read().checkpoints()
        if not done.target:
            unused = [c for c in held if c.commit == done.present and c.why is Why.RESTORE]
            checkpoints.delete(deps, unused)
            return "forgot a restore that was broken off before it changed anything"
    names = [c.id for c in held if c.commit == done.target]
    left = f"; changed since and left alone: {', '.join(done.left)}" if done.left else ""
    return f"finished restoring {names[0] if names else done.target}{left}"


def compare(deps: Deps, old: Checkpoint, new: Checkpoint) -> TaskChanges:
    """Compare the tasks of two checkpoints.

    Raises `NotFound` when the records of one are not here.
    """
    sides = [checkpoint_records.tasks_at(deps.git, each.state) for each in (old, new)]
    return compare_tasks(*sides)


def files_between(deps: Deps, old: Checkpoint, new: Checkpoint) -> dict[str, str]:
    """Path → ``A``, ``D``, ``M`` or ``T`` for each file that differs between two checkpoints."""
    how = ("diff-tree", "-r", "-z", "--name-status", "--no-renames")
    parts = iter(deps.git.run(*how, *_commits(deps, old, new)).text.split("\0"))
    return {path: status for status, path in zip(parts, parts, strict=False)}


def diff(
    deps: Deps, old: Checkpoint, new: Checkpoint, *, stat: bool, paths: tuple[str, ...]
) -> bytes:
    """Print what differs in the files as git does; `paths` are from the root."""
    literal = [f":(top,literal){path}" for path in paths]
    sides = _commits(deps, old, new)
    return diffs.printed(deps.git.git_dir, *sides, stat=stat, paths=literal)


def _commits(deps: Deps, old: Checkpoint, new: Checkpoint) -> tuple[str, str]:
    return checkpoints.commit_of(deps, old).oid, checkpoints.commit_of(deps, new).oid


def _plan(deps: Deps, found: Checkpoint, facts: Facts) -> tuple[PutBack, ...]:
    """What would become of each task whose record differs from the checkpoint's."""
    sides = [checkpoint_records.tasks_at(deps.git, each) for each in (found.state, facts.tip or "")]
    changed = compare_tasks(*sides).changed
    then = checkpoint_records.entries_of(deps.git, (old for old, _ in changed.values()))
    now = deps.clock.now()
    pairs = ((then[i], entry) for i in changed if i in then and (entry := facts.entry(i)))
    return tuple(plan for old, entry in pairs if (plan := put_back(old, entry, now)))


def _put_back(deps: Deps, found: Checkpoint) -> tuple[PutBack, ...]:
    with deps.store.change(f"checkpoint restore {found.id}", by=deps.actor) as change:
        planned = _plan(deps, found, change.facts)
        for plan in planned:
            if plan.entry is not None:
                change.put(plan.entry, f"{plan.id}: {plan.why}")
    return planned
