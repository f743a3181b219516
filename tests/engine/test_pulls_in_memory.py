"""What opens pull requests needs nothing of GitHub's own: it does the same on a forge in memory."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_view import View
from gitcmat.adapters.forges.memory_world import World
from gitcmat.engine import forge_sync, pulls
from gitcmat.engine.hub import Hub
from gitcmat.model.events import Rejected
from gitcmat.model.forge import Permission
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
