"""A request as the fake's parts see it, and the table of what answers which."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from tests.support.fakegithub.shapes import ROLES, Shapes
from tests.support.fakegithub.world import Issue, Pull, Repo, Token, World

LONGEST: Final = 65536
_DOCS: Final = "https://docs.github.com/rest"


class Refuse(Exception):
    """Ends a call with an error."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers or {}
        self.body: dict[str, object] = {"message": message, "documentation_url": _DOCS}
        if errors is not None:
            self.body["errors"] = errors


@dataclass
class Reply:
    """An answer."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    text: str | None = None
    """What is sent instead of JSON."""
    key: str = ""
    """Where in the body the items are that are sent page by page; empty when it is a list."""


@dataclass
class Call:
    """A request by somebody who is known."""

    world: World
    shapes: Shapes
    token: Token
    parts: dict[str, str]
    """What the path says: `owner`, `repo`, `number`, …"""
    query: dict[str, str]
    body: Any
    url: str

    @property
    def repo(self) -> Repo:
        """The repository that the path names."""
        slug = f"{self.parts['owner']}/{self.parts['repo']}".lower()
        repos = self.world.repos.items()
        found = next((repo for name, repo in repos if name.lower() == slug), None)
        if found is None or (found.private and self.token.login not in found.roles):
            raise Refuse(404, "Not Found")
        return found

    @property
    def issue(self) -> Issue:
        """The issue or pull request that the path names."""
        return self._in(self.repo.issues)

    @property
    def pull_issue(self) -> Issue:
        """The pull request that the path names, as an issue."""
        return self._in(self.repo.pulls)

    @property
    def pull(self) -> Pull:
        """The pull request that the path names."""
        pull = self.pull_issue.pull
        assert pull is not None
        return pull

    def _in(self, issues: dict[int, Issue]) -> Issue:
        number = self.parts["number"]
        if not number.isdigit() or int(number) not in issues:
            raise Refuse(404, "Not Found")
        return issues[int(number)]

    def want(self, role: str) -> None:
        """Refuse to who is less than `role` in the repository."""
        has = self.repo.roles.get(self.token.login, "read")
        if ROLES.index(has) < ROLES.index(role):
            raise Refuse(403, f"Must have {role} rights to Repository.")


Answerer = Callable[[Call], Reply]


@dataclass(frozen=True)
class Route:
    """What answers a kind of request, and the permission that a token needs for it."""

    verb: str
    pattern: re.Pattern[str]
    permission: str
    level: str
    answer: Answerer


ROUTES: Final[list[Route]] = []


def route(verb: str, path: str, needs: str = "") -> Callable[[Answerer], Answerer]:
    """Have a function answer `verb` at `path`; `needs` is a permission, ``issues=write``."""
    pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
    permission, _, level = needs.partition("=")

    def keep(answer: Answerer) -> Answerer:
        ROUTES.append(Route(verb, re.compile(pattern), permission, level, answer))
        return answer

    return keep


def check_permission(found: Route, token: Token) -> None:
    """Refuse what the token is not for."""
    scopes = {"repo"} if token.scopes is None else set(token.scopes)
    if found.level == "write" and not scopes & {"repo", "public_repo"}:
        raise Refuse(404, "Not Found", headers={"x-accepted-oauth-scopes": "public_repo, repo"})
    if token.permissions is None or not found.permission:
        return
    has = token.permissions.get(found.permission, "")
    if has in {"write", found.level}:
        return
    kind = "integration" if token.app else "personal access token"
    raise Refuse(
        403,
        f"Resource not accessible by {kind}",
        headers={"x-accepted-github-permissions": f"{found.permission}={found.level}"},
    )


def refuse_long(text: str | None) -> None:
    """Refuse a body with more characters than GitHub takes."""
    if len(text or "") > LONGEST:
        message = f"body is too long (maximum is {LONGEST} characters)"
        raise invalid({"resource": "Issue", "code": "custom", "message": message})


def invalid(*errors: dict[str, str]) -> Refuse:
    """Return the refusal of a request that makes no sense."""
    return Refuse(422, "Validation Failed", errors=list(errors))
