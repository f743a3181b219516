"""What somebody who is signed in to a forge may do there, and how that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from gitcmat.model.forge import Permission, Person, Repository
from gitcmat.model.secret import Secret

ACTIONS: Final = "github-actions[bot]"
"""Who works with the token that each workflow of GitHub Actions is given."""


class TokenKind(StrEnum):
    """What made a token; its first letters say it, and nothing else of it is looked at."""

    CLASSIC = "classic"
    FINE_GRAINED = "fine-grained"
    OAUTH = "oauth"
    APP_USER = "app-user"
    INSTALLATION = "installation"
    OTHER = "other"

    @property
    def words(self) -> str:
        """How people call it."""
        return _WORDS[self]


_WORDS: Final = {
    TokenKind.CLASSIC: "a classic personal access token",
    TokenKind.FINE_GRAINED: "a fine-grained personal access token",
    TokenKind.OAUTH: "a program's sign-in for a person",
    TokenKind.APP_USER: "an App's sign-in for a person",
    TokenKind.INSTALLATION: "a token of an App, or of a workflow",
    TokenKind.OTHER: "a token of a kind that is not known",
}
_PREFIXES: Final = {
    "ghp_": TokenKind.CLASSIC,
    "github_pat_": TokenKind.FINE_GRAINED,
    "gho_": TokenKind.OAUTH,
    "ghu_": TokenKind.APP_USER,
    "ghs_": TokenKind.INSTALLATION,
}


def kind_of(token: Secret | None) -> TokenKind:
    """Return what made a token; `TokenKind.OTHER` where there is none."""
    value = token.reveal() if token is not None else ""
    found = (kind for prefix, kind in _PREFIXES.items() if value.startswith(prefix))
    return next(found, TokenKind.OTHER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a credential was looked for."""

    name: str
    """As people know it: ``GH_TOKEN``, ``gh auth token``, …"""
    why: str = ""
    """Why there was nothing; empty where it was found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """Where the right to speak to a forge comes from; never the token itself."""

    place: str = ""
    kind: TokenKind = TokenKind.OTHER
    looked: tuple[Place, ...] = ()
    """All places that were looked at, in order; the last one has it, if any has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many requests a forge still answers."""

    left: int
    most: int
    until: datetime
    """When it is `most` again; aware, UTC."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What a forge tells of a token beside whose it is."""

    repository: Repository
    scopes: frozenset[str] | None = None
    """Of a classic token; None where the forge does not say."""
    permissions: Mapping[str, str] | None = None
    """Of an installation of an App, such as ``pull_requests: write``; None where nobody says."""
    expires: datetime | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class May:
    """Whether one thing may be done."""

    what: str
    allowed: bool | None
    """None where nobody can know before it is tried."""
    why: str


@dataclass(frozen=True, slots=True)
class Deed:
    """What one thing takes: a permission to write, or one of the scopes; and at least this role."""

    what: str
    permission: str
    role: Permission
    scopes: frozenset[str] = frozenset({"repo"})


_PUBLIC: Final = "public_repo"
"""A scope that does in public repositories what ``repo`` does."""
DEEDS: Final = (
    Deed("push", "contents", Permission.WRITE),
    Deed("pull requests", "pull_requests", Permission.WRITE),
    Deed("reviews", "pull_requests", Permission.READ),
    Deed("statuses", "statuses", Permission.WRITE, frozenset({"repo", "repo:status"})),
    Deed("issues", "issues", Permission.TRIAGE),
    Deed("merge", "contents", Permission.WRITE),
)
"""What gitcmat does there, beside check runs, which people cannot make."""
CHECKS: Final = "checks"
_RANKS: Final = tuple(Permission)


def may(kind: TokenKind, person: Person, access: Access) -> tuple[May, ...]:
    """Return what may be done by a token: yes, no, or not known, each with how that is known."""
    found = [_judged(deed, kind, person, access) for deed in DEEDS]
    found.insert(3, _check_runs(kind, access))
    return tuple(found)


def starts_workflows(person: Person) -> bool:
    """Whether what this account pushes starts workflows of GitHub Actions."""
    return person.login != ACTIONS


def _judged(deed: Deed, kind: TokenKind, person: Person, access: Access) -> May:
    wanted = f"{deed.permission.replace('_', ' ')}: write"
    if access.permissions is not None:
        has = access.permissions.get(deed.permission) == "write"
        why = f"the App has {wanted}" if has else f"the App lacks {wanted}"
        return May(what=deed.what, allowed=has, why=why)
    role = access.repository.permission
    by_role = f"{person.login} has {role.value} here"
    if kind is not TokenKind.INSTALLATION and _RANKS.index(role) < _RANKS.index(deed.role):
        return May(what=deed.what, allowed=False, why=f"{by_role}, and it takes {deed.role.value}")
    scopes = _scopes(kind, access)
    if scopes is None:
        why = f"it takes {wanted}, and GitHub does not tell whether the token has that"
        return May(what=deed.what, allowed=None, why=why)
    good = deed.scopes if access.repository.private else deed.scopes | {_PUBLIC}
    if scope := next(iter(sorted(scopes & good)), ""):
        why = f"{by_role}, and the token the scope {scope}"
        return May(what=deed.what, allowed=True, why=why)
    why = f"the token lacks the scope {' or '.join(sorted(deed.scopes))}"
    return May(what=deed.what, allowed=False, why=why)


def _check_runs(kind: TokenKind, access: Access) -> May:
    if access.permissions is not None:
        has = access.permissions.get(CHECKS) == "write"
        why = "the App has checks: write" if has else "the App lacks checks: write"
        return May(what=CHECKS, allowed=has, why=why)
    if kind is TokenKind.INSTALLATION:
        why = "it takes checks: write, and GitHub does not tell whether the token has that"
        return May(what=CHECKS, allowed=None, why=why)
    if kind is TokenKind.OTHER and not access.scopes:
        why = "only Apps and workflows make check runs, and the token does not tell whether it is"
        return May(what=CHECKS, allowed=None, why=f"{why} one of theirs")
    why = "only Apps and workflows make check runs; statuses are set in their place"
    return May(what=CHECKS, allowed=False, why=why)


def _scopes(kind: TokenKind, access: Access) -> frozenset[str] | None:
    """Return the scopes where they tell anything: other tokens may come with an empty list."""
    return access.scopes if access.scopes or kind is TokenKind.CLASSIC else None
