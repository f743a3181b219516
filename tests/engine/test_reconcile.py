"""The loop's one step: what starts, in which order, and that it may die anywhere."""

import os
import shutil
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.engine import claims, direct, queue, results
from gitcmat.engine.effects import After
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.job import RunOutcome
from gitcmat.model.state import State
from gitcmat.system.locks import is_locked
from gitcmat.system.proc import ProgramMissing
from tests.support.crasher import DIED, PLACES, crash
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo
from tests.support.wait import until


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def slow(go: Path, then: str = "") -> dict[str, str]:
    """An agent ``slow`` that leaves a line beside `go`, waits for `go` and then does `then`."""
    seen = go.with_name("seen")
    work = f'echo "$CMAT_TASK" >> {seen}; while [ ! -e {go} ]; do sleep 0.05; done; {then}'
    return agent_file("slow", work)


@pytest.fixture
def go(project: Project, tmp_path: Path) -> Path:
    """The file that lets every ``slow`` agent go on."""
    project.commit(slow(tmp_path / "go", 'echo done > "$CMAT_WORKSPACE/$CMAT_TASK.txt"'))
    project.trust()
    return tmp_path / "go"


# --- what starts ----------------------------------------------------------------------------------


def test_no_more_run_at_once_than_the_person_allows(project: Project, go: Path) -> None:
    project.settings(parallel=2)
    project.commit(*(task_file(f"t{n}", agent="slow") for n in range(4)))
    assert len(project.step().started) == 2
    assert project.step().started == []
    assert len(project.ids(State.ACTIVE)) == 2
    assert {e.workspace for e in project.deps.store.read().entries(State.ACTIVE)} == {"1", "2"}
    go.touch()
    project.work()
    assert len(project.ids(State.REVIEW)) == 4


def test_what_is_more_urgent_starts_first(project: Project, go: Path) -> None:
    project.settings(parallel=1)
    project.commit(
        task_file("low", agent="slow", priority="low"),
        task_file("normal", agent="slow"),
        task_file("high", agent="slow", priority="high"),
        task_file("critical", agent="slow", priority="critical"),
    )
    go.touch()
    project.work()
    order = go.with_name("seen").read_text(encoding="utf-8").split()
    assert order == ["critical", "high", "normal", "low"]


def test_by_name_a_task_starts_past_limit_and_hold(project: Project, go: Path) -> None:
    project.settings(parallel=1)
    project.commit(task_file("a", agent="slow"), task_file("b", agent="slow", hold=True))
    assert len(project.step().started) == 1
    assert len(project.step(only="b").started) == 1
    assert project.ids(State.ACTIVE) == ["a", "b"]
    go.touch()
    project.work()
    assert project.ids(State.REVIEW) == ["a", "b"]


def test_nothing_starts_under_a_plan_that_nobody_trusts(project: Project) -> None:
    project.deps.trust.forget()
    project.task("a")
    report = project.work()
    assert (report.started, report.untrusted) == ([], {"a"})
    assert project.why("a") == "the plan is not trusted: gitcmat trust"
    project.trust()
    project.work()
    assert project.state("a") == "review"


@pytest.mark.parametrize(
    ("fields", "message", "hint"),
    [
        (
            {"agent": "nobody"},
            "a wants the agent 'nobody', which does not exist.",
            "write .cmat/agents/nobody.md and commit it",
        ),
        (
            {"gates": ["nothing"]},
            "a wants the gate 'nothing', which does not exist.",
            "gates: in .cmat/config.yaml",
        ),
    ],
    ids=["agent", "gate"],
)
def test_what_names_something_that_is_missing_waits_and_says_so(
    project: Project, fields: dict[str, object], message: str, hint: str
) -> None:
    project.task("a", **fields)
    report = project.work()
    error = report.cannot_start["a"]
    assert (error.message, error.hint) == (message, hint)
    assert (project.state("a"), project.why("a")) == ("pending", f"{message} ({hint})")
    assert list(project.deps.runs.glob("*")) == []


def test_a_task_without_an_agent_says_where_to_name_one(project: Project) -> None:
    project.commit(agent_file("other", "true"))
    project.trust()
    project.task("a")
    report = project.work()
    assert report.cannot_start["a"].message == "a names no agent."
    assert report.cannot_start["a"].hint == (
        "agent: in the task, or defaults: agent: in .cmat/config.yaml"
    )


def test_agents_and_gates_are_those_of_the_tip_at_the_claim(project: Project, go: Path) -> None:
    project.commit(config_file({"check": ["true"]}))
    project.trust()
    project.task("a", agent="slow")
    project.step()
    project.commit(config_file({"check": ["false"]}), agent_file("slow", "exit 1"))
    go.touch()
    project.work()
    assert project.state("a") == "review"
    assert [str(g.outcome) for g in project.entry("a").gates] == ["passed"]


def test_a_step_that_finds_nothing_to_do_commits_nothing(project: Project) -> None:
    project.task("a")
    project.work()
    before = project.deps.store.tip()
    for _ in range(3):
        assert project.step().changed == []
    assert project.deps.store.tip() == before


# --- attempts -------------------------------------------------------------------------------------


def test_red_goes_back_with_the_output_and_green_goes_to_review(project: Project) -> None:
    work = 'echo x >> "$CMAT_WORKSPACE/lines"; cat > "$CMAT_WORKSPACE/prompt"'
    judge = "test $(wc -l < lines) = 2 || { echo only one line; exit 1; }"
    project.commit(agent_file("coder", work), config_file({"two-lines": ["sh", "-c", judge]}))
    project.trust()
    project.task("a")
    project.work()
    entry = project.entry("a")
    assert (entry.state, entry.attempt, str(entry.verdict)) == (State.REVIEW, 2, "green")
    assert project.runs("a") == ["finished", "finished"]
    assert "only one line" in project.repo.show(entry.head, "prompt")
    assert project.repo.tip("refs/heads/cmat/a") == entry.head


def test_the_last_red_attempt_asks_a_person_and_makes_no_branch(project: Project) -> None:
    project.commit(config_file({"never": ["sh", "-c", "echo no; exit 1"]}))
    project.trust()
    project.task("a")
    project.work()
    assert (project.state("a"), project.runs("a")) == ("blocked", ["finished", "finished"])
    (asked,) = project.asked("a")
    assert asked.question == "a is still red after 2 attempts: never. What now?"
    assert asked.detail == "never: failed\nno"


def test_an_agent_that_fails_is_tried_again_and_then_failed(project: Project) -> None:
    project.commit(agent_file("coder", "echo it broke; exit 3"))
    project.trust()
    project.task("a")
    project.work()
    assert (project.state("a"), project.runs("a")) == ("failed", ["failed", "failed"])


def test_another_attempt_waits_longer_each_time(project: Project) -> None:
    project.commit(
        agent_file("coder", "exit 3"), config_file(defaults={"backoff": "1m", "attempts": 3})
    )
    project.trust()
    project.task("a")
    waits = []
    for _ in range(2):
        project.step()
        project.wait()
        report = project.step()
        entry = project.entry("a")
        assert report.started == []
        assert entry.not_before is not None
        waits.append(round((entry.not_before - entry.since).total_seconds()))
        project.clock.later(waits[-1] + 1)
    assert waits == [60, 120]


# --- results --------------------------------------------------------------------------------------


def test_a_result_is_taken_in_once(project: Project) -> None:
    project.task("a")
    project.step()
    project.wait()
    project.step()
    before = project.deps.store.tip()
    project.reopen()
    project.step()
    assert project.deps.store.tip() == before
    assert project.runs("a") == ["finished"]


def test_a_result_that_two_have_read_is_taken_in_by_the_first(project: Project) -> None:
    project.task("a")
    project.step()
    project.wait()
    found = results.gather(project.deps, [project.entry("a")])
    assert len(found) == 1
    project.step()
    with project.deps.store.change("late", by=project.deps.daemon) as change:
        wants = project.reconciler.intake.wants(change.facts)
        assert results.take_in(project.deps, change, found, wants, After()) == []
        assert change.empty


def test_a_run_is_alive_before_its_runner_is_up(project: Project, go: Path) -> None:
    project.task("a", agent="slow")
    project.step()
    lock = project.folder("a").lock
    while not go.with_name("seen").exists():
        assert is_locked(lock)
    go.touch()
    project.work()
    assert project.runs("a") == ["finished"]


def test_the_report_of_a_run_that_is_not_the_current_one_changes_nothing(
    project: Project, go: Path
) -> None:
    project.task("a", agent="slow")
    project.step()
    old = project.folder("a")
    until(lambda: go.with_name("seen").exists())
    os.kill(_runner_of(old), signal.SIGKILL)
    project.wait()
    project.step()
    project.step()
    assert project.runs("a")[0] == "interrupted"
    new = project.folder("a")
    assert new.path != old.path
    result = old.read_result()
    assert result is not None
    old.write_result(replace(result, outcome=RunOutcome.FAILED))
    project.step()
    assert (project.state("a"), project.runs("a")) == ("active", ["interrupted", "None"])
    go.touch()
    project.work()
    assert project.state("a") == "review"


def test_a_run_whose_folder_is_gone_is_interrupted_and_starts_again(
    project: Project, go: Path
) -> None:
    project.task("a", agent="slow")
    project.step()
    go.touch()
    project.wait()
    shutil.rmtree(project.folder("a").path)
    project.work()
    assert project.state("a") == "review"
    assert project.runs("a") == ["interrupted", "finished"]


def test_the_ref_of_a_run_stays_after_the_branch_is_gone(project: Project) -> None:
    project.task("a")
    project.work()
    entry = project.entry("a")
    assert project.repo.tip(f"refs/cmat/runs/{entry.run}") == entry.head
    project.repo.git("branch", "-q", "-D", "cmat/a")
    project.work()
    assert project.repo.tip(f"refs/cmat/runs/{entry.run}") == entry.head


def test_a_cancelled_run_is_ended_first(project: Project, go: Path) -> None:
    project.task("a", agent="slow")
    project.step()
    until(lambda: go.with_name("seen").exists())
    queue.cancel(project.deps, ["a"], "not needed")
    assert project.state("a") == "active"
    project.wait()
    project.step()
    assert (project.state("a"), project.entry("a").reason) == ("cancelled", "not needed")
    assert project.runs("a") == ["stopped"]


# --- crashes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", list(PLACES))
def test_a_step_may_die_anywhere_and_the_next_one_goes_on(project: Project, place: str) -> None:
    project.task("a")
    died = 0
    for _ in range(3):
        died += crash(project.repo.path, place) == DIED
        project.wait()
        begun = {path.parent.name for path in project.deps.runs.glob("*/runner.log")}
        assert begun <= {run.id for run in project.deps.store.read().runs()}
    assert died, "it never came to that place"
    project.reopen()
    project.work()
    assert project.state("a") == "review"
    assert project.runs("a").count("finished") == 1
    assert set(project.runs("a")) <= {"finished", "interrupted"}
    assert project.entry("a").attempt == 1
    assert project.repo.show("refs/heads/cmat/a", "a.txt") == "work\n"
    assert project.repo.git("fsck", "--no-dangling") == ""


def test_a_claim_that_was_never_recorded_leaves_nothing(project: Project, go: Path) -> None:
    project.task("a", agent="slow")
    assert crash(project.repo.path, "before the state moves") == DIED
    assert len(list(project.deps.runs.iterdir())) == 1
    assert len(project.repo.refs("refs/cmat/runs/")) == 1
    project.reopen()
    (run,) = project.step().started
    claims.sweep(project.deps)
    assert [folder.name for folder in project.deps.runs.iterdir()] == [run]
    assert list(project.repo.refs("refs/cmat/runs/")) == [f"refs/cmat/runs/{run}"]
    go.touch()
    project.work()
    assert project.state("a") == "review"


def test_a_claim_that_was_recorded_is_never_swept_away(project: Project) -> None:
    project.task("a")
    assert crash(project.repo.path, "after the commit, before a runner starts") == DIED
    claims.sweep(project.deps)
    assert len(list(project.deps.runs.iterdir())) == 1
    assert len(project.repo.refs("refs/cmat/runs/")) == 1


def test_a_copy_of_a_repository_leaves_the_runs_of_the_original_alone(
    project: Project, go: Path, tmp_path: Path
) -> None:
    project.task("a", agent="slow")
    project.step()
    until(lambda: go.with_name("seen").exists())
    shutil.copytree(project.repo.path, tmp_path / "copy")
    copied = Project.of(tmp_path / "copy")
    copied.step(start=False)
    assert copied.state("a") == "pending"
    assert copied.runs("a") == ["interrupted"]
    assert is_locked(project.folder("a").lock)
    go.touch()
    project.work()
    assert (project.state("a"), project.runs("a")) == ("review", ["finished"])


def test_a_run_that_was_cut_off_by_a_move_of_the_repository_starts_again(
    project: Project, go: Path, tmp_path: Path
) -> None:
    project.task("a", agent="slow")
    project.step()
    until(lambda: go.with_name("seen").exists())
    os.kill(_runner_of(project.folder("a")), signal.SIGKILL)
    project.wait()
    project.repo.path.rename(tmp_path / "moved")
    TestRepo.made.clear()
    moved = Project.of(tmp_path / "moved")
    moved.trust()
    go.touch()
    moved.work()
    assert (moved.state("a"), moved.runs("a")) == ("review", ["interrupted", "finished"])


def test_a_copy_leaves_what_was_run_directly_in_the_original_alone(
    project: Project, go: Path, tmp_path: Path
) -> None:
    run = direct.start(project.reconciler, "slow", "Go.", on_line=print)
    until(lambda: go.with_name("seen").exists())
    shutil.copytree(project.repo.path, tmp_path / "copy")
    copied = Project.of(tmp_path / "copy")
    copied.step(start=False)
    assert copied.outcome(run) == "interrupted"
    assert is_locked(RunFolder(project.deps.runs / run.id).lock)
    go.touch()
    project.wait()
    project.step(start=False)
    assert project.outcome(run) == "finished"


def test_what_was_run_directly_is_brought_home_where_the_repository_was_moved_to(
    project: Project, go: Path, tmp_path: Path
) -> None:
    run = direct.start(project.reconciler, "slow", "Go.", on_line=print)
    until(lambda: go.with_name("seen").exists())
    project.repo.path.rename(tmp_path / "moved")
    TestRepo.made.clear()
    moved = Project.of(tmp_path / "moved")
    go.touch()
    moved.wait()
    moved.step(start=False)
    assert moved.outcome(run) == "interrupted"
    home = moved.deps.git.ref(run.ref)
    assert home is not None
    assert home != run.start


def test_one_run_that_cannot_be_started_does_not_hold_the_others(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.settings(parallel=2)
    project.commit(task_file("a"), task_file("b"))
    monkeypatch.setattr(claims, "PROGRAM", ("/no/such/python",))
    with pytest.raises(ProgramMissing):
        project.step()
    assert project.ids(State.ACTIVE) == ["a", "b"]
    assert not is_locked(project.folder("a").lock)
    assert not is_locked(project.folder("b").lock)


def _runner_of(folder: RunFolder) -> int:
    """The process id of a runner."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"exec" in words and str(folder.path).encode() in words:
                return int(entry.name)
    raise AssertionError("no runner")
