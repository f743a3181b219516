"""Logs of ended runs have a limit; records and what somebody may still want to read have none."""

import os
from pathlib import Path

import pytest

from gitcmat.engine.old_runs import prune
from gitcmat.engine.runs import log_of
from gitcmat.errors import NotFound
from gitcmat.model.events import Cancelled
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo
from tests.support.store import NOW


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """Three runs whose logs have 1 MB each: ``a`` and ``b`` are over, ``c`` is in review."""
    project = Project(repo)
    for number, task in enumerate("abc"):
        project.task(task)
        project.work()
        folder = project.folder(task).path
        (folder / "log").write_bytes(b"x" * 1_000_000)
        os.utime(folder, (NOW.timestamp() + number, NOW.timestamp() + number))
    for task in "ab":
        project.happen(task, Cancelled(reason="", by="Pat"))
    return project


def folders(project: Project) -> list[str]:
    found = {str(project.entry(task).run): task for task in "abc"}
    return sorted(found[path.name] for path in project.deps.runs.iterdir())


def test_the_oldest_go_first_until_the_rest_fits(project: Project) -> None:
    assert prune(project.deps) == []
    project.settings(limits={"logs": "2.5MB"})
    assert prune(project.deps) == [project.entry("a").run]
    assert folders(project) == ["b", "c"]
    assert prune(project.deps) == []

    run = project.deps.store.read().run(str(project.entry("a").run))
    assert run is not None
    with pytest.raises(NotFound) as gone:
        log_of(project.deps, run)
    assert gone.value.message == f"The log of {run.id} is not on this machine (any more)."


def test_what_belongs_to_an_unfinished_task_stays(project: Project) -> None:
    project.settings(limits={"logs": "0MB"})
    prune(project.deps)
    assert folders(project) == ["c"]


def test_a_result_that_nobody_has_taken_in_stays(project: Project, tmp_path: Path) -> None:
    project.settings(limits={"logs": "0MB"})
    go = tmp_path / "go"
    project.commit(agent_file("coder", f"until [ -e {go} ]; do sleep 0.05; done"))
    project.trust()
    project.task("d")
    project.step()
    run = project.entry("d").run
    prune(project.deps)
    assert (project.deps.runs / str(run) / "job.json").exists()
    go.touch()
    project.wait()
    prune(project.deps)
    assert (project.deps.runs / str(run) / "result.json").exists()
