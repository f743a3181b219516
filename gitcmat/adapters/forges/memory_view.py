"""The world of a forge in memory as one account sees it, for the parts of the port."""

from dataclasses import replace
from typing import Final

from gitcmat.adapters.forges.memory_world import World
from gitcmat.errors import UserError
from gitcmat.forge import NotAllowed, NotVisible
from gitcmat.model.forge import Permission, Person, PullRequest
from gitcmat.model.pull import PullState

_RANKS: Final = tuple(Permission)


class View:
    """What `login` may see and do in `world`."""

    def __init__(self, world: World, login: str) -> None:
        self.world = world
        self.login = login

    @property
    def me(self) -> Person:
        """Who looks."""
        return self.world.person(self.login)

    def permission(self, login: str) -> Permission:
        """Return what somebody may do."""
        return self.world.people.get(login, Permission.READ)

    def want(self, permission: Permission, what: str) -> None:
        """Raise NotAllowed where who looks is less than `permission`."""
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
        is_open = found.state is PullState.OPEN
        mergeable = found.head_sha not in self.world.conflicting if is_open else None
        return replace(found, mergeable=mergeable)

    def newest_first(self) -> list[PullRequest]:
        """Return all pull requests."""
        return sorted(self.world.pulls.values(), key=lambda pull: pull.number, reverse=True)

    def open_pulls(self) -> tuple[PullRequest, ...]:
        """Return the open ones, newest first."""
        return tuple(pull for pull in self.newest_first() if pull.state is PullState.OPEN)
