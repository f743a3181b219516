"""Addresses of remotes are read for where a repository is, and for nothing else."""

import pytest

from gitcmat.errors import InvalidData
from gitcmat.model.remote import Remote, api_of, how_to_sign_in, parse_remote, parse_slug


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://github.com/acme/app", "github.com"),
        ("https://github.com/acme/app.git", "github.com"),
        ("https://github.com/acme/app.git/", "github.com"),
        ("HTTPS://GitHub.com/acme/app", "github.com"),
        ("https://github.com:443/acme/app", "github.com"),
        ("https://pat:honey@github.com/acme/app.git", "github.com"),
        ("https://pat@mail:ho:ney@ghe.example:8443/acme/app.git", "ghe.example:8443"),
        ("ssh://git@github.com/acme/app.git", "github.com"),
        ("ssh://git@ghe.example:2222/acme/app.git", "ghe.example"),
        ("ssh://git@ssh.github.com:443/acme/app.git", "github.com"),
        ("git+ssh://git@github.com/acme/app", "github.com"),
        ("git@github.com:acme/app.git", "github.com"),
        ("github.com:acme/app.git", "github.com"),
        ("org-12@GHE.example:/acme/app", "ghe.example"),
        ("git://github.com/acme/app.git", "github.com"),
    ],
)
def test_every_way_to_write_a_remote_is_read(url: str, host: str) -> None:
    remote = parse_remote(url)

    assert remote == Remote(host=host, owner="acme", name="app")
    assert "honey" not in repr(remote)
    assert remote is not None
    assert remote.url == f"https://{host}/acme/app.git"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/srv/git/app.git",
        "../acme/app",
        "C:/acme/app",
        "file:///acme/app",
        "ext::sh -c date",
        "https://github.com/acme",
        "https://github.com/acme/app/tree/main",
        "https://github.com/acme/..",
        "https://github.com/-acme/app",
        "https://github.com/acme/app?x=1",
        "https://github.com/ac me/app",
        "https://github.com/acme/app\n",
        "https://evil\n.example/acme/app",
        "https://-evil/acme/app",
        "git@github.com:acme/app/more",
        "git@host:~/app",
        "javascript://github.com/acme/app",
    ],
)
def test_what_is_no_repository_on_a_forge_is_none(url: str) -> None:
    assert parse_remote(url) is None


def test_a_slug_is_an_owner_and_a_name() -> None:
    assert parse_slug("acme/app").slug == "acme/app"
    with pytest.raises(InvalidData, match="'acme' names no repository"):
        parse_slug("acme")


@pytest.mark.parametrize(
    ("host", "api"),
    [
        ("github.com", "https://api.github.com"),
        ("acme.ghe.com", "https://api.acme.ghe.com"),
        ("ghe.example:8443", "https://ghe.example:8443/api/v3"),
    ],
)
def test_every_host_has_its_api(host: str, api: str) -> None:
    assert api_of(host) == api


def test_how_one_signs_in_depends_on_the_host() -> None:
    """A token for github.com is sent to no other host: naming it would help nobody there."""
    assert how_to_sign_in("github.com") == "gh auth login, or set GH_TOKEN"
    assert how_to_sign_in("acme.ghe.com") == "gh auth login, or set GH_TOKEN"
    assert how_to_sign_in("git.acme.org") == (
        "gh auth login --hostname git.acme.org, or set GH_ENTERPRISE_TOKEN, "
        "with forge: {hosts: ['git.acme.org']} in your own settings"
    )
