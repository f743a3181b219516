"""GitHub behind the port."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from gitcmat.adapters.forges import github_access
from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import comment, issue, moment, repository
from gitcmat.adapters.forges.github_checks import GitHubChecks
from gitcmat.adapters.forges.github_issues import GitHubComments, GitHubIssues, moment_text
from gitcmat.adapters.forges.github_pulls import GitHubPulls
from gitcmat.adapters.forges.github_reviews import GitHubReviews
from gitcmat.forge import NotVisible
from gitcmat.model.access import Access
from gitcmat.model.forge import Bookmark, Changes, Permission, Person, Repository

_OVERLAP: Final = timedelta(seconds=10)
"""GitHub's lists may show a change a little later than one that came after it."""

_BEGINNING: Final = datetime(2008, 1, 1, tzinfo=UTC)
"""Before there was a GitHub."""

# The other interface tells it to people alone, and not to Apps.
_VIEWER: Final = "query Viewer { viewer { login databaseId __typename } }"
_BOT: Final = "[bot]"


class GitHubForge:
    """Fills `gitcmat.forge.Forge`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection
        self.pulls = GitHubPulls(connection)
        self.reviews = GitHubReviews(connection)
        self.comments = GitHubComments(connection)
        self.checks = GitHubChecks(connection)
        self.issues = GitHubIssues(connection)

    def whoami(self) -> Person:
        viewer = self._to.query(_VIEWER, what="say whose token this is")["viewer"]
        login = viewer["login"]
        bot = login.endswith(_BOT) or viewer["__typename"] == "Bot"
        return Person(login=login, id=viewer["databaseId"] or 0, bot=bot)

    def repository(self) -> Repository:
        what = "show the repository"
        return repository(self._to.get(self._to.repo, what=what, needs="metadata: read"))

    def access(self) -> Access:
        return github_access.access(self._to)

    def permission(self, login: str) -> Permission:
        place = f"{self._to.repo}/collaborators/{quote(login, safe='')}/permission"
        try:
            found = self._to.get(place, what=f"say what {login} may do", needs="metadata: read")
        except NotVisible:  # nobody of that name, or nobody that it tells us of
            return Permission.NONE
        return _permission(found)

    def latest(self) -> Bookmark:
        # What is new is told by times of GitHub's own clock, which only its answers show.
        found = self._to.get(
            f"{self._to.repo}/issues",
            what="tell what is new",
            state="all",
            sort="updated",
            direction="desc",
            per_page="1",
        )
        times = [moment(item["updated_at"]) for item in found]
        return Bookmark(since=max(times, default=_BEGINNING) - _OVERLAP)

    def changes(self, bookmark: Bookmark) -> Changes:
        told = {
            name: self._to.news(
                f"{self._to.repo}/{name}",
                bookmark.tags.get(name, ""),
                what="tell what is new",
                since=moment_text(bookmark.since),
                sort="updated",
                # Latest first: what changes while its pages are read then comes twice. The other
                # way round something else would slip through.
                direction="desc",
                **({"state": "all"} if name == "issues" else {}),
            )
            for name in ("issues", "issues/comments", "pulls/comments")
        }
        items = {name: _oldest_first(found) for name, (_, found) in told.items()}
        pulls = [item["number"] for item in items["issues"] if "pull_request" in item]
        return Changes(
            bookmark=_moved(bookmark, {name: tag for name, (tag, _) in told.items()}, items),
            pulls=tuple(dict.fromkeys(pulls)),
            issues=tuple(issue(item) for item in items["issues"] if "pull_request" not in item),
            comments=tuple(comment(item) for item in items["issues/comments"]),
            thread_comments=tuple(comment(item) for item in items["pulls/comments"]),
        )


def _permission(found: Any) -> Permission:
    """Read the finest word for it that this GitHub has, and of a role of its own the nearest."""
    for word in (found.get("role_name"), found["permission"]):
        if word in set(Permission):
            return Permission(word)
    return Permission.NONE


def _oldest_first(items: Iterable[Any]) -> list[Any]:
    latest = {item["id"]: item for item in reversed([*items])}
    return sorted(latest.values(), key=lambda item: (item["updated_at"], item["id"]))


def _moved(bookmark: Bookmark, tags: dict[str, str], items: dict[str, list[Any]]) -> Bookmark:
    """Return the next bookmark. While its moment stays, so does what is asked, and the tags are
    good; when it moves they are not.
    """
    times = [moment(item["updated_at"]) for found in items.values() for item in found]
    since: datetime = max([bookmark.since, *(time - _OVERLAP for time in times)])
    if since == bookmark.since:
        return Bookmark(since=since, tags=tags)
    return Bookmark(since=since)
