"""Checkpoints: saving a work tree by a name, finding, listing and deleting what was saved."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import Conflict, NotFound
from gitcmat.model.checkpoint import (
    Checkpoint,
    NewFiles,
    Why,
    checked_name,
    expired,
    is_large,
)
from gitcmat.model.state import OPEN
from gitcmat.store import checkpoint as mechanics
from gitcmat.store import refs
from gitcmat.store.checkpoint import BrokenRef, Commit, Label
from gitcmat.store.checkpoint_tree import CheckSize, Place, Taken, taken
from gitcmat.store.facts import Facts
from gitcmat.store.git import GitError, Repository
from gitcmat.store.landing_repair import TURN, turn
from gitcmat.store.layout import Kind
from gitcmat.store.state import Actor
from gitcmat.store.worktrees import holder
from gitcmat.system import ids
from gitcmat.system.locks import is_locked

T = TypeVar("T")

_MEGABYTE: Final = 1_000_000
_TRIES: Final = 5

Allow = Callable[[NewFiles], bool]
"""Is asked whether these new files may be saved."""


class TooLarge(Conflict):
    """There are so many new files that a person has to say so."""

    def __init__(self, new: NewFiles) -> None:
        super().__init__(
            "Nothing was saved: so much that is new needs a yes "
            f"(files: {new.count:,}, MB: {new.size / _MEGABYTE:,.1f}). The largest: {new}.",
            hint="name what is no work in .gitignore, or: --yes, or: --limit MB",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The checkpoints that are there."""

    found: tuple[Checkpoint, ...]
    missing: frozenset[str]
    """Ids whose ref is gone, though nobody deleted them with gitcmat."""
    broken: Mapping[str, str]
    """Broken ref → the command that mends it."""


@dataclass(frozen=True, slots=True)
class About:
    """What a checkpoint is for, beside its name."""

    why: Why = Why.MANUAL
    task: str | None = None
    run: str | None = None
    checkpoint: str = ""


def create(deps: Deps, name: str, about: About, allow: Allow) -> Checkpoint:
    """Save the work tree and the index of where the person works.

    Raises:
        InvalidData: the name is not one line of text, or git does not know the person.
        NotFound: there is no work tree.
        TooLarge: `allow` said no.
        Conflict: there is no commit yet, or files are unmerged.
    """
    name = checked_name(name)
    Place.of(deps.repo)
    deps.me  # noqa: B018 - whoever git does not know is told so before anything is read
    with turn(deps.repo).acquire(TURN):
        return steadily(lambda: _take(deps, name, about, allow))


def keep(deps: Deps, found: Taken, name: str, about: About) -> Checkpoint:
    """Make what was taken a checkpoint: the commit first, then its record.

    The caller holds the `turn`: a ref without a record is one that was broken off.
    """
    facts = deps.store.read()
    checkpoint_id = ids.checkpoint_id()
    now = deps.clock.now()
    label = Label(
        id=checkpoint_id,
        name=name,
        by=deps.me,
        at=now.astimezone(),
        trailers={
            "Cmat-State": facts.tip or "",
            "Cmat-Why": about.why.value,
            "Cmat-About": about.checkpoint,
            "Cmat-Task": about.task or "",
            "Cmat-Run": about.run or "",
            "Cmat-Branch": found.branch,
            "Cmat-Work-Tree": work_tree_name(deps.repo),
        },
    )
    commit = mechanics.save(deps.repo, deps.git, found, label)
    record = Checkpoint(
        id=checkpoint_id,
        name=name,
        why=about.why,
        ref=refs.checkpoint_ref(checkpoint_id),
        commit=commit,
        head=found.head,
        branch=found.branch,
        state=facts.tip or "",
        work_tree=work_tree_name(deps.repo),
        task=about.task,
        run=about.run,
        about=about.checkpoint,
        files=found.files,
        new_files=found.new_files,
        new_bytes=found.new_bytes,
        left_out=found.left_out,
        tasks=sum(facts.counts()[state] for state in OPEN),
        blockers=len(facts.blockers()),
        created=now,
        by=deps.me.name,
    )
    _put(deps, record, f"{checkpoint_id}: {name}")
    return record


def before_landing(deps: Deps, target: str, task: str) -> str:
    """Save the work tree that has `target` checked out, if there is something to lose in it.

    Returns a line for people; empty where there was nothing to save.
    """
    tree = holder(deps.repo, deps.git, target)
    if tree is None:
        return ""
    repo = deps.repo._replace(git_dir=tree.git_dir, work_tree=tree.path)
    there = deps.at(repo)
    upkeep(deps)
    name, about = f"before landing {task}", About(Why.LANDING, task=task)
    few = allowed(None, yes=False, ask=lambda _new: False)
    with turn(repo).acquire(TURN):
        try:
            saved = steadily(lambda: _take_dirty(there, name, about, few))
        except Conflict as error:
            return f"no checkpoint before landing {task}: {error.message.partition(': ')[2]}"
    return f"{saved.id}: saved what is not committed in {tree.path}" if saved else ""


def listed(deps: Deps) -> Listing:
    """List the checkpoints, the newest first; writes nothing."""
    there, broken = mechanics.listed(deps.repo, deps.git)
    facts = deps.store.read()
    records = {c.id: c for c in facts.checkpoints()}
    found = [*records.values(), *_unrecorded(deps, facts, there)]
    gone = {refs.CHECKPOINTS + i for i in records if i not in there} - {b.ref for b in broken}
    return Listing(
        found=tuple(sorted(found, key=lambda c: (c.created, c.id), reverse=True)),
        missing=frozenset(ref.removeprefix(refs.CHECKPOINTS) for ref in gone),
        broken={b.ref: _repair(b, records) for b in broken},
    )


def find(deps: Deps, text: str) -> Checkpoint:
    """Find a checkpoint by its id, a unique beginning of it, or its whole name.

    Raises `NotFound` when there is none, or more than one.
    """
    facts = deps.store.read()
    named = [c for c in facts.checkpoints() if c.name == text]
    if len(named) == 1:
        return named[0]
    try:
        found = facts.checkpoint(facts.resolve(Kind.CHECKPOINTS, text))
    except NotFound:
        # One of a run that goes on, or that was fetched, has no record yet.
        new = _unrecorded(deps, facts, mechanics.listed(deps.repo, deps.git)[0])
        fit = [c for c in new if c.name == text] or [c for c in new if c.id.startswith(text)]
        if len(fit) != 1 or len(named) > 1:
            raise
        found = fit[0]
    if found is None:
        raise NotFound(f"There is no checkpoint {text!r}.", hint="gitcmat checkpoint list")
    return found


def commit_of(deps: Deps, found: Checkpoint) -> Commit:
    """Read the commit of a checkpoint.

    Raises `NotFound` when it is gone.
    """
    try:
        return mechanics.read(deps.git, found.commit)
    except NotFound as error:
        raise NotFound(
            f"The files of {found.id} are gone: there is no commit {found.commit}.",
            hint=f"gitcmat checkpoint delete {found.id}",
        ) from error


def delete(
    deps: Deps, found: list[Checkpoint], subject: str = "checkpoint delete", by: Actor | None = None
) -> None:
    """Delete checkpoints: the records first, so that one that is broken off is ended later.

    `by` is who does it; None for the person.
    """
    if not found:
        return
    now, who = deps.clock.now(), by or deps.actor
    with deps.store.change(subject, by=who) as change:
        for each in found:
            change.put(replace(each, deleted=now, deleted_by=who.name), f"{each.id}: deleted")
    for each in found:
        mechanics.delete(deps.git, each.id, each.commit)


def prune(deps: Deps, *, keep: int | None, days: float | None, dry: bool) -> list[Checkpoint]:
    """Delete old checkpoints that gitcmat made, see `model.checkpoint.expired`."""
    with turn(deps.repo).acquire(TURN):
        if not dry:
            mend(deps)
        found = deps.store.read().checkpoints()
        gone = expired(found, deps.clock.now(), keep=keep, days=days)
        if not dry:
            delete(deps, gone, "checkpoint prune")
    return gone


def mend(deps: Deps) -> None:
    """End what was broken off: a commit without a record gets one, a deleted one goes.

    Runs leave their checkpoints without records; while a run goes on they are its own, to drop them
    again. The caller holds the `turn`, so no other process is in the middle of either.
    """
    there, _ = mechanics.listed(deps.repo, deps.git)
    facts = deps.store.read()
    for checkpoint_id, commit in there.items():
        record = facts.checkpoint(checkpoint_id)
        if record is not None and record.deleted is not None:
            mechanics.delete(deps.git, checkpoint_id, commit)
    found = [c for c in _unrecorded(deps, facts, there) if not _goes_on(deps, c)]
    if found:
        with deps.store.change("checkpoint records", by=deps.daemon) as change:
            for each in found:
                change.put(each, f"{each.id}: {each.name}")


def upkeep(deps: Deps) -> None:
    """Give those of runs their records, and let go what is too old or too many.

    Does nothing while another command has the `turn`.
    """
    try:
        held = turn(deps.repo).acquire(blocking=False)
    except Conflict:
        return
    with held:
        mend(deps)
        found = deps.store.read().checkpoints()
        gone = expired(found, deps.clock.now(), keep=None, days=None)
        delete(deps, gone, "checkpoint prune", by=deps.daemon)


def size_check(allow: Allow) -> CheckSize:
    """Raise `TooLarge` for many new files, unless `allow` says yes."""

    def check(new: NewFiles) -> None:
        if not allow(new):
            raise TooLarge(new)

    return check


def steadily(action: Callable[[], T]) -> T:
    """Do it again where git fails: what lay loose and unused in the store may have gone with a gc
    between the look at it and the copy.
    """
    for _ in range(_TRIES - 1):
        with suppress(GitError):
            return action()
    return action()


def allowed(limit: float | None, *, yes: bool, ask: Allow) -> Allow:
    """Who decides on many new files: `limit` in megabytes, a yes beforehand, or `ask`."""

    def allow(new: NewFiles) -> bool:
        most = None if limit is None else int(limit * _MEGABYTE)
        return yes or not is_large(new.count, new.size, most) or ask(new)

    return allow


def work_tree_name(repo: Repository) -> str:
    """What git calls the linked work tree that the person is in; empty for the main one."""
    return "" if repo.git_dir == repo.common_dir else repo.git_dir.name


def _take(deps: Deps, name: str, about: About, allow: Allow) -> Checkpoint:
    with taken(deps.repo, Place.of(deps.repo), size_check(allow)) as found:
        return keep(deps, found, name, about)


def _take_dirty(deps: Deps, name: str, about: About, allow: Allow) -> Checkpoint | None:
    """Save the work tree, if there is something in it that HEAD has not."""
    with taken(deps.repo, Place.of(deps.repo), size_check(allow)) as found:
        return keep(deps, found, name, about) if found.files else None


def _put(deps: Deps, record: Checkpoint, note: str) -> None:
    with deps.store.change(f"checkpoint {record.id}", by=deps.actor) as change:
        change.put(record, note)


def _goes_on(deps: Deps, found: Checkpoint) -> bool:
    """Whether it is one of a run whose runner lives."""
    return found.run is not None and is_locked(RunFolder(deps.runs / found.run).lock)


def _unrecorded(deps: Deps, facts: Facts, there: Mapping[str, str]) -> list[Checkpoint]:
    """The checkpoints of `there`, id → commit, that have no record, also no deleted one."""
    new = {i: oid for i, oid in there.items() if facts.checkpoint(i) is None}
    commits = mechanics.read_all(deps.git, new.values()) if new else {}
    return [_from_commit(i, commits[oid], facts) for i, oid in new.items() if oid in commits]


def _from_commit(checkpoint_id: str, commit: Commit, facts: Facts) -> Checkpoint:
    """The record of a checkpoint, as far as its commit tells it."""
    said = commit.trailers
    why = said.get("Cmat-Why", "")
    run = facts.run(said.get("Cmat-Run", ""))
    files, new_files, new_bytes = commit.counts
    return Checkpoint(
        id=checkpoint_id,
        name=commit.name,
        why=Why(why) if why in set(Why) else Why.MANUAL,
        ref=refs.checkpoint_ref(checkpoint_id),
        commit=commit.oid,
        head=commit.head,
        branch=said.get("Cmat-Branch", ""),
        state=said.get("Cmat-State", ""),
        work_tree=said.get("Cmat-Work-Tree", ""),
        task=said.get("Cmat-Task") or (run.task if run else None),
        run=said.get("Cmat-Run"),
        about=said.get("Cmat-About", ""),
        files=files,
        new_files=new_files,
        new_bytes=new_bytes,
        created=commit.at,
        by=commit.author,
    )


def _repair(broken: BrokenRef, records: Mapping[str, Checkpoint]) -> str:
    record = records.get(broken.ref.removeprefix(refs.CHECKPOINTS))
    return broken.repair(record.commit if record else None)
