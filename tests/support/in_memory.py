"""A person's project whose remote is a bare repository, with a forge in memory before it; both can
be put back to what they were.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_pulls import MemoryPulls
from gitcmat.adapters.forges.memory_view import View
from gitcmat.adapters.forges.memory_world import World
from gitcmat.engine import forge_sync
from gitcmat.engine.hub import Hub
from gitcmat.engine.synced import Synced
from gitcmat.forge import Forge
from gitcmat.model.forge import Comment, Permission, PullRequest
from gitcmat.model.remote import Remote
from gitcmat.store.bookmarks import FOLDER
from gitcmat.store.pushing import Upstream
from tests.support.fakegithub.gitside import GitSide
from tests.support.project import Project
from tests.support.repo import TestRepo

PEOPLE = {"pat": Permission.ADMIN, "rita": Permission.WRITE}


class Following(MemoryPulls):
    """Sees what was pushed to a bare repository."""

    def __init__(self, view: View, git: GitSide) -> None:
        super().__init__(view)
        self._git = git

    def of_branch(self, head: str) -> tuple[PullRequest, ...]:
        for name, commit in self._git.branches().items():
            if self._world.branches.get(name) != commit:
                self._world.push(name, commit)
        return super().of_branch(head)


@dataclass
class Saved:
    """What was there at one moment."""

    world: World
    here: dict[str, str]
    there: dict[str, str]
    files: dict[Path, bytes]


@dataclass
class InMemory:
    """The project, and its forge."""

    project: Project
    bare: TestRepo
    wrap: Callable[[Forge], Forge] = lambda forge: forge
    world: World = field(init=False)

    def __post_init__(self) -> None:
        now = self.project.clock.now()

        def tick() -> datetime:
            nonlocal now
            now += timedelta(seconds=1)
            return now

        self.world = World("pat/project", tick, people=dict(PEOPLE))

    @property
    def hub(self) -> Hub:
        """The forge as pat sees it."""
        forge = MemoryForge(self.world, "pat")
        forge.pulls = Following(View(self.world, "pat"), GitSide(self.bare.path))
        return Hub(
            remote=Remote(host="forge.invalid", owner="pat", name="project"),
            forge=self.wrap(forge),
            upstream=lambda: Upstream(str(self.bare.path)),
        )

    def sync(self) -> Synced:
        """Make a pass over the forge."""
        return forge_sync.sync(self.project.reconciler, self.hub)

    def says(self, login: str, body: str) -> Comment:
        """Have somebody comment on the pull request."""
        made = self.world.new_comment(1, login, body)
        self.world.comments[made.id] = made
        return made

    def said(self) -> list[str]:
        """What gitcmat said below the pull request, in threads too: the marks of it, sorted."""
        threads = self.world.threads.get(1, {}).values()
        found = [c for thread in threads for c in thread.comments]
        mine = [c for c in (*found, *self.world.comments.values()) if c.author.login == "pat"]
        return sorted(c.body.partition("\n")[0][len("<!-- gitcmat ") : -len(" -->")] for c in mine)

    # --- back to before ---------------------------------------------------------------------

    def save(self) -> Saved:
        """Return what is there."""
        folder = self.project.deps.repo.cmat / FOLDER
        return Saved(
            world=copy.deepcopy(self.world),
            here=_refs(self.project.repo),
            there=_refs(self.bare),
            files={f: f.read_bytes() for f in folder.rglob("*.json")},
        )

    def restore(self, saved: Saved) -> None:
        """Have it be there again."""
        self.world = copy.deepcopy(saved.world)
        _put(self.project.repo, saved.here)
        _put(self.bare, saved.there)
        for file in (self.project.deps.repo.cmat / FOLDER).rglob("*.json"):
            file.unlink()
        for file, data in saved.files.items():
            file.write_bytes(data)
        self.project.reopen()


def _refs(repo: TestRepo) -> dict[str, str]:
    rows = repo.git("for-each-ref", "--format=%(refname) %(objectname)").splitlines()
    return dict(row.split(" ") for row in rows)


def _put(repo: TestRepo, refs: dict[str, str]) -> None:
    for name in _refs(repo).keys() - refs.keys():
        repo.git("update-ref", "-d", name)
    for name, commit in refs.items():
        repo.git("update-ref", name, commit)
