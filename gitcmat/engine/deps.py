"""What the engine works with: the real parts, joined by `gitcmat.app`."""

import functools
from dataclasses import dataclass
from pathlib import Path

from gitcmat.model.job import Identity
from gitcmat.model.settings import UserSettings
from gitcmat.ports import Clock
from gitcmat.store.git import Git, Repository
from gitcmat.store.identity import identity
from gitcmat.store.ledger import Ledger
from gitcmat.store.settings import OwnSettings
from gitcmat.store.state import Actor, StateStore
from gitcmat.store.trust import TrustMemory
from gitcmat.store.view import View


@dataclass(frozen=True, kw_only=True)
class Deps:
    """One repository, opened by one person at one machine."""

    repo: Repository
    git: Git
    store: StateStore
    view: View
    trust: TrustMemory
    ledger: Ledger
    own_settings: OwnSettings
    clock: Clock

    @functools.cached_property
    def me(self) -> Identity:
        """The person, as git knows them in this repository; asked for when something is written.

        Raises `InvalidData` when git does not know them.
        """
        return identity(self.repo)

    @property
    def settings(self) -> UserSettings:
        """The person's own settings, as they are now.

        Raises `InvalidData` when their file is wrong.
        """
        return self.own_settings.now()

    @property
    def actor(self) -> Actor:
        """The person, as the author of a change."""
        return Actor.of(self.me)

    @property
    def daemon(self) -> Actor:
        """gitcmat, as the author of what nobody typed."""
        return Actor("gitcmat", "gitcmat@localhost")

    @property
    def runs(self) -> Path:
        """The folder of the runs' folders."""
        return self.repo.cmat / "runs"
