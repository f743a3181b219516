"""`gitcmat doctor`: what it prints, as text and as JSON, and how it ends."""

import os
import time

import pytest

from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with one result in review."""
    made = Project(repo)
    made.commit_task("one", "echo x > x")
    gitcmat(repo, "run", "now", "one").ok()
    return made


def test_a_healthy_repository_has_full_marks(project: Project) -> None:
    found = gitcmat(project.repo, "doctor").ok()
    assert found.out.endswith("score: 100 of 100\n")
    assert {line.split()[0] for line in found.out.splitlines()} <= {"info", "where:", "score:"}
    assert found.err == ""


def test_a_defect_is_shown_with_its_id_and_mended_when_asked(project: Project) -> None:
    repo = project.repo
    ref = next(iter(repo.refs("refs/cmat/state/")))
    (repo.git_dir / ref).write_bytes(b"")
    sick = gitcmat(repo.path, "doctor")
    assert sick.code == 1
    assert sick.out == (
        f"critical  ref-broken: {ref} is a file of 0 bytes; "
        "git fetch and git gc fail while it is there\n"
        f"          where: {ref}\n"
        "          mend: gitcmat doctor --fix\n"
        "score: 75 of 100\n"
    )
    mended = gitcmat(repo.path, "doctor", "--fix", "--json").ok().json
    assert (mended["score"], mended["well"]) == (100, True)
    assert [(one["id"], one["where"]) for one in mended["mended"]] == [("ref-broken", ref)]
    assert gitcmat(repo, "doctor", "--fix").ok().out.endswith("score: 100 of 100\n")


def test_what_is_mended_in_a_file_says_whose_turn_it_is(project: Project) -> None:
    project.commit_task("two", "true", needs=["oen"])
    shown = gitcmat(project.repo, "doctor", "--fix", changes=("files:.cmat/tasks/two.yaml",)).ok()
    assert shown.out.startswith(
        "mended    intent-broken: needs: there is no task 'oen' (did you mean 'one'?)\n"
        "          next: look at .cmat/tasks/two.yaml and commit it: it counts from then on\n"
    )


def test_what_is_not_ours_is_left_with_the_command_that_mends_it(project: Project) -> None:
    repo = project.repo
    repo.allow("git:index.lock")
    lock = repo.git_dir / "index.lock"
    lock.touch()
    then = time.time() - 200
    os.utime(lock, (then, then))
    found = gitcmat(repo, "doctor", "--fix").ok()
    assert (
        "minor     lock-foreign: git has been held up by index.lock for 3 minutes; "
        "it is not gitcmat's\n"
        f"          where: {lock}\n"
        f"          mend: if no git is at work: rm {lock}\n"
    ) in found.out
    assert found.out.endswith("score: 95 of 100\n")
    lock.unlink()


def test_a_repository_that_never_saw_gitcmat_is_well_and_stays_as_it_is(repo: TestRepo) -> None:
    for args in (["doctor"], ["doctor", "--fix"]):
        assert gitcmat(repo, *args).ok().out.endswith("score: 100 of 100\n")
    assert repo.refs("refs/cmat/") == {}


def test_where_nothing_was_ever_recorded_nothing_is_lost(repo: TestRepo) -> None:
    assert gitcmat(repo, "queue", "add", "hi", "--agent", "nobody").code == 4
    assert gitcmat(repo, "doctor", "--json").ok().json["score"] == 100
