"""What agents do is saved at intervals and before it is cleaned away, by real runners."""

import os
import re
import signal
from pathlib import Path

import pytest

from gitcmat.app import open_app
from gitcmat.engine import checkpoints
from gitcmat.engine.runlog import RunLog
from gitcmat.engine.runner import salvage
from gitcmat.engine.saving import Saving
from gitcmat.engine.supervision import StopRequest
from gitcmat.engine.workbench import Workbench
from gitcmat.model.checkpoint import Checkpoint, Why
from gitcmat.model.job import RunOutcome
from gitcmat.store import run_checkpoints
from gitcmat.store.git import discover
from gitcmat.store.workspaces import Workspace
from tests.support.repo import TestRepo
from tests.support.runs import PAT, Bench, processes_with
from tests.support.wait import until

WAIT = "while [ ! -e go ]; do sleep 0.05; done"


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


def listed(bench: Bench) -> list[Checkpoint]:
    return list(checkpoints.listed(open_app(bench.repo.path).deps).found)


def with_file(bench: Bench, name: str) -> Checkpoint | None:
    return next((c for c in listed(bench) if name in bench.repo.names(c.commit)), None)


def test_work_survives_the_death_of_agent_and_runner_at_once(bench: Bench) -> None:
    marker = f"sleep-{os.getpid()}"
    script = f"echo first > first.txt; exec -a {marker} sleep 600 || sleep 600"
    runner = bench.start(bench.job(f"exec bash -c '{script}'", checkpoint_every=1))
    found = until(lambda: with_file(bench, "first.txt"), what="a checkpoint")
    assert found is not None
    agents = list(processes_with(marker))
    runner.die()
    for pid in agents:
        os.kill(pid, signal.SIGKILL)
    assert (found.why, found.task, found.run, found.head) == (
        Why.INTERVAL,
        "parse-dates",
        bench.last,
        bench.repo.tip(),
    )
    assert (found.files, found.new_files, found.new_bytes) == (1, 1, 6)
    bench.repo.git("gc", "-q", "--prune=now")
    assert bench.repo.show(found.ref, "first.txt") == "first\n"
    # What it did since is in the work tree, which the next command brings home.
    bench.tree.joinpath("later.txt").write_text("later\n")
    salvage(runner.folder.path)
    assert bench.repo.show(bench.tip(), "later.txt") == "later\n"


def test_without_a_change_there_is_no_second_checkpoint(bench: Bench) -> None:
    script = f"echo first > first.txt; {WAIT}; echo second > second.txt; rm go; {WAIT}; rm go"
    runner = bench.start(bench.job(script, checkpoint_every=1))
    until(lambda: with_file(bench, "first.txt"), what="a checkpoint")
    bench.tree.joinpath("go").touch()
    until(lambda: with_file(bench, "second.txt"), what="the next checkpoint")
    assert len(listed(bench)) == 2
    bench.tree.joinpath("go").touch()
    assert runner.result().outcome is RunOutcome.FINISHED
    names = [c.name for c in reversed(listed(bench))]
    assert all(name.startswith("parse-dates after 0:00:0") for name in names)
    assert '"kind": "saved"' in runner.folder.events.read_text()
    assert not list(runner.folder.path.glob("*index*"))


def test_what_cannot_be_saved_is_said_once_and_stops_nothing(bench: Bench) -> None:
    many = "mkdir many; for n in $(seq 1100); do : > many/$n; done"
    script = f"{many}; {WAIT}; rm -r many go"
    runner = bench.start(bench.job(script, checkpoint_every=1))
    said = (
        "no checkpoint: too much is new (1,100 files, 0.0 MB), such as "
        "many/1 (0 bytes), many/10 (0 bytes), many/100 (0 bytes)."
    )
    runner.wait_for(said)
    bench.tree.joinpath("go").touch()
    assert runner.result().outcome is RunOutcome.FINISHED
    assert runner.log().count("no checkpoint") == 1


def test_a_pipe_in_the_work_tree_does_not_keep_a_run_from_ending(bench: Bench) -> None:
    script = "echo a > a.txt; mkdir sub; mkfifo sub/pipe; sleep 1.5; rm sub/pipe"
    result = bench.run(bench.job(script, checkpoint_every=1))
    assert (result.outcome, [c.path for c in result.files]) == (RunOutcome.FINISHED, ["a.txt"])


def test_after_a_look_that_took_too_long_there_is_no_other(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.run(bench.job("true"))
    job = bench.job(checkpoint_every=1)
    workspace = Workspace(discover(bench.repo.path), bench.slot)
    workspace.prepare(job.start, base=job.base, identity=PAT, work=job.run)
    os.mkfifo(bench.tree / ".gitignore")  # git waits for its other end, for ever
    monkeypatch.setattr(run_checkpoints, "LOOK_SECONDS", 0.3)
    folder = bench.claim(job)
    with RunLog(folder.log, folder.events, ()) as log:
        stop = StopRequest(folder)
        desk = Workbench(
            job=job, folder=folder, tree=bench.tree, inbox=bench.slot, log=log, stop=stop
        )
        saving = Saving(desk, workspace)

        def said() -> str:
            saving.look()
            return folder.log.read_text()

        until(said, what="a word about it")
    assert re.fullmatch(
        r"\[gitcmat\] no checkpoint: `.* status .*` did not end within 0.3 seconds and was "
        r"stopped\.\n",
        said(),
    )
    assert not list(bench.repo.git_dir.joinpath("cmat/checkpoint").iterdir())


def test_what_a_dead_run_left_is_saved_before_its_workspace_is_used_again(bench: Bench) -> None:
    runner = bench.start(bench.job("echo lost > lost.txt; exec sleep 600"))
    dead = bench.last
    until((bench.tree / "lost.txt").exists, what="the agent's file")
    runner.die()
    for pid in processes_with(dead):
        os.kill(pid, signal.SIGKILL)
    runner.folder.job.write_text("{")  # so nobody can bring it home
    result = bench.run(bench.job("echo new > new.txt"))
    (found,) = listed(bench)
    assert (found.why, found.run) == (Why.CLEAN_UP, dead)
    assert result.warnings[0] == f"earlier work that was still in the workspace is now {found.id}"
    assert [change.path for change in result.files] == ["new.txt"]
    assert bench.repo.show(found.ref, "lost.txt") == "lost\n"


def test_what_cannot_be_saved_is_moved_out_of_the_way_instead(bench: Bench) -> None:
    runner = bench.start(bench.job("echo lost > lost.txt; exec sleep 600"))
    until((bench.tree / "lost.txt").exists, what="the agent's file")
    runner.die()
    runner.folder.job.write_text("{")
    bench.repo.git("update-ref", "refs/cmat/checkpoints", "HEAD")  # in the way of all below it
    result = bench.run(bench.job("echo new > new.txt"))
    aside = bench.slot.with_name(f"1-kept-{bench.last}")
    assert result.warnings[0].startswith(f"earlier work lies in {aside}, because it could not be")
    assert aside.joinpath("tree/lost.txt").read_text() == "lost\n"
    assert [change.path for change in result.files] == ["new.txt"]
