"""Real agents go on where they were: the same session, the same workspace, only what is new."""

import shutil
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.run import Run as Record
from gitcmat.model.state import State
from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat
from tests.support.fakemodel.scenario import Answer, Run, Script, Use, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.project import ALWAYS, SYSTEM, RealProject
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.agents, pytest.mark.slow]

SESSIONS: Final = {"claude": ".claude/projects", "codex": ".codex/sessions"}
"""Where they keep their sessions, below the home folder."""


@pytest.fixture(params=ALWAYS)
def cli(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def places(records: list[Record]) -> set[tuple[str, str]]:
    return {(record.session.id, record.workspace) for record in records}


def test_a_rejected_review_goes_on_with_the_session(
    repo: TestRepo, cli: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Script((Answer("", (Write("notes.txt", "one\n"),)), Answer("Written.")), asks="Write.")
    second = Script(
        (Answer("", (Run("echo two >> notes.txt"),)), Answer("More.")), asks="Two lines, please."
    )
    third = Script((Answer("", (Run("echo three >> notes.txt"),)), Answer("All.")), asks="Three!")
    with FakeModel(third, second, first) as model:
        project = RealProject(repo, cli, model, monkeypatch, permissions="all")
        project.wants("notes", "Write.")
        gitcmat(repo, "run", "now", "notes").ok()
        gitcmat(repo, "review", "reject", "notes", "-m", "Two lines, please.").ok()
        gitcmat(repo, "run", "now", "notes").ok()
        assert len(places(project.past("notes"))) == 1
        again = model.asked[2]
        assert (again.prompts, again.turn) == (2, 0)
        assert SYSTEM not in again.prompt
        assert "Write." not in again.prompt
        assert "A reviewer sent it back" in again.prompt
        assert repo.show("cmat/notes", "notes.txt") == "one\ntwo\n"

        shutil.rmtree(Path.home() / SESSIONS[cli])
        gitcmat(repo, "review", "reject", "notes", "-m", "Three!").ok()
        gitcmat(repo, "run", "now", "notes").ok()
    runs = project.past("notes")
    assert len(places(runs)) == 2
    assert {run.workspace for run in runs} == {"1"}
    whole = model.asked[4]
    assert whole.prompts == 1
    assert [words in whole.prompt for words in (SYSTEM, "Write.", "Two lines", "Three!")] == 4 * [
        True
    ]
    assert "the agent's session is gone: it starts afresh" in project.log(runs[-1])
    assert repo.show("cmat/notes", "notes.txt") == "one\ntwo\nthree\n"
    assert [run.outcome for run in runs] == 3 * ["finished"]


def ask(cli: str) -> tuple[Answer, ...]:
    """Ask the same in three ways: by our program, by our server, and in the last words."""
    found = (Use("ToolSearch", {"query": "select:mcp__gitcmat__ask_question"}),)
    block = "```yaml\ntask_id: paint\nstatus: blocked\nquestion: Which colour?\n```\n"
    return (
        Answer("", (Run("gitcmat blocker ask 'Which colour?'"),)),
        *((Answer("", found),) if cli == "claude" else ()),
        Answer("", (Use("ask_question", {"question": "Which colour?"}),)),
        Answer(f"I need to know.\n\n{block}"),
    )


@pytest.mark.parametrize("sandbox", ["off", "bwrap"])
def test_a_question_is_one_blocker_and_its_answer_reaches_the_agent(
    repo: TestRepo, cli: str, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sandbox == "bwrap":
        bubblewrap()
    scripts = (
        Script((Answer("", (Write("door.txt", "blue\n"),)), Answer("Painted.")), asks="> Blue."),
        Script(ask(cli), asks="Paint it."),
    )
    with FakeModel(*scripts) as model:
        project = RealProject(repo, cli, model, monkeypatch, sandbox=sandbox)
        project.wants("paint", "Paint it.")
        assert gitcmat(repo, "run", "now", "paint").code == 1
        (blocker,) = project.asked("paint")
        assert blocker.question.strip() == "Which colour?", project.log(project.past("paint")[0])
        gitcmat(repo, "blocker", "answer", blocker.id, "Blue.").ok()
        gitcmat(repo, "run", "now", "paint").ok()
    runs = project.past("paint")
    assert [run.outcome for run in runs] == ["asked", "finished"]
    assert len(places(runs)) == 1
    told = model.asked[-2]
    assert (told.prompts, SYSTEM in told.prompt) == (2, False)
    assert repo.show("cmat/paint", "door.txt") == "blue\n"
    assert project.asked("paint") == []


def test_a_refused_permission_of_claude_is_asked_for_once_and_used_when_given(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = Answer("", (Run("touch released.txt && make -v"),))
    scripts = (
        Script((release, Answer("Released.")), asks="> yes"),
        Script((release, release, Answer("I was not allowed to.")), asks="Release it."),
    )
    with FakeModel(*scripts) as model:
        project = RealProject(repo, "claude", model, monkeypatch)
        project.wants("ship", "Release it.")
        assert gitcmat(repo, "run", "now", "ship").code == 1
        (blocker,) = project.asked("ship")
        assert blocker.question.strip() == (
            "May the agent use Bash(touch released.txt && make -v)? It was refused."
        )
        gitcmat(repo, "blocker", "answer", blocker.id, "yes").ok()
        gitcmat(repo, "run", "now", "ship").ok()
    runs = project.past("ship")
    assert ([run.outcome for run in runs], len(places(runs))) == (["asked", "finished"], 1)
    assert project.state("ship") is State.REVIEW
    assert repo.show("cmat/ship", "released.txt") == ""
