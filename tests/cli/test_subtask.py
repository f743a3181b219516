"""`gitcmat subtask`: records of their own, which twenty processes may change at once."""

import subprocess
from typing import Final

import pytest

from gitcmat.app import open_app
from gitcmat.engine import subtasks
from gitcmat.model.state import State
from gitcmat.model.subtask import Progress, SubtaskStatus
from tests.support.cli import PROGRAM, gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project

AT_ONCE: Final = 20


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    gitcmat(repo, "queue", "add", "Big work", "--id", "big", "--agent", "fake").ok()
    return made


def create(project: Project, title: str) -> str:
    return gitcmat(project.repo, "subtask", "create", "big", title).ok().out.strip()


def statuses(project: Project) -> list[str]:
    return [str(s.status) for s in project.app.deps.store.read().subtasks("big")]


def error(project: Project, *args: str) -> tuple[int, str]:
    result = gitcmat(project.repo, *args)
    return result.code, result.err


def test_a_landing_leaves_open_subtasks_open_and_names_them(project: Project) -> None:
    repo = project.repo
    gitcmat(repo, "run", "now", "big", "-q").ok()
    first, second, done = (create(project, name) for name in ("First", "Second", "Third"))
    gitcmat(repo, "subtask", "complete", done).ok()
    said = f"2 still open: {first} First, {second} Second"
    shown = gitcmat(repo, "review", "show", "big").ok().out.splitlines()
    assert f"  subtasks  {said}" in shown
    data = gitcmat(repo, "review", "show", "big", "--json").ok().json
    assert [s["id"] for s in data["open_subtasks"]] == [first, second]
    landed = gitcmat(repo, "land", "big").ok().out.splitlines()
    assert landed == ["big: done, nothing to land", f"subtasks: {said}"]
    assert statuses(project) == ["open", "open", "done"]


def test_a_subtask_is_made_ticked_off_opened_again_and_deleted(project: Project) -> None:
    first, second = create(project, "First\n part"), create(project, "Second")
    repo = project.repo
    assert gitcmat(repo, "subtask", "complete", first).ok().out == f"{first}: done\n"
    assert gitcmat(repo, "subtask", "complete", first[:6]).ok().out == f"{first}: done\n"
    assert gitcmat(repo, "subtask", "list", "big").ok().out.splitlines() == [
        "ID          STATUS  BY          TITLE",
        f"{first}  done    Pat Person  First part",
        f"{second}  open    Pat Person  Second",
        "1/2 done",
    ]
    assert "Big work (1/2)" in gitcmat(repo, "queue", "list").ok().out
    assert "Big work (1/2)" in gitcmat(repo, "status").ok().out
    assert f"  subtasks 1/2\n  {first}  done    First part\n" in (
        gitcmat(repo, "task", "show", "big").ok().out
    )
    assert gitcmat(repo, "subtask", "delete", second).ok().out == f"{second}: deleted\n"
    assert error(project, "subtask", "complete", second) == (
        5,
        f"error: {second} is deleted.\nhint: gitcmat subtask reopen {second}\n",
    )
    listed = gitcmat(repo, "subtask", "list", "big", "--json").ok().json
    assert (listed["done"], listed["of"], len(listed["subtasks"])) == (1, 1, 1)
    assert gitcmat(repo, "subtask", "reopen", second).ok().out == f"{second}: open\n"
    assert statuses(project) == ["done", "open"]


def test_each_is_a_file_that_people_can_read(project: Project) -> None:
    made = create(project, "First")
    text = project.repo.read(f".cmat/subtasks/{made}.yaml")
    assert text.startswith(f"schema: 1\nid: {made}\ntask: big\ntitle: First\n")
    assert project.repo.status() == ""


def test_what_cannot_be_is_refused(project: Project) -> None:
    assert error(project, "subtask", "create", "big", "  ") == (
        3,
        'error: A subtask needs a title.\nhint: gitcmat subtask create TASK "…"\n',
    )
    assert error(project, "subtask", "create", "none", "x") == (
        4,
        "error: There is no task 'none'.\nhint: gitcmat queue list\n",
    )
    assert error(project, "subtask", "complete", "s-none")[0] == 4


def test_cancelling_a_task_closes_what_is_open_of_it(project: Project) -> None:
    first, second = create(project, "First"), create(project, "Second")
    gitcmat(project.repo, "subtask", "complete", first).ok()
    gitcmat(project.repo, "queue", "cancel", "big").ok()
    assert statuses(project) == ["done", "closed"]
    assert error(project, "subtask", "create", "big", "x") == (
        5,
        "error: big is cancelled; it takes no subtasks.\nhint: gitcmat queue rerun big\n",
    )
    gitcmat(project.repo, "queue", "rerun", "big").ok()
    gitcmat(project.repo, "subtask", "reopen", second).ok()
    assert statuses(project) == ["done", "open"]


def test_pruning_a_task_closes_what_is_open_of_it(project: Project) -> None:
    project.commit_task("small", "echo x > x")
    repo, main = project.repo, ("refs:refs/heads/main", "index", "files")
    gitcmat(repo, "run", "now", "small", "-q").ok()
    gitcmat(repo, "subtask", "create", "small", "left over").ok()
    gitcmat(repo, "land", "small", changes=main).ok()
    assert project.state("small") is State.DONE
    gitcmat(repo, "task", "prune", changes=main).ok()
    found = project.app.deps.store.read().subtasks("small")
    assert [s.status for s in found] == [SubtaskStatus.CLOSED]


def test_twenty_processes_lose_nothing(project: Project) -> None:
    app = open_app(project.repo.path)
    made = [subtasks.create(app.deps, "big", f"Part {n}").id for n in range(AT_ONCE)]
    extra = [f"Extra {n}" for n in range(5)]
    commands = [["complete", subtask] for subtask in made]
    commands += [["create", "big", title] for title in extra]
    processes = [
        subprocess.Popen(
            [*PROGRAM, "subtask", *command],
            cwd=project.repo.path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    failures = [p.communicate()[1].decode() for p in processes]
    assert [p.returncode for p in processes] == [0] * len(processes), failures
    facts = project.app.deps.store.read()
    assert facts.progress() == {"big": Progress(AT_ONCE, AT_ONCE + len(extra))}
    assert project.repo.git("fsck", "--strict", "--no-dangling") == ""
