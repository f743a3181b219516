"""Budgets of tasks and of days: what is left goes into a run, and nothing starts without any."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitcmat.engine import budgets
from gitcmat.engine.idle import is_idle
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.events import Answered, Rejected
from gitcmat.model.job import Job, RunOutcome
from gitcmat.model.spending import total
from tests.support import spender
from tests.support.cli import gitcmat
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

ONE = {"usd": 0.0008, "in": 100, "out": 20}
TWO = {"usd": 0.0016, "in": 200, "out": 40}
THREE = {"usd": 0.0024, "in": 300, "out": 60}


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


@pytest.fixture
def script(project: Project, tmp_path: Path) -> Path:
    """The script of the agent ``spender``, which goes on with its session."""
    script = tmp_path / "script"
    project.commit(spender.agent_file(script))
    project.trust()
    return script


def again(project: Project, task: str) -> None:
    """Send a task back from review."""
    project.happen(task, Rejected(text="more", by="Pat"))


def job(project: Project, run: str) -> Job:
    """What a run was given."""
    return RunFolder(project.deps.runs / run).read_job()


def test_a_session_that_goes_on_is_counted_once(project: Project, script: Path) -> None:
    spender.write_script(script, ONE, TWO, THREE)
    project.task("a", agent="spender")
    for _ in range(3):
        project.work()
        again(project, "a")
    runs = project.deps.store.read().runs(task="a")
    assert [round(r.spend.usd or 0, 6) for r in runs] == [0.0008, 0.0008, 0.0008]
    found = total(project.deps.store.read().spent(task="a"))
    assert str(found) == "$0.0024, tokens: 300 in, 60 out"
    assert [("--resume" in args) for args in spender.starts(script)] == [False, True, True]


def test_a_session_that_was_ended_in_the_middle_is_counted_on_from_before(
    project: Project, script: Path
) -> None:
    spender.write_script(script, ONE, {"killed": True}, THREE)
    project.task("a", agent="spender")
    project.work()
    again(project, "a")
    project.work()
    runs = project.deps.store.read().runs(task="a")
    assert [str(r.outcome) for r in runs] == ["finished", "failed", "finished"]
    assert [round(r.spend.usd or 0, 6) for r in runs] == [0.0016, 0.0, 0.0008]
    assert [("--resume" in args) for args in spender.starts(script)] == [False, True, True]


def test_what_is_left_of_a_tasks_budget_goes_into_its_next_run(
    project: Project, script: Path
) -> None:
    spender.write_script(script, ONE, TWO)
    project.task("a", agent="spender", budget={"usd": 0.002, "tokens": 1000})
    project.work()
    again(project, "a")
    (second,) = project.step().started
    project.work()
    (first,) = (r.id for r in project.deps.store.read().runs(task="a") if r.id != second)
    assert [(job(project, r).usd, job(project, r).tokens) for r in (first, second)] == [
        (0.002, 1000),
        (0.0012, 880),
    ]
    assert project.state("a") == "review"


def test_a_task_without_any_left_asks_before_it_starts(project: Project, script: Path) -> None:
    spender.write_script(script, ONE, TWO)
    project.task("a", agent="spender", budget={"usd": 0.0008})
    project.work()
    again(project, "a")
    assert project.step().started == []
    (asked,) = project.asked("a")
    assert (project.state("a"), asked.kind, asked.question) == (
        "blocked",
        "budget",
        "a cost $0.0008 of $0.0008. Go on with as much again, or cancel?",
    )
    project.happen("a", Answered(blocker=asked, text="go on", by="Pat"))
    project.work()
    assert (project.state("a"), len(spender.starts(script))) == ("review", 2)
    assert job(project, project.entry("a").run or "").usd == 0.0008


def test_the_budget_of_an_agent_holds_for_each_of_its_tasks(
    project: Project, tmp_path: Path
) -> None:
    script = tmp_path / "script"
    project.commit(spender.agent_file(script, budget={"usd": 0.0008}))
    project.trust()
    spender.write_script(script, ONE, ONE, {"over": True, **TWO})
    project.task("a", agent="spender")
    project.task("b", agent="spender")
    project.work()
    assert (project.state("a"), project.state("b")) == ("review", "review")
    project.task("c", agent="spender")
    project.work()
    (asked,) = project.asked("c")
    assert asked.question == (
        "c used what it may cost (budget). Go on with as much again, or cancel?"
    )


def test_a_day_that_is_used_up_lets_nothing_start_until_the_next(
    project: Project, script: Path
) -> None:
    project.settings(budget={"usd": 0.0012}, parallel=1)
    spender.write_script(script, ONE, ONE, ONE)
    for task in ("a", "b", "c"):
        project.task(task, agent="spender")
    report = project.work()
    assert report.no_room is not None
    assert (report.no_room.limit, report.no_room.text) == (
        "budget.usd",
        "the runs of today cost $0.0016 of $0.0012; tomorrow they go on (budget.usd)",
    )
    assert report.no_room.until == budgets.tomorrow(project.clock.now())
    assert is_idle(report, project.deps.store.read())
    assert [job(project, r.id).usd for r in project.deps.store.read().runs()] == [0.0004, 0.0012]
    assert project.state("c") == "pending"

    project.clock.later(24 * 3600)
    project.work()
    assert project.state("c") == "review"


def test_the_status_says_that_the_day_is_used_up_without_a_daemon(
    project: Project, script: Path
) -> None:
    project.settings(budget={"usd": 0.0008}, parallel=1)
    spender.write_script(script, ONE)
    for task in ("a", "b"):
        project.task(task, agent="spender")
    project.work()
    why = "the runs of today cost $0.0008 of $0.0008; tomorrow they go on (budget.usd)"
    shown = gitcmat(project.repo, "status").ok().out.splitlines()
    assert f"nothing new is started for now: {why}" in shown
    (row,) = (line for line in shown if line.startswith("b ") and "pending" in line)
    assert "waits: the runs of" in row
    found = gitcmat(project.repo, "status", "--json").ok().json
    assert found["no_room"] == {"limit": "budget.usd", "text": why, "since": None}


def test_by_name_a_task_starts_though_the_day_is_used_up(project: Project, script: Path) -> None:
    project.settings(budget={"tokens": 100}, parallel=1)
    spender.write_script(script, ONE, ONE)
    project.task("a", agent="spender")
    project.work()
    project.task("b", agent="spender")
    report = project.step()
    assert (report.started, report.no_room and report.no_room.text) == (
        [],
        "the runs of today used 120 of 100 tokens; tomorrow they go on (budget.tokens)",
    )
    assert len(project.step(only="b").started) == 1
    project.wait()
    project.step()
    assert project.state("b") == "review"


def test_a_run_that_uses_up_the_day_goes_on_tomorrow_and_asks_nobody(
    project: Project, script: Path
) -> None:
    project.settings(budget={"usd": 0.0008})
    spender.write_script(script, {"over": True, **ONE}, TWO)
    project.task("a", agent="spender", budget={"usd": 5.0})
    project.work()
    entry = project.entry("a")
    assert (entry.state, entry.attempt, entry.reason, project.asked("a")) == (
        "pending",
        0,
        "used what was left of the budget of the day",
        [],
    )
    assert entry.not_before == budgets.tomorrow(project.clock.now())
    (run,) = project.deps.store.read().runs(task="a")
    assert run.outcome is RunOutcome.OVER_BUDGET

    project.clock.later(24 * 3600)
    project.work()
    assert project.state("a") == "review"


def test_a_cost_that_nobody_knows_is_said_on_the_run(project: Project) -> None:
    project.settings(budget={"usd": 2.0, "tokens": 500})
    project.task("a")
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert run.warnings == (
        "its cost is unknown: the budget, $2.00 left, was not checked",
        "its tokens are unknown: the budget, 500 left, was not checked",
    )


def test_tokens_end_a_run_as_soon_as_its_messages_tell_that_they_are_used_up(
    project: Project, script: Path
) -> None:
    spender.write_script(script, {"messages": [110_000, 110_000], "hangs": True})
    project.task("a", agent="spender", budget={"tokens": 150_000})
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert run.spend.usage is not None
    assert (run.outcome, run.spend.usage.total) == (RunOutcome.OVER_BUDGET, 220_002)
    assert (run.spend.at_least, run.warnings) == (True, ())
    (asked,) = project.asked("a")
    assert (project.state("a"), asked.kind) == ("blocked", "budget")


def test_a_message_in_several_parts_is_counted_once(project: Project, script: Path) -> None:
    spender.write_script(script, {"messages": [110_000], "in": 110_000, "usd": 0.4})
    project.task("a", agent="spender", budget={"tokens": 150_000})
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert run.spend.usage is not None
    assert (run.outcome, run.spend.usage.total, run.spend.usd) == ("finished", 110_000, 0.4)
    assert not run.spend.at_least


def test_what_messages_cost_ends_a_run_where_the_price_is_known(
    project: Project, script: Path
) -> None:
    price = {"model": "own-model", "since": "2026-01-01", "input": 10.0, "output": 10.0}
    project.settings(prices=[price])
    spender.write_script(
        script, {"model": "own-model", "messages": [110_000, 110_000], "hangs": True}
    )
    project.task("a", agent="spender", budget={"usd": 1.5})
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, run.spend.prices) == (RunOutcome.OVER_BUDGET, "2026-01-01")
    assert round(run.spend.usd or 0, 2) == 2.2


def test_a_run_that_tells_at_its_end_that_it_used_too_much_has_a_warning(
    project: Project, script: Path
) -> None:
    spender.write_script(script, {"in": 300, "out": 20, "usd": 0.004})
    project.task("a", agent="spender", budget={"tokens": 150, "usd": 0.001})
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, run.warnings) == (
        RunOutcome.FINISHED,
        (
            "it cost $0.0040: of the budget $0.0010 was left",
            "it used 320 tokens: of the budget 150 were left",
        ),
    )


def test_what_a_turn_told_that_was_ended_is_not_counted_again_by_the_next(
    project: Project, script: Path
) -> None:
    """The sum that Claude Code tells after `--resume` holds it: so it did when it was tried."""
    ended = {"messages": [1_000, 2_000], "killed": True}
    spender.write_script(script, ended, {"in": 7_000, "usd": 0.028})
    project.task("a", agent="spender")
    project.work()
    runs = project.deps.store.read().runs(task="a")
    assert [r.spend.usage and r.spend.usage.total for r in runs] == [4_000, 3_002]


def test_a_made_up_cost_is_unknown_and_the_budget_of_the_day_was_not_checked(
    project: Project, script: Path
) -> None:
    project.settings(budget={"usd": 2.0})
    spender.write_script(script, {"model": "own-model", **ONE}, {"model": "own-model", **ONE})
    project.task("a", agent="spender")
    project.work()
    project.task("b", agent="spender")
    project.step(only="b")
    project.wait()
    project.step()
    a, b = (project.deps.store.read().runs(task=task)[0] for task in ("a", "b"))
    assert (a.spend.usd, a.spend.model) == (None, "own-model")
    assert a.warnings == ("its cost is unknown: the budget, $2.00 left, was not checked",)
    assert b.warnings == ("its cost is unknown: the budget of the day does not count it",)


def test_a_price_of_ones_own_ends_a_run_that_tells_only_tokens(project: Project) -> None:
    used = {"reason": "tool-calls", "cost": 0, "tokens": {"input": 2_000_000}}
    line = json.dumps({"type": "step_finish", "sessionID": "ses_1", "part": used})
    slow = ["sh", "-c", f"cat > /dev/null; echo '{line}'; sleep 600"]
    head = json.dumps({"name": "teller", "runs": "opencode", "model": "m", "command": slow})
    project.commit({".cmat/agents/teller.md": f"---\n{head}\n---\n"})
    project.trust()
    price = {"model": "m", "since": "2026-01-01", "input": 3.0, "output": 3.0}
    project.settings(prices=[price])
    project.commit(task_file("a", agent="teller", budget={"usd": 5.0}))
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, run.spend.usd, run.spend.prices) == ("over budget", 6.0, "2026-01-01")
    assert project.state("a") == "blocked"


def test_a_day_is_the_persons(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        now = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)
        assert budgets.today(now) == datetime(2026, 11, 21, 11, 0, tzinfo=UTC)
        assert budgets.tomorrow(now) == datetime(2026, 11, 22, 11, 0, tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
