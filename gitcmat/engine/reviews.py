"""Reviews: what came out of a task, as a person looks at it, and sending it back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gitcmat.engine import branches, costs, pull_words, subtasks
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After
from gitcmat.engine.landing_record import repair
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.sending_back import send_back
from gitcmat.errors import Conflict, NotFound, Usage
from gitcmat.model.entry import Entry
from gitcmat.model.events import Rejected
from gitcmat.model.job import FileChange
from gitcmat.model.marks import path_marks
from gitcmat.model.spending import Total
from gitcmat.model.state import State
from gitcmat.model.subtask import Subtask
from gitcmat.model.talk import Saying
from gitcmat.store import diffs, refs
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind

_PLAIN: Final = ("--no-ext-diff", "--no-textconv")
_NUMBERS: Final = re.compile(r"(\d+) (file|insertion|deletion)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much differs: files, and lines added and removed (of text files)."""

    files: int = 0
    added: int = 0
    removed: int = 0

    def __str__(self) -> str:
        """``3 files +12 -4``."""
        noun = "file" if self.files == 1 else "files"
        return f"{self.files} {noun} +{self.added} -{self.removed}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the work."""

    id: str
    author: str
    subject: str
    by_person: bool
    """Whether a person made it on the branch, after the result had come there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """The work of one task, against the place where it left its target."""

    entry: Entry
    base: str
    tip: str
    size: Size

    @property
    def branch(self) -> str:
        """The branch as a person names it, or the commit where there is none."""
        shows_tip = self.entry.branch and self.entry.head == self.entry.branch_head
        return branches.shown(self.entry) if shows_tip else self.tip[:10]

    @property
    def target(self) -> str:
        """The target as a person names it."""
        return self.entry.target.removeprefix(refs.BRANCHES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """All of a review that is read before a decision."""

    review: Review
    commits: tuple[Commit, ...]
    files: tuple[FileChange, ...]
    marks: tuple[str, ...]
    """What is to be looked at first."""
    open_subtasks: tuple[Subtask, ...]
    """What is not ticked off; it may land all the same."""
    used: Total
    """What all runs of the task used."""

    @property
    def commands(self) -> dict[str, str]:
        """What to type, by purpose."""
        entry = self.review.entry
        found = {"diff": f"git diff {self.review.target}...{self.review.branch}"}
        if entry.state is State.REVIEW:
            found |= {
                "land": f"gitcmat land {entry.id}",
                "reject": f'gitcmat review reject {entry.id} -m "why"',
            }
        return found


def listed(deps: Deps) -> list[Review]:
    """Return what is in review, what matters most first."""
    return [_review(deps.git, entry) for entry in deps.store.read().entries(State.REVIEW)]


def show(deps: Deps, text: str) -> Details:
    """Return all about the work of the task that `text` names by a unique prefix.

    Raises `NotFound`, or `Conflict` when it has no work yet.
    """
    review = find(deps, text)
    entry = review.entry
    files = _files(deps.git, review)
    outside = path_marks([f.path for f in files], allowed=entry.task.paths, protected=())
    known = tuple(mark for mark in entry.marks if not mark.startswith("outside paths"))
    return Details(
        review=review,
        commits=_commits(deps.git, review),
        files=files,
        marks=(*outside, *known),
        open_subtasks=subtasks.still_open(deps, entry.id),
        used=costs.of_task(deps, deps.store.read(), entry.id),
    )


def find(deps: Deps, text: str) -> Review:
    """Return the work of a task. Raises `NotFound`, or `Conflict` when it has none yet."""
    facts = deps.store.read()
    entry = facts.entry(facts.resolve(Kind.QUEUE, text))
    if entry is None:
        raise NotFound(f"There is no task {text!r}.", hint="gitcmat review list")
    if not entry.head:
        raise Conflict(
            f"{entry.id} is {entry.state} and has no work yet.",
            hint=f"gitcmat task show {entry.id}",
        )
    return _review(deps.git, entry)


def diff(deps: Deps, text: str, *, stat: bool = False, paths: Sequence[str] = ()) -> bytes:
    """Return what ``git diff`` prints for the work, or for `paths` of it, from the root; ``git
    apply`` takes it.
    """
    review = find(deps, text)
    sides = review.base, review.tip
    return diffs.printed(deps.git.git_dir, *sides, stat=stat, paths=paths)


def reject(reconciler: Reconciler, text: str, message: str) -> Entry:
    """Send the work back to the agent, with the why in its next prompt; its pull request says so.

    Raises `Usage` without a why, `Conflict` when it is not in review.
    """
    if not message.strip():
        raise Usage("The agent needs to know why.", hint='gitcmat review reject ID -m "why"')
    deps = reconciler.deps
    repair(deps)
    reconciler(start=False)
    entry_id = deps.store.read().resolve(Kind.QUEUE, text)
    with deps.store.change(f"reject {entry_id}", by=deps.actor) as change:
        entry = change.entry(entry_id)
        if entry.state is not State.REVIEW:
            raise Conflict(
                f"{entry.id} is {entry.state}; only what is in review can be sent back.",
                hint=f"gitcmat task show {entry.id}",
            )
        event = Rejected(text=message.strip(), by=deps.me.name)
        said = _told_there(entry, event)
        entry = send_back(change, event, entry_id, deps.clock.now(), After())
        if said is not None:
            talk = replace(entry.talk, sayings=(*entry.talk.sayings, said))
            change.put(replace(entry, talk=talk))
    reconciler(start=False)
    return deps.store.read().entry(entry_id) or entry


def _told_there(entry: Entry, event: Rejected) -> Saying | None:
    """Return what is said of it on the pull request, if there is an open one."""
    pull = entry.pull
    if pull is None or not pull.open:
        return None
    mark = f"reject={entry.run or entry.id}-{entry.version.count}"
    text = pull_words.rejected(event.by, event.text)
    return Saying(number=pull.number, mark=mark, text=text)


def _review(git: Git, entry: Entry) -> Review:
    tip = branches.tip(git, entry).commit
    landed = entry.state is State.DONE
    at = None if landed or not tip else _fork(git, entry.target, tip)
    base = at or entry.base or tip
    if not tip:
        return Review(entry=entry, base=base, tip=tip, size=Size())
    said = git.text("diff", "--shortstat", *_PLAIN, base, tip)
    found = {what: int(number) for number, what in _NUMBERS.findall(said)}
    size = Size(
        files=found.get("file", 0),
        added=found.get("insertion", 0),
        removed=found.get("deletion", 0),
    )
    return Review(entry=entry, base=base, tip=tip, size=size)


def _fork(git: Git, target: str, tip: str) -> str | None:
    return git.maybe("merge-base", branches.target_tip(git, target) or target, tip)


def _commits(git: Git, review: Review) -> tuple[Commit, ...]:
    form = "--format=%H%x00%an%x00%s"
    rows = git.text("log", "--reverse", form, f"{review.base}..{review.tip}").splitlines()
    put = review.entry.branch_head
    by_person: set[str] = set()
    if branches.tip(git, review.entry).by_person and put:
        by_person = set(git.text("rev-list", f"{put}..{review.tip}").split())
    found = []
    for row in rows:
        commit, author, subject = row.split("\0", 2)
        found.append(
            Commit(id=commit, author=author, subject=subject, by_person=commit in by_person)
        )
    return tuple(found)


def _files(git: Git, review: Review) -> tuple[FileChange, ...]:
    how = ("-r", "-z", "--name-status", "--no-renames")
    out = git.run("diff-tree", *how, review.base, review.tip).out.split(b"\0")
    pairs = zip(out[::2], out[1::2], strict=False)
    return tuple(
        FileChange(status=status.decode(), path=path.decode("utf-8", "surrogateescape"))
        for status, path in pairs
    )
