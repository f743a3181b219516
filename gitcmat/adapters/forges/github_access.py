"""What GitHub tells of a token, in the headers of any answer."""

from collections.abc import Mapping
from datetime import UTC, datetime

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import repository
from gitcmat.model.access import Access, Rate


def access(to: GitHubConnection) -> Access:
    """Ask for the repository, and read what comes along."""
    body, headers = to.headed(to.repo, what="show the repository", needs="metadata: read")
    return Access(
        repository=repository(body),
        scopes=_scopes(headers),
        permissions=to.permissions,
        expires=_expires(headers),
        rate=_rate(headers),
    )


def _scopes(headers: Mapping[str, str]) -> frozenset[str] | None:
    said = headers.get("x-oauth-scopes")
    return None if said is None else frozenset(w for w in said.replace(",", " ").split() if w)


def _expires(headers: Mapping[str, str]) -> datetime | None:
    """Read ``2026-12-01 09:00:00 UTC`` or the same with an offset, as GitHub writes both."""
    said = headers.get("github-authentication-token-expiration", "")
    try:
        found = datetime.fromisoformat(said.replace(" UTC", "+00:00"))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


def _rate(headers: Mapping[str, str]) -> Rate | None:
    names = ("remaining", "limit", "reset")
    said = [headers.get(f"x-ratelimit-{name}", "") for name in names]
    if not all(value.isdigit() for value in said):
        return None  # GitHub Enterprise has no limits unless they are switched on
    left, most, reset = map(int, said)
    return Rate(left=left, most=most, until=datetime.fromtimestamp(reset, UTC))
