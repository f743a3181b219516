"""Reviews of pull requests on GitHub, and their threads."""

from typing import Final

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import EVENTS, VERDICTS, comment, review, threads
from gitcmat.model.forge import Comment, Review, Thread, Verdict

_READ: Final = "pull requests: read"
_WRITE: Final = "pull requests: write"

# The other interface does not tell whether a thread is resolved.
_THREADS: Final = """
query Threads($owner: String!, $name: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      reviewThreads(first: 100, after: $after) {
        pageInfo { hasNextPage endCursor }
        nodes { isResolved isOutdated comments(first: 1) { nodes { databaseId } } }
      }
    }
  }
}
"""


class GitHubReviews:
    """Fills `gitcmat.forge.Reviews`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection

    def list(self, number: int) -> tuple[Review, ...]:
        items = self._to.pages(
            f"{self._pull(number)}/reviews",
            what=f"list the reviews of pull request {number}",
            needs=_READ,
        )
        return tuple(review(item) for item in items if item["state"] in VERDICTS)

    def submit(self, number: int, verdict: Verdict, *, body: str, commit: str) -> Review:
        return review(
            self._to.write(
                "POST",
                f"{self._pull(number)}/reviews",
                {"event": EVENTS[verdict], "body": body, "commit_id": commit},
                what=f"review pull request {number}",
                needs=_WRITE,
            )
        )

    def request(self, number: int, logins: tuple[str, ...]) -> None:
        self._to.write(
            "POST",
            f"{self._pull(number)}/requested_reviewers",
            {"reviewers": [*logins]},
            what=f"request reviews of pull request {number}",
            needs=_WRITE,
        )

    def dismiss(self, number: int, review: int, *, message: str) -> Review:
        return _read(
            self._to.write(
                "PUT",
                f"{self._pull(number)}/reviews/{review}/dismissals",
                {"message": message},
                what=f"dismiss a review of pull request {number}",
                needs=_WRITE,
            )
        )

    def threads(self, number: int) -> tuple[Thread, ...]:
        what = f"list the threads of pull request {number}"
        comments = [*self._to.pages(f"{self._pull(number)}/comments", what=what, needs=_READ)]
        return threads(comments, self._states(number, what) if comments else {})

    def reply(self, number: int, thread: int, body: str) -> Comment:
        return comment(
            self._to.write(
                "POST",
                f"{self._pull(number)}/comments/{thread}/replies",
                {"body": body},
                what=f"reply in pull request {number}",
                needs=_WRITE,
            )
        )

    def _pull(self, number: int) -> str:
        return f"{self._to.repo}/pulls/{number}"

    def _states(self, number: int, what: str) -> dict[int, tuple[bool, bool]]:
        found: dict[int, tuple[bool, bool]] = {}
        after: str | None = None
        while True:
            data = self._to.query(
                _THREADS,
                what=what,
                needs=_READ,
                owner=self._to.remote.owner,
                name=self._to.remote.name,
                number=number,
                after=after,
            )
            page = data["repository"]["pullRequest"]["reviewThreads"]
            for node in page["nodes"]:
                for first in node["comments"]["nodes"]:
                    found[first["databaseId"]] = (node["isResolved"], node["isOutdated"])
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]


_read = review
"""`dismiss` has a parameter of that name, as the port has."""
