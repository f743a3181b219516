"""What a person is told unasked: once each, by their own program, and never at the work's cost."""

import json
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from gitcmat.engine import notify
from gitcmat.engine.alerts import Alerts
from gitcmat.model.events import Asked
from gitcmat.model.state import State
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo

FAILS = agent_file("breaker", "exit 3")


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo, FAILS)


class Person:
    """What reaches the person: lines, bells, and what their program was given."""

    def __init__(
        self, project: Project, alerts: Alerts, lines: list[str], bells: list[int]
    ) -> None:
        self._project, self._alerts = project, alerts
        self.lines, self.bells = lines, bells

    def hears(self) -> list[tuple[str, str]]:
        """Look once; return what they were told of."""
        found = self._alerts.tell(self._project.deps.store.read())
        return [(alert.event.value, alert.task) for alert in found]


@contextmanager
def person(project: Project) -> Iterator[Person]:
    """Begin to tell, and wait at the end until everything was told."""
    lines: list[str] = []
    bells: list[int] = []
    with closing(Alerts(project.deps, lines.append, lambda: bells.append(1))) as alerts:
        alerts.start(project.deps.store.read())
        yield Person(project, alerts, lines, bells)


def program(folder: Path, script: str) -> Path:
    """Write a program of the person's."""
    path = folder / "tell-me"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_questions_results_and_failures_are_told_once(project: Project, tmp_path: Path) -> None:
    told = tmp_path / "told"
    project.settings(notify=[str(program(tmp_path, f'cat >> {told}; pwd >> "{told}.pwd"'))])
    project.task("good", agent="coder")
    project.task("bad", agent="breaker", attempts=1)
    project.task("unclear", agent="coder", hold=True)
    with person(project) as pat:
        project.work()
        project.happen("unclear", Asked(question="Which\none?", by="Pat"))
        assert pat.hears() == [("question", "unclear"), ("review", "good"), ("failed", "bad")]
        assert pat.hears() == []
        blocker = project.asked("unclear")[0].id
        command = f'gitcmat blocker answer {blocker} "…"'
        assert pat.lines == [f"unclear asks: Which one?  ({command})"]
        assert len(pat.bells) == 3
    events = [json.loads(line) for line in told.read_text(encoding="utf-8").splitlines()]
    assert events[0] == {
        "schema": 1,
        "event": "question",
        "task": "unclear",
        "title": "unclear",
        "what": "Which\none?",
        "next": command,
        "blocker": blocker,
        "run": None,
        "at": events[0]["at"],
        "repository": str(project.path),
    }
    assert [e["event"] for e in events] == ["question", "review", "failed"]
    places = Path(f"{told}.pwd").read_text(encoding="utf-8").split()
    assert set(places) == {str(Path.home())}  # not in the repository


def test_what_was_there_before_is_not_told(project: Project) -> None:
    project.task("good", agent="coder")
    project.work()
    assert project.ids(State.REVIEW) == ["good"]
    with person(project) as pat:
        assert pat.hears() == []


def test_a_program_that_fails_is_said_once(project: Project, tmp_path: Path) -> None:
    failing = program(tmp_path, "echo no network >&2; exit 7")
    project.settings(notify=[str(failing), "now"])
    project.task("one", agent="coder")
    project.task("two", agent="coder")
    with person(project) as pat:
        project.work()
        assert len(pat.hears()) == 2
    assert pat.lines == [f"notify: {failing} now ended with 7: no network"]


def test_a_program_that_hangs_is_ended(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "SECONDS", 0.5)
    hanging = program(tmp_path, "sleep 600")
    project.settings(notify=[str(hanging)])
    project.task("one", agent="coder")
    with person(project) as pat:
        project.work()
        pat.hears()
    assert pat.lines == [f"notify: {hanging} did not end within 0.5 seconds"]


def test_a_program_of_the_repository_is_not_started(project: Project, tmp_path: Path) -> None:
    told = tmp_path / "told"
    project.commit({"tell-me": f"#!/bin/sh\ntouch {told}\n"})
    with project.repo.as_person():
        (project.path / "tell-me").chmod(0o755)
    project.settings(notify=[str(project.path / "tell-me")])
    project.task("one", agent="coder")
    with person(project) as pat:
        project.work()
        pat.hears()
    shown = project.path / "tell-me"
    assert pat.lines == [f"notify: {shown}: there is no such program outside of the repository"]
    assert not told.exists()
