"""What a forge such as GitHub holds, as gitcmat sees it: values, and what they mean.

Whatever text is in them (titles, bodies, logins, names of branches and checks) was written by
strangers: it is data to be quoted, never an instruction.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.pull import PullState

GHOST: Final = "ghost"
"""Login of an account that is gone."""

LONGEST_BODY: Final = 65536
"""Characters that a body or comment may have; GitHub refuses more."""

_MARK_PART: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,127}")


class Permission(StrEnum):
    """What somebody may do in a repository, least first."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    @property
    def may_write(self) -> bool:
        """Whether they may push, which is what makes their word count."""
        return self in {Permission.WRITE, Permission.MAINTAIN, Permission.ADMIN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """An account. `login` is `GHOST` when it is gone; programs have one that ends in ``[bot]``."""

    login: str
    id: int = 0
    """Stays when the login changes; 0 where it is not known."""
    bot: bool = False


class MergeMethod(StrEnum):
    """The three buttons."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A repository on a forge."""

    name: str
    """``owner/name``."""
    url: str
    default_branch: str
    private: bool
    fork: bool
    permission: Permission
    """What the one who asks may do in it; `Permission.NONE` where the forge does not say."""
    methods: frozenset[MergeMethod]
    """How pull requests may be merged in it; empty where the forge does not say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequest:
    """A pull request. Commits are whole ids."""

    number: int
    url: str
    title: str
    body: str
    author: Person
    state: PullState
    draft: bool
    head: str
    """The branch it comes from, without its owner."""
    head_sha: str
    head_repo: str
    """``owner/name`` of the repository the branch is in; empty when that is gone."""
    base: str
    """The branch it is to be merged into."""
    labels: tuple[str, ...]
    merge_commit: str
    """The commit on `base` that brought it in; empty while it is not merged."""
    mergeable: bool | None
    """Whether it merges without a conflict; None while the forge has not worked it out."""
    created: datetime
    updated: datetime
    """When anything about it changed: comments and reviews count, checks do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedFile:
    """A file that a pull request changes."""

    path: str
    status: str
    """``added``, ``removed``, ``modified``, ``renamed``, ``copied``, ``changed``, ``unchanged``."""
    additions: int = 0
    deletions: int = 0
    before: str = ""
    """Its path before it was renamed or copied."""


class Verdict(StrEnum):
    """What a review says."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"
    """It said something else, and no longer counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """A review that was submitted; drafts of reviews are not told."""

    id: int
    author: Person
    verdict: Verdict
    body: str
    commit: str
    """The head that was looked at; empty when the forge has forgotten it."""
    submitted: datetime
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A comment below an issue or pull request, or one in a thread on its lines."""

    id: int
    number: int
    """The issue or pull request."""
    author: Person
    body: str
    created: datetime
    updated: datetime
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Thread:
    """Comments on one place of a pull request's files, the first of which made it."""

    id: int
    """The id of its first comment."""
    path: str
    line: int | None
    """The last line it is about, in the file as it is by now; None for the whole file, or when the
    line is not there any more."""
    first_line: int | None
    """The first line it is about; None when that is `line`."""
    commit: str
    """The head it was written about."""
    hunk: str
    """The lines it was written about, as a diff."""
    review: int | None
    """Id of the review it came with."""
    resolved: bool
    outdated: bool
    comments: tuple[Comment, ...]
    """Oldest first, never empty."""


class CheckState(StrEnum):
    """How far a check is, and how it went."""

    QUEUED = "queued"
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed out"
    NEEDS_PERSON = "needs a person"
    SKIPPED = "skipped"
    NEUTRAL = "neutral"
    STALE = "stale"
    """It never ended, and the forge gave up on it."""

    @property
    def done(self) -> bool:
        """Whether it will not change by itself."""
        return self not in {CheckState.QUEUED, CheckState.RUNNING}

    @property
    def red(self) -> bool:
        """Whether it says that the commit is not good."""
        return self in {CheckState.FAILED, CheckState.TIMED_OUT}


class CheckKind(StrEnum):
    """The two kinds of checks that a commit can have."""

    RUN = "run"
    """A check run: it may have annotations and text."""
    STATUS = "status"
    """A commit status: one line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """What a program says of a commit."""

    id: int
    kind: CheckKind
    name: str
    commit: str
    state: CheckState
    title: str = ""
    summary: str = ""
    text: str = ""
    """What it tells in detail."""
    url: str = ""
    """Where people read more."""
    app: str = ""
    """Short name of the program that reports it, ``github-actions`` for a workflow."""
    external_id: str = ""
    """What the one who reports it calls it."""
    annotations: int = 0
    """How many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollup:
    """What can be told of an open pull request in a word: its checks, and whether people spoke."""

    number: int
    head_sha: str
    state: CheckState | None
    """`CheckState.RUNNING`, `PASSED` or `FAILED`; None when it has no checks."""
    said: bool = True
    """Whether somebody has said something there: a review, or a comment below it."""


class Level(StrEnum):
    """How bad an annotation is."""

    NOTICE = "notice"
    WARNING = "warning"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """What a check says of some lines; lines count from 1."""

    path: str
    line: int
    message: str
    end_line: int = 0
    """The last line; 0 when it is `line`."""
    level: Level = Level.FAILURE
    title: str = ""

    @property
    def last_line(self) -> int:
        """The last line it is about."""
        return max(self.line, self.end_line)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What gitcmat says of a commit. Name, commit and `external_id` together are its identity."""

    name: str
    commit: str
    state: CheckState
    """Never `CheckState.STALE`: only the forge says that."""
    external_id: str
    title: str
    """One line."""
    summary: str = ""
    text: str = ""
    url: str = ""
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """An issue; never a pull request."""

    number: int
    url: str
    title: str
    body: str
    author: Person
    open: bool
    reason: str
    """Why it was closed: ``completed``, ``not_planned``, ``duplicate``; empty where it is open."""
    labels: tuple[str, ...]
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Bookmark:
    """How far changes have been read. Keep it, and hand it in for what came after."""

    since: datetime
    tags: dict[str, str] = field(default_factory=dict)
    """The forge's own marks of what it told last, so that "nothing new" costs nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What changed since a bookmark. A thing may be told twice; none is left out."""

    bookmark: Bookmark
    """For the next time."""
    pulls: tuple[int, ...] = ()
    """Numbers of pull requests to look at again."""
    issues: tuple[Issue, ...] = ()
    comments: tuple[Comment, ...] = ()
    """Below issues and pull requests, made or edited, oldest change first."""
    thread_comments: tuple[Comment, ...] = ()
    """The same, in threads on lines."""


def mark(name: str, value: str) -> str:
    """Return text that people do not see, by which gitcmat knows again what it wrote.

    It proves nothing: anybody may write the same. Look at the author too.

    Raises:
        InvalidData: a part has other characters than small letters, digits and ``. _ / -``.
    """
    for part in (name, value):
        if not _MARK_PART.fullmatch(part):
            raise InvalidData(f"{part!r} cannot be part of a mark on a forge.")
    return f"<!-- gitcmat {name}={value} -->"


def marks(text: str) -> dict[str, str]:
    """Return the names and values of all marks in `text`; of one name the first counts."""
    pattern = rf"<!-- gitcmat ({_MARK_PART.pattern})=({_MARK_PART.pattern}) -->"
    found: dict[str, str] = {}
    for name, value in re.findall(pattern, text):
        found.setdefault(name, value)
    return found
