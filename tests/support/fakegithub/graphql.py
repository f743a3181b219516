"""The little of GitHub's GraphQL that has no other way: asked for by fields, answered by those."""

import re
from collections.abc import Callable
from typing import Any, Final, TypeVar

from tests.support.fakegithub.calls import Call, Refuse, Reply, route
from tests.support.fakegithub.world import Issue, Repo

_WORD: Final = re.compile(r"[{}]|\(|\)|[^\s{}()]+")

Item = TypeVar("Item")

Selection = dict[str, "Selection"]
"""Field → what is asked for of it."""

Node = dict[str, Any] | Callable[[], Any]
"""Fields that there are; what is costly is worked out when it is asked for."""


@route("POST", "/graphql")
def answer(call: Call) -> Reply:
    """Answer a query or mutation; errors come with status 200."""
    text, variables = call.body["query"], call.body.get("variables", {})
    try:
        wanted = _read(text)
        return Reply(200, {"data": _select(_root(call, variables), wanted)})
    except Refuse as refusal:
        if refusal.status == 404:
            return _error("NOT_FOUND", "Could not resolve to a node with that id or name.")
        if refusal.status == 403:
            return _error("FORBIDDEN", str(refusal))
        return _error("UNPROCESSABLE", str(refusal))
    except KeyError as error:
        return _error("undefinedField", f"Field {error} doesn't exist")


def _root(call: Call, variables: dict[str, Any]) -> dict[str, Any]:
    def pull() -> dict[str, Any]:
        issue = _repo(call, variables).pulls.get(variables["number"])
        if issue is None:
            raise Refuse(404, "Not Found")
        return _pull(call, _repo(call, variables), issue, variables)

    def viewer() -> dict[str, Any]:
        user = call.world.users[call.token.login]
        return {"login": user.login, "databaseId": user.id, "__typename": "User"}

    def repository() -> dict[str, Any]:
        repo = _repo(call, variables)
        return {"pullRequest": pull, "pullRequests": lambda: _open_pulls(repo, variables)}

    return {
        "viewer": viewer,
        "repository": repository,
        "convertPullRequestToDraft": lambda: _set_draft(call, variables, draft=True),
        "markPullRequestReadyForReview": lambda: _set_draft(call, variables, draft=False),
    }


def _open_pulls(repo: Repo, variables: dict[str, Any]) -> dict[str, Any]:
    issues = [issue for issue in repo.pulls.values() if issue.state == "open"]
    latest = variables["by"] == "UPDATED_AT"
    issues.sort(key=lambda issue: (issue.updated if latest else 0, issue.number), reverse=True)
    nodes, info = _paged(issues, variables)
    return {"pageInfo": info, "nodes": [_rolled_up(repo, issue) for issue in nodes]}


def _rolled_up(repo: Repo, issue: Issue) -> dict[str, Any]:
    assert issue.pull is not None
    sha = issue.pull.head_sha
    words = {run.name: run.conclusion or "pending" for run in repo.runs.values() if run.sha == sha}
    words |= {status.context: status.state for status in repo.statuses if status.sha == sha}
    states = set(words.values()) - {"success", "neutral", "skipped"}
    word = "FAILURE" if states - {"pending"} else "PENDING" if states else "SUCCESS"
    commit = {"oid": sha, "statusCheckRollup": {"state": word} if words else None}
    return {
        "number": issue.number,
        "headRefOid": sha,
        "comments": {"totalCount": sum(c.number == issue.number for c in repo.comments.values())},
        "reviews": {"totalCount": len(issue.pull.reviews)},
        "commits": {"nodes": [{"commit": commit}]},
    }


def _paged(items: list[Item], variables: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    begin = int(variables.get("after") or 0)
    page = items[begin : begin + 100]
    more = len(items) > begin + 100
    return page, {"hasNextPage": more, "endCursor": str(begin + len(page))}


def _repo(call: Call, variables: dict[str, Any]) -> Repo:
    call.parts = {"owner": variables["owner"], "repo": variables["name"]}
    return call.repo


def _pull(call: Call, repo: Repo, issue: Issue, variables: dict[str, Any]) -> dict[str, Any]:
    assert issue.pull is not None

    def threads() -> dict[str, Any]:
        first = [r for r in repo.remarks.values() if (r.number, r.reply_to) == (issue.number, None)]
        page, info = _paged(first, variables)
        return {
            "pageInfo": info,
            "nodes": [
                {
                    "isResolved": remark.id in repo.resolved,
                    "isOutdated": call.shapes.outdated(repo, remark),
                    "comments": {"nodes": [{"databaseId": remark.id}]},
                }
                for remark in page
            ],
        }

    return {"id": f"PR_{issue.id}", "isDraft": issue.pull.draft, "reviewThreads": threads}


def _set_draft(call: Call, variables: dict[str, Any], *, draft: bool) -> dict[str, Any]:
    for repo in call.world.repos.values():
        for issue in repo.pulls.values():
            if f"PR_{issue.id}" == variables["id"]:
                assert issue.pull is not None
                call.parts = {"owner": repo.owner, "repo": repo.name}
                if (
                    call.token.permissions is not None
                    and call.token.permissions.get("pull_requests") != "write"
                ):
                    raise Refuse(403, "Resource not accessible by integration")
                if issue.user != call.token.login:
                    call.want("write")
                if issue.state != "open":
                    raise Refuse(422, "Pull request is closed")
                issue.pull.draft = draft
                issue.updated = call.world.tick()
                return {"pullRequest": {"isDraft": draft}}
    raise Refuse(404, "Not Found")


def _read(text: str) -> Selection:
    """Read what is selected; arguments are only names of variables here."""
    words = iter(_WORD.findall(re.sub(r"\([^()]*\)", "", text)))
    for word in words:
        if word == "{":
            return _fields(words)
    raise Refuse(422, "A query must select something")


def _fields(words: Any) -> Selection:
    found: Selection = {}
    last = ""
    for word in words:
        if word == "}":
            return found
        if word == "{":
            found[last] = _fields(words)
        else:
            last = word
            found[last] = {}
    raise Refuse(422, "Parse error: unexpected end")


def _select(node: Any, wanted: Selection) -> Any:
    if callable(node):
        node = node()
    if isinstance(node, list):
        return [_select(item, wanted) for item in node]
    if isinstance(node, dict):
        if not wanted:
            raise Refuse(422, "Field must have selections")
        return {name: _select(node[name], below) for name, below in wanted.items()}
    return node


def _error(kind: str, message: str) -> Reply:
    return Reply(200, {"data": None, "errors": [{"type": kind, "message": message}]})
