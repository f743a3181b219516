"""Workflows are filled in for a repository, and written only where nothing is lost."""

import pytest

from gitcmat.engine import ci_workflows, trust
from gitcmat.engine.ci_workflows import How
from gitcmat.errors import Conflict, InvalidData
from tests.support.ci_rules import breaches
from tests.support.project import Project
from tests.support.repo import TestRepo

REF = "5eed" * 10


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    repo.allow("files")
    return made


def test_they_name_the_commit_the_branch_and_the_digest_of_this_repository(
    project: Project,
) -> None:
    digest = trust.look(project.deps).plan.digest
    found = {one.path: one.text for one in ci_workflows.filled(project.deps, ref=REF)}
    assert sorted(found) == [
        ".github/workflows/gitcmat-comment.yml",
        ".github/workflows/gitcmat-validate.yml",
        ".github/workflows/gitcmat.yml",
    ]
    for text in found.values():
        assert breaches(text) == []
        assert "0" * 40 not in text
        assert f"gitcmat/gitcmat@{REF} #" in text
    main = found[".github/workflows/gitcmat.yml"]
    assert main.count(f'trust-digest: "{digest}"') == 2
    assert '    branches: ["main"]\n' in main


def test_what_is_given_comes_first(project: Project) -> None:
    digest = "ab" * 32
    found = ci_workflows.filled(project.deps, ref=REF, branch="release/1.x", digest=digest)
    (main,) = (one.text for one in found if one.path.endswith("/gitcmat.yml"))
    assert 'branches: ["release/1.x"]' in main
    assert f'"{digest}"' in main


@pytest.mark.parametrize("ref", ["", "v1", "main", "5eed", "0" * 40, "5eed" * 10 + "\n", "G" * 40])
def test_a_ref_that_is_no_commit_is_refused(project: Project, ref: str) -> None:
    with pytest.raises(InvalidData) as caught:
        ci_workflows.filled(project.deps, ref=ref)
    assert caught.value.message == f"{ref!r} is no commit of gitcmat."


@pytest.mark.parametrize(
    "branch", ["a*", "**", "!main", "[x]", "a+", "a?", "-x", "a\nb", "${{ x }}"]
)
def test_a_branch_that_a_filter_takes_for_a_pattern_is_refused(
    project: Project, branch: str
) -> None:
    with pytest.raises(InvalidData) as caught:
        ci_workflows.filled(project.deps, ref=REF, branch=branch)
    assert caught.value.message == f"The branch {branch!r} cannot be named in a workflow."


@pytest.mark.parametrize("digest", ["0" * 64, "ab", "AB" * 32, "${{ x }}"])
def test_a_digest_that_is_none_is_refused(project: Project, digest: str) -> None:
    with pytest.raises(InvalidData) as caught:
        ci_workflows.filled(project.deps, ref=REF, digest=digest)
    assert caught.value.message == f"{digest!r} is no digest."


def test_they_are_written_once_and_not_over_what_a_person_has_changed(project: Project) -> None:
    found = ci_workflows.filled(project.deps, ref=REF)
    assert {one.how for one in found} == {How.NEW}
    ci_workflows.write(project.deps, found, replace=False)
    found = ci_workflows.filled(project.deps, ref=REF)
    assert {one.how for one in found} == {How.SAME}

    project.repo.write(".github/workflows/gitcmat.yml", "name: mine\n")
    found = ci_workflows.filled(project.deps, ref=REF)
    with pytest.raises(Conflict) as caught:
        ci_workflows.write(project.deps, found, replace=False)
    assert caught.value.message == ".github/workflows/gitcmat.yml: there already, and different."
    assert project.repo.read(".github/workflows/gitcmat.yml") == "name: mine\n"

    ci_workflows.write(project.deps, found, replace=True)
    assert f"@{REF}" in project.repo.read(".github/workflows/gitcmat.yml")
