"""The doctor says where pull requests go, or what is in their way, and asks no forge."""

from pathlib import Path

import pytest

from gitcmat.engine.doctor import doctor
from tests.support.project import Project
from tests.support.repo import TestRepo

FORGES = "https://github.com/acme/app.git"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def _told(project: Project) -> list[tuple[str, str]]:
    project.reopen()
    found = doctor(project.deps).findings
    return [(str(one.severity), one.what) for one in found if one.id.startswith("forge")]


def test_who_wants_none_is_told_nothing(project: Project) -> None:
    assert _told(project) == []


def test_a_remote_that_is_not_there_is_told(project: Project) -> None:
    project.settings(forge={"pull": "draft"})
    assert _told(project) == [
        ("serious", "Pull requests have no place to go: the remote 'origin' does not exist")
    ]
    project.repo.git("remote", "add", "origin", str(project.path))
    ((_, what),) = _told(project)
    assert what.endswith("to go: the remote 'origin' is on no forge that gitcmat knows")


def test_where_they_go_is_told(project: Project) -> None:
    project.settings(forge={"pull": "draft"})
    project.repo.git("remote", "add", "origin", FORGES)
    assert _told(project) == [("info", "Pull requests go to acme/app on github.com")]


def test_an_enterprise_that_the_settings_do_not_name_is_told(project: Project) -> None:
    project.settings(forge={"pull": "draft"})
    project.repo.git("remote", "add", "origin", FORGES.replace("github.com", "ghe.example"))
    ((severity, what),) = _told(project)
    assert (severity, what.partition(",")[0]) == ("minor", "ghe.example may be GitHub Enterprise")
    project.settings(forge={"pull": "draft", "hosts": ["ghe.example"]})
    assert _told(project) == [("info", "Pull requests go to acme/app on ghe.example")]


def test_a_key_that_cannot_be_used_is_told(project: Project, home: Path) -> None:
    project.repo.git("remote", "add", "origin", FORGES)
    key = home / "app.pem"
    project.settings(forge={"pull": "draft", "app": {"id": "77", "key": str(key)}})
    missing = "The key of the GitHub App 77 cannot be read: No such file or directory"
    assert ("serious", missing) in _told(project)
    key.write_text("honey", encoding="utf-8")
    key.chmod(0o644)
    open_to_all = "Others may read the key of the GitHub App 77; it is not used"
    assert ("serious", open_to_all) in _told(project)
    key.chmod(0o600)
    assert _told(project) == [("info", "Pull requests go to acme/app on github.com")]
