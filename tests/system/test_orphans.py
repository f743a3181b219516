"""What a killed runner leaves behind is ended, and nothing else is."""

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.system import ids, orphans, proc, processes
from tests.support import escapes
from tests.support.wait import until

RUN = ids.run_id()  # another one in each process of a parallel test run
DOUBLE = Path(__file__).with_name("runner_double.py")
REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture
def mark() -> Iterator[str]:
    made = escapes.new_mark()
    yield made
    escapes.kill_holders(made)


def kill_runner_of(scripts: list[str], folder: Path, mark: str, *, record: bool) -> None:
    """Start a runner with these scripts, and kill it with SIGKILL when all of them are up."""
    (folder / "work").mkdir()
    (folder / "scripts").write_text(json.dumps(scripts))
    if record:
        (folder / "may-record").touch()
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CMAT_RUN": RUN}
    argv = [sys.executable, str(DOUBLE), str(folder)]
    runner = proc.spawn_detached(argv, cwd=folder, env=env, log=folder / "log")
    until(lambda: len(escapes.holders(mark)) >= len(scripts), what=(folder / "log").read_text())
    if record:
        wanted = len(scripts)
        until(lambda: len(orphans.recorded(folder / "record")) >= wanted)
        (folder / "record").unlink()
        until(lambda: len(orphans.recorded(folder / "record")) >= wanted)
    runner.send(signal.SIGKILL)
    assert runner.wait(20) == -signal.SIGKILL


MARKED = [name for name in escapes.SCRIPTS if name != "no name, no environment, no folder"]


@pytest.mark.parametrize("kind", MARKED)
def test_nothing_marked_is_left_of(kind: str, mark: str, tmp_path: Path) -> None:
    kill_runner_of([escapes.SCRIPTS[kind].format(mark=mark)], tmp_path, mark, record=False)
    swept = orphans.sweep_marked(RUN, [tmp_path / "work"])
    assert swept.left == 0
    assert swept.ended >= 1
    assert escapes.holders(mark) == []


def test_what_the_runner_wrote_down_is_found_without_any_other_mark(
    mark: str, tmp_path: Path
) -> None:
    script = escapes.SCRIPTS["no name, no environment, no folder"].format(mark=mark)
    kill_runner_of([script], tmp_path, mark, record=True)
    assert orphans.sweep_marked(RUN, [tmp_path / "work"]) == orphans.Swept(ended=0, left=0)
    assert len(escapes.holders(mark)) == 1
    swept = orphans.sweep_marked(RUN, [tmp_path / "work"], record=tmp_path / "record")
    assert swept == orphans.Swept(ended=1, left=0)
    assert escapes.holders(mark) == []


def test_nothing_is_left_of_all_at_once_and_bystanders_live(mark: str, tmp_path: Path) -> None:
    bystander = proc.start(["sleep", mark], cwd=tmp_path, env=os.environ)
    other_run = proc.start(
        ["sleep", mark], cwd=Path("/"), env={**os.environ, "CMAT_RUN": f"{RUN}x"}
    )
    scripts = [
        script.format(mark=mark)
        for name, script in escapes.SCRIPTS.items()
        if name != "flees by forking"  # it is not where it was written down a moment ago
    ]
    try:
        kill_runner_of(scripts, tmp_path, mark, record=True)
        swept = orphans.sweep_marked(
            RUN, [tmp_path / "work"], record=tmp_path / "record", grace=0.2
        )
        assert swept.left == 0
        assert swept.ended >= len(scripts)
        assert sorted(escapes.holders(mark)) == sorted([bystander.pid, other_run.pid])
    finally:
        bystander.kill()
        other_run.kill()


def test_a_persons_program_in_the_workspace_lives(mark: str, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    shell = proc.start(["sh", "-c", f"cd work; sleep {mark} & wait"], cwd=tmp_path, env=os.environ)
    try:
        (sleeping,) = until(lambda: [pid for pid in escapes.holders(mark) if pid != shell.pid])
        until(lambda: processes.folder(sleeping) == (tmp_path / "work").resolve())
        assert orphans.find_marked(RUN, [tmp_path / "work"]) == []
        shell.send(signal.SIGKILL)  # and when its shell is gone, nobody can tell it from an agent's
        shell.wait(20)
        (who,) = until(lambda: orphans.find_marked(RUN, [tmp_path / "work"]))
        assert who.pid == sleeping
    finally:
        shell.kill()


def test_a_recorded_number_that_another_process_has_now_is_not_killed(
    mark: str, tmp_path: Path
) -> None:
    stranger = proc.start(["sleep", mark], cwd=tmp_path, env=os.environ)
    record = tmp_path / "record"
    try:
        now = processes.identity(stranger.pid)
        assert now is not None
        boot = processes.boot_id()
        for content in (
            {"boot": boot, "processes": [[now.pid, now.started - 1]]},
            {"boot": "another", "processes": [[now.pid, now.started]]},
            {"boot": boot},
            ["nonsense"],
        ):
            record.write_text(json.dumps(content))
            swept = orphans.sweep_marked(RUN, [tmp_path / "work"], record=record)
            assert swept == orphans.Swept(ended=0, left=0)
        assert stranger.poll() is None
        record.write_text(json.dumps({"boot": boot, "processes": [[now.pid, now.started]]}))
        assert orphans.sweep_marked(RUN, [], record=record) == orphans.Swept(ended=1, left=0)
        assert stranger.wait(20) == -signal.SIGKILL
    finally:
        stranger.kill()


def test_a_sweep_spares_itself_though_it_has_the_mark(tmp_path: Path, mark: str) -> None:
    code = (
        "from pathlib import Path\n"
        "from gitcmat.system import orphans\n"
        f"print(orphans.sweep_marked({RUN!r}, [Path.cwd()]))\n"
    )
    env = {**os.environ, "PYTHONPATH": str(REPOSITORY), "CMAT_RUN": RUN}
    done = proc.run([sys.executable, "-c", code, mark], cwd=tmp_path, env=env, timeout=60)
    assert (done.text, done.err) == ("Swept(ended=0, left=0)", b"")


def test_a_workspace_removed_under_a_process_still_marks_it(mark: str, tmp_path: Path) -> None:
    script = f"(env -i setsid /bin/sh -c 'exec /bin/sleep {mark}' &); exit"
    kill_runner_of([script], tmp_path, mark, record=False)
    shutil.rmtree(tmp_path / "work")
    assert orphans.sweep_marked(RUN, [tmp_path / "work"]) == orphans.Swept(ended=1, left=0)
    assert escapes.holders(mark) == []
