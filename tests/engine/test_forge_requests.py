"""A look at the forge costs what is new there, and not what there is: 1,000 open pull requests are
far from the 5,000 requests of an hour, also with a look each minute.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from gitcmat.engine import pull_text
from gitcmat.model.forge import CheckState
from gitcmat.model.task import Task
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo

SOME: Final = 120
PAGES: Final = {SOME: 2, 1000: 10}
"""Of a hundred pull requests each."""
CHANGED: Final = 50
"""Requests after ten changes: four for each, and what a look costs anyway."""


class Costs:
    """What a sync has cost: requests in all, and those that count against the limit."""

    def __init__(self, there: OnGitHub) -> None:
        hub = there.hub
        self._there = there
        asked, counted = len(hub.seen), sum(hub.limit.used.values())
        self.lines = there.sync().lines
        self.asked = len(hub.seen) - asked
        self.counted = sum(hub.limit.used.values()) - counted
        self.paths = [f"{seen.verb} {seen.path} {seen.status}" for seen in hub.seen[asked:]]


def _crowd(there: OnGitHub, many: int) -> None:
    """Give a project so many tasks at review, each with an open pull request."""
    there.done("a")
    there.create("a")
    there.sync()
    stage, deps = there.stage, there.project.deps
    entry, first = there.project.entry("a"), stage.repo.issues[1]
    assert entry.pull is not None
    assert first.pull is not None
    names = [f"t{number}" for number in range(2, many + 1)]
    updates = "".join(f"create refs/heads/cmat/{name} {entry.head}\n" for name in names)
    stage.git.git("update-ref", "--stdin", stdin=updates)
    with deps.store.change("test", by=deps.actor) as change:
        for number, name in enumerate(names, 2):
            issue = replace(first, number=number, id=stage.hub.new_id())
            issue.pull = replace(first.pull, head=f"cmat/{name}", reviews=[], asked=[])
            stage.repo.issues[number] = issue
            other = replace(
                entry, id=name, task=Task(title=name), source=None, branch="", branch_head=""
            )
            shown = pull_text.digest(other, ())
            pull = replace(entry.pull, number=number, head=f"cmat/{name}", shown=shown)
            change.put(replace(other, pull=pull))
    stage.repo.tips = stage.git.branches()
    stage.hub.tick(60)
    first.updated = stage.hub.tick()


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.project.settings(forge={"pull": "draft"})
        yield made


def test_a_look_costs_what_is_new(there: OnGitHub) -> None:
    _costs_what_is_new(there, SOME)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_thousand_pull_requests_cost_what_is_new(there: OnGitHub) -> None:
    _costs_what_is_new(there, 1000)


def _costs_what_is_new(there: OnGitHub, many: int) -> None:
    _crowd(there, many)
    hub = there.hub
    for mark in (there.project.repo.git_dir / "cmat/forge").rglob("project.json"):
        mark.unlink()

    first = Costs(there)
    assert first.asked <= 5 + 2 * PAGES[many], first.paths
    Costs(there)  # what was asked for until then has another time, and so no tag yet
    for _ in range(3):
        there.project.clock.later(10)
        nothing = Costs(there)
        assert (nothing.asked, nothing.counted) == (3, 0), nothing.paths
        assert {path.rpartition(" ")[2] for path in nothing.paths} == {"304"}

    for number in range(100, 110):
        hub.comment(there.stage.repo, number, "rita", "Nice")
    hub.tick(60)
    changed = Costs(there)
    assert changed.asked <= CHANGED, changed.paths
    numbers = {int(part) for path in changed.paths for part in path.split("/") if part.isdigit()}
    assert numbers == {1, *range(100, 110)}  # the first had changed last before


def test_all_checks_are_seen_from_time_to_time(there: OnGitHub) -> None:
    _crowd(there, SOME)
    head = _pushed(there, 50)
    there.sync()
    there.stage.hub.tick(60)
    there.sync()
    there.stage.run_check(head, "nightly", CheckState.FAILED)
    there.sync()
    assert _checks(there, "t50") == ""

    there.project.clock.later(121)
    there.sync()
    assert _checks(there, "t50") == "failed"


def test_a_check_that_is_on_is_followed(there: OnGitHub) -> None:
    _crowd(there, SOME)
    there.sync()
    head = _pushed(there, 70)
    there.stage.run_check(head, "unit", CheckState.RUNNING)
    there.sync()
    assert _checks(there, "t70") == "running"

    there.stage.run_check(head, "unit", CheckState.PASSED)
    there.stage.hub.tick(60)
    there.sync()
    assert _checks(there, "t70") == "passed"


def _pushed(there: OnGitHub, number: int) -> str:
    """Have somebody push to a pull request; return its new head."""
    stage = there.stage
    head = stage.push(f"cmat/t{number}", "x.txt", "one\n")
    stage.repo.tips = stage.git.branches()
    issue = stage.repo.issues[number]
    assert issue.pull is not None
    issue.pull.head_sha, issue.updated = head, stage.hub.tick()
    return head


def _checks(there: OnGitHub, task: str) -> str:
    pull = there.project.entry(task).pull
    assert pull is not None
    return pull.checks


def test_a_push_to_the_target_asks_only_for_what_may_have_come_by_it(there: OnGitHub) -> None:
    _crowd(there, SOME)
    there.sync()
    there.sync()
    there.stage.push("main", "elsewhere.txt", "x\n")
    there.stage.repo.tips = there.stage.git.branches()

    assert Costs(there).asked == 3
