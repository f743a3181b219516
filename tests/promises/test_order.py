"""R27 and R22 on the engine itself: the same queue starts in the same order, whoever is asked."""

import random
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.state import State
from gitcmat.model.task import Priority
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

SEEDS: Final = (1, 20261121)
TASKS: Final = 8


def _order(path: Path, seed: int) -> list[str]:
    """Start everything one by one; return the tasks in the order of their claims."""
    dice = random.Random(seed)  # noqa: S311 - to be repeated
    repo = TestRepo(path)
    project = Project(repo)
    files = []
    for number in range(TASKS):
        needs = [f"t-{dice.randrange(number)}"] if number and dice.random() < 0.3 else []
        priority = dice.choice(list(Priority)).value
        files.append(task_file(f"t-{number}", priority=priority, needs=needs))
    project.commit(*files)
    order: list[str] = []
    for _ in range(TASKS * 3):
        project.step()
        order += [task for task in project.ids(State.ACTIVE) if task not in order]
        project.wait()
        project.step(start=False)
        for task in project.ids(State.REVIEW):
            project.land(task)
    waiting = {task: project.why(task) for task in project.ids(State.PENDING, State.BACKLOG)}
    assert not waiting
    assert sorted(order) == sorted(f"t-{n}" for n in range(TASKS))
    return order


@pytest.mark.slow
@pytest.mark.parametrize("seed", SEEDS)
def test_the_same_queue_starts_in_the_same_order_three_times(tmp_path: Path, seed: int) -> None:
    orders = [_order(tmp_path / str(number), seed) for number in range(3)]
    assert orders[0] == orders[1] == orders[2]
