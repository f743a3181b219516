"""Records of ours that a branch tracks: the doctor takes them out of it, and nothing else."""

from pathlib import Path
from typing import Final

import pytest

from gitcmat.engine.doctor import Checkup, doctor
from tests.support.project import Project
from tests.support.repo import TestRepo

RECORD: Final = ".cmat/queue/review/first.yaml"
KNOWN: Final = {"sandbox", "runs-size", "untrusted"}
"""What a healthy repository may be told."""
MENDING: Final = ("index", "refs:refs/heads/main")
"""What may change of the person's: exactly this is what they asked for."""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with one task in review, a half-staged file and one that is only saved."""
    made = Project(repo)
    made.task("first", agent="coder")
    made.work()
    repo.write("half.txt", "staged\n")
    repo.git("add", "half.txt")
    repo.write("half.txt", "staged\nsaved\n")
    repo.write("README.md", "saved\n")
    return made


def look(project: Project, *, fix: bool = False) -> Checkup:
    project.reopen()
    return doctor(project.deps, fix=fix)


def ids(found: Checkup) -> set[str]:
    return {one.id for one in found.findings} - KNOWN


def track(project: Project, *, commit: bool = True) -> None:
    project.repo.git("add", "--force", RECORD)
    if commit:
        project.repo.git("commit", "-q", "-m", "by mistake", "--", RECORD)


def hook(repo: TestRepo, name: str, text: str) -> None:
    with repo.as_person():
        path = repo.git_dir / "hooks" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)


def is_well(project: Project) -> bool:
    """Whether nothing is found any more, nor mended once more."""
    again = look(project, fix=True)
    return (ids(again), again.score, again.mended) == (set(), 100, ())


def nothing_else_changed(project: Project) -> bool:
    """Whether the person's own files are as half staged, and saved, as they were."""
    repo = project.repo
    return (
        repo.status() == " M README.md\nAM half.txt"
        and repo.git("show", ":half.txt") == "staged"
        and repo.read("half.txt") == "staged\nsaved\n"
    )


def test_they_are_named_and_taken_out_of_the_branch_by_a_commit_of_these_alone(
    project: Project,
) -> None:
    track(project)
    text, before = project.repo.read(RECORD), project.repo.tip()
    sick = look(project)
    (found,) = (one for one in sick.findings if one.id == "fact-tracked")
    assert ids(sick) == {"fact-tracked"}
    assert sick.score == 85
    assert found.what == (
        f"The branch tracks records of gitcmat, which are therefore not read: {RECORD}"
    )
    assert found.how == (
        "gitcmat doctor --fix (a commit that leaves the files here), "
        "or git rm -r --cached -- .cmat/queue, then git commit"
    )
    with project.repo.guarded(*MENDING):
        mended = look(project, fix=True)
    assert (ids(mended), mended.score, mended.failed) == (set(), 100, ())
    assert [one.id for one in mended.mended] == ["fact-tracked"]
    assert project.repo.tip("HEAD^") == before
    assert project.repo.git("show", "--format=%an: %s", "--name-status").splitlines() == [
        "Pat Person: Stop tracking the records of gitcmat",
        "",
        f"D\t{RECORD}",
    ]
    assert project.repo.read(RECORD) == text
    assert nothing_else_changed(project)
    assert not (project.deps.repo.cmat / "untrack").exists()
    assert is_well(project)


def test_one_that_is_only_staged_is_unstaged_without_a_commit(project: Project) -> None:
    track(project, commit=False)
    before, text = project.repo.tip(), project.repo.read(RECORD)
    assert (ids(look(project)), look(project).score) == ({"fact-tracked"}, 85)
    with project.repo.guarded("index"):
        mended = look(project, fix=True)
    assert [one.id for one in mended.mended] == ["fact-tracked"]
    assert (project.repo.tip(), project.repo.read(RECORD)) == (before, text)
    assert nothing_else_changed(project)
    assert is_well(project)


def test_what_a_person_wrote_into_one_is_lost_nowhere(project: Project) -> None:
    track(project)
    project.repo.write(RECORD, "staged words\n")
    project.repo.git("add", "--force", RECORD)
    project.repo.write(RECORD, "saved words\n")
    with project.repo.guarded(*MENDING):
        mended = look(project, fix=True)
    assert "fact-tracked" in {one.id for one in mended.mended}
    assert nothing_else_changed(project)
    lie = [path.read_text() for path in (project.path / ".cmat/queue").rglob("first*")]
    assert "saved words\n" in lie
    assert project.state("first") == "review"


def test_a_hook_that_refuses_leaves_everything_as_it_is(project: Project) -> None:
    track(project)
    hook(project.repo, "pre-commit", "echo 'not on a Friday' >&2; exit 1")
    with project.repo.guarded():
        found = look(project, fix=True)
    assert (ids(found), found.score, found.mended) == ({"fact-tracked"}, 85, ())
    ((_, why),) = found.failed
    assert why == "Nothing was changed, because git refused the commit:\nnot on a Friday"


def test_hooks_see_these_paths_as_gone_and_nothing_else_as_staged(
    project: Project, tmp_path: Path
) -> None:
    track(project)
    seen = tmp_path / "seen"
    hook(project.repo, "pre-commit", f"git diff --cached --name-status > {seen}; pwd >> {seen}")
    with project.repo.guarded(*MENDING):
        look(project, fix=True)
    assert seen.read_text() == f"D\t{RECORD}\n{project.path}\n"
    assert is_well(project)


def test_on_a_detached_head_nothing_is_committed(project: Project) -> None:
    track(project)
    project.repo.git("checkout", "-q", "--detach")
    with project.repo.guarded():
        found = look(project, fix=True)
    assert ids(found) == {"fact-tracked"}
    ((_, why),) = found.failed
    assert why == (
        "Nothing was changed: HEAD is detached, so a commit would be on no branch. "
        "(git switch to a branch)"
    )


def test_in_the_middle_of_a_merge_nothing_is_changed(project: Project) -> None:
    track(project)
    with project.repo.as_person():
        (project.repo.git_dir / "MERGE_HEAD").write_text(project.repo.tip() + "\n")
    with project.repo.guarded():
        found = look(project, fix=True)
    assert [why for _, why in found.failed] == [
        "Nothing was changed: a merge is under way. (git commit, or git merge --abort)"
    ]


def test_one_with_an_odd_name_goes_too(project: Project) -> None:
    odd = ".cmat/runs/a \n*?.yaml"
    project.repo.write(odd, "mine\n")
    project.repo.git("--literal-pathspecs", "add", "--force", odd)
    project.repo.git("--literal-pathspecs", "commit", "-q", "-m", "odd", "--", odd)
    assert ids(look(project)) == {"fact-tracked"}
    with project.repo.guarded(*MENDING):
        look(project, fix=True)
    assert "fact-tracked" not in ids(look(project))
    assert project.repo.read(odd) == "mine\n"
    assert project.repo.git("ls-files", "--", ".cmat/runs") == ""
    assert project.repo.git("ls-tree", "-r", "HEAD", "--", ".cmat/runs") == ""
