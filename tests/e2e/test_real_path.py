"""The whole way of a task with real agents: commit, run, gate, review, landing."""

from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.model.state import State
from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat, running
from tests.support.fakemodel.model import KEY
from tests.support.fakemodel.scenario import Answer, Run, Script, Write
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.project import GATE, SYSTEM, RealProject
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.agents, pytest.mark.slow]

WORK: Final = Script(
    (
        Answer("I look.", (Run("env > seen.txt; cat seen.txt; rm seen.txt"),)),
        Answer("I write.", (Write("notes.txt", "one\ntwo\n"),)),
        Answer("There are notes."),
    ),
    asks="Write notes.",
)
LAND: Final = ("refs:refs/heads/main", "index", "files")
BOXED: Final = {"mode": "bwrap", "network": "model"}


@pytest.mark.parametrize(
    ("cli", "sandbox"),
    [
        ("claude", "off"),
        ("claude", "bwrap"),
        ("codex", "off"),
        ("codex", "bwrap"),
        ("gemini", "off"),
        ("gemini over acp", "off"),
        ("opencode", "off"),
        ("opencode over acp", "off"),
    ],
)
def test_a_task_goes_from_its_commit_to_its_landing(
    repo: TestRepo, cli: str, sandbox: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sandbox == "bwrap":
        bubblewrap()
    with FakeModel(WORK) as model:
        box = {**BOXED, "hosts": [f"127.0.0.1:{model.port}"]} if sandbox == "bwrap" else None
        wishes: dict[str, Any] = {"gates": GATE, "permissions": "all", "sandbox": box}
        project = RealProject(repo, cli, model, monkeypatch, **wishes)
        with running(repo, "watch", logs=tmp_path / "logs") as daemon:
            daemon.says("watching")
            project.wants("notes", "Write notes.", attempts=1)
            entry = project.reaches("notes", State.REVIEW, State.FAILED, State.BLOCKED)
    (run,) = project.past("notes")
    assert (entry.state, run.outcome, run.message) == (
        State.REVIEW,
        "finished",
        "There are notes.",
    ), project.log(run)
    assert repo.show("cmat/notes", "notes.txt") == "one\ntwo\n"
    assert [(gate.name, str(gate.outcome)) for gate in run.gates] == [("tests", "passed")]
    assert [asked.turn for asked in model.asked] == [0, 1, 2]
    assert SYSTEM in model.asked[0].prompt
    assert "CMAT_TASK=notes" in model.asked[1].results[0]
    assert run.session.id
    assert KEY not in project.log(run)
    gitcmat(repo, "land", "notes", changes=LAND).ok()
    assert (repo.path / "notes.txt").read_text(encoding="utf-8") == "one\ntwo\n"
    assert project.state("notes") is State.DONE
