"""Whatever a person does with git while gitcmat works: nothing of theirs is changed, nothing lost.

Repeat a run with the seed that it printed: GITCMAT_SEED=… pytest -m slow THIS_FILE
"""

import os
import random
import re
import shutil
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import Running, gitcmat, running
from tests.support.history import History
from tests.support.journey import Journey
from tests.support.repo import TestRepo
from tests.support.verbs import VERBS, Person
from tests.support.wait import until

SEED: Final = int(os.environ.get("GITCMAT_SEED") or random.SystemRandom().randrange(10**6))
STEPS: Final = 170
ROUNDS: Final = 3
LOOK_EVERY: Final = 10
REST_EVERY: Final = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_there_are_thirty_verbs() -> None:
    assert len({verb.__name__ for verb in VERBS}) >= 30


@pytest.mark.parametrize("number", range(ROUNDS))
def test_what_a_person_does_beside_the_daemon_is_as_if_there_were_none(
    repo: TestRepo, tmp_path: Path, number: int, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = SEED + number
    Journey(repo).prepare({"one.txt": "1\n", "two.txt": "2\n", "sub/three.txt": "3\n"})
    shadow = tmp_path / "shadow"
    shutil.copytree(repo.path, shadow, symlinks=True)
    shutil.rmtree(shadow / ".git/cmat", ignore_errors=True)
    TestRepo.made.clear()  # the shadow is the guard here
    person = Person(repo.path, shadow, seed)
    with running(repo.path, "watch", "--every", "1", logs=tmp_path / "watch") as daemon:
        daemon.says("watching")
        while person.steps < STEPS:
            person.step()
            if person.steps % LOOK_EVERY == 0:
                person.compare()
            if person.steps % REST_EVERY == 0:
                claims(daemon, person.come_to_rest())
        assert daemon.process.poll() is None, daemon.err
    person.compare()
    gitcmat(repo.path, "watch", "--until-idle").ok()
    person.compare()
    history = History(TestRepo.at(repo.path))
    listed = gitcmat(repo.path, "queue", "list", "--limit", "500", "--json").ok().json["entries"]
    assert {e["state"] for e in listed} <= {"review", "pending", "backlog", "blocked"}, listed
    assert {task for task in history.accepted if len(history.accepted[task]) > 1} == set()
    repo.git("fsck", "--strict")
    with capsys.disabled():
        print(  # noqa: T201
            f"\nGITCMAT_SEED={seed}: {person.steps} verbs, {person.tasks} tasks committed; "
            f"{len(history.states)} taken in, {len(history.claimed)} runs",
            file=sys.stderr,
        )
    assert len(history.claimed) >= STEPS // REST_EVERY


def claims(daemon: Running, task: str) -> None:
    """Wait until the daemon starts a run of this task."""
    claimed = re.compile(rf" {task}  \w+ → active  ")
    until(lambda: claimed.search(daemon.err), 30, f"{claimed.pattern!r} from the daemon")
