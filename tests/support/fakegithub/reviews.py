"""Reviews of the fake GitHub, and the threads on lines."""

from tests.support.fakegithub.calls import Call, Refuse, Reply, invalid, route
from tests.support.fakegithub.issues import since_and_sorted
from tests.support.fakegithub.pulls import ROOT
from tests.support.fakegithub.world import Remark, Review

_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@route("GET", f"{ROOT}/{{number}}/reviews", "pull_requests=read")
def list_reviews(call: Call) -> Reply:
    """Oldest first."""
    number = call.pull_issue.number
    return Reply(200, [call.shapes.review(call.repo, number, r) for r in call.pull.reviews])


@route("POST", f"{ROOT}/{{number}}/reviews", "pull_requests=write")
def submit_review(call: Call) -> Reply:
    """Approve, request changes or comment; one's own can only be commented."""
    issue, pull, body = call.pull_issue, call.pull, call.body
    state = _STATES[body["event"]]
    if issue.user == call.token.login and state != "COMMENTED":
        what = "approve" if state == "APPROVED" else "request changes on"
        raise Refuse(422, f"Can not {what} your own pull request")
    if state != "APPROVED" and not body.get("body"):
        raise Refuse(422, "Body can't be blank")
    commit = body.get("commit_id", pull.head_sha)
    if not call.repo.git.has(commit):
        raise Refuse(422, "commit_id is not part of the pull request")
    made = call.world.review(call.repo, issue.number, call.token.login, state, body.get("body", ""))
    made.commit = commit
    if made.user in pull.asked:
        pull.asked.remove(made.user)
    return Reply(200, call.shapes.review(call.repo, issue.number, made))


@route("PUT", f"{ROOT}/{{number}}/reviews/{{review}}/dismissals", "pull_requests=write")
def dismiss_review(call: Call) -> Reply:
    """Only what approves or rejects can be dismissed."""
    call.want("write")
    review = _review(call)
    if review.state not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise Refuse(422, f"Can not dismiss a {review.state.lower()} pull request review")
    review.state = "DISMISSED"
    call.pull_issue.updated = call.world.tick()
    return Reply(200, call.shapes.review(call.repo, call.pull_issue.number, review))


@route("POST", f"{ROOT}/{{number}}/requested_reviewers", "pull_requests=write")
def request_reviews(call: Call) -> Reply:
    """Only who may read the repository can be asked, and not the author."""
    call.want("triage")
    issue, pull = call.pull_issue, call.pull
    for login in call.body["reviewers"]:
        if login == issue.user:
            raise Refuse(422, "Review cannot be requested from pull request author.")
        if login not in call.repo.roles:
            raise Refuse(
                422,
                f"Reviews may only be requested from collaborators. {login} is not a collaborator.",
            )
        if login not in pull.asked:
            pull.asked.append(login)
            issue.updated = call.world.tick()
    return Reply(201, call.shapes.pull(call.repo, issue, whole=False))


@route("GET", f"{ROOT}/comments", "pull_requests=read")
def list_all_remarks(call: Call) -> Reply:
    """Those of all pull requests."""
    found = since_and_sorted(call, list(call.repo.remarks.values()))
    return Reply(200, [call.shapes.remark(call.repo, remark) for remark in found])


@route("GET", f"{ROOT}/{{number}}/comments", "pull_requests=read")
def list_remarks(call: Call) -> Reply:
    """Those of one pull request."""
    number = call.pull_issue.number
    mine = [remark for remark in call.repo.remarks.values() if remark.number == number]
    found = since_and_sorted(call, mine, oldest_first=True)
    return Reply(200, [call.shapes.remark(call.repo, remark) for remark in found])


@route("POST", f"{ROOT}/{{number}}/comments/{{comment}}/replies", "pull_requests=write")
def reply(call: Call) -> Reply:
    """Only to the first of a thread."""
    first = _remark(call)
    if first.reply_to is not None:
        raise invalid({"resource": "PullRequestReviewComment", "field": "in_reply_to"})
    made = call.world.reply(call.repo, first, call.token.login, call.body["body"])
    return Reply(201, call.shapes.remark(call.repo, made))


def _review(call: Call) -> Review:
    for review in call.pull.reviews:
        if str(review.id) == call.parts["review"]:
            return review
    raise Refuse(404, "Not Found")


def _remark(call: Call) -> Remark:
    found = call.repo.remarks.get(int(call.parts["comment"]))
    if found is None or found.number != call.pull_issue.number:
        raise Refuse(404, "Not Found")
    return found
