"""What to do next, in the order in which it matters, and that looking changes nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.app import open_app
from gitcmat.engine.status import status
from gitcmat.model.events import Asked
from gitcmat.model.state import State
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo
from tests.support.store import entry, put


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def following(project: Project) -> str:
    """The next step, as another process would see it."""
    project.reopen()
    before = project.deps.store.tip()
    found = status(project.deps).next
    assert project.deps.store.tip() == before
    return found


def test_the_next_step_is_what_matters_most(project: Project) -> None:
    assert following(project) == 'gitcmat task add "…" --agent NAME'
    project.commit(task_file("a", hold=True))
    assert following(project) == "gitcmat watch"
    project.step(start=False)
    assert following(project) == "gitcmat queue release a"
    project.task("b")
    project.step(start=False)
    assert following(project) == "gitcmat watch"
    project.repo.write(".cmat/tasks/c.yaml", "title: C\n")
    assert following(project) == "git add .cmat/tasks/c.yaml, then git commit"
    project.deps.trust.forget()
    assert following(project) == "gitcmat trust"
    theirs = replace(entry("d", State.BACKLOG), target="refs/heads/main")
    put(project.deps.store, theirs)
    assert following(project) == "gitcmat task approve d"
    put(project.deps.store, entry("e", State.REVIEW, source=None))
    assert following(project) == "gitcmat review show e"
    project.happen("a", Asked(question="Why?", by="Pat"))
    (asked,) = project.asked("a")
    assert following(project) == f'gitcmat blocker answer {asked.id} "…"'


def test_a_repository_without_anything_begins_with_init(repo: TestRepo) -> None:
    assert status(open_app(repo.path).deps).next == "gitcmat init"
    assert not (repo.git_dir / "cmat").exists()


def test_settings_that_were_never_right_are_what_a_task_waits_for(repo: TestRepo) -> None:
    project = Project(repo, {".cmat/config.yaml": "gates: [\n"})
    project.task("a")
    project.work()
    assert (project.state("a"), project.why("a")) == (
        "pending",
        "the settings under .cmat/ are wrong: gitcmat lint",
    )


def test_a_folder_that_is_a_link_is_named_and_not_to_be_committed(
    repo: TestRepo, tmp_path: Path
) -> None:
    (tmp_path / "real/tasks").mkdir(parents=True)
    (tmp_path / "real/tasks/a.yaml").write_text("title: A\n", encoding="utf-8")
    (repo.path / ".cmat").symlink_to(tmp_path / "real")
    found = status(open_app(repo.path).deps)
    (link,) = found.unsaved
    assert (link.path, link.how) == (".cmat", "a symbolic link, which is not followed")
    assert found.next == "gitcmat lint"
