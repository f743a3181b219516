"""Comments, labels and issues on GitHub: pull requests are issues there too."""

from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import comment, issue, labels
from gitcmat.forge import NotVisible
from gitcmat.model.forge import Comment, Issue

_READ: Final = "issues: read"
_WRITE: Final = "issues: write"


class GitHubComments:
    """Fills `gitcmat.forge.Comments`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection

    def list(self, number: int, *, since: datetime | None = None) -> tuple[Comment, ...]:
        params = {"since": moment_text(since)} if since else {}
        items = self._to.pages(
            f"{self._to.repo}/issues/{number}/comments",
            what=f"list the comments on {number}",
            needs=_READ,
            **params,
        )
        return tuple(comment(item) for item in items)

    def find(self, number: int, text: str, *, author: str) -> Comment | None:
        mine = (found for found in self.list(number) if found.author.login == author)
        return next((found for found in mine if text in found.body), None)

    def create(self, number: int, body: str) -> Comment:
        return comment(
            self._to.write(
                "POST",
                f"{self._to.repo}/issues/{number}/comments",
                {"body": body},
                what=f"comment on {number}",
                needs=_WRITE,
            )
        )

    def edit(self, comment: int, body: str) -> Comment:
        return _read(
            self._to.write(
                "PATCH",
                f"{self._to.repo}/issues/comments/{comment}",
                {"body": body},
                what="edit a comment",
                needs=_WRITE,
            )
        )


class GitHubIssues:
    """Fills `gitcmat.forge.Issues`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection
        self._root = f"{connection.repo}/issues"

    def get(self, number: int) -> Issue:
        found = self._to.get(f"{self._root}/{number}", what=f"show issue {number}", needs=_READ)
        if "pull_request" in found:
            raise NotVisible(f"{self._to.remote.slug}#{number} is a pull request, no issue.")
        return issue(found)

    def labelled(self, label: str) -> tuple[Issue, ...]:
        items = self._to.pages(
            self._root,
            what=f"list the issues with the label {label!r}",
            needs=_READ,
            labels=label,
            state="open",
            sort="created",
            direction="asc",
        )
        return tuple(issue(item) for item in items if "pull_request" not in item)

    def label(
        self, number: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        place, what = f"{self._root}/{number}/labels", f"label {number}"
        now = labels(self._to.pages(place, what=what, needs=_READ))
        if missing := [label for label in add if label not in now]:
            now = labels(
                self._to.write("POST", place, {"labels": missing}, what=what, needs=_WRITE)
            )
        for label in remove:
            if label in now:
                now = labels(
                    self._to.write(
                        "DELETE", f"{place}/{quote(label, safe='')}", {}, what=what, needs=_WRITE
                    )
                )
        return now


def moment_text(moment: datetime) -> str:
    """Write a time as GitHub wants it, in whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_read = comment
"""`edit` has a parameter of that name, as the port has."""
