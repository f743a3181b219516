"""What a forge in memory holds, and what others than gitcmat do there."""

import hashlib
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from gitcmat.model.forge import (
    GHOST,
    Annotation,
    ChangedFile,
    Check,
    CheckKind,
    CheckState,
    Comment,
    Issue,
    MergeMethod,
    Permission,
    Person,
    PullRequest,
    Repository,
    Review,
    Thread,
    Verdict,
)
from gitcmat.model.pull import PullState

_CLOSES: Final = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)", re.IGNORECASE)


@dataclass
class World:
    """One repository. `now` is its clock, which must not go back; commits are made-up ids, or real
    ones that its user names.
    """

    name: str
    """``owner/name``."""
    now: Callable[[], datetime]
    default_branch: str = "main"
    people: dict[str, Permission] = field(default_factory=dict)
    """Who may do what; everybody else may read."""
    branches: dict[str, str] = field(default_factory=dict)
    files: dict[str, tuple[ChangedFile, ...]] = field(default_factory=dict)
    """What a head changes."""
    conflicting: set[str] = field(default_factory=set)
    """Heads that do not merge."""
    methods: frozenset[MergeMethod] = frozenset(MergeMethod)
    pulls: dict[int, PullRequest] = field(default_factory=dict)
    reviews: dict[int, list[Review]] = field(default_factory=dict)
    asked: dict[int, set[str]] = field(default_factory=dict)
    threads: dict[int, dict[int, Thread]] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    checks: dict[int, Check] = field(default_factory=dict)
    annotations: dict[int, tuple[Annotation, ...]] = field(default_factory=dict)
    logs: dict[int, str] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1000))

    @property
    def repository(self) -> Repository:
        """The repository, as nobody in particular sees it."""
        return Repository(
            name=self.name,
            url=f"https://forge.invalid/{self.name}",
            default_branch=self.default_branch,
            private=False,
            fork=False,
            permission=Permission.NONE,
            methods=self.methods,
        )

    def new_id(self) -> int:
        """Return an id that nothing has."""
        return next(self._ids)

    def new_number(self) -> int:
        """Return a number that no issue or pull request has."""
        return len(self.pulls) + len(self.issues) + 1

    def person(self, login: str) -> Person:
        """Return an account."""
        if login == GHOST:
            return Person(login=GHOST)
        number = int.from_bytes(hashlib.sha256(login.encode()).digest()[:4], "big")
        return Person(login=login, id=number, bot=login.endswith("[bot]"))

    def commit(self, *parts: str) -> str:
        """Return a made-up commit that is the same for the same parts."""
        return hashlib.sha1("\0".join(parts).encode(), usedforsecurity=False).hexdigest()

    def url(self, number: int, end: str = "") -> str:
        """Return the page of an issue or pull request."""
        kind = "pull" if number in self.pulls else "issues"
        return f"https://forge.invalid/{self.name}/{kind}/{number}{end}"

    def touch(self, number: int) -> datetime:
        """Say that something about an issue or pull request changed; return when."""
        now = self.now()
        if number in self.pulls:
            self.pulls[number] = replace(self.pulls[number], updated=now)
        else:
            self.issues[number] = replace(self.issues[number], updated=now)
        return now

    # --- what others do ---------------------------------------------------------------------

    def push(self, branch: str, commit: str, files: tuple[ChangedFile, ...] = ()) -> None:
        """Move a branch, and with it the head of its pull requests. What is pushed to a base
        branch may be the head of one: then that is merged.
        """
        self.branches[branch] = commit
        self.files[commit] = files
        for number, pull in self.pulls.items():
            if pull.state is not PullState.OPEN:
                continue
            if pull.head == branch:
                self.pulls[number] = replace(pull, head_sha=commit, updated=self.now())
                self._age_threads(number, files)
            elif pull.base == branch and pull.head_sha == commit:
                self.merged(number, commit)

    def _age_threads(self, number: int, files: tuple[ChangedFile, ...]) -> None:
        changed = {file.path for file in files}
        threads = self.threads.setdefault(number, {})
        for key, thread in threads.items():
            if thread.path in changed:
                threads[key] = replace(thread, outdated=True, line=None)

    def drop_branch(self, branch: str) -> None:
        """Delete a branch, which closes its open pull requests."""
        del self.branches[branch]
        for number, pull in self.pulls.items():
            if pull.head == branch and pull.state is PullState.OPEN:
                self.pulls[number] = replace(pull, state=PullState.CLOSED, updated=self.now())

    def merged(self, number: int, commit: str) -> None:
        """Say that a pull request was merged, and what its base branch is then."""
        pull = self.pulls[number]
        self.branches[pull.base] = commit
        for issue in _CLOSES.findall(pull.body) if pull.base == self.default_branch else ():
            if int(issue) in self.issues:
                self.close_issue(int(issue))
        self.pulls[number] = replace(
            pull, state=PullState.MERGED, merge_commit=commit, updated=self.now()
        )

    def open_issue(
        self, login: str, title: str, *, body: str = "", labels: tuple[str, ...] = ()
    ) -> int:
        """Open an issue; return its number."""
        number, now = self.new_number(), self.now()
        self.issues[number] = Issue(
            number=number,
            url=self.url(number),
            title=title,
            body=body,
            author=self.person(login),
            open=True,
            reason="",
            labels=labels,
            created=now,
            updated=now,
        )
        return number

    def close_issue(self, number: int, reason: str = "completed") -> None:
        """Close an issue."""
        issue = self.issues[number]
        self.issues[number] = replace(issue, open=False, reason=reason, updated=self.now())

    def remark(self, number: int, login: str, path: str, line: int, body: str) -> int:
        """Begin a thread on a line, with a review of its own; return its id."""
        review = self.review(number, login, Verdict.COMMENTED, "")
        first = self.new_comment(number, login, body)
        self.threads.setdefault(number, {})[first.id] = Thread(
            id=first.id,
            path=path,
            line=line,
            first_line=None,
            commit=review.commit,
            hunk=f"@@ -{line} +{line} @@",
            review=review.id,
            resolved=False,
            outdated=False,
            comments=(first,),
        )
        return first.id

    def resolve(self, number: int, thread: int) -> None:
        """Say that a thread is done with."""
        threads = self.threads[number]
        threads[thread] = replace(threads[thread], resolved=True)

    def review(
        self, number: int, login: str, verdict: Verdict, body: str, commit: str = ""
    ) -> Review:
        """Submit a review of the head, or of another commit."""
        review = Review(
            id=self.new_id(),
            author=self.person(login),
            verdict=verdict,
            body=body,
            commit=commit or self.pulls[number].head_sha,
            submitted=self.touch(number),
            url=self.url(number),
        )
        self.reviews.setdefault(number, []).append(review)
        return review

    def new_comment(self, number: int, login: str, body: str) -> Comment:
        """Return a new comment, which is nowhere yet."""
        now = self.touch(number)
        made = self.new_id()
        return Comment(
            id=made,
            number=number,
            author=self.person(login),
            body=body,
            created=now,
            updated=now,
            url=self.url(number, f"#{made}"),
        )

    def check(
        self, commit: str, name: str, state: CheckState, *, app: str = "ci", log: str = ""
    ) -> int:
        """Have a program report a check run; return its id."""
        number = self.new_id()
        self.checks[number] = Check(
            id=number, kind=CheckKind.RUN, name=name, commit=commit, state=state, app=app
        )
        self.logs[number] = log
        return number
