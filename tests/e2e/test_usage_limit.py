"""A usage limit of the provider: the account waits, no attempt is used, work goes on by itself."""

import re
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support import spender
from tests.support.cli import gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

LIMITED = {"limit": "You've hit your usage limit, resets in 3s"}
HELD = (
    r"the account claude is on hold until [-0-9: ]{19}: You've hit your usage limit, resets in 3s; "
    r"its tasks wait and go on by themselves \(now: gitcmat queue resume --account claude\)"
)
WORKED = {"usd": 0.0008, "in": 100, "out": 20}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    return tmp_path / "script"


@pytest.fixture
def project(repo: TestRepo, script: Path) -> Project:
    project = Project(repo)
    repo.commit("An agent that has a limit", spender.agent_file(script))
    project.trust()
    return project


def test_a_task_that_met_a_limit_completes_later_with_one_attempt(
    project: Project, script: Path, tmp_path: Path
) -> None:
    spender.write_script(script, LIMITED, WORKED)
    project.commit_task("login", agent="spender")
    with running(project.repo, "watch", logs=tmp_path / "log") as daemon:
        daemon.says("login  active → pending  You've hit your usage limit, resets in 3s")
        entry = project.reaches("login", State.REVIEW)
        told = re.findall(rf"^[0-9:]{{8}} {HELD}$", daemon.out + daemon.err, re.MULTILINE)
        assert len(told) == 1
    assert (entry.attempt, len(spender.starts(script))) == (1, 2)
    runs = [(r.outcome, r.spend.usd) for r in project.app.deps.store.read().runs(task="login")]
    assert runs == [("finished", 0.0008), ("provider limit", 0.0)]


def test_the_whole_account_waits_until_a_person_says_otherwise(
    project: Project, script: Path, tmp_path: Path
) -> None:
    spender.write_script(
        script, {"limit": "You've hit your usage limit, resets in 2h"}, WORKED, WORKED
    )
    gitcmat(project.repo, "config", "set", "parallel", "1").ok()
    project.commit_task("first", agent="spender")
    with running(project.repo, "watch", logs=tmp_path / "log") as daemon:
        daemon.says("first  active → pending")
        project.commit_task("second", agent="spender")
        daemon.says("second  new → pending")
        project.commit_task("other", "echo x > x", agent="fake")
        project.reaches("other", State.REVIEW)
        shown = gitcmat(project.repo, "status").ok().out
        waits = "the usage limit of its account holds until .* UTC"
        assert len(re.findall(rf"^(?:first|second) .*{waits}", shown, re.MULTILINE)) == 2
        assert re.search(
            r"^the account claude is on hold until [-0-9: ]{19}: You've hit your usage limit, "
            r"resets in 2h \(gitcmat queue resume --account claude\)$",
            shown,
            re.MULTILINE,
        )
        assert len(spender.starts(script)) == 1

        gitcmat(project.repo, "queue", "resume", "--account", "claude").ok()
        until(lambda: len(spender.starts(script)) == 3, 60, "both to start")
        project.reaches("first", State.REVIEW)
        project.reaches("second", State.REVIEW)
