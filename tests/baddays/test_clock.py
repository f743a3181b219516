"""Clocks that jump, stand still or are in another place: nothing is stolen, stretched or lost."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from gitcmat.model.state import State
from gitcmat.store.lost_state import find_state
from gitcmat.system.locks import is_locked
from tests.support.cli import gitcmat
from tests.support.project import Project, agent_file, task_file
from tests.support.repo import TestRepo
from tests.support.store import Clock, entry, move, open_store, put

YEARS: Final = 10 * 365.25 * 86_400
JUMPS: Final = {
    "ten years on": YEARS,
    "ten years back": -YEARS,
    "an hour on": 3600.0,
    "an hour back": -3600.0,
}
jumps = pytest.mark.parametrize("jump", JUMPS.values(), ids=JUMPS.keys())


@pytest.fixture
def project(repo: TestRepo) -> Project:
    waiting = 'until [ -e "$TMPDIR/go-$CMAT_TASK" ]; do sleep 0.05; done; echo x > x.txt'
    return Project(repo, {**agent_file("waits", waiting), **agent_file("fails", "exit 1")})


@jumps
def test_a_run_goes_on_whatever_the_clock_does_and_is_taken_in_once(
    project: Project, tmp_path_factory: pytest.TempPathFactory, jump: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("go")
        patch.setenv("TMPDIR", str(folder))
        project.task("a", agent="waits")
        (run,) = project.step().started
        for seconds in (jump, -jump, jump):
            project.clock.later(seconds)
            assert project.step().started == []
            assert (project.state("a"), project.entry("a").run) == ("active", run)
            assert is_locked(project.folder("a").lock)
        (folder / "go-a").touch()
        project.wait()
    project.step()
    assert project.state("a") == "review"
    assert project.runs("a") == ["finished"]


@jumps
def test_the_wait_before_another_attempt_is_not_stretched(project: Project, jump: float) -> None:
    project.task("a", agent="fails")
    project.step()
    project.wait()
    project.step()
    assert project.entry("a").not_before is not None
    assert project.step().started == []
    project.clock.later(jump)
    assert len(project.step().started) == 1
    project.wait()
    project.step()
    assert (project.state("a"), project.runs("a")) == ("failed", ["failed", "failed"])


def test_with_a_clock_that_stands_still_a_task_comes_to_its_end(project: Project) -> None:
    project.clock = Clock(datetime(2026, 11, 21, 12, 0, tzinfo=UTC))
    project.reopen()
    project.task("a", agent="coder")
    project.step()
    project.wait()
    project.step()
    assert project.state("a") == "review"


@jumps
def test_an_edit_of_the_view_is_taken_in_whatever_the_clock_does(
    project: Project, jump: float
) -> None:
    project.commit(task_file("a", hold=True))
    project.step()
    file = project.path / ".cmat/queue/pending/a.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("priority: normal", "priority: high"), encoding="utf-8")
    project.clock.later(jump)
    project.step(start=False)
    assert project.entry("a").priority == "high"


# --- the history ----------------------------------------------------------------------------------


MOMENTS: Final = (
    datetime(2026, 11, 21, 12, 0, tzinfo=UTC),
    datetime(2036, 11, 21, 12, 0, tzinfo=UTC),
    datetime(2016, 11, 21, 12, 0, tzinfo=UTC),
    datetime(2038, 1, 19, 3, 14, 8, tzinfo=UTC),
    datetime(2106, 2, 7, 6, 28, 16, tzinfo=UTC),
    datetime(2026, 11, 21, 12, 0, 1, tzinfo=UTC),
)


@pytest.fixture
def jumping(repo: TestRepo) -> TestRepo:
    """A repository in which a task was taken in, and one thing happened, at each of MOMENTS."""
    for number, moment in enumerate(MOMENTS):
        store = open_store(repo.path, moment)
        put(store, entry(f"t{number}", created=moment, updated=moment, since=moment))
        store.close()
    store = open_store(repo.path, MOMENTS[-1])
    move(store, "t0", State.ACTIVE)
    store.close()
    return repo


def test_what_happened_is_told_in_its_order(jumping: TestRepo) -> None:
    lines = gitcmat(jumping, "events", "--json").ok().json["events"]
    told = [line["task"] for line in lines if line.get("task")]
    assert told == [*(f"t{number}" for number in range(len(MOMENTS))), "t0"]


def test_the_past_is_found_by_commit_and_by_time(jumping: TestRepo) -> None:
    (ref,) = jumping.refs("refs/cmat/state/")
    for back, count in ((1, 6), (3, 4), (6, 1)):
        commit = jumping.git("rev-parse", f"{ref}~{back}")
        found = gitcmat(jumping, "queue", "list", "all", "--at", commit, "--json").ok().json
        assert len(found["entries"]) == count
    for moment in MOMENTS:
        when = f"{moment + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}"
        result = gitcmat(jumping, "queue", "list", "all", "--at", when)
        assert (result.code, result.err.startswith("error: ")) in ((0, False), (4, True)), result


def test_a_lost_state_is_found_though_an_older_one_is_from_the_future(jumping: TestRepo) -> None:
    store = open_store(jumping.path)
    tip, node = store.tip(), store.node
    store.close()
    assert find_state(store._git, node) == tip


# --- places ---------------------------------------------------------------------------------------


def test_a_time_zone_changes_no_record(jumping: TestRepo) -> None:
    def answers(zone: str) -> Iterator[object]:
        for command in (("queue", "list", "all"), ("events",), ("status",)):
            yield gitcmat(jumping, *command, "--json", env={"TZ": zone}).ok().json

    expected = [_timeless(one) for one in answers("UTC")]
    for zone in ("America/New_York", "Pacific/Kiritimati", "Nowhere/At-All"):
        assert [_timeless(one) for one in answers(zone)] == expected


def _timeless(answer: object) -> object:
    """An answer without what the moment of asking is part of."""
    if isinstance(answer, dict):
        passing = {"runtime_seconds", "now"}
        return {key: _timeless(value) for key, value in answer.items() if key not in passing}
    return [_timeless(one) for one in answer] if isinstance(answer, list) else answer
