"""Ending a run ends everything it started (real processes, a small real runner)."""

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitcmat.system import proc, processes, supervise
from tests.support import escapes
from tests.support.wait import until

DOUBLE = Path(__file__).with_name("runner_double.py")
REPOSITORY = Path(__file__).resolve().parents[2]

StartRunner = Callable[..., proc.Child]


@pytest.fixture
def mark() -> Iterator[str]:
    made = escapes.new_mark()
    yield made
    escapes.kill_holders(made)


@pytest.fixture
def start_runner(tmp_path: Path) -> Iterator[StartRunner]:
    (tmp_path / "work").mkdir()
    children: list[proc.Child] = []

    def start(*scripts: str) -> proc.Child:
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CMAT_RUN": "r-test2345"}
        (tmp_path / "scripts").write_text(json.dumps(scripts))
        argv = [sys.executable, str(DOUBLE), str(tmp_path)]
        children.append(proc.spawn_detached(argv, cwd=tmp_path, env=env, log=tmp_path / "log"))
        until((tmp_path / "ready").exists, what="the runner to be ready")
        return children[-1]

    yield start
    for child in children:
        child.kill()


def end(runner: proc.Child, folder: Path) -> str:
    (folder / "end").touch()
    assert runner.wait(40) == 0, (folder / "log").read_text()
    return (folder / "left").read_text()


@pytest.mark.parametrize("kind", escapes.SCRIPTS)
def test_nothing_is_left_of(
    kind: str, mark: str, start_runner: StartRunner, tmp_path: Path
) -> None:
    runner = start_runner(escapes.SCRIPTS[kind].format(mark=mark))
    until(lambda: escapes.holders(mark), what=kind)
    assert end(runner, tmp_path).startswith("0 0 ")
    assert escapes.holders(mark) == []


def test_nothing_is_left_of_all_of_them_at_once(
    mark: str, start_runner: StartRunner, tmp_path: Path
) -> None:
    scripts = [script.format(mark=mark) for script in escapes.SCRIPTS.values()]
    runner = start_runner(*scripts)
    until(lambda: len(escapes.holders(mark)) >= len(scripts))
    assert end(runner, tmp_path).startswith("0 0 ")
    assert escapes.holders(mark) == []


def test_a_bystander_with_the_same_command_line_lives(
    mark: str, start_runner: StartRunner, tmp_path: Path
) -> None:
    bystander = proc.start(["sleep", mark], cwd=Path("/"), env=os.environ)
    runner = start_runner(f"exec sleep {mark}")
    until(lambda: len(escapes.holders(mark)) == 2)
    end(runner, tmp_path)
    assert escapes.holders(mark) == [bystander.pid]
    assert bystander.poll() is None
    bystander.kill()


def test_orphans_do_not_pile_up_as_zombies(start_runner: StartRunner, tmp_path: Path) -> None:
    runner = start_runner("for i in 1 2 3 4 5 6 7 8 9; do (sh -c 'sleep 0.01 & exit' &); done")

    def none_left() -> bool:
        return all(row.parent != runner.pid for row in processes.table().values())

    until(none_left)
    left, now, reaped = end(runner, tmp_path).split()
    assert (left, now) == ("0", "0")
    assert int(reaped) >= 10


def test_an_agent_that_listens_may_end_by_itself(
    mark: str, start_runner: StartRunner, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    script = f"trap 'echo asked > {note}; exit 0' TERM; while :; do sleep 0.01; done"
    runner = start_runner(f'sh -c "{script}" {mark}')
    until(lambda: escapes.holders(mark))
    end(runner, tmp_path)
    assert note.read_text() == "asked\n"


def test_reaping_reports_an_end_and_the_child_still_knows_it() -> None:
    child = proc.start(["sh", "-c", "exit 9"], cwd=Path("/"), env=os.environ)
    seen: dict[int, int] = {}

    def reaped(pid: int) -> bool:
        seen.update(supervise.reap())
        return pid in seen

    until(lambda: reaped(child.pid))
    assert seen[child.pid] == 9
    assert child.poll() == 9
    killed = proc.start(["sleep", "600"], cwd=Path("/"), env=os.environ)
    killed.send(signal.SIGKILL)
    until(lambda: reaped(killed.pid))
    assert seen[killed.pid] == -signal.SIGKILL
