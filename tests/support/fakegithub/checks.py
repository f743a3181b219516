"""Check runs and commit statuses of the fake GitHub."""

from typing import Any

from tests.support.fakegithub.calls import Call, Refuse, Reply, route
from tests.support.fakegithub.openapi import description
from tests.support.fakegithub.world import CheckRun, Status

_REPO = "/repos/{owner}/{repo}"
_MOST_AT_ONCE = 50


@route("GET", f"{_REPO}/commits/{{ref}}/check-runs", "checks=read")
def list_runs(call: Call) -> Reply:
    """The latest of each name and program, unless all are wanted."""
    found = [run for run in call.repo.runs.values() if run.sha == call.parts["ref"]]
    if "check_name" in call.query:
        found = [run for run in found if run.name == call.query["check_name"]]
    if call.query.get("filter", "latest") == "latest":
        found = list({(run.name, run.app): run for run in found}.values())
    shapes = [call.shapes.run(call.repo, run) for run in found]
    return Reply(200, {"total_count": len(shapes), "check_runs": shapes}, key="check_runs")


@route("POST", f"{_REPO}/check-runs", "checks=write")
def make_run(call: Call) -> Reply:
    """Only Apps may."""
    if not call.token.app:
        raise Refuse(403, "You must authenticate via a GitHub App.")
    sha = call.body["head_sha"]
    if not call.repo.git.has(sha):
        raise Refuse(422, f"No commit found for SHA: {sha}")
    run = call.world.run(call.repo, sha, call.body["name"], call.token.app, None)
    run.status = "queued"
    _change(call, run)
    return Reply(201, call.shapes.run(call.repo, run))


@route("PATCH", f"{_REPO}/check-runs/{{run}}", "checks=write")
def change_run(call: Call) -> Reply:
    """Only the App that made it may; annotations are added to those that are there."""
    run = _run(call)
    if call.token.app != run.app:
        raise Refuse(403, "You must authenticate via a GitHub App.")
    _change(call, run)
    return Reply(200, call.shapes.run(call.repo, run))


@route("GET", f"{_REPO}/check-runs/{{run}}/annotations", "checks=read")
def list_annotations(call: Call) -> Reply:
    """All of one check run."""
    blank = description().blank("check-annotation")
    return Reply(200, [blank | annotation for annotation in _run(call).annotations])


@route("GET", f"{_REPO}/actions/jobs/{{run}}/logs", "actions=read")
def find_log(call: Call) -> Reply:
    """Logs are kept elsewhere, where no token must be shown."""
    run = _run(call)
    if not run.log:
        raise Refuse(404, "Not Found")
    return Reply(302, headers={"location": f"{call.url}/elsewhere/{run.id}?sig=abc"}, text="")


@route("GET", f"{_REPO}/commits/{{ref}}/status", "statuses=read")
def combined_status(call: Call) -> Reply:
    """The latest of each name, and all of them in one word."""
    sha = call.parts["ref"]
    latest: dict[str, Status] = {}
    for status in call.repo.statuses:
        if status.sha == sha:
            latest[status.context] = status
    states = {status.state for status in latest.values()}
    word = "failure" if states & {"failure", "error"} else "pending"
    shapes = [call.shapes.status(call.repo, s, "simple-commit-status") for s in latest.values()]
    body = description().blank("combined-commit-status") | {
        "state": "success" if states == {"success"} else word,
        "sha": sha,
        "total_count": len(shapes),
        "statuses": shapes,
        "repository": call.shapes.repo(call.repo, "minimal-repository"),
    }
    return Reply(200, body, key="statuses")


@route("POST", f"{_REPO}/statuses/{{sha}}", "statuses=write")
def set_status(call: Call) -> Reply:
    """Who may write may."""
    call.want("write")
    sha, body = call.parts["sha"], call.body
    if not call.repo.git.has(sha):
        raise Refuse(422, f"No commit found for SHA: {sha}")
    made = call.world.status(
        call.repo, sha, body.get("context", "default"), body["state"], call.token.login
    )
    made.description, made.url = body.get("description"), body.get("target_url")
    return Reply(201, call.shapes.status(call.repo, made))


def _run(call: Call) -> CheckRun:
    found = call.repo.runs.get(int(call.parts["run"]))
    if found is None:
        raise Refuse(404, "Not Found")
    return found


def _change(call: Call, run: CheckRun) -> None:
    body: dict[str, Any] = call.body
    run.external_id = body.get("external_id", run.external_id)
    run.url = body.get("details_url", run.url)
    run.status = body.get("status", run.status)
    if "conclusion" in body:
        run.status, run.conclusion, run.completed = "completed", body["conclusion"], call.world.now
    output = body.get("output", {})
    run.output |= {k: v for k, v in output.items() if k in {"title", "summary", "text"}}
    added = output.get("annotations", [])
    if len(added) > _MOST_AT_ONCE:
        raise Refuse(422, "Invalid request. No more than 50 annotations are allowed.")
    run.annotations += added
