"""The forge that a repository's pull requests are on, opened."""

from collections.abc import Callable
from dataclasses import dataclass

from gitcmat.forge import Forge
from gitcmat.model.remote import Remote
from gitcmat.store.pushing import Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """A repository on a forge: to talk about, and to push to."""

    remote: Remote
    forge: Forge
    upstream: Callable[[], Upstream]
    """Where git pushes, signed in with a token that is good by then; asked for anew each time."""
