"""Pull requests on GitHub."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import changed_file, pull
from gitcmat.model.forge import ChangedFile, MergeMethod, PullRequest

_READ: Final = "pull requests: read"
_WRITE: Final = "pull requests: write"
_NODE: Final = """
query Node($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) { id isDraft } }
}
"""
_TO_DRAFT: Final = """
mutation ToDraft($id: ID!) {
  convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}
"""
_TO_READY: Final = """
mutation ToReady($id: ID!) {
  markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { isDraft } }
}
"""


class GitHubPulls:
    """Fills `gitcmat.forge.Pulls`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection
        self._root = f"{connection.repo}/pulls"

    def get(self, number: int) -> PullRequest:
        return pull(
            self._to.get(f"{self._root}/{number}", what=f"show pull request {number}", needs=_READ)
        )

    def of_branch(self, head: str) -> tuple[PullRequest, ...]:
        found = self._list(state="all", head=f"{self._to.remote.owner}:{head}")
        # GitHub leaves the filter out without a word where it does not understand it, and does not
        # tell the owner's repositories apart.
        return tuple(pull(item) for item in found if _is_from(item, head))

    def marked(self, text: str, *, among: int = 300) -> tuple[PullRequest, ...]:
        latest = islice(self._list(state="all", sort="updated", direction="desc"), among)
        return tuple(pull(item) for item in latest if text in (item["body"] or ""))

    def open(self) -> tuple[PullRequest, ...]:
        return tuple(pull(item) for item in self._list(state="open"))

    def create(
        self, *, title: str, body: str, head: str, base: str, draft: bool = True
    ) -> PullRequest:
        wanted = {"title": title, "body": body, "head": head, "base": base, "draft": draft}
        return pull(
            self._to.write("POST", self._root, wanted, what="open a pull request", needs=_WRITE)
        )

    def edit(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        draft: bool | None = None,
    ) -> PullRequest:
        if draft is not None:
            self._set_draft(number, draft=draft)
        wanted = {"title": title, "body": body, "base": base}
        change = {key: value for key, value in wanted.items() if value is not None}
        return self._patch(number, change) if change else self.get(number)

    def close(self, number: int) -> PullRequest:
        now = self.get(number)
        return self._patch(number, {"state": "closed"}) if now.state == "open" else now

    def merge(
        self,
        number: int,
        *,
        method: MergeMethod,
        head_sha: str,
        title: str = "",
        message: str = "",
    ) -> str:
        wanted: dict[str, object] = {"merge_method": method.value, "sha": head_sha}
        if title:
            wanted["commit_title"] = title
        if message:
            wanted["commit_message"] = message
        merged = self._to.write(
            "PUT",
            f"{self._root}/{number}/merge",
            wanted,
            what=f"merge pull request {number}",
            needs="contents: write",
        )
        return str(merged["sha"])

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        items = self._to.pages(
            f"{self._root}/{number}/files",
            what=f"list the files of pull request {number}",
            needs=_READ,
        )
        return tuple(changed_file(item) for item in items)

    def _list(self, **params: str) -> Iterator[Any]:
        return self._to.pages(self._root, what="list pull requests", needs=_READ, **params)

    def _patch(self, number: int, change: dict[str, Any]) -> PullRequest:
        return pull(
            self._to.write(
                "PATCH",
                f"{self._root}/{number}",
                change,
                what=f"edit pull request {number}",
                needs=_WRITE,
            )
        )

    def _set_draft(self, number: int, *, draft: bool) -> None:
        """The other interface takes the field `draft` and silently does nothing with it."""
        what = f"make pull request {number} {'a draft' if draft else 'ready for review'}"
        remote = self._to.remote
        data = self._to.query(
            _NODE, what=what, needs=_READ, owner=remote.owner, name=remote.name, number=number
        )
        node = data["repository"]["pullRequest"]
        if node["isDraft"] != draft:
            text = _TO_DRAFT if draft else _TO_READY
            self._to.query(text, what=what, needs=_WRITE, safe=False, id=node["id"])


def _is_from(item: Any, head: str) -> bool:
    """Whether it is from this branch of the very repository that it is for."""
    end, base = item["head"], item["base"]["repo"]
    same = end["repo"] is not None and end["repo"]["id"] == base["id"]
    return same and bool(end["ref"] == head)
