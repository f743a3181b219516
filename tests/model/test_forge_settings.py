"""The person's own settings about a forge are refused where a token could go astray."""

import pytest

from gitcmat.model.forge_settings import AppSettings, ForgeSettings, PullMode


def test_nothing_is_published_by_itself() -> None:
    assert ForgeSettings().pull is PullMode.OFF
    assert ForgeSettings().approvals == 1


@pytest.mark.parametrize(
    "api", ["https://git.example/api/v3", "https://git.example/", "http://127.0.0.1:8080"]
)
def test_an_api_is_reached_safely(api: str) -> None:
    assert ForgeSettings(api=api).api == api


@pytest.mark.parametrize(
    "api",
    ["http://git.example", "https://pat:word@git.example", "git.example", "ftp://git.example"],
)
def test_an_address_that_would_show_the_token_is_refused(api: str) -> None:
    with pytest.raises(ValueError, match="api is an https:// address"):
        ForgeSettings(api=api)


def test_what_cannot_be_meant_is_refused() -> None:
    with pytest.raises(ValueError, match="remote is the name of a remote"):
        ForgeSettings(remote="--upload-pack=x")
    with pytest.raises(ValueError, match="approvals is 0 to 100"):
        ForgeSettings(approvals=-1)
    with pytest.raises(ValueError, match="the key of an app is a whole path"):
        AppSettings(id="1", key="key.pem")
