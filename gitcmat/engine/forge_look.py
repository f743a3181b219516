"""The forge as it was when a pass over it began: each thing is asked for when it is first needed,
and once.
"""

import functools
from datetime import timedelta
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.model.approval import Standing, standing
from gitcmat.model.forge import (
    Changes,
    CheckState,
    Permission,
    Person,
    PullRequest,
    Review,
    Rollup,
)
from gitcmat.model.state import OPEN
from gitcmat.store import bookmarks
from gitcmat.store.fetching import fetch

_FEW: Final = 5
"""So many pull requests are asked for one by one, although one page may hold all of them."""
_PAGE: Final = 100
"""Pull requests that one request tells of."""
_PACE: Final = timedelta(minutes=1)
"""How long one page of all checks lasts: of 1,000 pull requests each is seen every ten minutes."""


class Look:
    """What one pass over a forge sees."""

    def __init__(self, deps: Deps, hub: Hub) -> None:
        """Ask what is new. It is the first question: what comes after it is told the next time.

        Raises `UserError` as the forge does.
        """
        self._deps = deps
        self._hub = hub
        self._before = bookmarks.read(deps.repo, hub.remote)
        self.label = self._before.label if self._before is not None else ""
        """The label whose issues have all been looked at before, `changes` aside."""
        self._rolled = self._before.rolled if self._before is not None else None
        self._again: set[int] = set()
        self._tips: dict[str, str | None] = {}
        self._pulls: dict[int, PullRequest] = {}
        self._reviews: dict[int, tuple[Review, ...]] = {}
        self._permissions: dict[str, Permission] = {}
        self.changes: Changes = (
            Changes(bookmark=hub.forge.latest())
            if self._before is None
            else hub.forge.changes(self._before.bookmark)
        )
        """What has changed since the last whole pass; nothing where `fresh`."""
        said = (*self.changes.comments, *self.changes.thread_comments)
        self._new = {*self.changes.pulls, *(issue.number for issue in self.changes.issues)}
        self._new |= {comment.number for comment in said}
        if self._before is not None:
            self._new |= {*self._before.again}

    @property
    def fresh(self) -> bool:
        """Whether nothing is known of an earlier pass: then everything is looked at."""
        return self._before is None

    def changed(self, number: int) -> bool:
        """Whether to look at the details of an issue or pull request in this pass."""
        return self.fresh or number in self._new

    def spoken(self, number: int) -> bool:
        """Whether to read in this pass what people say of a pull request.

        In the first pass that are those where anybody has said anything: reading each of them
        would be three requests for each.
        """
        if not self.fresh or number in self._new:
            return self.changed(number)
        rollup = self.rollups.get(number)
        return rollup is None or rollup.said

    def again(self, number: int) -> None:
        """Have the next pass look at something, too: it could not be taken in now."""
        self._again.add(number)

    @functools.cached_property
    def opened(self) -> dict[int, PullRequest]:
        """The open pull requests by number."""
        return {pull.number: pull for pull in self._hub.forge.pulls.open()}

    @functools.cached_property
    def rollups(self) -> dict[int, Rollup]:
        """How the heads of open pull requests are doing, by number, as far as this pass asks.

        All of them where they are few. Of many, all from time to time, and between that the
        latest, while a check of ours may still be on its way.
        """
        checks, now = self._hub.forge.checks, self._deps.clock.now()
        rolled = self._rolled
        last = rolled.at + _PACE * (rolled.many // _PAGE) if rolled else now
        if rolled is None or not rolled.at < now < last:
            found = checks.of_open_pulls()
            many = len(found)
            self._rolled = bookmarks.Rolled(at=now, many=many) if many >= _PAGE else None
        else:
            found = checks.of_open_pulls(latest=True) if self._is_checked() else ()
        return {rollup.number: rollup for rollup in found}

    def _is_checked(self) -> bool:
        """Whether a pull request of ours has checks that are on, or was pushed to just now."""
        entries = self._deps.store.read().entries(*OPEN)
        return any(
            entry.pull.checks == CheckState.RUNNING or self.changed(entry.pull.number)
            for entry in entries
            if entry.pull is not None and entry.pull.open
        )

    @functools.cached_property
    def me(self) -> Person:
        """Whom the forge takes us for."""
        return self._hub.forge.whoami()

    def permission(self, login: str) -> Permission:
        """Return what somebody may do there now."""
        if login not in self._permissions:
            self._permissions[login] = self._hub.forge.permission(login)
        return self._permissions[login]

    def expect(self, many: int) -> None:
        """Say how many pull requests are going to be asked for: many are, all at once."""
        if self.fresh or many > self._few:
            _ = self.opened

    def pull(self, number: int) -> PullRequest:
        """Return a pull request.

        Raises `NotVisible` when it is not there any more.
        """
        if "opened" in self.__dict__ or self.fresh or len(self.changes.pulls) > self._few:
            found = self.opened.get(number)
            if found is not None:
                return found
        if number not in self._pulls:
            self._pulls[number] = self._hub.forge.pulls.get(number)
        return self._pulls[number]

    @functools.cached_property
    def _few(self) -> int:
        """Up to how many pull requests cost less one by one than all that are open at once."""
        return max(_FEW, self._rolled.many // _PAGE if self._rolled else 0)

    def reviews(self, number: int) -> tuple[Review, ...]:
        """Return the reviews of a pull request that were submitted, oldest first."""
        if number not in self._reviews:
            self._reviews[number] = self._hub.forge.reviews.list(number)
        return self._reviews[number]

    def standing(self, pull: PullRequest) -> Standing:
        """Return where a pull request stands with its reviewers, who may write there now."""
        reviews = self.reviews(pull.number)
        people = {review.author.login for review in reviews if not review.author.bot}
        writers = {login for login in people if self.permission(login).may_write}
        return standing(pull, reviews, writers=writers, ours={self.me.login} if reviews else ())

    def tip(self, branch: str) -> str | None:
        """Return the commit of a full branch there, brought here; None if there is none."""
        if branch not in self._tips:
            self._tips[branch] = fetch(self._deps.git, self._hub.upstream(), branch)
        return self._tips[branch]

    def was(self, branch: str) -> str | None:
        """Return where the last whole pass saw a full branch there; None if it did not."""
        return self._before.bases.get(branch) if self._before is not None else None

    def moved(self, branch: str) -> bool:
        """Whether a full branch there is not where the last whole pass saw it."""
        return self.tip(branch) != self.was(branch)

    def done(self) -> None:
        """Remember that everything of this pass was taken in: the next one asks what is new."""
        place = bookmarks.Place(
            bookmark=self.changes.bookmark,
            again=tuple(sorted(self._again)),
            bases={branch: tip for branch, tip in self._tips.items() if tip is not None},
            label=self.label,
            rolled=self._rolled,
        )
        if place != self._before:
            bookmarks.write(self._deps.repo, self._hub.remote, place)
