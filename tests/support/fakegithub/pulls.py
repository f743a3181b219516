"""Pull requests of the fake GitHub: made, changed, merged."""

import re
from typing import Any

from tests.support.fakegithub.calls import Call, Refuse, Reply, invalid, refuse_long, route
from tests.support.fakegithub.gitside import Conflicting
from tests.support.fakegithub.world import Issue, Pull, Repo

ROOT = "/repos/{owner}/{repo}/pulls"
_WORDS = {"A": "added", "D": "removed", "M": "modified", "T": "changed"}
_CLOSES = re.compile(r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):? #(\d+)", re.IGNORECASE)
_WORDS |= {"R": "renamed", "C": "copied"}


@route("GET", ROOT, "pull_requests=read")
def list_pulls(call: Call) -> Reply:
    """Filter by state, head and base; sort."""
    query = call.query
    found = list(call.repo.pulls.values())
    if (state := query.get("state", "open")) != "all":
        found = [issue for issue in found if issue.state == state]
    if ":" in query.get("head", ""):  # anything else is ignored, as by GitHub
        owner, _, branch = query["head"].partition(":")
        found = [issue for issue in found if _label(call, issue) == f"{owner.lower()}:{branch}"]
    if "base" in query:
        found = [issue for issue in found if issue.pull and issue.pull.base == query["base"]]
    by = query.get("sort", "created")
    newest = query.get("direction", "desc" if by == "created" else "asc") == "desc"
    found.sort(key=lambda i: (i.updated if by == "updated" else i.created, i.id), reverse=newest)
    return Reply(200, [call.shapes.pull(call.repo, issue, whole=False) for issue in found])


@route("POST", ROOT, "pull_requests=write")
def open_pull(call: Call) -> Reply:
    """Open one, from this repository or from a fork."""
    repo, body = call.repo, call.body
    refuse_long(body.get("body"))
    owner, _, head = body["head"].rpartition(":")
    source = next((other for other in _sources(call) if other.owner == (owner or repo.owner)), None)
    if source is repo:
        call.want("write")
    tip = source.git.branches().get(head) if source else None
    base = repo.git.branches().get(body["base"])
    for name, sha in (("head", tip), ("base", base)):
        if sha is None:
            raise invalid({"resource": "PullRequest", "field": name, "code": "invalid"})
    assert source is not None
    assert tip is not None
    assert base is not None
    if source is not repo:
        repo.git.take(source.git, tip)
    _refuse_second(repo, source, head, body["base"])
    if not repo.git.commits(base, tip):
        raise invalid(_custom(f"No commits between {body['base']} and {head}"))
    issue = call.world.issue(repo, call.token.login, body["title"], body.get("body"))
    issue.pull = Pull(head, source.slug, tip, body["base"], base, body.get("draft", False))
    repo.git.update(f"refs/pull/{issue.number}/head", tip)
    return Reply(201, call.shapes.pull(repo, issue, whole=True))


@route("GET", f"{ROOT}/{{number}}", "pull_requests=read")
def show_pull(call: Call) -> Reply:
    """All of one."""
    return Reply(200, call.shapes.pull(call.repo, call.pull_issue, whole=True))


@route("PATCH", f"{ROOT}/{{number}}", "pull_requests=write")
def edit_pull(call: Call) -> Reply:
    """Title, body, base, state; `draft` is ignored, as by GitHub."""
    issue, pull, body = call.pull_issue, call.pull, call.body
    refuse_long(body.get("body"))
    if issue.user != call.token.login:
        call.want("write")
    if "base" in body and body["base"] != pull.base:
        _move_base(call.repo, issue, pull, body["base"])
    issue.title = body.get("title", issue.title)
    issue.body = body.get("body", issue.body)
    issue.updated = call.world.tick()
    if body.get("state") == "closed" and issue.state == "open":
        call.world.close(issue)
    elif body.get("state") == "open" and issue.state == "closed":
        if pull.merged_at:
            raise invalid(_custom("state cannot be changed. The pull request has been merged."))
        issue.state, issue.closed = "open", None
    return Reply(200, call.shapes.pull(call.repo, issue, whole=True))


@route("GET", f"{ROOT}/{{number}}/files", "pull_requests=read")
def list_files(call: Call) -> Reply:
    """What is different from the common ancestor."""
    repo, pull = call.repo, call.pull
    shapes = [_file(*found) for found in repo.git.files(pull.base_sha, pull.head_sha)]
    return Reply(200, shapes)


@route("PUT", f"{ROOT}/{{number}}/merge", "contents=write")
def merge_pull(call: Call) -> Reply:
    """Merge by one of the three buttons, in the bare repository."""
    repo, issue, pull, body = call.repo, call.pull_issue, call.pull, call.body or {}
    call.want("write")
    method = body.get("merge_method", "merge")
    if issue.state != "open":
        raise Refuse(405, "Pull Request is not mergeable")
    if pull.draft:
        raise Refuse(405, "Pull Request is still a draft")
    if method not in repo.methods:
        name = {"merge": "Merge commit", "squash": "Squash merge", "rebase": "Rebase merge"}
        raise Refuse(405, f"{name[method]}s are not allowed on this repository.")
    if body.get("sha", pull.head_sha) != pull.head_sha:
        raise Refuse(409, "Head branch was modified. Review and try the merge again.")
    _refuse_by_rules(repo, pull)
    base = repo.git.branches()[pull.base]
    message = "\n\n".join(filter(None, (_title(repo, issue, pull, body), body_of(body, issue))))
    try:
        if method == "rebase":
            sha = repo.git.rebase(base, pull.head_sha)
        else:
            make = repo.git.merge if method == "merge" else repo.git.squash
            sha = make(base, pull.head_sha, call.token.login, message)
    except Conflicting:
        raise Refuse(405, "Pull Request is not mergeable") from None
    repo.git.update(f"refs/heads/{pull.base}", sha)
    call.world.close(issue)
    pull.merged_at, pull.merge_sha, pull.merged_by = issue.closed, sha, call.token.login
    if pull.base == repo.default:
        _close_named(call, f"{issue.body}\n{message}")
    merged = {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}
    return Reply(200, merged)


def _close_named(call: Call, text: str) -> None:
    """Close the issues that a merged text says it closes."""
    for number in _CLOSES.findall(text):
        named = call.repo.issues.get(int(number))
        if named is not None and named.state == "open" and named.pull is None:
            call.world.close(named)


def body_of(body: dict[str, Any], issue: Issue) -> str:
    """Return the message below the title: what was asked for, else GitHub's own."""
    if "commit_message" in body:
        return str(body["commit_message"])
    return issue.title if body.get("merge_method", "merge") == "merge" else ""


def _title(repo: Repo, issue: Issue, pull: Pull, body: dict[str, Any]) -> str:
    if "commit_title" in body:
        return str(body["commit_title"])
    if body.get("merge_method", "merge") == "merge":
        return f"Merge pull request #{issue.number} from {repo.owner}/{pull.head}"
    return f"{issue.title} (#{issue.number})"


def _refuse_by_rules(repo: Repo, pull: Pull) -> None:
    rules = repo.protection.get(pull.base)
    if rules is None:
        return
    latest = {r.user: r.state for r in pull.reviews if r.state != "COMMENTED"}
    approvals = [user for user, state in latest.items() if state == "APPROVED"]
    if "CHANGES_REQUESTED" in latest.values():
        raise Refuse(405, "Changes have been requested.")
    if len(approvals) < rules.approvals:
        raise Refuse(
            405,
            f"At least {rules.approvals} approving review is required by reviewers with write "
            "access.",
        )
    good = {s.context for s in repo.statuses if (s.sha, s.state) == (pull.head_sha, "success")}
    good |= {
        run.name
        for run in repo.runs.values()
        if (run.sha, run.conclusion) == (pull.head_sha, "success")
    }
    for check in rules.checks:
        if check not in good:
            raise Refuse(405, f'Required status check "{check}" is expected.')


def _sources(call: Call) -> list[Repo]:
    forks = [other for other in call.world.repos.values() if other.fork_of == call.repo.slug]
    return [call.repo, *forks]


def _label(call: Call, issue: Issue) -> str:
    pull = issue.pull
    assert pull is not None
    repo = call.world.repos.get(pull.head_repo or "")
    return f"{repo.owner.lower() if repo else 'unknown'}:{pull.head}"


def _refuse_second(repo: Repo, source: Repo, head: str, base: str) -> None:
    for issue in repo.pulls.values():
        pull = issue.pull
        assert pull is not None
        there = (pull.head_repo, pull.head, pull.base) == (source.slug, head, base)
        if issue.state == "open" and there:
            message = f"A pull request already exists for {source.owner}:{head}."
            raise invalid(_custom(message))


def _move_base(repo: Repo, issue: Issue, pull: Pull, base: str) -> None:
    tip = repo.git.branches().get(base)
    if issue.state != "open":
        raise invalid(_custom("Cannot change the base branch of a closed pull request."))
    if tip is None:
        raise invalid({"resource": "PullRequest", "field": "base", "code": "invalid"})
    pull.base, pull.base_sha = base, tip


def _custom(message: str) -> dict[str, str]:
    return {"resource": "PullRequest", "code": "custom", "message": message}


def _file(letter: str, path: str, before: str, plus: int, minus: int) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "sha": "0" * 40,
        "filename": path,
        "status": _WORDS[letter],
        "additions": plus,
        "deletions": minus,
        "changes": plus + minus,
        **dict.fromkeys(("blob_url", "raw_url", "contents_url"), "http://127.0.0.1/"),
    }
    return shape | ({"previous_filename": before} if before else {})
