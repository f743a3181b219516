"""What a token may do is said with how that is known, and never guessed."""

from typing import Any

import pytest

from gitcmat.model.access import Access, TokenKind, kind_of, may, starts_workflows
from gitcmat.model.forge import Permission, Person, Repository
from gitcmat.model.secret import Secret

PAT = Person(login="pat")
EVERYTHING = ["push", "pull requests", "reviews", "checks", "statuses", "issues", "merge"]


def _access(permission: Permission, *, private: bool = False, **told: Any) -> Access:
    repository = Repository(
        name="acme/app",
        url="",
        default_branch="main",
        private=private,
        fork=False,
        permission=permission,
        methods=frozenset(),
    )
    return Access(repository=repository, **told)


def _allowed(kind: TokenKind, access: Access) -> dict[str, bool | None]:
    return {one.what: one.allowed for one in may(kind, PAT, access)}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("ghp_x", TokenKind.CLASSIC),
        ("github_pat_x", TokenKind.FINE_GRAINED),
        ("gho_x", TokenKind.OAUTH),
        ("ghu_x", TokenKind.APP_USER),
        ("ghs_x", TokenKind.INSTALLATION),
        ("0123456789012345678901234567890123456789", TokenKind.OTHER),
    ],
)
def test_a_token_tells_its_kind_by_its_first_letters(value: str, kind: TokenKind) -> None:
    assert kind_of(Secret(value)) is kind
    assert kind.words


def test_scopes_and_role_together_say_what_a_classic_token_may() -> None:
    everything = _access(Permission.WRITE, scopes=frozenset({"repo"}))
    assert _allowed(TokenKind.CLASSIC, everything) == {
        **dict.fromkeys(EVERYTHING, True),
        "checks": False,
    }
    public = frozenset({"public_repo"})
    assert _allowed(TokenKind.CLASSIC, _access(Permission.WRITE, scopes=public))["push"]
    hidden = _access(Permission.WRITE, scopes=public, private=True)
    assert not _allowed(TokenKind.CLASSIC, hidden)["push"]
    gist = _access(Permission.ADMIN, scopes=frozenset({"gist"}))
    assert set(_allowed(TokenKind.CLASSIC, gist).values()) == {False}
    none = _access(Permission.ADMIN, scopes=frozenset())
    assert set(_allowed(TokenKind.CLASSIC, none).values()) == {False}


def test_a_role_that_is_too_low_is_enough_to_say_no() -> None:
    triage = _access(Permission.TRIAGE)
    assert _allowed(TokenKind.FINE_GRAINED, triage) == {
        "push": False,
        "pull requests": False,
        "reviews": None,
        "checks": False,
        "statuses": False,
        "issues": None,
        "merge": False,
    }
    push = may(TokenKind.FINE_GRAINED, PAT, triage)[0]
    assert push.why == "pat has triage here, and it takes write"


def test_what_github_does_not_tell_is_not_known() -> None:
    fine = may(TokenKind.FINE_GRAINED, PAT, _access(Permission.ADMIN))
    assert fine[0].allowed is None
    assert fine[0].why == (
        "it takes contents: write, and GitHub does not tell whether the token has that"
    )
    of_workflow = _allowed(TokenKind.INSTALLATION, _access(Permission.NONE))
    assert set(of_workflow.values()) == {None}
    odd = _access(Permission.ADMIN, scopes=frozenset())
    assert _allowed(TokenKind.OAUTH, odd)["push"] is None


def test_a_token_of_no_known_kind_may_be_of_an_app_unless_it_has_the_scopes_of_a_person() -> None:
    checks = may(TokenKind.OTHER, PAT, _access(Permission.ADMIN))[3]
    assert (checks.what, checks.allowed) == ("checks", None)
    assert checks.why == (
        "only Apps and workflows make check runs, "
        "and the token does not tell whether it is one of theirs"
    )
    empty = _access(Permission.ADMIN, scopes=frozenset())
    assert _allowed(TokenKind.OTHER, empty)["checks"] is None
    scopes = _access(Permission.ADMIN, scopes=frozenset({"repo"}))
    assert _allowed(TokenKind.OTHER, scopes)["checks"] is False


def test_an_app_may_what_it_was_given() -> None:
    told = {"contents": "write", "pull_requests": "read", "checks": "write"}
    access = _access(Permission.NONE, permissions=told)
    assert _allowed(TokenKind.INSTALLATION, access) == {
        "push": True,
        "pull requests": False,
        "reviews": False,
        "checks": True,
        "statuses": False,
        "issues": False,
        "merge": True,
    }


def test_only_the_token_of_a_workflow_starts_none() -> None:
    assert not starts_workflows(Person(login="github-actions[bot]", bot=True))
    assert starts_workflows(Person(login="app-77[bot]", bot=True))
    assert starts_workflows(PAT)
