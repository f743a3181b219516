"""An agent that speaks the Agent Client Protocol goes the whole way of a task."""

import json
import sys
from pathlib import Path
from typing import Final

import pytest

from gitcmat.engine import blockers
from tests.support.boxed import bubblewrap
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

AGENT: Final = str(Path(__file__).parents[1] / "support/acpagent.py")


SANDBOXES: Final = {
    "off": {"mode": "off"},
    "bwrap": {"mode": "bwrap", "network": "full", "write": ["~/.acpagent"]},
}


def project_with(repo: TestRepo, sandbox: str) -> Project:
    head = {
        "name": "small",
        "runs": "acp",
        "command": [sys.executable, "-I", AGENT],
        "sandbox": SANDBOXES[sandbox],
    }
    (Path.home() / ".acpagent").mkdir(exist_ok=True)
    files = {".cmat/agents/small.md": f"---\n{json.dumps(head)}\n---\nBe good.\n"}
    return Project(repo, files)


@pytest.mark.parametrize("sandbox", sorted(SANDBOXES))
def test_a_permission_is_asked_for_given_and_used_in_the_same_session(
    repo: TestRepo, sandbox: str
) -> None:
    if sandbox == "bwrap":
        bubblewrap()
    project = project_with(repo, sandbox)
    steps = [["write", "notes.txt", "one\n"], ["ask", "execute", "make release"]]
    body = "".join(f"acp: {json.dumps(step)}\n" for step in steps)
    project.commit(task_file("a", agent="small", prompt=body))
    project.work()
    (asked,) = project.asked("a")
    assert asked.question.strip() == "May the agent use execute(make release)? It was refused."
    assert project.runs("a") == ["asked"]
    blockers.answer(project.deps, asked.id, "yes")
    project.work()
    assert (project.state("a"), project.runs("a")) == ("review", ["asked", "finished"])
    first, second = reversed(project.deps.store.read().runs(task="a"))
    assert first.session == second.session
    assert project.repo.show("cmat/a", "notes.txt") == "one\n"
    assert project.repo.show("cmat/a", "ran.txt") == "make release\n"
    log = project.folder("a").log.read_text(encoding="utf-8")
    assert '"text": "on. "' in log  # the agent's own words for a session that it knows


def test_a_program_of_the_repository_is_not_started(repo: TestRepo) -> None:
    inside = repo.path / "agent.py"
    project = Project(
        repo,
        {
            "agent.py": Path(AGENT).read_text(encoding="utf-8"),
            ".cmat/agents/small.md": "---\n"
            + json.dumps({"name": "small", "runs": "acp", "command": [str(inside)]})
            + "\n---\n",
        },
    )
    project.commit(task_file("a", agent="small", attempts=1))
    project.work()
    (run,) = project.deps.store.read().runs(task="a")
    assert run.outcome == "cannot start"
