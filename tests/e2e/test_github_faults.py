"""Whatever goes wrong at whichever request of a task's story on a GitHub, it comes to the same end:
never two pull requests, two comments, two replies, or a lost rework.
"""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support import github_story
from tests.support.fakegithub.faults import Fault, Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.github_story import Teller
from tests.support.repo import TestRepo

Stage = Callable[[Teller, str], None]

ONE_TASK: Final[dict[str, Stage]] = {
    "reviewed": github_story.reviewed,
    "checked": github_story.checked,
}
"""Told of one task again and again."""
AGAIN: Final = 15
"""So often, as a task has no more than 20 attempts."""
NEW_TASK: Final[dict[str, Stage]] = {
    "opened": github_story.opened,
    "merged": github_story.merged,
}
"""Told of a new task each time."""
OTHERS: Final = (Kind.LOST, Kind.BAD_GATEWAY, Kind.SECONDARY_LIMIT)
"""An answer that is lost after the deed is the trouble that makes things twice; of these, where
nothing was done, each change need not be tried at each request.
"""
KINDS: Final = (Kind.ANSWER_LOST, *(pytest.param(kind, marks=pytest.mark.sweep) for kind in OTHERS))
GIT: Final = (Kind.LOST, Kind.ANSWER_LOST)
SAMPLE: Final = 7
"""Of so many requests the quick suite takes one."""


@pytest.fixture
def teller(repo: TestRepo, tmp_path: Path) -> Iterator[Teller]:
    with FakeGitHub() as hub:
        made = Teller.begin(hub, tmp_path, repo)
        repo.allow("refs:refs/heads/main", "index", "files")  # people pull what was merged
        yield made


def _sweep(teller: Teller, stage: str, kind: Kind, *, verb: str = "", step: int = 1) -> int:
    """Tell a stage with trouble at its first request, then at its next, until there is none left
    to strike; return how many were struck.
    """
    for number in itertools.count():
        teller.fault = Fault(kind, skip=number * step, seconds=30, verb=verb)
        teller.said.clear()
        if stage in NEW_TASK:
            NEW_TASK[stage](teller, f"x{number}")
        else:
            task = f"a{number // AGAIN}"
            if number % AGAIN == 0:
                github_story.opened_before(teller, task)
            ONE_TASK[stage](teller, task)
        teller.nothing_is_twice()
        if teller.fault.times:
            return number
    raise AssertionError("unreachable")


@pytest.mark.parametrize("stage", [*ONE_TASK, *NEW_TASK])
def test_an_answer_lost_here_and_there_changes_nothing(teller: Teller, stage: str) -> None:
    assert _sweep(teller, stage, Kind.ANSWER_LOST, step=SAMPLE) >= 1


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stage", [*ONE_TASK, *NEW_TASK])
def test_trouble_at_any_request_changes_nothing(teller: Teller, stage: str, kind: Kind) -> None:
    assert _sweep(teller, stage, kind) >= 10


@pytest.mark.slow
@pytest.mark.sweep
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", GIT)
@pytest.mark.parametrize("stage", [*ONE_TASK, *NEW_TASK])
def test_trouble_at_any_push_or_fetch_changes_nothing(
    teller: Teller, stage: str, kind: Kind
) -> None:
    assert _sweep(teller, stage, kind, verb="GIT") >= 3
