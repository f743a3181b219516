"""The person's own settings, and single settings read and written."""

from pathlib import Path

import pytest

from gitcmat.errors import Conflict, InvalidData, NotFound, Usage, UserError
from gitcmat.model.machine import Limits
from gitcmat.model.settings import CONFIG_KEYS, USER_KEYS, TaskTrust, UserSettings
from gitcmat.store import documents
from gitcmat.store.git import Git, Repository, discover
from gitcmat.store.preferences import Setting, get_setting, list_settings, set_setting
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
    path.parent.mkdir(parents=True)
    return path


def test_without_a_file_the_defaults_hold(found: Repository) -> None:
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


@pytest.fixture
def git(repo: TestRepo, found: Repository) -> Git:
    repo.commit("Use gitcmat", {".cmat/config.yaml": CONFIG})
    return Git(found.common_dir)


def test_every_setting_is_listed_with_its_origin(found: Repository, git: Git, own: Path) -> None:
    own.write_text("parallel: 4\nlimits:\n  memory: 1GB\n", encoding="utf-8")

    listed = list_settings(found, git)

    assert [f"{s.key} = {s.value} ({s.origin})" for s in listed] == [
        "allow_env = [] (default)",
        "branch.prefix = cmat (default)",
        "checkpoint_every = 5m (default)",
        "copy = [] (default)",
        "defaults.agent = None (default)",
        "defaults.attempts = 5 (.cmat/config.yaml:6)",
        "defaults.backoff = 10s (default)",
        "defaults.gates = None (default)",
        "defaults.idle_timeout = 10m (default)",
        "defaults.timeout = 30m (default)",
        "gates.tests.env = {} (default)",
        "gates.tests.protect = [] (default)",
        "gates.tests.run = ['pytest'] (.cmat/config.yaml:4)",
        "gates.tests.timeout = 10m (default)",
        "keep = ['.venv', 'node_modules', 'target'] (default)",
        "limits.disk = 500MB (default)",
        "limits.load = 32.0 (default)",
        "limits.logs = 2GB (default)",
        f"limits.memory = 1GB ({NAME}:3)",
        "limits.run_memory = 8GB (default)",
        "limits.run_processes = 1000 (default)",
        "limits.wait = 5m (default)",
        "notify = [] (default)",
        f"parallel = 4 ({NAME}:1)",
        "quiet = 2.0 (default)",
        "setup.run = [] (default)",
        "setup.timeout = 15m (default)",
        "setup.when = [] (default)",
        "tasks = own (default)",
        "trust_branch = None (default)",
        "view = True (default)",
        "workspaces = None (default)",
    ]


def test_one_setting_or_a_group_can_be_asked_for(found: Repository, git: Git) -> None:
    assert get_setting(found, git, "defaults.attempts") == Setting(
        "defaults.attempts", 5, ".cmat/config.yaml:6"
    )
    assert get_setting(found, git, "branch").value == {"prefix": "cmat"}
    with pytest.raises(NotFound) as refused:
        get_setting(found, git, "paralel")
    assert refused.value.message == "There is no setting 'paralel'."
    assert refused.value.hint == "did you mean parallel?"


def test_a_setting_of_the_repository_is_written_to_the_work_tree_and_left_to_commit(
    repo: TestRepo, found: Repository, git: Git
) -> None:
    with repo.as_person():
        written = set_setting(found, "defaults.agent", "codemod")

    assert repo.read(".cmat/config.yaml") == CONFIG + "  agent: codemod\n"
    assert (written.path, written.value) == (".cmat/config.yaml", "codemod")
    assert written.next == ("commit it: git commit -m 'Set defaults.agent' -- .cmat/config.yaml")
    assert get_setting(found, git, "defaults.agent").value is None  # not committed, not used

    with repo.as_person():
        set_setting(found, "defaults.agent", None)
    assert repo.read(".cmat/config.yaml") == CONFIG


def test_a_repository_without_config_gets_one(repo: TestRepo, found: Repository) -> None:
    set_setting(found, "keep", "[.venv]")

    assert repo.read(".cmat/config.yaml") == "schema: 1\nkeep:\n  - .venv\n"


def test_a_setting_of_the_person_is_written_for_this_repository(
    repo: TestRepo, found: Repository, own: Path
) -> None:
    own.write_text("# Mine.\nquiet: 1.0  # short\n", encoding="utf-8")

    written = set_setting(found, "parallel", "3")

    assert (written.path, written.next) == (NAME, "it holds at once")
    assert own.read_text(encoding="utf-8") == (
        f"# Mine.\nquiet: 1.0  # short\nrepositories:\n  {repo.path}:\n    parallel: 3\n"
    )
    assert load_user_settings(found) == UserSettings(parallel=3, quiet=1.0)

    set_setting(found, "trust_branch", "main")
    set_setting(found, "quiet", "3.0", everywhere=True)
    set_setting(found, "parallel", None)

    assert own.read_text(encoding="utf-8") == (
        f"# Mine.\nquiet: 3.0  # short\nrepositories:\n  {repo.path}:\n    trust_branch: main\n"
    )


def test_the_name_a_person_chose_for_a_repository_is_kept(
    repo: TestRepo, found: Repository, own: Path, home: Path
) -> None:
    (home / "link").symlink_to(repo.path)
    own.write_text("repositories:\n  ~/link:\n    parallel: 7 # many\n", encoding="utf-8")

    set_setting(found, "parallel", "8")

    assert own.read_text(encoding="utf-8") == "repositories:\n  ~/link:\n    parallel: 8 # many\n"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("parallel", "lots", f"{NAME}:3: parallel: expected int, got str"),
        ("tasks", "branch", f"{NAME}:3: tasks: branch needs trust_branch"),
        ("defaults.attempts", "99", ".cmat/config.yaml:3: defaults: attempts is 1 to 20"),
        (
            "defaults.attempt",
            "9",
            ".cmat/config.yaml:3: defaults.attempt: unknown key (did you mean 'attempts'?)",
        ),
        ("paralel", "4", "There is no setting 'paralel'."),
        ("schema", "4", "There is no setting 'schema'."),
        ("parallel", "[", "parallel: '[' is not a value"),
    ],
)
def test_nothing_is_written_that_would_be_wrong(
    repo: TestRepo, found: Repository, home: Path, key: str, value: str, message: str
) -> None:
    with pytest.raises(UserError) as refused:
        set_setting(found, key, value)

    assert refused.value.message == message
    assert repo.status() == ""
    assert not (home / ".config/gitcmat/config.yaml").exists()


def test_a_setting_of_the_repository_cannot_be_set_for_all(found: Repository) -> None:
    with pytest.raises(Usage, match="view is a setting of the repository"):
        set_setting(found, "view", "false", everywhere=True)


def test_a_link_is_not_written_through(repo: TestRepo, found: Repository, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("view: true\n", encoding="utf-8")
    (repo.path / ".cmat").mkdir()
    (repo.path / ".cmat/config.yaml").symlink_to(outside)

    with pytest.raises(InvalidData):
        set_setting(found, "view", "false")

    assert outside.read_text(encoding="utf-8") == "view: true\n"


def test_in_a_bare_repository_there_is_no_file_to_write(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))

    with pytest.raises(Conflict, match="A bare repository has no files to edit"):
        set_setting(discover(tmp_path / "bare.git"), "view", "false")


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
