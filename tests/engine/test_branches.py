"""The branch that a person reviews: moved only from where gitcmat put it, and never under them."""

from pathlib import Path

import pytest

from gitcmat.engine import branches
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Landed, Rejected, Rerun
from tests.support.project import Project, config_file
from tests.support.repo import TestRepo

BRANCH = "refs/heads/cmat/a"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project whose task ``a`` is at review."""
    made = Project(repo)
    made.task("a")
    made.work()
    return made


def take(entry: Entry) -> str:
    """How a result is taken that is not on its branch."""
    return f"take the result with: git merge refs/cmat/runs/{entry.run}"


def reject(project: Project, text: str = "again") -> None:
    project.happen("a", Rejected(text=text, by="Pat"))
    project.work()


def test_a_result_at_review_is_on_its_branch(project: Project) -> None:
    entry = project.entry("a")
    assert (entry.branch, entry.branch_head, entry.published) == (BRANCH, entry.head, entry.head)
    assert project.repo.tip(BRANCH) == entry.head
    assert branches.shown(entry) == "cmat/a"


def test_rework_goes_on_top_and_moves_the_branch(project: Project) -> None:
    first = project.entry("a").head
    reject(project)
    second = project.entry("a").head
    assert project.repo.tip(BRANCH) == second
    assert project.repo.git("rev-parse", f"{second}~") == first
    assert project.repo.show(second, "a.txt") == "work\nwork\n"


def test_what_a_person_commits_there_is_part_of_the_work(project: Project) -> None:
    project.repo.switch("cmat/a")
    theirs = project.repo.commit("by hand", {"hand.txt": "x\n"})
    project.repo.switch("main")
    project.work()
    tip = branches.tip(project.deps.git, project.entry("a"))
    assert (tip.commit, tip.by_person) == (theirs, True)
    reject(project)
    head = project.entry("a").head
    assert project.repo.tip(BRANCH) == head
    assert project.repo.git("rev-parse", f"{head}~") == theirs
    assert project.entry("a").marks == ()


def test_a_branch_that_is_checked_out_is_left_alone(project: Project) -> None:
    first = project.entry("a").head
    project.repo.switch("cmat/a")
    reject(project)
    entry = project.entry("a")
    assert project.repo.tip(BRANCH) == first
    assert entry.marks == (f"cmat/a is checked out and was left alone; {take(entry)}",)
    assert branches.tip(project.deps.git, entry).commit == entry.head
    project.repo.git("merge", "-q", "--ff-only", f"refs/cmat/runs/{entry.run}")
    assert project.repo.tip(BRANCH) == entry.head


def test_a_branch_that_is_checked_out_in_a_linked_work_tree_is_left_alone(
    project: Project, tmp_path: Path
) -> None:
    first = project.entry("a").head
    project.repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "cmat/a")
    reject(project)
    assert project.repo.tip(BRANCH) == first


def test_a_branch_that_is_being_rebased_is_left_alone(project: Project, tmp_path: Path) -> None:
    first = project.entry("a").head
    linked = tmp_path / "linked"
    project.repo.git("worktree", "add", "-q", str(linked), "cmat/a")
    editor = {"GIT_SEQUENCE_EDITOR": "sed -i 1s/pick/edit/"}
    project.repo.git("-C", str(linked), "rebase", "-q", "-i", "HEAD~", env=editor)
    reject(project)
    assert project.repo.tip(BRANCH) == first
    assert project.entry("a").marks[0].startswith("cmat/a is checked out and was left alone")


def test_a_branch_that_a_person_moved_elsewhere_is_left_alone(project: Project) -> None:
    project.repo.git("branch", "-q", "-f", "cmat/a", "main")
    first = project.entry("a").head
    assert branches.tip(project.deps.git, project.entry("a")).commit == first
    reject(project)
    entry = project.entry("a")
    assert project.repo.tip(BRANCH) == project.repo.tip("main")
    assert entry.marks == (f"cmat/a was moved by a person and was left alone; {take(entry)}",)


def test_a_branch_that_a_person_deleted_is_made_again(project: Project) -> None:
    project.repo.git("branch", "-q", "-D", "cmat/a")
    project.work()
    assert not project.repo.has(BRANCH)
    reject(project)
    assert project.repo.tip(BRANCH) == project.entry("a").head


def test_a_branch_of_a_persons_own_with_that_name_is_left_alone(repo: TestRepo) -> None:
    project = Project(repo)
    project.repo.branch("cmat/a")
    own = project.repo.tip(BRANCH)
    project.task("a")
    project.work()
    entry = project.entry("a")
    assert (project.state("a"), project.repo.tip(BRANCH)) == ("review", own)
    assert entry.marks == (f"cmat/a was there before and was left alone; {take(entry)}",)


def test_a_branch_in_the_way_of_all_ours_stops_nothing(repo: TestRepo) -> None:
    project = Project(repo)
    project.repo.branch("cmat")
    project.task("a")
    project.work()
    entry = project.entry("a")
    assert (project.state("a"), entry.branch) == ("review", "")
    assert entry.marks == (f"cmat/a cannot be made (there is a branch cmat); {take(entry)}",)


def test_after_a_landing_the_branch_is_deleted_and_a_rerun_makes_it_again(
    project: Project,
) -> None:
    _land(project)
    assert not project.repo.has(BRANCH)
    project.happen("a", Rerun(by="Pat"))
    project.work()
    entry = project.entry("a")
    assert (entry.marks, project.repo.tip(BRANCH)) == ((), entry.head)


def test_a_branch_that_is_checked_out_stays_after_the_landing(project: Project) -> None:
    project.repo.switch("cmat/a")
    head = project.entry("a").head
    _land(project)
    assert project.repo.tip(BRANCH) == head


def test_a_branch_that_a_person_went_on_with_stays_after_the_landing(project: Project) -> None:
    project.repo.switch("cmat/a")
    theirs = project.repo.commit("more", {"more.txt": "x\n"})
    project.repo.switch("main")
    _land(project)
    assert project.repo.tip(BRANCH) == theirs


def test_the_prefix_of_the_branches_is_a_setting(repo: TestRepo) -> None:
    project = Project(repo, config_file(branch={"prefix": "bots/cmat"}))
    repo.allow("refs:refs/heads/bots/cmat/*")
    project.task("a")
    project.work()
    assert project.repo.tip("refs/heads/bots/cmat/a") == project.entry("a").head


def _land(project: Project) -> None:
    """Record a landing, and let go of the branch as the engine does after one."""
    entry = project.entry("a")
    landing = Landing(
        commit=None, target="refs/heads/main", how="squash", at=project.clock.now(), by="Pat"
    )
    project.happen("a", Landed(landing=landing))
    branches.drop(project.deps, entry)
