"""What the engine works with: the real parts, each made when it is first asked for."""

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Self

from gitcmat.store.facts import StateReader
from gitcmat.store.git import Git, Repository

if TYPE_CHECKING:  # a list, or a look at the status, needs few of them
    from gitcmat.model.job import Identity
    from gitcmat.model.settings import UserSettings
    from gitcmat.ports import Clock, Machine
    from gitcmat.store.ledger import Ledger
    from gitcmat.store.settings import OwnSettings
    from gitcmat.store.state import Actor, StateStore
    from gitcmat.store.trust import TrustMemory
    from gitcmat.store.view import View


class Deps:
    """One repository, opened by one person at one machine."""

    def __init__(self, repo: Repository, git: Git, clock: "Clock") -> None:
        self.repo = repo
        self.git = git
        self.clock = clock

    def at(self, repo: Repository) -> Self:
        """Return the same from another work tree of the repository; the store is shared."""
        there = type(self)(repo, self.git, self.clock)
        there.store = self.store
        return there

    @functools.cached_property
    def reader(self) -> StateReader:
        """The facts, for those who only read."""
        return StateReader(self.repo, self.git)

    @functools.cached_property
    def store(self) -> "StateStore":
        """The facts, to read and to change."""
        from gitcmat.store.state import StateStore

        return StateStore(self.repo, self.git, self.clock)

    @functools.cached_property
    def view(self) -> "View":
        """The records in the work tree."""
        from gitcmat.store.view import View

        return View(self.repo, self.git)

    @functools.cached_property
    def trust(self) -> "TrustMemory":
        """Which plans the person has allowed."""
        from gitcmat.store.trust import TrustMemory

        return TrustMemory(self.repo)

    @functools.cached_property
    def ledger(self) -> "Ledger":
        """Which tasks may run."""
        from gitcmat.store.ledger import Ledger

        return Ledger(self.repo)

    @functools.cached_property
    def own_settings(self) -> "OwnSettings":
        """The person's own settings, read again when their file has changed."""
        from gitcmat.store.settings import OwnSettings

        return OwnSettings(self.repo)

    @functools.cached_property
    def machine(self) -> "Machine":
        """What this machine has to spare."""
        from gitcmat.system.machine import ThisMachine

        return ThisMachine()

    @functools.cached_property
    def me(self) -> "Identity":
        """The person, as git knows them in this repository; asked for when something is written.

        Raises `InvalidData` when git does not know them.
        """
        from gitcmat.store.identity import identity

        return identity(self.repo)

    @property
    def settings(self) -> "UserSettings":
        """The person's own settings, as they are now.

        Raises `InvalidData` when their file is wrong.
        """
        return self.own_settings.now()

    @property
    def actor(self) -> "Actor":
        """The person, as the author of a change."""
        from gitcmat.store.state import Actor

        return Actor.of(self.me)

    @property
    def daemon(self) -> "Actor":
        """gitcmat, as the author of what nobody typed."""
        from gitcmat.store.state import Actor

        return Actor("gitcmat", "gitcmat@localhost")

    @property
    def runs(self) -> Path:
        """The folder of the runs' folders."""
        return self.repo.cmat / "runs"
