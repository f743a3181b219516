"""Whatever goes wrong at whatever request, or however often gitcmat is killed on the way: a task
gets one pull request, one comment and one landing, and its branch is gone at the end.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from gitcmat.engine import forge_sync, pull_merge, pulls
from gitcmat.engine.hub import Hub
from gitcmat.errors import UserError
from gitcmat.model.forge import MergeMethod
from gitcmat.model.pull import PullState
from gitcmat.model.state import State
from gitcmat.store.pushing import Upstream
from tests.support.dying import Dying, Killed
from tests.support.fakegithub.faults import Fault, Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

MOST = 60
"""Tasks that are prepared: more than there are requests on the way of one."""
TRIES = 8
BEFORE = [
    Kind.LOST,
    Kind.BAD_GATEWAY,
    Kind.PRIMARY_LIMIT,
    Kind.SECONDARY_LIMIT,
    Kind.SIGNED_OUT,
    Kind.NOT_PERMITTED,
    Kind.HIDDEN,
    Kind.CLASH,
    Kind.UNFIT,
]
"""Nothing is done, however often it is asked for."""
AFTER = [Kind.ANSWER_LOST, Kind.ANSWER_CUT, Kind.ANSWER_BAD_GATEWAY, Kind.NONSENSE]
"""It is done, and nobody is told."""
ALWAYS = {Kind.LOST, Kind.ANSWER_LOST, Kind.NONSENSE}
"""Those that each change is tried with; the others are a sweep."""
KINDS = [
    kind if kind in ALWAYS else pytest.param(kind, marks=pytest.mark.sweep)
    for kind in (*BEFORE, *AFTER)
]


@dataclass
class Story:
    """One task after the other goes all the way: opened, merged for a reason, cleaned up."""

    there: OnGitHub
    hub: Hub

    def tasks(self) -> Iterator[str]:
        """Yield tasks that are at review."""
        project = self.there.project
        for number in itertools.count():
            assert number < MOST, "there are more requests than tasks"
            task = f"t{number:02}"
            project.repo.git("switch", "-q", "-c", f"cmat/{task}")
            work = project.repo.commit("work", {f"{task}.txt": "x\n"})
            project.repo.switch("main")
            with project.deps.store.change("test", by=project.deps.actor) as change:
                entry = change.entry(task)
                ref = f"refs/heads/cmat/{task}"
                done = replace(entry, base=project.repo.tip("main"), head=work, branch=ref)
                done = replace(done, branch_head=work, published=work, state=State.REVIEW)
                change.put(done)
            yield task

    def step(self, task: str) -> bool:
        """Type what a person types next; whether nothing is left to do."""
        project = self.there.project
        entry = project.entry(task)
        if entry.state is State.REVIEW and entry.pull is None:
            pulls.publish(project.reconciler, self.hub, task, draft=False)
        elif entry.state is State.REVIEW:
            squash = MergeMethod.SQUASH
            pull_merge.merge(project.reconciler, self.hub, task, method=squash, override="why")
        else:
            done = forge_sync.sync(project.reconciler, self.hub)
            return not done.failed and f"cmat/{task}" not in self.there.stage.git.branches()
        return False

    def go(self, task: str, fault: Fault | None = None) -> None:
        """Type it until nothing is left to do; what goes wrong is over with one command."""
        times = fault.times if fault is not None else 0
        for _ in range(TRIES):
            try:
                if self.step(task):
                    break
            except (UserError, Killed):
                self.there.hub.tick(60)
                self.there.project.reopen()
            if fault is not None and fault.times < times:
                self.there.hub.faults.clear()
        else:
            raise AssertionError(f"{task} never came through")
        self.there.hub.faults.clear()
        self.check(task)

    def check(self, task: str) -> None:
        """Look whether everything is there, and nothing twice."""
        forge, entry = self.there.stage.forge(), self.there.project.entry(task)
        (seen,) = forge.pulls.of_branch(f"cmat/{task}")
        assert seen.state is PullState.MERGED
        assert entry.landing is not None
        assert (entry.state, entry.landing.override) == (State.DONE, "why")
        assert entry.landing.commit == seen.merge_commit
        comments = forge.comments.list(seen.number)
        assert len([c for c in comments if "override=" in c.body]) == 1
        assert f"cmat/{task}" not in self.there.stage.git.branches()
        assert not self.there.project.repo.has(f"refs/heads/cmat/{task}")


@pytest.fixture
def story(repo: TestRepo, tmp_path: Path) -> Iterator[Story]:
    """A project on a GitHub, with tasks that wait."""
    with FakeGitHub() as hub:
        repo.git("config", "maintenance.auto", "false")
        project = Project(repo)
        names = [f"t{number:02}" for number in range(MOST)]
        files = [task_file(name, hold=True).items() for name in names]
        project.commit(dict(itertools.chain.from_iterable(files)), message="Tasks")
        there = OnGitHub(hub, tmp_path, project)
        project.settings(forge={"checks": False})
        project.step(start=False)
        yield Story(there, there.opened)


@pytest.mark.parametrize("kind", KINDS)
def test_trouble_at_each_request_of_the_way(story: Story, kind: Kind) -> None:
    times = 50 if kind in BEFORE else 1
    for number, task in enumerate(story.tasks()):
        fault = story.there.hub.fail(kind, skip=number, times=times)
        story.go(task, fault)
        if fault.times == times:
            assert number > 10
            return


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.ANSWER_LOST])
def test_trouble_at_each_request_of_git(story: Story, kind: Kind) -> None:
    times = 9 if kind is Kind.LOST else 1
    for number, task in enumerate(story.tasks()):
        fault = story.there.hub.fail(kind, verb="GIT", skip=number, times=times)
        story.go(task, fault)
        if fault.times == times:
            assert number > 10
            return


def test_killed_before_and_after_each_call(story: Story) -> None:
    dying, tasks, whole = Dying(), story.tasks(), story.hub
    for _ in dying.places():
        story.hub = replace(whole, forge=dying.forge(whole.forge))
        story.go(next(tasks))


def test_killed_before_each_use_of_git_on_the_remote(story: Story) -> None:
    whole, left, calls = story.hub, 0, 0

    def upstream() -> Upstream:
        nonlocal calls
        calls += 1
        if calls == left:
            raise Killed
        return whole.upstream()

    story.hub = replace(whole, upstream=upstream)
    for left, task in enumerate(story.tasks(), start=1):
        calls = 0
        story.go(task)
        if calls < left:
            assert left > 5
            return
