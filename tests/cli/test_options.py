"""The options of `gitcmat` itself, before a command and behind it."""

from pathlib import Path

import pytest

from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project


@pytest.fixture
def elsewhere(repo: TestRepo, tmp_path: Path) -> tuple[Path, str]:
    """A folder outside of the repository, and the repository's path."""
    Project(repo).commit_task("one")
    return tmp_path, str(repo.path)


def test_what_may_stand_before_a_command_may_stand_behind_it(
    elsewhere: tuple[Path, str],
) -> None:
    folder, repo = elsewhere
    options = ("-C", repo, "--json", "--quiet", "--no-input", "--no-color")
    for command in (("status",), ("queue", "list"), ("task", "prompt", "one")):
        before = gitcmat(folder, *options, *command)
        behind = gitcmat(folder, *command, *options)
        assert (before.code, before.out, before.err) == (behind.code, behind.out, behind.err)
        assert behind.json["schema"] == 1


def test_two_folders_lead_from_one_to_the_other(elsewhere: tuple[Path, str]) -> None:
    folder, repo = elsewhere
    path = Path(repo)
    shown = gitcmat(folder, "-C", str(path.parent), "queue", "list", "-C", path.name).ok()
    assert shown.out == gitcmat(path, "queue", "list").ok().out


def test_nothing_is_asked_with_no_input_behind_the_command(repo: TestRepo) -> None:
    Project(repo, trusted=False)
    result = gitcmat(repo, "trust", "--no-input")
    assert result.code == 5
    assert "--digest" in result.err
