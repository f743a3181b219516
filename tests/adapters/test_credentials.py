"""Tokens are found where people keep them, shown to nobody else, and kept nowhere."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.adapters.forges import open_github, sign_in
from gitcmat.adapters.forges.credentials import (
    Look,
    Seeker,
    api_address,
    find_credential,
    looks,
)
from gitcmat.adapters.forges.logins import AppKey
from gitcmat.errors import InvalidData
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from gitcmat.system.clock import SystemClock
from tests.support.repo import TestRepo

HERE = Remote(host="github.com", owner="acme", name="app")
CORP = Remote(host="ghe.example", owner="acme", name="app")
EVIL = Remote(host="evil.example", owner="acme", name="app")
APP = AppKey(app="77", key_file=Path("/nowhere/app.pem"))


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder of programs of the person's, the first in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def seeker(repo: TestRepo, programs: Path, home: Path) -> Seeker:
    """Somebody with nothing: no token, no helper, and a `gh` that knows nobody."""
    _program(programs / "gh", "exit 1")
    env = {name: value for name, value in os.environ.items() if "TOKEN" not in name}
    env |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "HOME": str(home)}
    env |= {"GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}
    return Seeker(env=env, cwd=repo.path)


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)


def _helper(seeker: Seeker, script: str) -> None:
    """Give the person a credential helper."""
    path = Path(seeker.env["HOME"], "helper")
    _program(path, script)
    Path(seeker.env["GIT_CONFIG_GLOBAL"]).write_text(
        f"[credential]\n\thelper = {path}\n", encoding="utf-8"
    )


def _with(seeker: Seeker, env: Mapping[str, str]) -> Seeker:
    return replace(seeker, env={**seeker.env, **env})


def _found(remote: Remote, seeker: Seeker) -> tuple[str, str] | None:
    look = find_credential(remote, seeker)
    if look is None:
        return None
    assert isinstance(look.found, Secret)
    return look.place, look.found.reveal()


def test_the_first_place_that_has_a_token_is_taken(seeker: Seeker, programs: Path) -> None:
    assert find_credential(HERE, seeker) is None
    seeker = replace(seeker, app=APP)
    assert find_credential(HERE, seeker) == Look(place="GitHub App", found=APP)
    _program(programs / "gh", 'test "$*" = "auth token --hostname github.com" && echo honey_gh')
    assert _found(HERE, seeker) == ("gh auth token", "honey_gh")
    _helper(seeker, 'test "$1" = get && echo username=pat && echo password=honey_git')
    assert _found(HERE, seeker) == ("git credential fill", "honey_git")
    seeker = _with(seeker, {"GITHUB_TOKEN": "honey_two"})
    assert _found(HERE, seeker) == ("GITHUB_TOKEN", "honey_two")
    seeker = _with(seeker, {"GH_TOKEN": " honey_one\n"})
    assert _found(HERE, seeker) == ("GH_TOKEN", "honey_one")


def test_each_place_says_why_it_has_nothing(seeker: Seeker) -> None:
    found = [*looks(HERE, _with(seeker, {"GITHUB_TOKEN": "two words"}))]

    assert [(look.place, look.why) for look in found] == [
        ("GH_TOKEN", "it is not set"),
        ("GITHUB_TOKEN", "what is there is no token"),
        ("git credential fill", "git has nothing (exit code 128)"),
        ("gh auth token", "gh has nothing (exit code 1)"),
        ("GitHub App", "your own settings name none"),
    ]


def test_programs_that_are_not_there_are_told(seeker: Seeker, programs: Path) -> None:
    (programs / "gh").unlink()
    (programs / "git").symlink_to(_which("git"))

    found = [*looks(HERE, _with(seeker, {"PATH": str(programs)}))]

    assert ("gh auth token", "gh is not installed") in [(look.place, look.why) for look in found]


def test_no_program_of_a_repository_is_started(seeker: Seeker) -> None:
    folder = seeker.cwd / "bin"
    folder.mkdir()
    _program(folder / "gh", "touch started; echo honey_planted")
    path = os.pathsep.join([str(folder), seeker.env["PATH"]])

    assert find_credential(
        HERE, replace(_with(seeker, {"PATH": path}), forbidden=[seeker.cwd])
    ) is (None)
    assert not (seeker.cwd / "started").exists()


def test_nobody_is_asked_for_a_password(seeker: Seeker, tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    _program(tmp_path / "ask", f"touch {asked}; echo honey")
    ask = str(tmp_path / "ask")
    Path(seeker.env["GIT_CONFIG_GLOBAL"]).write_text(f"[core]\n\taskPass = {ask}\n")

    found = find_credential(HERE, _with(seeker, {"GIT_ASKPASS": ask, "SSH_ASKPASS": ask}))

    assert found is None
    assert not asked.exists()


@pytest.mark.parametrize("name", ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN"])
def test_a_token_is_shown_to_no_stranger(seeker: Seeker, name: str) -> None:
    assert _found(EVIL, replace(_with(seeker, {name: "honey"}), app=APP)) is None


@pytest.mark.parametrize(
    ("remote", "env", "place"),
    [
        (CORP, {"GH_ENTERPRISE_TOKEN": "honey", "GH_HOST": "ghe.example"}, "GH_ENTERPRISE_TOKEN"),
        (CORP, {"GH_TOKEN": "honey", "GH_HOST": "ghe.example"}, None),
        (
            CORP,
            {"GITHUB_TOKEN": "honey", "GITHUB_SERVER_URL": "https://ghe.example"},
            "GITHUB_TOKEN",
        ),
        (HERE, {"GITHUB_TOKEN": "honey", "GITHUB_SERVER_URL": "https://ghe.example"}, None),
        (
            HERE,
            {"GITHUB_TOKEN": "honey", "GITHUB_SERVER_URL": "https://github.com"},
            "GITHUB_TOKEN",
        ),
        (HERE, {"GH_ENTERPRISE_TOKEN": "honey", "GH_HOST": "github.com"}, None),
        (replace(HERE, host="acme.ghe.com"), {"GH_TOKEN": "honey"}, "GH_TOKEN"),
        (replace(HERE, host="evil-ghe.com"), {"GH_TOKEN": "honey"}, None),
    ],
)
def test_a_token_of_the_environment_goes_where_it_belongs(
    seeker: Seeker, remote: Remote, env: dict[str, str], place: str | None
) -> None:
    found = _found(remote, _with(seeker, env))

    assert found == (None if place is None else (place, "honey"))


def test_an_enterprise_that_the_settings_name_is_no_stranger(seeker: Seeker) -> None:
    named = replace(_with(seeker, {"GH_ENTERPRISE_TOKEN": "honey"}), hosts=("ghe.example",))

    assert _found(CORP, named) == ("GH_ENTERPRISE_TOKEN", "honey")
    alone = replace(seeker, hosts=("ghe.example",), app=APP)
    assert find_credential(CORP, alone) == Look(place="GitHub App", found=APP)


def test_other_programs_see_no_token_of_the_environment(seeker: Seeker, programs: Path) -> None:
    _program(programs / "gh", 'env | grep -c honey > "$HOME/seen"; exit 1')
    _helper(seeker, 'env | grep -c honey > "$HOME/seen-too"; exit 1')
    tokens = {"GH_TOKEN": "honey", "GITHUB_TOKEN": "honey", "GH_ENTERPRISE_TOKEN": "honey"}

    assert find_credential(EVIL, _with(seeker, tokens)) is None

    home = Path(seeker.env["HOME"])
    assert (home / "seen").read_text() == (home / "seen-too").read_text() == "0\n"


def test_a_token_leaves_no_trace(
    seeker: Seeker, programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITCMAT_TRACE", str(tmp_path / "trace"))
    _program(programs / "gh", "echo honey_gh; echo honey_gh >&2")
    _helper(seeker, "echo username=pat; echo password=honey_git")

    found = [*looks(HERE, _with(seeker, {"GH_TOKEN": "honey_env"}))]

    assert [look.found for look in found if look.found] == [
        Secret("honey_env"),
        Secret("honey_git"),
        Secret("honey_gh"),
    ]
    assert "honey" not in repr(found)
    assert "credential fill" in (tmp_path / "trace").read_text()
    for root in (tmp_path, Path(seeker.env["HOME"])):
        for file in root.rglob("*"):
            if file.is_file() and file.name not in {"gh", "helper"}:
                assert b"honey" not in file.read_bytes(), file


def test_a_workflow_says_where_its_api_is() -> None:
    env = {"GITHUB_SERVER_URL": "https://ghe.example", "GITHUB_API_URL": "https://ghe.example/api"}

    assert api_address(CORP, env) == "https://ghe.example/api"
    assert api_address(HERE, env) == ""
    assert api_address(HERE, {"GITHUB_API_URL": "https://evil.example"}) == ""


def test_a_token_goes_over_no_open_net() -> None:
    login = sign_in(HERE, Secret("honey"), clock=SystemClock())

    with pytest.raises(InvalidData, match="it is not https"):
        open_github(HERE, login, clock=SystemClock(), api="http://ghe.example/api/v3")
    open_github(HERE, login, clock=SystemClock())


def test_looking_for_credentials_costs_no_library() -> None:
    code = "import sys, gitcmat.adapters.forges.credentials as _; print('github' in sys.modules)"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, check=True)

    assert done.stdout == b"False\n"


def _which(name: str) -> Path:
    return next(
        path
        for folder in os.environ["PATH"].split(os.pathsep)
        if (path := Path(folder, name)).is_file()
    )
