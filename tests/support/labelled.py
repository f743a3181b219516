"""A project and its forge in memory, whose issues with a label are tasks."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_world import World
from gitcmat.engine import forge_sync, tasks
from gitcmat.engine.hub import Hub
from gitcmat.engine.synced import Synced
from gitcmat.model.forge import Permission
from gitcmat.model.remote import Remote
from gitcmat.store.pushing import Upstream
from tests.support.project import Project

REMOTE: Final = Remote(host="forge.invalid", owner="pat", name="project")
ID: Final = "issue-1-dates-are-wrong"


class There:
    """A project and its forge, in memory; issues with the label ``cmat`` are tasks."""

    def __init__(self, project: Project) -> None:
        self.project = project
        self._now = project.clock.now()
        people = {
            "pat": Permission.ADMIN,
            "rita": Permission.WRITE,
            "tim": Permission.TRIAGE,
        }
        self.world = World(REMOTE.slug, self._tick, people=people)
        project.settings(forge={"issues": "cmat"})
        self.hub = Hub(
            remote=REMOTE,
            forge=MemoryForge(self.world, "pat"),
            upstream=lambda: Upstream("/nowhere"),
        )

    def _tick(self) -> datetime:
        self._now += timedelta(seconds=1)
        return self._now

    def sync(self) -> Synced:
        return forge_sync.sync(self.project.reconciler, self.hub)

    def open(
        self, title: str = "Dates are wrong", body: str = "See a.txt", by: str = "rita"
    ) -> int:
        return self.world.open_issue(by, title, body=body, labels=("bug", "cmat"))

    def edit(self, number: int = 1, **fields: Any) -> None:
        issue = self.world.issues[number]
        self.world.issues[number] = replace(issue, updated=self._tick(), **fields)

    def approve(self, task: str = ID) -> list[str]:
        done = tasks.approve(self.project.deps, [task], every=False, exclude=())
        self.project.step(start=False)
        return done

    def told(self, number: int = 1) -> list[str]:
        return [comment.body for comment in self.hub.forge.comments.list(number)]

    @property
    def state(self) -> str:
        return self.project.state(ID)
