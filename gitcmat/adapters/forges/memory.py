"""A forge in memory: for tests of what uses one, and to try things without any."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from gitcmat.adapters.forges.memory_world import World
from gitcmat.errors import UserError
from gitcmat.forge import AlreadyThere, HeadMoved, NotAllowed, NotVisible, Refused
from gitcmat.model.forge import (
    Annotation,
    Bookmark,
    ChangedFile,
    Changes,
    Check,
    CheckKind,
    CheckReport,
    Comment,
    Issue,
    MergeMethod,
    Permission,
    Person,
    PullRequest,
    PullState,
    Repository,
    Review,
    Thread,
    Verdict,
)

_RANKS: Final = tuple(Permission)
_SAID: Final = {Verdict.APPROVED, Verdict.CHANGES_REQUESTED}


class MemoryForge:
    """Fills `gitcmat.forge.Forge`: `world` as `login` sees it. For one thread."""

    def __init__(self, world: World, login: str) -> None:
        self.world = world
        self.login = login
        self.pulls = MemoryPulls(self)
        self.reviews = MemoryReviews(self)
        self.comments = MemoryComments(self)
        self.checks = MemoryChecks(self)
        self.issues = MemoryIssues(self)

    def whoami(self) -> Person:
        return self.world.person(self.login)

    def repository(self) -> Repository:
        return replace(self.world.repository, permission=self.permission(self.login))

    def permission(self, login: str) -> Permission:
        return self.world.people.get(login, Permission.READ)

    def changes(self, bookmark: Bookmark) -> Changes:
        world, since = self.world, bookmark.since
        pulls = [pull for pull in world.pulls.values() if pull.updated >= since]
        issues = [issue for issue in world.issues.values() if issue.updated >= since]
        comments = [comment for comment in world.comments.values() if comment.updated >= since]
        remarks = [
            comment
            for threads in world.threads.values()
            for thread in threads.values()
            for comment in thread.comments
            if comment.updated >= since
        ]
        found = (pulls, issues, comments, remarks)
        seen = [item.updated for items in found for item in items]
        return Changes(
            bookmark=Bookmark(since=max([since, *seen])),
            pulls=tuple(pull.number for pull in sorted(pulls, key=lambda pull: pull.updated)),
            issues=tuple(sorted(issues, key=lambda issue: issue.updated)),
            comments=tuple(sorted(comments, key=lambda comment: comment.updated)),
            thread_comments=tuple(sorted(remarks, key=lambda comment: comment.updated)),
        )

    def want(self, permission: Permission, what: str) -> None:
        """Raise NotAllowed where who asks is less than `permission`."""
        if _RANKS.index(self.permission(self.login)) < _RANKS.index(permission):
            raise NotAllowed(
                f"{self.login} may not {what} in {self.world.name}.",
                hint=f"that takes the permission {permission.value!r}",
                permission=permission.value,
            )

    def missing(self, what: str) -> UserError:
        """Return what to raise for what is not there."""
        return NotVisible(f"{self.world.name} has no {what}.")

    def pull(self, number: int) -> PullRequest:
        """Return a pull request, or raise NotVisible."""
        found = self.world.pulls.get(number)
        if found is None:
            raise self.missing(f"pull request {number}")
        clean = found.state is PullState.OPEN
        mergeable = found.head_sha not in self.world.conflicting if clean else None
        return replace(found, mergeable=mergeable)


class MemoryPulls:
    """Fills `gitcmat.forge.Pulls`."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge
        self._world = forge.world

    def get(self, number: int) -> PullRequest:
        return self._forge.pull(number)

    def of_branch(self, head: str) -> tuple[PullRequest, ...]:
        return tuple(pull for pull in self._newest_first() if pull.head == head)

    def marked(self, text: str, *, among: int = 300) -> tuple[PullRequest, ...]:
        latest = sorted(self._newest_first(), key=lambda pull: pull.updated, reverse=True)
        return tuple(pull for pull in latest[:among] if text in pull.body)

    def open(self) -> tuple[PullRequest, ...]:
        return tuple(pull for pull in self._newest_first() if pull.state is PullState.OPEN)

    def create(
        self, *, title: str, body: str, head: str, base: str, draft: bool = True
    ) -> PullRequest:
        world = self._world
        self._forge.want(Permission.WRITE, "open a pull request")
        for branch in (head, base):
            if branch not in world.branches:
                raise Refused(f"{world.name} has no branch {branch!r}.")
        if any((pull.head, pull.base) == (head, base) for pull in self.open()):
            raise AlreadyThere(f"{world.name} has a pull request from {head!r} already.")
        if world.branches[head] == world.branches[base]:
            raise Refused(f"There is nothing between {base!r} and {head!r}.")
        number, now = world.new_number(), world.now()
        world.pulls[number] = PullRequest(
            number=number,
            url=f"https://forge.invalid/{world.name}/pull/{number}",
            title=title,
            body=body,
            author=self._forge.whoami(),
            state=PullState.OPEN,
            draft=draft,
            head=head,
            head_sha=world.branches[head],
            head_repo=world.name,
            base=base,
            labels=(),
            merge_commit="",
            mergeable=None,
            created=now,
            updated=now,
        )
        return self.get(number)

    def edit(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        draft: bool | None = None,
    ) -> PullRequest:
        pull = self.get(number)
        self._forge.want(Permission.WRITE, f"edit pull request {number}")
        is_open = pull.state is PullState.OPEN
        if not is_open and (draft not in {None, pull.draft} or base not in {None, pull.base}):
            raise Refused(f"Pull request {number} is closed.")
        if base is not None and base not in self._world.branches:
            raise Refused(f"{self._world.name} has no branch {base!r}.")
        self._world.pulls[number] = replace(
            pull,
            title=pull.title if title is None else title,
            body=pull.body if body is None else body,
            base=pull.base if base is None else base,
            draft=pull.draft if draft is None else draft,
            updated=self._world.now(),
        )
        return self.get(number)

    def close(self, number: int) -> PullRequest:
        pull = self.get(number)
        self._forge.want(Permission.WRITE, f"edit pull request {number}")
        if pull.state is PullState.OPEN:
            closed = replace(pull, state=PullState.CLOSED, updated=self._world.now())
            self._world.pulls[number] = closed
        return self.get(number)

    def merge(
        self,
        number: int,
        *,
        method: MergeMethod,
        head_sha: str,
        title: str = "",
        message: str = "",
    ) -> str:
        pull = self.get(number)
        self._forge.want(Permission.WRITE, f"merge pull request {number}")
        if pull.state is not PullState.OPEN or pull.draft or not pull.mergeable:
            raise Refused(f"Pull request {number} cannot be merged.")
        if method not in self._world.methods:
            raise Refused(f"{self._world.name} takes no {method.value} merges.")
        if pull.head_sha != head_sha:
            raise HeadMoved(f"The branch of pull request {number} has moved.")
        base = self._world.branches[pull.base]
        commit = self._world.commit(method.value, base, head_sha, title, message)
        self._world.merged(number, commit)
        return commit

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        return self._world.files.get(self.get(number).head_sha, ())

    def _newest_first(self) -> list[PullRequest]:
        return sorted(self._world.pulls.values(), key=lambda pull: pull.number, reverse=True)


class MemoryReviews:
    """Fills `gitcmat.forge.Reviews`."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge
        self._world = forge.world

    def list(self, number: int) -> tuple[Review, ...]:
        self._forge.pull(number)
        return tuple(self._world.reviews.get(number, ()))

    def submit(self, number: int, verdict: Verdict, *, body: str, commit: str) -> Review:
        own = self._forge.pull(number).author == self._forge.whoami()
        if own and verdict in _SAID:
            raise Refused("Nobody may approve or reject their own pull request.")
        if not body and verdict is not Verdict.APPROVED:
            raise Refused("A review that does not approve must say something.")
        self._world.asked.setdefault(number, set()).discard(self._forge.login)
        return self._world.review(number, self._forge.login, verdict, body, commit)

    def request(self, number: int, logins: tuple[str, ...]) -> None:
        author = self._forge.pull(number).author.login
        self._forge.want(Permission.TRIAGE, f"request reviews of pull request {number}")
        for login in logins:
            if login == author or login not in self._world.people:
                raise Refused(f"{login} cannot review pull request {number}.")
        self._world.asked.setdefault(number, set()).update(logins)
        self._world.touch(number)

    def dismiss(self, number: int, review: int, *, message: str) -> Review:
        self._forge.want(Permission.WRITE, f"dismiss a review of pull request {number}")
        reviews = self._world.reviews.get(number, [])
        for index, found in enumerate(reviews):
            if found.id == review:
                if found.verdict not in _SAID:
                    raise Refused(f"A review that {found.verdict.value} cannot be dismissed.")
                reviews[index] = replace(found, verdict=Verdict.DISMISSED)
                self._world.touch(number)
                return reviews[index]
        raise self._forge.missing(f"review {review}, for {message!r}")

    def threads(self, number: int) -> tuple[Thread, ...]:
        self._forge.pull(number)
        return tuple(self._world.threads.get(number, {}).values())

    def reply(self, number: int, thread: int, body: str) -> Comment:
        threads = self._world.threads.get(number, {})
        if thread not in threads:
            raise self._forge.missing(f"thread {thread} in pull request {number}")
        made = self._world.new_comment(number, self._forge.login, body)
        found = threads[thread]
        threads[thread] = replace(found, comments=(*found.comments, made))
        self._world.review(number, self._forge.login, Verdict.COMMENTED, "")
        return made


class MemoryComments:
    """Fills `gitcmat.forge.Comments`."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge
        self._world = forge.world

    def list(self, number: int, *, since: datetime | None = None) -> tuple[Comment, ...]:
        self._there(number)
        mine = (comment for comment in self._world.comments.values() if comment.number == number)
        return tuple(comment for comment in mine if since is None or comment.updated >= since)

    def find(self, number: int, text: str, *, author: str) -> Comment | None:
        mine = (found for found in self.list(number) if found.author.login == author)
        return next((found for found in mine if text in found.body), None)

    def create(self, number: int, body: str) -> Comment:
        self._there(number)
        made = self._world.new_comment(number, self._forge.login, body)
        self._world.comments[made.id] = made
        return made

    def edit(self, comment: int, body: str) -> Comment:
        found = self._world.comments.get(comment)
        if found is None:
            raise self._forge.missing(f"comment {comment}")
        if found.author.login != self._forge.login:
            self._forge.want(Permission.WRITE, "edit a comment")
        made = replace(found, body=body, updated=self._world.touch(found.number))
        self._world.comments[comment] = made
        return made

    def _there(self, number: int) -> None:
        if number not in self._world.pulls and number not in self._world.issues:
            raise self._forge.missing(f"issue {number}")


class MemoryChecks:
    """Fills `gitcmat.forge.Checks`."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge
        self._world = forge.world

    def list(self, commit: str) -> tuple[Check, ...]:
        of = (check for check in self._world.checks.values() if check.commit == commit)
        latest = {(check.name, check.kind, check.app): check for check in of}
        return tuple(latest[key] for key in sorted(latest))

    def annotations(self, check: Check) -> tuple[Annotation, ...]:
        return self._world.annotations.get(check.id, ())

    def log(self, check: Check, *, at_most: int = 65536) -> str:
        return (self._world.logs.get(check.id) or check.text)[-at_most:]

    def report(self, report: CheckReport) -> Check:
        self._forge.want(Permission.WRITE, f"report the check {report.name!r}")
        if report.commit not in self._world.files:
            raise Refused(f"{self._world.name} has no commit {report.commit}.")
        key = (report.name, report.commit, report.external_id)
        checks = self._world.checks
        there = (
            number
            for number, check in checks.items()
            if (check.name, check.commit, check.external_id) == key
        )
        number = next(there, 0) or self._world.new_id()
        checks[number] = Check(
            id=number,
            kind=CheckKind.RUN,
            name=report.name,
            commit=report.commit,
            state=report.state,
            title=report.title,
            summary=report.summary,
            text=report.text,
            url=report.url,
            app="gitcmat",
            external_id=report.external_id,
            annotations=len(report.annotations),
        )
        self._world.annotations[number] = report.annotations
        return checks[number]


class MemoryIssues:
    """Fills `gitcmat.forge.Issues`."""

    def __init__(self, forge: MemoryForge) -> None:
        self._forge = forge
        self._world = forge.world

    def get(self, number: int) -> Issue:
        found = self._world.issues.get(number)
        if found is None:
            raise self._forge.missing(f"issue {number}")
        return found

    def labelled(self, label: str) -> tuple[Issue, ...]:
        return tuple(i for i in self._world.issues.values() if i.open and label in i.labels)

    def label(
        self, number: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        self._forge.want(Permission.TRIAGE, f"label {number}")
        pull, issue = self._world.pulls.get(number), self._world.issues.get(number)
        found = pull or issue
        if found is None:
            raise self._forge.missing(f"issue {number}")
        kept = tuple(label for label in (*found.labels, *add) if label not in remove)
        labels = tuple(dict.fromkeys(kept))
        now = self._world.now()
        if pull:
            self._world.pulls[number] = replace(pull, labels=labels, updated=now)
        elif issue:
            self._world.issues[number] = replace(issue, labels=labels, updated=now)
        return labels
