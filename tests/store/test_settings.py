"""The person's own settings, and single settings read and written."""

from pathlib import Path

import pytest

from gitcmat.errors import InvalidData
from gitcmat.model.machine import Limits
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS, TaskTrust, UserSettings
from gitcmat.store import documents
from gitcmat.store.git import Repository, discover
from gitcmat.store.settings import (
    OwnSettings,
    load_personal,
    load_user_settings,
    settings_file,
)
from tests.support.repo import TestRepo

NAME = "~/.config/gitcmat/config.yaml"


@pytest.fixture
def found(repo: TestRepo) -> Repository:
    return discover(repo.path)


@pytest.fixture
def own(home: Path) -> Path:
    path = home / ".config/gitcmat/config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_without_a_file_the_defaults_hold(found: Repository, own: Path) -> None:
    own.unlink()
    assert load_user_settings(found) == UserSettings()


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "schema: 1\n", "repositories:\n"])
def test_a_file_that_says_nothing_is_fine(found: Repository, own: Path, text: str) -> None:
    own.write_text(text, encoding="utf-8")

    assert load_user_settings(found) == UserSettings()


def test_keys_of_a_repository_win_over_those_for_all(
    repo: TestRepo, found: Repository, own: Path
) -> None:
    own.write_text(
        f"parallel: 4\nquiet: 1.5\nrepositories:\n"
        f"  {repo.path}:\n    parallel: 1\n    tasks: branch\n    trust_branch: main\n"
        f"  /elsewhere:\n    quiet: 9.0\n",
        encoding="utf-8",
    )

    personal = load_personal(found)

    assert personal.settings == UserSettings(
        parallel=1, quiet=1.5, tasks=TaskTrust.BRANCH, trust_branch="main"
    )
    assert personal.origins == {
        "parallel": f"{NAME}:5",
        "quiet": f"{NAME}:2",
        "tasks": f"{NAME}:6",
        "trust_branch": f"{NAME}:7",
    }


def test_of_a_group_each_setting_of_a_repository_wins_for_itself(
    repo: TestRepo, found: Repository, own: Path
) -> None:
    own.write_text(
        f"limits:\n  memory: 1GB\n  disk: 2GB\nrepositories:\n"
        f"  {repo.path}:\n    limits:\n      disk: 3GB\n",
        encoding="utf-8",
    )

    personal = load_personal(found)

    assert personal.settings.limits == Limits(memory="1GB", disk="3GB")
    assert personal.origins == {
        "limits": f"{NAME}:6",
        "limits.memory": f"{NAME}:2",
        "limits.disk": f"{NAME}:7",
    }


def test_a_repository_is_known_by_its_real_path(
    repo: TestRepo, own: Path, home: Path, tmp_path: Path
) -> None:
    (home / "link").symlink_to(repo.path)
    own.write_text("repositories:\n  ~/link:\n    parallel: 7\n", encoding="utf-8")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"), "-b", "side")

    for place in (repo.path, home / "link", tmp_path / "linked"):
        assert load_user_settings(discover(place)).parallel == 7


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("paralel: 4\n", f"{NAME}:1: paralel: unknown key (did you mean 'parallel'?)", ""),
        ("schema: 1\ngates: {}\n", f"{NAME}:2: gates: belongs in .cmat/config.yaml", ""),
        ("defaults:\n  agent: a\n", f"{NAME}:1: defaults: belongs in .cmat/config.yaml", ""),
        ("parallel: many\n", f"{NAME}:1: parallel: expected int, got str", ""),
        (
            "allow_env: [X, A B]\n",
            f"{NAME}:1: allow_env: 'A B' is no name of a variable",
            "letters, digits and underscores, and no digit first, such as API_KEY",
        ),
        ("parallel: 0\n", f"{NAME}:1: parallel is 1 to 256", ""),
        (
            "limits:\n  disk: 1\n",
            f"{NAME}:2: limits.disk: expected str, got int (quote it?)",
            "",
        ),
        (
            "limits:\n  disk: lots\n",
            f"{NAME}:2: limits.disk: 'lots' is not a size (write 500MB or 1.5GB)",
            "",
        ),
        ("tasks: all\n", f"{NAME}:1: tasks: 'all' is not one of own, branch", ""),
        ("schema: 9\n", f"{NAME}:1: is schema 9, this gitcmat knows 1", "upgrade gitcmat"),
        ("- a\n", f"{NAME}:1: is not a mapping", "write key: value"),
        ("repositories: 1\n", f"{NAME}:1: repositories: expected mapping of paths", ""),
        ("repositories:\n  /a: 1\n", f"{NAME}:2: repositories./a: expected mapping", ""),
        (
            "repositories:\n  a/b:\n    parallel: 1\n",
            f"{NAME}:2: repositories.a/b: is not a whole path",
            "write it from / or ~/",
        ),
        (
            "repositories:\n  /elsewhere:\n    paralell: 1\n",
            f"{NAME}:3: paralell: unknown key (did you mean 'parallel'?)",
            "",
        ),
        (
            "parallel: 2\nrepositories:\n  /elsewhere:\n    parallel: 0\n",
            f"{NAME}:4: parallel is 1 to 256",
            "",
        ),
    ],
)
def test_wrong_settings_are_named_by_line(
    found: Repository, own: Path, text: str, message: str, hint: str
) -> None:
    own.write_text(text, encoding="utf-8")

    with pytest.raises(InvalidData) as refused:
        load_user_settings(found)

    assert (refused.value.message, refused.value.hint) == (message, hint)


@pytest.mark.parametrize("key", sorted(USER_KEYS))
def test_no_repository_decides_what_is_the_person_s_to_decide(key: str) -> None:
    with pytest.raises(InvalidData) as refused:
        documents.config(f"schema: 1\n{key}: x\n".encode(), name=".cmat/config.yaml")

    assert refused.value.message == f".cmat/config.yaml:2: {key}: belongs in {NAME}"


@pytest.mark.parametrize("key", sorted(CONFIG_KEYS - {"schema"}))
def test_what_belongs_to_the_repository_is_refused_in_the_file_of_the_person(
    found: Repository, own: Path, key: str
) -> None:
    for text in (f"{key}: x\n", f"repositories:\n  {found.root}:\n    {key}: x\n"):
        own.write_text(text, encoding="utf-8")
        line = text.count("\n")

        with pytest.raises(InvalidData) as refused:
            load_user_settings(found)

        assert refused.value.message == f"{NAME}:{line}: {key}: belongs in .cmat/config.yaml"


# --- get, set, list -------------------------------------------------------------------------------

CONFIG = "# Ours.\ngates:\n  tests:\n    run: [pytest]   # quick\ndefaults:\n  attempts: 5\n"


def test_settings_are_read_again_when_the_file_changes(repo: TestRepo) -> None:
    own = OwnSettings(discover(repo.path))
    assert own.now().parallel == UserSettings().parallel
    file = settings_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("parallel: 5\n")
    assert own.now().parallel == 5
    file.write_text("parallel: many, please\n")
    with pytest.raises(InvalidData):
        own.now()
    file.unlink()
    assert own.now().parallel == UserSettings().parallel
