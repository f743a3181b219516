"""What agents, setup and gates see of the user's environment."""

from pathlib import Path

import pytest

from gitcmat.errors import NotTrusted
from gitcmat.system.environment import agent_environment, clean_path, find_program, is_forbidden

ALLOWED = {
    "PATH": "/usr/bin:/bin",
    "HOME": "/home/u",
    "USER": "u",
    "LOGNAME": "u",
    "SHELL": "/bin/zsh",
    "LANG": "C.UTF-8",
    "LC_ALL": "C",
    "LC_TIME": "de_DE",
    "TERM": "xterm",
    "TZ": "UTC",
    "TMPDIR": "/home/u/tmp",
    "XDG_CONFIG_HOME": "/home/u/.config",
    "http_proxy": "http://proxy",
    "HTTPS_PROXY": "http://proxy",
    "NO_PROXY": "localhost",
    "SSL_CERT_FILE": "/etc/ca.pem",
    "NODE_EXTRA_CA_CERTS": "/etc/ca.pem",
    "REQUESTS_CA_BUNDLE": "/etc/ca.pem",
    "CMAT_RUN": "r-abcdefgh",
    "CMAT_TASK": "parse-dates",
}
DROPPED = {
    "VIRTUAL_ENV": "/home/u/venv",
    "PYTHONPATH": "/home/u/lib",
    "LD_PRELOAD": "/home/u/lib.so",
    "NODE_OPTIONS": "--require x",
    "ANTHROPIC_API_KEY": "sk",
    "AWS_SECRET_ACCESS_KEY": "x",
    "DATABASE_URL": "x",
    "EDITOR": "vi",
    "PATH_INFO": "x",
    "HOMEBREW_PREFIX": "/opt",
    "LCX": "x",
    "GITCMAT_TRACE": "/trace",
}
FORBIDDEN = {
    "SSH_AUTH_SOCK": "/agent",
    "GIT_DIR": "/repo/.git",
    "GIT_SSH_COMMAND": "evil",
    "GIT_CONFIG_COUNT": "1",
    "GIT_ASKPASS": "x",
    "SSH_ASKPASS": "x",
    "SUDO_ASKPASS": "x",
    "GH_TOKEN": "x",
    "GITHUB_TOKEN": "x",
    "GH_ENTERPRISE_TOKEN": "x",
    "GITHUB_PAT": "x",
    "GITLAB_TOKEN": "x",
    "GITLAB_PRIVATE_TOKEN": "x",
    "CI_JOB_TOKEN": "x",
    "GITEA_TOKEN": "x",
    "BITBUCKET_TOKEN": "x",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "x",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "x",
}


def test_only_what_is_on_the_list_is_passed_on() -> None:
    base = ALLOWED | DROPPED | FORBIDDEN
    assert agent_environment(base, set={}, pass_env=(), drop_paths=()) == ALLOWED


def test_what_is_set_wins_and_what_is_named_is_passed() -> None:
    base = {"PATH": "/bin", "TZ": "UTC", "DATABASE_URL": "db", "EDITOR": "vi"}
    made = agent_environment(
        base,
        set={"TZ": "CET", "MODE": "test"},
        pass_env=["DATABASE_URL", "NOT_THERE"],
        drop_paths=(),
    )
    assert made == {"PATH": "/bin", "TZ": "CET", "DATABASE_URL": "db", "MODE": "test"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_forbidden_variable_is_refused_unless_the_user_allows_it(name: str) -> None:
    assert is_forbidden(name)
    base = {"PATH": "/bin", name: "secret"}
    for given, passed in (({name: "x"}, []), ({}, [name])):
        with pytest.raises(NotTrusted) as caught:
            agent_environment(base, set=given, pass_env=passed, drop_paths=())
        assert caught.value.message == (
            f"The variable {name} may not be given to agents or gates by a repository."
        )
        assert caught.value.hint == "Remove it there, or allow it in your own settings."
    made = agent_environment(base, set={}, pass_env=[name], drop_paths=(), allow_forbidden={name})
    assert made[name] == "secret"
    unasked = agent_environment(base, set={}, pass_env=(), drop_paths=(), allow_forbidden={name})
    assert name not in unasked


@pytest.mark.parametrize("name", [*ALLOWED, *DROPPED, "OPENAI_API_KEY", "DIGIT_TOKEN", "LEGIT_X"])
def test_other_names_are_not_forbidden(name: str) -> None:
    assert not is_forbidden(name)


def test_the_path_has_no_entry_of_the_repository_and_none_that_is_not_absolute(
    tmp_path: Path,
) -> None:
    repository, elsewhere = tmp_path / "repo", tmp_path / "repo-tools"
    (repository / "bin").mkdir(parents=True)
    elsewhere.mkdir()
    (tmp_path / "link").symlink_to(repository / "bin")
    (tmp_path / "alias").symlink_to(repository)
    entries = [
        "",
        ".",
        "bin",
        "../bin",
        f"{repository}/bin",
        f"{repository}",
        f"{tmp_path}/link",
        f"{tmp_path}/alias/bin",
        f"{elsewhere}/../repo/bin",
        f"{elsewhere}",
        "/usr/bin",
        "/usr/bin",
        "/no/such/folder",
    ]
    expected = f"{elsewhere}:/usr/bin:/no/such/folder"
    for root in (repository, tmp_path / "alias"):
        assert clean_path(":".join(entries), [root]) == expected
        made = agent_environment(
            {"PATH": ":".join(entries)}, set={}, pass_env=(), drop_paths=[root]
        )
        assert made["PATH"] == expected


def test_a_path_that_the_repository_sets_is_cleaned_too(tmp_path: Path) -> None:
    made = agent_environment(
        {"PATH": "/bin"}, set={"PATH": f".:{tmp_path}:/usr/bin"}, pass_env=(), drop_paths=[tmp_path]
    )
    assert made["PATH"] == "/usr/bin"


def test_the_workspaces_own_environment_comes_first_and_the_inherited_one_is_gone(
    tmp_path: Path,
) -> None:
    venv = tmp_path / ".venv"
    base = {"PATH": f"{venv}/bin:/usr/bin", "VIRTUAL_ENV": "/home/u/venv"}

    def made() -> dict[str, str]:
        return agent_environment(base, set={}, pass_env=(), drop_paths=[tmp_path], venv=venv)

    assert made() == {"PATH": "/usr/bin"}
    (venv / "bin").mkdir(parents=True)
    assert made() == {"PATH": f"{venv}/bin:/usr/bin", "VIRTUAL_ENV": str(venv)}


def program(path: Path, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)
    return path


def test_a_program_is_found_outside_the_forbidden_folders(tmp_path: Path) -> None:
    repository, tools, late = tmp_path / "repo", tmp_path / "tools", tmp_path / "late"
    program(repository / "agent")
    program(tools / "agent", mode=0o644)
    (tools / "folder").mkdir()
    (tools / "sly").symlink_to(repository / "agent")
    program(late / "agent")
    env = {"PATH": f"{repository}:.:{tools}:{late}"}
    assert find_program("agent", env) == repository / "agent"
    assert find_program("agent", env, [repository]) == late / "agent"
    for name in ("folder", "sly", "missing", "", "..", "repo/agent", "./agent", "/no/such"):
        assert find_program(name, env, [repository]) is None, name
    assert find_program(str(late / "agent"), env, [repository]) == late / "agent"
    assert find_program(str(repository / "agent"), env, [repository]) is None
    assert find_program("sh", {}, []) is not None
