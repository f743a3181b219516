"""Every way a run ends before its agent wants to, and that nothing it started is left."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine.runner import request_stop, salvage
from gitcmat.errors import Conflict
from gitcmat.model.gate import GateOutcome
from gitcmat.model.job import JobGate, RunOutcome
from gitcmat.system.locks import is_locked
from tests.support.repo import TestRepo
from tests.support.runs import PYTHON, Bench, Runner, processes_with, python
from tests.support.wait import until

MARK = f"cmat-escape-{os.getpid()}"
"""In the arguments of each process that must be gone, and of the bystander that must not."""

SLEEPER = f"exec {PYTHON} -c 'import time; time.sleep(600)' {MARK}"
ESCAPES = {
    "a child in the background": f"({SLEEPER}) &",
    "a session of its own": f'setsid sh -c "{SLEEPER.replace(chr(34), "")}" &',
    "a double fork": f"( ( {SLEEPER} ) & ) &",
    "a session without environment": f"env -i setsid {SLEEPER.removeprefix('exec ')} &",
    "deaf to SIGTERM": (
        f"{PYTHON} -c 'import signal, time\n"
        "for n in (signal.SIGTERM, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\n"
        f"time.sleep(600)' {MARK} &"
    ),
    "forks while it is killed": (
        f"setsid {PYTHON} -c 'import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "for n in range(10_000):\n"
        " if os.fork(): time.sleep(0.005); os._exit(0)\n"
        f" os.setsid()' {MARK} &"
    ),
}


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


@pytest.fixture
def bystander() -> Iterator[int]:
    """A process of somebody else's that looks the same; it must outlive the test's runs."""
    argv = [PYTHON, "-c", "import time; time.sleep(600)", MARK]
    process = subprocess.Popen(argv, start_new_session=True)
    yield process.pid
    assert process.poll() is None, "the bystander was killed"
    process.kill()
    process.wait()


def left(bystander: int) -> list[int]:
    return [pid for pid in processes_with(MARK) if pid != bystander]


def test_the_wall_limit_ends_the_run_and_keeps_the_work(bench: Bench) -> None:
    job = bench.job("echo early > work.txt; sleep 600", agent={"timeout": 1})
    result = bench.run(job)
    assert (result.outcome, result.message) == (
        RunOutcome.TIMED_OUT,
        "did not end within 1 seconds",
    )
    assert bench.repo.show(result.head, "work.txt") == "early\n"


def test_silence_ends_the_run(bench: Bench) -> None:
    result = bench.run(bench.job("sleep 600", agent={"idle_timeout": 1}))
    assert (result.outcome, result.message) == (
        RunOutcome.SILENT,
        "said nothing for 1 seconds",
    )


def test_an_agent_that_speaks_without_ending_its_line_is_not_silent(bench: Bench) -> None:
    script = "for i in 1 2 3 4 5 6; do printf .; sleep 0.4; done"
    runner = bench.start(bench.job(script, agent={"idle_timeout": 1}))
    assert runner.result().outcome is RunOutcome.FINISHED
    assert "......\n" in runner.log()


def test_more_output_than_is_kept_ends_the_run(bench: Bench) -> None:
    script = python("import sys\nfor n in range(100): sys.stdout.write('x' * 1_000_000)")
    runner = bench.start(bench.job(f"echo a > a.txt; {script}", agent={"max_output": 2_000_000}))
    result = runner.result()
    assert (result.outcome, result.message) == (
        RunOutcome.TOO_LOUD,
        "printed more than 2,000,000 bytes",
    )
    assert 1_900_000 < runner.folder.log.stat().st_size < 2_100_000
    assert bench.repo.show(result.head, "a.txt") == "a\n"


def test_a_hundred_megabytes_of_lines_are_logged(bench: Bench) -> None:
    script = python(
        "import sys\nfor n in range(100): sys.stdout.write(('y' * 9_999 + '\\n') * 100)"
    )
    runner = bench.start(bench.job(script, agent={"max_output": 200_000_000}))
    result = runner.result(110)
    assert result.outcome is RunOutcome.FINISHED
    assert 100_000_000 < runner.folder.log.stat().st_size < 100_100_000


def test_a_log_that_the_disk_refuses_ends_the_agent_and_keeps_the_work(bench: Bench) -> None:
    script = python("import sys, time\nsys.stdout.write('z\\n' * 2_000_000); time.sleep(600)")
    folder = bench.claim(bench.job(f"echo some > work.txt; {script}"))
    runner = Runner(folder, {}, before=("sh", "-c", 'ulimit -f 1000; exec "$@"', "sh"))
    result = runner.result()
    assert (result.outcome, result.message) == (
        RunOutcome.FAILED,
        "the log cannot be written: File too large",
    )
    assert bench.repo.show(result.head, "work.txt") == "some\n"


@pytest.mark.parametrize("how", ["file", "signal"])
def test_a_stopped_run_keeps_the_work_so_far(bench: Bench, how: str) -> None:
    runner = bench.start(bench.job("echo some > work.txt; echo ready; sleep 600"))
    runner.wait_for("ready\n")
    if how == "file":
        request_stop(runner.folder.path)
    else:
        runner.process.send_signal(signal.SIGTERM)
    result = runner.result()
    assert (result.outcome, result.message) == (RunOutcome.STOPPED, "stopped on request")
    assert bench.repo.show(result.head, "work.txt") == "some\n"


def test_a_stop_during_the_gates_is_a_stop(bench: Bench) -> None:
    gates = tuple(JobGate(name=n, run=("sh", "-c", "echo on; sleep 600"), timeout=60) for n in "ab")
    runner = bench.start(bench.job("echo some > work.txt", gates=gates))
    runner.wait_for("\non\n")
    request_stop(runner.folder.path)
    result = runner.result()
    assert (result.outcome, result.message) == (
        RunOutcome.STOPPED,
        "stopped on request, while the gates ran",
    )
    assert [(gate.name, gate.reason) for gate in result.gates] == [
        ("a", "stopped before it had ended")
    ]
    assert bench.repo.show(result.head, "work.txt") == "some\n"


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_of_an_agent_that_ended_is_left(bench: Bench, bystander: int, escape: str) -> None:
    script = f"{ESCAPES[escape]}\nsleep 0.3; echo done"
    result = bench.run(bench.job(script))
    assert (result.outcome, left(bystander)) == (RunOutcome.FINISHED, [])
    assert len(result.warnings) == 1
    assert result.warnings[0].startswith("processes that the agent left running were ended: ")


@pytest.mark.parametrize("escape", ESCAPES)
def test_nothing_of_a_stopped_agent_is_left(bench: Bench, bystander: int, escape: str) -> None:
    runner = bench.start(bench.job(f"{ESCAPES[escape]}\necho ready; sleep 600"))
    runner.wait_for("ready\n")
    until(lambda: left(bystander))
    request_stop(runner.folder.path)
    assert (runner.result().outcome, left(bystander)) == (RunOutcome.STOPPED, [])


def test_nothing_of_a_gate_is_left(bench: Bench, bystander: int) -> None:
    gate = bench.judge("sh", "-c", "\n".join(ESCAPES.values()) + "\nsleep 0.3")
    assert (gate.outcome, left(bystander)) == ("passed", [])


def test_nothing_of_a_setup_is_left(bench: Bench, bystander: int) -> None:
    setup = (("sh", "-c", "\n".join(ESCAPES.values())),)
    result = bench.run(bench.job("echo x > x.txt", setup=setup))
    assert (result.outcome, left(bystander)) == (RunOutcome.FINISHED, [])


@pytest.mark.parametrize("escape", ESCAPES)
def test_the_work_of_a_killed_runner_comes_home_and_nothing_is_left(
    bench: Bench, bystander: int, escape: str
) -> None:
    script = f"echo some > work.txt; {ESCAPES[escape]}\necho ready; sleep 600"
    runner = bench.start(bench.job(script))
    runner.wait_for("ready\n")
    until(lambda: left(bystander))
    recorded = runner.folder.processes.stat().st_mtime_ns
    until(lambda: runner.folder.processes.stat().st_mtime_ns != recorded)
    runner.die()
    salvage(runner.folder.path)
    result = runner.folder.read_result()
    assert result is not None
    assert (result.outcome, left(bystander)) == (RunOutcome.INTERRUPTED, [])
    assert result.message == "interrupted: its runner ended before its time"
    assert bench.repo.show(bench.tip(), "work.txt") == "some\n"
    assert (result.head, result.commits) == (bench.tip(), 1)
    salvage(runner.folder.path)
    assert runner.folder.read_result() == result


def test_a_runner_killed_in_a_gate_brings_home_what_the_agent_did_and_no_more(
    bench: Bench,
) -> None:
    line = "echo junk > junk.txt; echo gated; sleep 600"
    gate = JobGate(name="slow", run=("sh", "-c", line), timeout=600)
    runner = bench.start(bench.job("echo some > work.txt", gates=(gate,)))
    runner.wait_for("gated\n")
    runner.die()
    salvage(runner.folder.path)
    result = runner.folder.read_result()
    assert result is not None
    assert result.outcome is RunOutcome.INTERRUPTED
    assert [change.path for change in result.files] == ["work.txt"]
    assert bench.repo.names(result.head) == ["README.md", "work.txt"]


def test_a_runner_killed_before_its_workspace_was_ready_takes_nothing_of_the_run_before(
    bench: Bench,
) -> None:
    bench.run(bench.job("echo other > other.txt"))
    (bench.tree / "late.txt").write_text("late")
    folder = bench.claim(bench.job("true"))
    salvage(folder.path)
    result = folder.read_result()
    assert result is not None
    assert (result.outcome, result.head) == (RunOutcome.INTERRUPTED, bench.repo.tip())


def test_a_salvage_removes_what_was_half_written_but_no_request_to_stop(bench: Bench) -> None:
    folder = bench.claim(bench.job("true"))
    folder.programs.mkdir()
    names = ["bin/.gitcmat.x.tmp", ".home.json.x.tmp", ".stop.x.tmp", "log"]
    for name in names:
        (folder.path / name).write_text("half")
    salvage(folder.path)
    assert [(folder.path / name).exists() for name in names] == [False, False, True, True]


def test_a_living_run_is_not_salvaged(bench: Bench) -> None:
    runner = bench.start(bench.job("echo ready; sleep 600"))
    runner.wait_for("ready\n")
    with pytest.raises(Conflict):
        salvage(runner.folder.path, patience=0.2)
    assert is_locked(runner.folder.lock)
    request_stop(runner.folder.path)
    assert runner.result().outcome is RunOutcome.STOPPED


def test_a_run_that_was_never_written_is_left_alone(tmp_path: Path) -> None:
    salvage(tmp_path / "gone")
    assert not (tmp_path / "gone").exists()


def test_more_memory_than_all_its_processes_may_hold_ends_the_run(bench: Bench) -> None:
    hold = "import time; held = b'x' * 60_000_000; time.sleep(600)"
    one = python(hold).removeprefix("exec ")
    job = bench.job(f"echo some > work.txt; {one} & {one} & wait", memory=100_000_000)
    result = bench.run(job)
    assert (result.outcome, result.message) == (
        RunOutcome.TOO_LARGE,
        "took more than 100MB of memory (limits.run_memory)",
    )
    assert bench.repo.show(result.head, "work.txt") == "some\n"


def test_what_processes_share_counts_for_none_of_them(bench: Bench) -> None:
    one = python("import time; time.sleep(1.5)").removeprefix("exec ")
    result = bench.run(bench.job(f"{one} & {one} & {one} & wait", memory=40_000_000))
    assert (result.outcome, result.message) == (RunOutcome.FINISHED, "")


def test_more_processes_than_a_run_may_have_end_it(bench: Bench, bystander: int) -> None:
    many = f"for i in 1 2 3 4 5 6 7 8 9 10; do ({SLEEPER}) & done; wait"
    result = bench.run(bench.job(f"echo some > work.txt; {many}", processes=8))
    assert (result.outcome, result.message) == (
        RunOutcome.TOO_MANY,
        "had more than 8 processes at once (limits.run_processes)",
    )
    assert bench.repo.show(result.head, "work.txt") == "some\n"
    assert left(bystander) == []


def test_gates_and_setup_have_the_same_limits(bench: Bench) -> None:
    hold = (PYTHON, "-c", "import time; held = b'x' * 60_000_000; time.sleep(600)")
    gate = JobGate(name="tests", run=hold, timeout=60)
    result = bench.run(bench.job("echo x > x", gates=(gate,), memory=50_000_000))
    said = "took more than 50MB of memory (limits.run_memory)"
    assert [(g.outcome, g.reason) for g in result.gates] == [(GateOutcome.ERROR, said)]
    result = bench.run(bench.job("true", setup=(hold,), memory=50_000_000))
    assert result.outcome is RunOutcome.CANNOT_START
    assert result.message.endswith(f"` {said}")


def test_many_short_lines_do_not_make_a_large_file_of_events(bench: Bench) -> None:
    script = python("import sys\nfor n in range(20): sys.stdout.write('y\\n' * 10_000)")
    runner = bench.start(bench.job(script))
    assert runner.result().outcome is RunOutcome.FINISHED
    lines = runner.folder.events.read_text(encoding="utf-8").splitlines()
    assert runner.folder.events.stat().st_size < 10_100_000
    assert [json.loads(line)["kind"] for line in lines if '"said"' not in line] == [
        "started",
        "agent",
        "left out",
        "ended",
    ]
    assert runner.log().count("\ny\n") > 99_000
