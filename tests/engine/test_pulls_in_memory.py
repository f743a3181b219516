"""What opens pull requests needs nothing of GitHub's own: it does the same on a forge in memory."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_view import View
from gitcmat.adapters.forges.memory_world import World
from gitcmat.engine import forge_sync, pulls
from gitcmat.engine.hub import Hub
from gitcmat.model.events import Rejected
from gitcmat.model.forge import Permission, PullRequest
from gitcmat.model.pull import PullState
from gitcmat.model.remote import Remote
from gitcmat.store.pushing import Upstream
from tests.support.fakegithub.gitside import GitSide
from tests.support.in_memory import Following
from tests.support.project import Project
from tests.support.repo import TestRepo


@pytest.fixture
def bare(tmp_path: Path) -> TestRepo:
    return TestRepo(tmp_path / "hub.git", bare=True)


@pytest.fixture
def project(repo: TestRepo, bare: TestRepo) -> Project:
    """A project whose task ``a`` is at review, and whose main branch is on the forge."""
    made = Project(repo)
    made.task("a")
    repo.git("push", "-q", str(bare.path), "main:main")
    made.work()
    return made


@pytest.fixture
def hub(project: Project, bare: TestRepo) -> Hub:
    now = project.clock.now()

    def tick() -> datetime:
        nonlocal now
        now += timedelta(seconds=1)
        return now

    world = World("pat/project", tick, people={"pat": Permission.ADMIN})
    forge = MemoryForge(world, "pat")
    forge.pulls = Following(View(world, "pat"), GitSide(bare.path))
    return Hub(
        remote=Remote(host="forge.invalid", owner="pat", name="project"),
        forge=forge,
        upstream=lambda: Upstream(str(bare.path)),
    )


class _Slower(Following):
    """Somebody is faster: what they do happens once, right before a pull request is made."""

    def __init__(self, view: View, git: GitSide, happens: Callable[[], object]) -> None:
        super().__init__(view, git)
        self._happens = happens

    def create(
        self, *, title: str, body: str, head: str, base: str, draft: bool = True
    ) -> PullRequest:
        self._happens()
        return super().create(title=title, body=body, head=head, base=base, draft=draft)


def test_of_two_at_once_one_opens_it(project: Project, hub: Hub, bare: TestRepo) -> None:
    first: list[pulls.Published] = []

    def other() -> None:
        first.append(pulls.publish(project.reconciler, hub, "a", draft=True))

    assert isinstance(hub.forge, MemoryForge)
    slower = MemoryForge(hub.forge.world, "pat")
    slower.pulls = _Slower(View(hub.forge.world, "pat"), GitSide(bare.path), other)
    second = pulls.publish(project.reconciler, replace(hub, forge=slower), "a", draft=True)

    assert (first[0].made, second.made) == (True, False)
    assert second.pull.number == first[0].pull.number


def test_one_branch_has_one_pull_request(project: Project, hub: Hub) -> None:
    first = pulls.publish(project.reconciler, hub, "a", draft=True)
    project.happen("a", Rejected(text="more", by="Pat"))
    project.work()
    second = pulls.publish(project.reconciler, hub, "a", draft=True)

    assert (first.made, second.made, second.pushed) == (True, False, True)
    (seen,) = hub.forge.pulls.of_branch("cmat/a")
    assert (seen.number, seen.head_sha, seen.draft) == (1, project.entry("a").head, True)


def test_what_becomes_of_it_is_taken_in(project: Project, hub: Hub) -> None:
    pulls.publish(project.reconciler, hub, "a", draft=False)
    hub.forge.pulls.close(1)

    forge_sync.sync(project.reconciler, hub)

    pull = project.entry("a").pull
    assert pull is not None
    assert pull.state is PullState.CLOSED
