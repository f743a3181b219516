"""What real agents say when their provider refuses, fails or costs too much, and what follows."""

from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.state import State
from gitcmat.store import accounts
from gitcmat.system import clock
from tests.support.cli import gitcmat, running
from tests.support.fakemodel.scenario import Answer, Failure, Run, Script, Usage, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.project import RealProject
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.agents, pytest.mark.slow]


WRITE: Final = Write("notes.txt", "one\n")


def test_a_plans_limit_holds_the_account_and_the_task_goes_on_by_itself(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Failure("usage_limit", times=1, resets_in=6)
    script = Script((Answer("", (WRITE,), failure=limit), Answer("Written.")), asks="Write.")
    with FakeModel(script) as model:
        project = RealProject(repo, "claude", model, monkeypatch, plan=True)
        with running(repo, "watch", logs=tmp_path / "logs") as daemon:
            daemon.says("watching")
            project.wants("notes", "Write.")
            daemon.says("notes  active → pending", 90)
            until = accounts.limits(clock.now())["claude"].until
            shown = gitcmat(repo, "status").ok().out
            entry = project.reaches("notes", State.REVIEW, State.FAILED, State.BLOCKED)
    first, second = project.past("notes")
    assert (entry.state, entry.attempt) == (State.REVIEW, 1)
    assert (first.outcome, second.outcome) == ("provider limit", "finished")
    assert second.started >= until
    assert f"\nthe account claude is on hold until {until:%Y-%m-%d %H:%M:%S}: " in shown


def test_a_limit_of_codex_holds_the_account_until_the_minute_that_it_names(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Failure("usage_limit", times=1, resets_in=1)
    script = Script((Answer("", (WRITE,), failure=limit), Answer("Written.")), asks="Write.")
    with FakeModel(script) as model:
        project = RealProject(repo, "codex", model, monkeypatch)
        with running(repo, "watch", logs=tmp_path / "logs") as daemon:
            daemon.says("watching")
            project.wants("notes", "Write.")
            daemon.says("notes  active → pending", 90)
            until = accounts.limits(clock.now())["codex"].until
            assert until.second == 0
            assert until - clock.now() < timedelta(minutes=2)
            gitcmat(repo, "queue", "resume", "--account", "codex").ok()
            entry = project.reaches("notes", State.REVIEW, State.FAILED, State.BLOCKED)
    assert (entry.state, entry.attempt) == (State.REVIEW, 1)
    assert [run.outcome for run in project.past("notes")] == ["provider limit", "finished"]


@pytest.mark.parametrize(
    ("cli", "requests", "said"),
    [
        ("claude", 2, "API Error: 500 Internal server error."),
        ("codex", 4, "currently experiencing high demand"),
    ],
)
def test_an_error_of_the_provider_is_told_and_tried_again_as_an_attempt(
    repo: TestRepo, cli: str, requests: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`requests` are how often the program itself tries."""
    error = Failure("server_error", times=requests)
    script = Script((Answer("", (WRITE,), failure=error), Answer("Written.")))
    with FakeModel(script) as model:
        project = RealProject(repo, cli, model, monkeypatch)
        project.wants("notes", "Write.")
        gitcmat(repo, "run", "now", "notes").ok()
    runs = project.past("notes")
    assert [run.outcome for run in runs] == ["failed", "finished"]
    assert [run.attempt for run in runs] == [1, 2]
    assert said in runs[0].message
    assert repo.show("cmat/notes", "notes.txt") == "one\n"


def test_claude_is_stopped_before_it_costs_more_and_a_person_is_asked(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    dear = Usage(input=20_000, output=2_000)
    cheap = Usage(input=1_000, output=100)
    first = Script(
        (Answer("", (Write("notes.txt", "one\n"),), usage=cheap), Answer("Written.", usage=cheap)),
        asks="Write.",
    )
    second = Script(
        (
            Answer("", (Run("echo two >> notes.txt"),), usage=dear),
            Answer("", (Run("echo three >> notes.txt"),), usage=dear),
            Answer("Never asked."),
        ),
        asks="More.",
    )
    with FakeModel(second, first) as model:
        project = RealProject(repo, "claude", model, monkeypatch, permissions="all")
        project.wants("notes", "Write.", budget={"usd": 0.15})
        gitcmat(repo, "run", "now", "notes").ok()
        gitcmat(repo, "review", "reject", "notes", "-m", "More.").ok()
        assert gitcmat(repo, "run", "now", "notes").code == 1
    first_run, second_run = project.past("notes")
    assert (second_run.outcome, second_run.session.id) == ("over budget", first_run.session.id)
    assert [asked.turn for asked in model.asked] == [0, 1, 0, 1]
    costs = [round(run.spend.usd or 0, 4) for run in (first_run, second_run)]
    assert costs == [0.012, 0.24]
    assert "\ntotal       2     $0.2520 " in gitcmat(repo, "cost").ok().out
    (blocker,) = project.asked("notes")
    assert "budget" in blocker.question
    # What the second answer asked for may have begun before its price was known; no third is asked.
    assert repo.show(second_run.head, "notes.txt") in ("one\ntwo\n", "one\ntwo\nthree\n")


def test_codex_begins_no_other_turn_when_the_tokens_are_used_up(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = Usage(input=300, cache_read=200, output=20)
    script = Script((Answer("", (WRITE,), usage=used), Answer("Written.", usage=used)))
    with FakeModel(script) as model:
        project = RealProject(repo, "codex", model, monkeypatch)
        project.wants("notes", "Write.", budget={"tokens": 1000})
        gitcmat(repo, "run", "now", "notes").ok()
        gitcmat(repo, "review", "reject", "notes", "-m", "More.").ok()
        refused = gitcmat(repo, "run", "now", "notes")
        assert refused.err.startswith("error: notes is blocked: there is nothing to run.\n")
    (run,) = project.past("notes")
    assert run.spend.usage is not None
    assert (run.outcome, run.spend.usage.total, run.spend.usd) == ("finished", 1040, None)
    (blocker,) = project.asked("notes")
    assert blocker.question.startswith("notes used 1040 of 1000 tokens.")
    assert len(model.asked) == 2
