"""Daemon, runners and agents die at chosen and at random moments, and every task is done once.

Repeat a run with the seed that it printed: GITCMAT_SEED=… pytest -m slow tests/e2e/test_kill.py
"""

import os
import random
import sys
import time
from collections import Counter
from contextlib import suppress
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest

from tests.support.cli import gitcmat, running
from tests.support.history import History
from tests.support.killing import Killing, plan
from tests.support.repo import TestRepo
from tests.support.wait import until

SEED: Final = os.environ.get("GITCMAT_SEED") or str(random.SystemRandom().randrange(10**6))
ROUNDS: Final = 26
"""Of each queue; four of them are more than a hundred."""
HITS: Final = 15
"""Of each queue, at least: a run was under way."""
TASKS: Final = 20
OF_A_KILL: Final = ("run-dead", "process-orphaned", "view-missing")
"""What a doctor may find after a kill: the next daemon takes all of it for granted."""

_TWO_DAYS: Final = 2 * 86400

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


def test_the_same_seed_plans_the_same_blows() -> None:
    assert plan("7", ROUNDS) == plan("7", ROUNDS) != plan("8", ROUNDS)


@pytest.mark.parametrize("number", range(4), ids=lambda n: f"queue-{n}")
def test_kills_lose_no_task_and_run_none_twice(
    repo: TestRepo, tmp_path: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    begun = time.monotonic()
    seed = f"{SEED}/{number}"
    with Killing(repo, tmp_path, seed) as killing:
        killing.commit_tasks(TASKS)
        for blow in plan(seed, ROUNDS):
            killing.strike(blow)
        killing.end_daemon()
        assert wrong(repo, *OF_A_KILL) == []
        finish(killing, tmp_path)
    history = check(killing)
    with capsys.disabled():
        print(  # noqa: T201
            f"\nGITCMAT_SEED={SEED}, queue {number}: {ROUNDS} rounds, {killing.hits} of them hit a "
            f"live run, {time.monotonic() - begun:.0f} s; {len(killing.tasks)} tasks, "
            f"{len(history.claimed)} runs, {len(history.interrupted)} interrupted; "
            f"killed: {counts(killing.victims)}; hit: {counts(killing.phases)}",
            file=sys.stderr,  # the one stream of a worker of pytest-xdist that is seen
        )
    assert killing.hits >= HITS
    assert history.interrupted


def counts(found: Counter[StrEnum]) -> str:
    return ", ".join(f"{found[what]} {what}" for what in type(next(iter(found))) if what in found)


def finish(killing: Killing, folder: Path) -> None:
    """Let one last daemon do the rest, long after; it leaves nothing that runs and nothing to be
    mended. What was killed too often asks a person, who wants it tried once more.
    """
    git_dir = killing.repo.git_dir
    for place in ("cmat", "refs/cmat", "objects/pack"):
        for path in (git_dir / place).rglob("*"):
            with suppress(FileNotFoundError):  # a run goes on
                then = path.lstat().st_mtime - _TWO_DAYS
                os.utime(path, (then, then), follow_symlinks=False)
    while True:
        with running(killing.repo, "watch", "--until-idle", logs=folder / "last") as daemon:
            daemon.wait(120).ok()
        questions = gitcmat(killing.repo, "blocker", "list", "--json").ok().json["blockers"]
        if not questions:
            break
        for one in questions:
            assert "were interrupted 5 times in a row" in one["question"], one
            gitcmat(killing.repo, "blocker", "answer", one["id"], "retry").ok()
    until(lambda: not killing.left(), 10, "the end of all processes")
    assert wrong(killing.repo) == []
    left = [*killing.repo.path.rglob(".*.tmp"), *git_dir.rglob("*.keep")]
    left += (git_dir / "refs").rglob("*.lock")
    assert left == []


def wrong(repo: TestRepo, *but: str) -> list[dict[str, object]]:
    """Return what the doctor finds wrong, without findings of these ids."""
    found = gitcmat(repo, "doctor", "--json").json["findings"]
    return [one for one in found if one["severity"] != "info" and one["id"] not in but]


def check(killing: Killing) -> History:
    """Compare what the agents wrote themselves with what the history of the records says."""
    repo = killing.repo
    history = History(repo)
    spans = killing.diary.spans()
    assert history.states == dict.fromkeys(killing.tasks, "review")
    assert {span.run for span in spans} <= history.claimed
    for task in killing.tasks:
        own = sorted((s for s in spans if s.task == task), key=lambda s: s.first)
        for before, after in pairwise(own):
            assert before.last < after.first, f"{task} ran twice at once: {before} {after}"
        (accepted,) = history.accepted[task]
        assert accepted not in history.interrupted, f"{task}: a dead run was accepted"
        assert (own[-1].run, own[-1].ended) == (accepted, True), f"{task}: {own}"
        assert history.work(task) == f"{accepted}\n"
        assert repo.tip(f"refs/heads/cmat/{task}") == repo.tip(f"refs/cmat/runs/{accepted}")
    repo.git("fsck", "--strict")
    return history
