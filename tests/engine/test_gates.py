"""What gates say of a commit, with real programs in a real workspace."""

from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine.runner import request_stop
from gitcmat.model.gate import GateOutcome, Location
from gitcmat.model.job import JobGate, JobKind, RunOutcome
from tests.support.repo import TestRepo
from tests.support.runs import PYTHON, Bench


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.commit("Add a test", {"tests/test_it.sh": "test -s work.txt\n", "conftest.py": "safe\n"})
    repo.freeze()
    return Bench(repo, tmp_path)


def test_exit_code_0_has_passed(bench: Bench) -> None:
    gate = bench.judge("sh", "-c", "echo fine")
    assert (gate.name, gate.outcome, gate.exit_code) == ("tests", GateOutcome.PASSED, 0)
    assert (gate.output, gate.reason, gate.locations) == ("fine\n", "", ())
    assert 0 < gate.seconds < 30


def test_another_exit_code_has_failed_and_says_where(bench: Bench) -> None:
    lines = f"tests/test_it.sh:1:2: too short\n{bench.tree}/conftest.py:7: odd\n/etc/passwd:1: no"
    gate = bench.judge("sh", "-c", f"printf '{lines}' >&2; exit 4")
    assert (gate.outcome, gate.exit_code, gate.reason) == (GateOutcome.FAILED, 4, "")
    assert gate.output == lines
    assert gate.locations == (
        Location(file="tests/test_it.sh", line=1, column=2, message="too short"),
        Location(file="conftest.py", line=7, message="odd"),
    )


def test_only_the_last_part_of_the_output_is_kept(bench: Bench) -> None:
    gate = bench.judge(PYTHON, "-c", r"print('a' * 10_000 + '\x1b[31m'); exit(1)")
    assert len(gate.output) == 8192
    assert gate.output.endswith("aaa\\x1b[31m\n")


def test_a_gate_that_is_killed_has_failed(bench: Bench) -> None:
    gate = bench.judge("sh", "-c", "kill -SEGV $$")
    assert (gate.outcome, gate.exit_code, gate.reason) == (
        GateOutcome.FAILED,
        -11,
        "killed by signal 11",
    )


@pytest.mark.parametrize("program", ["no-such-tool", "/no/such/tool"])
def test_a_missing_tool_is_skipped(bench: Bench, program: str) -> None:
    gate = bench.judge(program, "check")
    assert (gate.outcome, gate.exit_code) == (GateOutcome.SKIPPED, None)
    assert gate.reason.endswith("; let setup install it in the workspace")


def test_a_missing_python_module_is_skipped(bench: Bench) -> None:
    gate = bench.judge(PYTHON, "-m", "no_such_tool", "check")
    assert (gate.outcome, gate.exit_code, gate.reason) == (
        GateOutcome.SKIPPED,
        1,
        "Python module `no_such_tool` is not installed; let setup install it in the workspace",
    )


def test_a_script_of_the_repository_that_is_gone_is_an_error(bench: Bench) -> None:
    gate = bench.judge("./check.sh")
    assert (gate.outcome, gate.reason) == (
        GateOutcome.ERROR,
        "Cannot start `./check.sh`: there is no such program.",
    )


def test_a_script_that_is_not_executable_is_an_error(bench: Bench) -> None:
    gate = bench.judge("./tests/test_it.sh")
    assert (gate.outcome, gate.reason) == (
        GateOutcome.ERROR,
        "Cannot start `./tests/test_it.sh`: the system does not allow it to be executed.",
    )


def test_a_gate_that_does_not_end_is_an_error(bench: Bench) -> None:
    gate = bench.judge("sh", "-c", "echo started; sleep 600", timeout=1)
    assert (gate.outcome, gate.reason, gate.output) == (
        GateOutcome.ERROR,
        "did not end within 1 seconds",
        "started\n",
    )


def test_a_gate_may_not_be_given_what_is_forbidden(bench: Bench) -> None:
    gate = bench.judge("true", env={"GITHUB_TOKEN": "x"})
    assert (gate.outcome, gate.reason) == (
        GateOutcome.ERROR,
        "The variable GITHUB_TOKEN may not be given to agents or gates by a repository.",
    )


def test_the_variables_of_a_gate_are_set(bench: Bench) -> None:
    gate = bench.judge("sh", "-c", "echo $COLOUR $CMAT_TASK", env={"COLOUR": "blue"})
    assert gate.output == "blue parse-dates\n"


def test_protected_paths_are_those_of_the_base(bench: Bench) -> None:
    cheat = "echo true > tests/test_it.sh; echo evil > conftest.py; echo x > tests/conftest.py"
    gates = (
        JobGate(
            name="safe", run=("sh", "-c", "cat conftest.py; ls tests; sh tests/test_it.sh"),
            timeout=30, protect=("tests/**", "conftest.py"),
        ),
        JobGate(
            name="naive", run=("sh", "-c", "cat conftest.py; ls tests; sh tests/test_it.sh"),
            timeout=30,
        ),
    )  # fmt: skip
    result = bench.run(bench.job(cheat, gates=gates))
    safe, naive = result.gates
    assert (safe.outcome, safe.output) == (GateOutcome.FAILED, "safe\ntest_it.sh\n")
    assert (naive.outcome, naive.output) == (GateOutcome.PASSED, "evil\nconftest.py\ntest_it.sh\n")
    assert result.marks == ("changes protected: conftest.py, tests/conftest.py, tests/test_it.sh",)
    assert bench.repo.show(result.head, "conftest.py") == "evil\n"


def test_what_a_gate_leaves_is_thrown_away(bench: Bench) -> None:
    line = "ls; echo junk > junk.txt; rm README.md; git commit -q --allow-empty -m junk"
    gates = tuple(JobGate(name=n, run=("sh", "-c", line), timeout=30) for n in ("one", "two"))
    result = bench.run(bench.job("echo x > work.txt", gates=gates))
    assert [gate.output for gate in result.gates] == [
        "README.md\nconftest.py\ntests\nwork.txt\n",
        "README.md\nconftest.py\ntests\nwork.txt\n",
    ]
    assert bench.tip() == result.head
    assert bench.repo.names(result.head) == [
        "README.md",
        "conftest.py",
        "tests/test_it.sh",
        "work.txt",
    ]


def test_gates_judge_the_commit_and_not_what_else_lies_about(bench: Bench) -> None:
    script = "echo '*.tmp' > .gitignore; echo x > work.txt; git add .; git commit -q -m all"
    gate = bench.judge("git", "status", "--short", script=f"{script}; git rm -q --cached work.txt")
    assert (gate.outcome, gate.output) == (GateOutcome.PASSED, "")


def test_a_run_without_a_change_is_not_judged(bench: Bench) -> None:
    gate = JobGate(name="tests", run=("false",), timeout=30)
    assert bench.run(bench.job("true", gates=(gate,))).gates == ()


def test_an_unclear_result_is_not_judged(bench: Bench) -> None:
    gate = JobGate(name="tests", run=("true",), timeout=30)
    result = bench.run(bench.job("git checkout -q --orphan new; git commit -qm x", gates=(gate,)))
    assert result.outcome is RunOutcome.UNCLEAR
    assert [(g.name, g.outcome, g.reason) for g in result.gates] == [
        ("tests", GateOutcome.SKIPPED, "not run, because the result needs a person first")
    ]


def test_a_failed_agent_is_not_judged(bench: Bench) -> None:
    gate = JobGate(name="tests", run=("true",), timeout=30)
    assert bench.run(bench.job("echo x > work.txt; exit 1", gates=(gate,))).gates == ()


def test_a_check_runs_its_gates_on_the_commit(bench: Bench) -> None:
    gate = JobGate(name="tests", run=("sh", "-c", "ls; sh tests/test_it.sh"), timeout=30)
    job = bench.job(kind=JobKind.CHECK, agent=None, gates=(gate,))
    result = bench.run(job)
    assert result.outcome is RunOutcome.FINISHED
    assert [(g.outcome, g.output) for g in result.gates] == [
        (GateOutcome.FAILED, "README.md\nconftest.py\ntests\n")
    ]


# --- setup --------------------------------------------------------------------------------------


def test_setup_runs_once_and_again_when_a_file_that_it_names_changes(bench: Bench) -> None:
    setup = (("sh", "-c", "mkdir -p .venv/bin; echo ran; echo x >> .venv/count"),)
    more: dict[str, Any] = {"setup": setup, "setup_when": ("*.lock",)}
    gate = JobGate(name="count", run=("sh", "-c", "wc -l < .venv/count"), timeout=30)
    first = bench.run(bench.job("echo a > a.txt", gates=(gate,), **more))
    again = bench.run(bench.job("echo b > b.txt", gates=(gate,), **more))
    locked = bench.run(bench.job("mkdir d; echo c > d/my.lock", gates=(gate,), **more))
    undone = bench.run(bench.job("echo d > d.txt", gates=(gate,), **more))
    removed = bench.run(bench.job("rm -rf .venv; echo e > e.txt", gates=(gate,), **more))
    runs = (first, again, locked, undone, removed)
    assert [run.gates[0].output.strip() for run in runs] == ["1", "1", "2", "3", "1"]


def test_a_setup_that_fails_cannot_start_and_is_tried_again(bench: Bench) -> None:
    setup = (("sh", "-c", "echo first"), ("sh", "-c", "echo no network; exit 7"))
    job = bench.job("echo x > work.txt", setup=setup)
    runner = bench.start(job)
    result = runner.result()
    assert (result.outcome, result.message) == (
        RunOutcome.CANNOT_START,
        "setup `sh -c 'echo no network; exit 7'` exited 7: no network",
    )
    assert "[gitcmat] agent" not in runner.log()
    again = bench.start(bench.job("true", setup=setup))
    assert again.result().outcome is RunOutcome.CANNOT_START
    assert "[gitcmat] setup: sh -c 'echo first'\nfirst\n" in again.log()


def test_a_setup_that_fails_before_the_gates_makes_them_errors(bench: Bench) -> None:
    setup = (("sh", "-c", "test ! -e bad.lock"),)
    gate = JobGate(name="tests", run=("true",), timeout=30)
    job = bench.job("echo > bad.lock", setup=setup, setup_when=("*.lock",), gates=(gate,))
    result = bench.run(job)
    assert result.outcome is RunOutcome.FINISHED
    assert [(g.outcome, g.reason) for g in result.gates] == [
        (GateOutcome.ERROR, "setup `sh -c 'test ! -e bad.lock'` exited 1")
    ]


def test_a_stop_during_the_setup_starts_no_agent(bench: Bench) -> None:
    runner = bench.start(bench.job("echo never", setup=(("sh", "-c", "echo on; sleep 600"),)))
    runner.wait_for("\non\n")
    request_stop(runner.folder.path)
    assert runner.result().outcome is RunOutcome.STOPPED
    assert "never" not in runner.log().replace("echo never", "")


def test_files_that_were_to_be_copied_are_there_or_named(bench: Bench) -> None:
    (bench.repo.git_dir / "info" / "exclude").write_text(".env\n")
    (bench.repo.path / ".env").write_text("KEY=1\n")
    bench.repo.freeze()
    result = bench.run(bench.job("cat .env", copy=(".env", "secrets.toml")))
    assert (result.message, result.warnings) == ("KEY=1", ("not there to copy: secrets.toml",))
