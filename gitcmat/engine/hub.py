"""The forge that a repository's pull requests are on, opened."""

from collections.abc import Callable
from dataclasses import dataclass, field

from gitcmat.forge import Forge
from gitcmat.model.access import Credential
from gitcmat.model.remote import Remote
from gitcmat.store.pushing import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A repository on a forge: to talk about, and to push to."""

    remote: Remote
    forge: Forge
    upstream: Callable[[], Upstream]
    """Where git pushes, signed in with a token that is good by then; asked for anew each time."""
    credential: Credential = field(default_factory=Credential)
    """Where the token comes from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Door:
    """A repository on a forge, before anybody has signed in there."""

    name: str
    """What git calls the remote here."""
    remote: Remote
    api: str
    credential: Credential
    open: Callable[[], Hub]
    """Signs in. Raises `NotFound` where there is nothing to do that with."""
    upstream: Callable[[], Upstream]
    """How git gets in: signed in where there is something to do that with, else as anybody."""
