"""Pull requests in memory, and their reviews."""

from dataclasses import replace
from typing import Final

from gitcmat.adapters.forges.memory_view import View
from gitcmat.forge import AlreadyThere, HeadMoved, Refused
from gitcmat.model.forge import (
    ChangedFile,
    Comment,
    MergeMethod,
    Permission,
    PullRequest,
    Review,
    Thread,
    Verdict,
)
from gitcmat.model.pull import PullState

_SAID: Final = {Verdict.APPROVED, Verdict.CHANGES_REQUESTED}


class MemoryPulls:
    """Fills `gitcmat.forge.Pulls`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world

    def get(self, number: int) -> PullRequest:
        return self._view.pull(number)

    def of_branch(self, head: str) -> tuple[PullRequest, ...]:
        return tuple(pull for pull in self._view.newest_first() if pull.head == head)

    def marked(self, text: str, *, among: int = 300) -> tuple[PullRequest, ...]:
        latest = sorted(self._view.newest_first(), key=lambda pull: pull.updated, reverse=True)
        return tuple(pull for pull in latest[:among] if text in pull.body)

    def open(self) -> tuple[PullRequest, ...]:
        return self._view.open_pulls()

    def create(
        self, *, title: str, body: str, head: str, base: str, draft: bool = True
    ) -> PullRequest:
        world = self._world
        self._view.want(Permission.WRITE, "open a pull request")
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
            author=self._view.me,
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
        self._view.want(Permission.WRITE, f"edit pull request {number}")
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
        self._view.want(Permission.WRITE, f"edit pull request {number}")
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
        self._view.want(Permission.WRITE, f"merge pull request {number}")
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


class MemoryReviews:
    """Fills `gitcmat.forge.Reviews`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world

    def list(self, number: int) -> tuple[Review, ...]:
        self._view.pull(number)
        return tuple(self._world.reviews.get(number, ()))

    def submit(self, number: int, verdict: Verdict, *, body: str, commit: str) -> Review:
        own = self._view.pull(number).author == self._view.me
        if own and verdict in _SAID:
            raise Refused("Nobody may approve or reject their own pull request.")
        if not body and verdict is not Verdict.APPROVED:
            raise Refused("A review that does not approve must say something.")
        self._world.asked.setdefault(number, set()).discard(self._view.login)
        return self._world.review(number, self._view.login, verdict, body, commit)

    def request(self, number: int, logins: tuple[str, ...]) -> None:
        author = self._view.pull(number).author.login
        self._view.want(Permission.TRIAGE, f"request reviews of pull request {number}")
        for login in logins:
            if login == author or login not in self._world.people:
                raise Refused(f"{login} cannot review pull request {number}.")
        self._world.asked.setdefault(number, set()).update(logins)
        self._world.touch(number)

    def dismiss(self, number: int, review: int, *, message: str) -> Review:
        self._view.want(Permission.WRITE, f"dismiss a review of pull request {number}")
        reviews = self._world.reviews.get(number, [])
        for index, found in enumerate(reviews):
            if found.id == review:
                if found.verdict not in _SAID:
                    raise Refused(f"A review that {found.verdict.value} cannot be dismissed.")
                reviews[index] = replace(found, verdict=Verdict.DISMISSED)
                self._world.touch(number)
                return reviews[index]
        raise self._view.missing(f"review {review}, for {message!r}")

    def threads(self, number: int) -> tuple[Thread, ...]:
        self._view.pull(number)
        return tuple(self._world.threads.get(number, {}).values())

    def reply(self, number: int, thread: int, body: str) -> Comment:
        threads = self._world.threads.get(number, {})
        if thread not in threads:
            raise self._view.missing(f"thread {thread} in pull request {number}")
        made = self._world.new_comment(number, self._view.login, body)
        found = threads[thread]
        threads[thread] = replace(found, comments=(*found.comments, made))
        self._world.review(number, self._view.login, Verdict.COMMENTED, "")
        return made
