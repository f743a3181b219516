"""What a GitHub holds, and its clock: nothing passes in it but by what is done."""

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.support.fakegithub.gitside import GitSide


@dataclass
class User:
    """An account."""

    login: str
    id: int
    kind: str = "User"


@dataclass
class Token:
    """What somebody signs in with. Without `permissions` it may do all that they may."""

    value: str
    login: str
    permissions: dict[str, str] | None = None
    app: str = ""
    """Short name of the App that it is an installation of; only those may make check runs."""
    expires: datetime | None = None
    scopes: tuple[str, ...] | None = None
    """Of a classic token; others have none."""


@dataclass
class Review:
    """A review, submitted."""

    id: int
    user: str
    state: str
    body: str
    commit: str
    submitted: datetime


@dataclass
class Pull:
    """What makes an issue a pull request."""

    head: str
    head_repo: str | None
    head_sha: str
    base: str
    base_sha: str
    draft: bool
    merged_at: datetime | None = None
    merge_sha: str | None = None
    merged_by: str = ""
    asked: list[str] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass
class Issue:
    """An issue or pull request."""

    number: int
    id: int
    title: str
    body: str | None
    user: str
    created: datetime
    updated: datetime
    labels: list[str] = field(default_factory=list)
    state: str = "open"
    reason: str | None = None
    closed: datetime | None = None
    pull: Pull | None = None


@dataclass
class Comment:
    """A comment below an issue or pull request."""

    id: int
    number: int
    user: str
    body: str
    created: datetime
    updated: datetime


@dataclass
class Remark:
    """A comment on a line of a pull request."""

    id: int
    number: int
    user: str
    body: str
    path: str
    line: int
    commit: str
    hunk: str
    review: int
    created: datetime
    updated: datetime
    reply_to: int | None = None


@dataclass
class CheckRun:
    """A check run."""

    id: int
    name: str
    sha: str
    app: str
    created: datetime
    status: str = "queued"
    conclusion: str | None = None
    external_id: str = ""
    url: str | None = None
    output: dict[str, str | None] = field(default_factory=dict)
    annotations: list[dict[str, object]] = field(default_factory=list)
    completed: datetime | None = None
    log: str = ""
    """What the job wrote, where a workflow ran it."""


@dataclass
class Status:
    """A commit status."""

    id: int
    sha: str
    context: str
    state: str
    description: str | None
    url: str | None
    user: str
    created: datetime


@dataclass
class Protection:
    """Rules of a branch."""

    approvals: int = 0
    checks: tuple[str, ...] = ()


@dataclass
class Repo:
    """A repository, whose commits are in the bare one at `git`."""

    slug: str
    id: int
    git: GitSide
    private: bool = False
    default: str = "main"
    fork_of: str = ""
    roles: dict[str, str] = field(default_factory=dict)
    methods: set[str] = field(default_factory=lambda: {"merge", "squash", "rebase"})
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    remarks: dict[int, Remark] = field(default_factory=dict)
    resolved: set[int] = field(default_factory=set)
    runs: dict[int, CheckRun] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    labels: dict[str, int] = field(default_factory=dict)
    protection: dict[str, Protection] = field(default_factory=dict)
    tips: dict[str, str] = field(default_factory=dict)
    """Branches as they were at the last look."""

    @property
    def owner(self) -> str:
        """Who owns it."""
        return self.slug.partition("/")[0]

    @property
    def name(self) -> str:
        """Its name without the owner."""
        return self.slug.partition("/")[2]

    @property
    def pulls(self) -> dict[int, Issue]:
        """The issues that are pull requests."""
        return {number: issue for number, issue in self.issues.items() if issue.pull}


class World:
    """All of it. Ids rise, and so does time: by a second with each thing that happens."""

    def __init__(self) -> None:
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.repos: dict[str, Repo] = {}
        self.moved: dict[str, Repo] = {}
        """Old names of repositories."""
        self.app_permissions: dict[str, dict[str, str]] = {}
        """Short name of an App → what its installations may; everything if it is not here."""
        self.custom_roles: dict[str, str] = {}
        """What organisations call the roles of some people."""
        self.now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        self._ids = itertools.count(1000)

    def new_id(self) -> int:
        """Return an id that nothing has."""
        return next(self._ids)

    def tick(self, seconds: float = 1) -> datetime:
        """Let time pass; return what it is then."""
        self.now += timedelta(seconds=seconds)
        return self.now

    def user(self, login: str) -> User:
        """Return an account, a new one if nobody has that login."""
        if login not in self.users:
            kind = "Bot" if login.endswith("[bot]") else "User"
            self.users[login] = User(login, self.new_id(), kind)
        return self.users[login]

    def token(self, login: str, *, app: str = "", prefix: str = "", **permissions: str) -> str:
        """Return a new token of `login`, who may have several; without permissions it has all."""
        self.user(login)
        value = f"{prefix}honey_{len(self.tokens)}_{login.removesuffix('[bot]')}"
        self.tokens[value] = Token(value, login, permissions or None, app)
        return value

    def classic(self, login: str, *scopes: str) -> str:
        """Return a new token with scopes."""
        value = self.token(login, prefix="ghp_")
        self.tokens[value].scopes = scopes
        return value

    def repo(self, slug: str, path: Path, **roles: str) -> Repo:
        """Take the bare repository at `path` in as `slug`; its owner may do everything."""
        owner = slug.partition("/")[0]
        for login in (owner, *roles):
            self.user(login)
        made = Repo(slug, self.new_id(), GitSide(path), roles={owner: "admin", **roles})
        made.tips = made.git.branches()
        self.repos[slug] = made
        return made

    def rename(self, repo: Repo, slug: str) -> None:
        """Give a repository another name."""
        for other in self.repos.values():
            for issue in other.pulls.values():
                if issue.pull is not None and issue.pull.head_repo == repo.slug:
                    issue.pull.head_repo = slug
        self.repos[slug] = self.repos.pop(repo.slug)
        self.moved[repo.slug] = repo
        repo.slug = slug

    def issue(self, repo: Repo, user: str, title: str, body: str = "", *labels: str) -> Issue:
        """Have somebody open an issue."""
        self.user(user)
        number = len(repo.issues) + 1
        now = self.tick()
        issue = Issue(number, self.new_id(), title, body, user, now, now)
        repo.issues[number] = issue
        self.label(repo, issue, *labels)
        return issue

    def label(self, repo: Repo, issue: Issue, *labels: str) -> None:
        """Put labels on an issue; those not known are made."""
        for label in labels:
            repo.labels.setdefault(label, self.new_id())
            if label not in issue.labels:
                issue.labels.append(label)
                issue.updated = self.tick()

    def close(self, issue: Issue, reason: str = "completed") -> None:
        """Close an issue or pull request."""
        issue.state, issue.closed = "closed", self.tick()
        issue.reason = None if issue.pull else reason
        issue.updated = issue.closed

    def comment(self, repo: Repo, number: int, user: str, body: str) -> Comment:
        """Have somebody comment on an issue or pull request."""
        self.user(user)
        now = self.tick()
        made = Comment(self.new_id(), number, user, body, now, now)
        repo.comments[made.id] = made
        repo.issues[number].updated = now
        return made

    def review(self, repo: Repo, number: int, user: str, state: str, body: str = "") -> Review:
        """Have somebody submit a review of the head as it is."""
        self.user(user)
        issue = repo.issues[number]
        assert issue.pull is not None
        self.look(repo)
        now = self.tick()
        made = Review(self.new_id(), user, state, body, issue.pull.head_sha, now)
        issue.pull.reviews.append(made)
        issue.updated = now
        return made

    def remark(
        self,
        repo: Repo,
        number: int,
        user: str,
        at: tuple[str, int],
        body: str,
        review: Review | None = None,
    ) -> Remark:
        """Have somebody begin a thread at a path and line of the head, with a review of its own
        unless they have submitted one with it.
        """
        review = review or self.review(repo, number, user, "COMMENTED")
        issue = repo.issues[number]
        assert issue.pull is not None
        path, line = at
        hunk = repo.git.hunk(issue.pull.base_sha, issue.pull.head_sha, path)
        made = Remark(
            self.new_id(),
            *(number, user, body, path, line, issue.pull.head_sha, hunk, review.id),
            created=review.submitted,
            updated=review.submitted,
        )
        repo.remarks[made.id] = made
        return made

    def reply(self, repo: Repo, to: Remark, user: str, body: str) -> Remark:
        """Have somebody say something in a thread, which makes a review of its own too."""
        review = self.review(repo, to.number, user, "COMMENTED")
        made = Remark(
            self.new_id(),
            *(to.number, user, body, to.path, to.line, to.commit, to.hunk, review.id),
            created=review.submitted,
            updated=review.submitted,
            reply_to=to.reply_to or to.id,
        )
        repo.remarks[made.id] = made
        return made

    def run(self, repo: Repo, sha: str, name: str, app: str, conclusion: str | None) -> CheckRun:
        """Have a program report a check run, ended if there is a conclusion."""
        now = self.tick()
        made = CheckRun(self.new_id(), name, sha, app, now)
        if conclusion:
            made.status, made.conclusion, made.completed = "completed", conclusion, now
        else:
            made.status = "in_progress"
        repo.runs[made.id] = made
        return made

    def status(self, repo: Repo, sha: str, context: str, state: str, user: str) -> Status:
        """Have somebody set a commit status."""
        made = Status(
            self.new_id(), sha, context, state, None, None, self.user(user).login, self.tick()
        )
        repo.statuses.append(made)
        return made

    def look(self, repo: Repo) -> None:
        """See what was pushed since the last look, and what follows for pull requests."""
        for head_of in {repo.slug, *(other.slug for other in self._forks(repo))}:
            self._look_at(self.repos[head_of], repo)

    def _forks(self, repo: Repo) -> list[Repo]:
        return [other for other in self.repos.values() if other.fork_of == repo.slug]

    def _look_at(self, source: Repo, repo: Repo) -> None:
        tips = source.git.branches()
        if tips == source.tips:
            return
        source.tips = tips
        for issue in repo.pulls.values():
            pull = issue.pull
            assert pull is not None
            if issue.state != "open":
                continue
            if pull.head_repo == source.slug:
                self._follow(repo, issue, pull, tips.get(pull.head))
            base = repo.git.branches().get(pull.base, "")
            if issue.state == "open" and base and repo.git.contains(base, pull.head_sha):
                self._merged_by_hand(issue, pull)

    def _follow(self, repo: Repo, issue: Issue, pull: Pull, tip: str | None) -> None:
        if tip is None:
            self.close(issue)
        elif tip != pull.head_sha:
            pull.head_sha = tip
            issue.updated = self.tick()
            if pull.head_repo != repo.slug and pull.head_repo:
                repo.git.take(self.repos[pull.head_repo].git, tip)
            repo.git.update(f"refs/pull/{issue.number}/head", tip)

    def _merged_by_hand(self, issue: Issue, pull: Pull) -> None:
        self.close(issue)
        pull.merged_at, pull.merge_sha = issue.closed, pull.head_sha
