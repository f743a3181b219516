"""Issues of the fake GitHub, with their comments and labels."""

from collections.abc import Iterable
from datetime import datetime
from typing import TypeVar
from urllib.parse import unquote

from tests.support.fakegithub.calls import Call, Refuse, Reply, refuse_long, route
from tests.support.fakegithub.world import Comment, Issue, Remark

_ROOT = "/repos/{owner}/{repo}/issues"
_Dated = TypeVar("_Dated", Comment, Issue, Remark)


def since_and_sorted(
    call: Call, items: Iterable[_Dated], *, oldest_first: bool = False
) -> list[_Dated]:
    """Return what was changed at `since` or later, in the order that was asked for."""
    query = call.query
    by = query.get("sort", "created")
    found = list(items)
    if "since" in query:
        since = datetime.fromisoformat(query["since"])
        found = [item for item in found if item.updated >= since]
    newest = query.get("direction", "asc" if oldest_first else "desc") == "desc"
    found.sort(key=lambda i: (i.updated if by == "updated" else i.created, i.id), reverse=newest)
    return found


@route("GET", _ROOT, "issues=read")
def list_issues(call: Call) -> Reply:
    """Pull requests are among them."""
    found = since_and_sorted(call, call.repo.issues.values())
    if (state := call.query.get("state", "open")) != "all":
        found = [issue for issue in found if issue.state == state]
    for label in filter(None, call.query.get("labels", "").split(",")):
        found = [issue for issue in found if label in issue.labels]
    return Reply(200, [call.shapes.issue(call.repo, issue) for issue in found])


@route("GET", f"{_ROOT}/comments", "issues=read")
def list_all_comments(call: Call) -> Reply:
    """Those of all issues and pull requests."""
    found = since_and_sorted(call, call.repo.comments.values())
    return Reply(200, [call.shapes.comment(call.repo, comment) for comment in found])


@route("PATCH", f"{_ROOT}/comments/{{comment}}", "issues=write")
def edit_comment(call: Call) -> Reply:
    """One's own, or with the right to write any."""
    comment = call.repo.comments.get(int(call.parts["comment"]))
    if comment is None:
        raise Refuse(404, "Not Found")
    refuse_long(call.body["body"])
    if comment.user != call.token.login:
        call.want("write")
    comment.body, comment.updated = call.body["body"], call.world.tick()
    call.repo.issues[comment.number].updated = comment.updated
    return Reply(200, call.shapes.comment(call.repo, comment))


@route("GET", f"{_ROOT}/{{number}}", "issues=read")
def show_issue(call: Call) -> Reply:
    """A pull request is one too."""
    return Reply(200, call.shapes.issue(call.repo, call.issue))


@route("GET", f"{_ROOT}/{{number}}/comments", "issues=read")
def list_comments(call: Call) -> Reply:
    """Oldest first."""
    number = call.issue.number
    mine = (comment for comment in call.repo.comments.values() if comment.number == number)
    found = since_and_sorted(call, mine, oldest_first=True)
    return Reply(200, [call.shapes.comment(call.repo, comment) for comment in found])


@route("POST", f"{_ROOT}/{{number}}/comments", "issues=write")
def add_comment(call: Call) -> Reply:
    """Whoever may read may comment."""
    refuse_long(call.body["body"])
    made = call.world.comment(call.repo, call.issue.number, call.token.login, call.body["body"])
    return Reply(201, call.shapes.comment(call.repo, made))


@route("GET", f"{_ROOT}/{{number}}/labels", "issues=read")
def list_labels(call: Call) -> Reply:
    """Those of one issue."""
    return _labels(call)


@route("POST", f"{_ROOT}/{{number}}/labels", "issues=write")
def add_labels(call: Call) -> Reply:
    """A label that is not known is made."""
    call.want("triage")
    call.world.label(call.repo, call.issue, *call.body["labels"])
    return _labels(call)


@route("DELETE", f"{_ROOT}/{{number}}/labels/{{label}}", "issues=write")
def remove_label(call: Call) -> Reply:
    """What is not there cannot be taken off."""
    call.want("triage")
    label = unquote(call.parts["label"])
    if label not in call.issue.labels:
        raise Refuse(404, "Label does not exist")
    call.issue.labels.remove(label)
    call.issue.updated = call.world.tick()
    return _labels(call)


def _labels(call: Call) -> Reply:
    return Reply(200, [call.shapes.label(call.repo, name) for name in call.issue.labels])
