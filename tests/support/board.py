"""A project in the middle of its work: tasks in every state, as records with fixed times."""

from datetime import timedelta
from typing import Final

from gitcmat.model.entry import Landing, Source
from gitcmat.model.gate import GateOutcome, GateResult, Verdict
from gitcmat.model.job import RunOutcome
from gitcmat.model.state import State
from gitcmat.model.task import Priority, Task
from tests.support.project import Project, config_file, task_file
from tests.support.repo import TestRepo
from tests.support.store import NOW, blocker, entry, put, run

BLOCKER: Final = "b-abcd2345"
RUN: Final = "r-abcd2345"


def board(repo: TestRepo) -> Project:
    """Make it. ``held`` and ``needy`` have committed files; the others never had one."""
    project = Project(repo, config_file({"tests": ["true"]}))
    project.commit(
        task_file("held", title="Held back", hold=True, agent="coder"),
        task_file("needy", title="Needs dates", needs=["parse-dates"], priority="low"),
    )
    dates = Task(title="Parse dates", prompt="Accept ISO.\nEverywhere.", agent="coder")
    later = NOW + timedelta(minutes=1)
    put(
        project.deps.store,
        entry(
            "parse-dates",
            State.REVIEW,
            task=dates,
            source=None,
            priority=Priority.HIGH,
            attempt=1,
            run="r-aaaa2345",
            base="1" * 40,
            head="2" * 40,
            branch="refs/heads/cmat/parse-dates",
            branch_head="2" * 40,
            published="2" * 40,
            verdict=Verdict.GREEN,
            gates=(GateResult(name="tests", outcome=GateOutcome.PASSED, exit_code=0),),
            marks=("outside paths: docs/x.md",),
        ),
        run("r-aaaa2345", "parse-dates", ended=later, outcome=RunOutcome.FINISHED, message="ok"),
        entry("runs", State.ACTIVE, source=None, attempt=2, run=RUN, task=Task(title="Runs now")),
        run(RUN, "runs", attempt=2),
        entry("asks", State.BLOCKED, source=None, reason="asked a question"),
        blocker(BLOCKER, "asks", question="Which format?\nISO or RFC?"),
        entry(
            "theirs",
            State.BACKLOG,
            source=Source(
                ref="refs/heads/main",
                commit="c" * 40,
                path=".cmat/tasks/theirs.yaml",
                blob="d" * 40,
            ),
        ),
        entry(
            "landed",
            State.DONE,
            source=None,
            since=later,
            landing=Landing(
                commit="3" * 40, target="refs/heads/main", how="squash", at=later, by="Pat"
            ),
        ),
        entry("broken", State.FAILED, source=None, reason="exit code 3"),
    )
    return project
