"""GitHub's answers as values. What is missing in an answer that GitHub documents is a bug."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from gitcmat.model.forge import (
    GHOST,
    Annotation,
    ChangedFile,
    Check,
    CheckKind,
    CheckState,
    Comment,
    Issue,
    Level,
    MergeMethod,
    Permission,
    Person,
    PullRequest,
    Repository,
    Review,
    Rollup,
    Thread,
    Verdict,
)
from gitcmat.model.pull import PullState

VERDICTS: Final = {
    "APPROVED": Verdict.APPROVED,
    "CHANGES_REQUESTED": Verdict.CHANGES_REQUESTED,
    "COMMENTED": Verdict.COMMENTED,
    "DISMISSED": Verdict.DISMISSED,
}
EVENTS: Final = {
    Verdict.APPROVED: "APPROVE",
    Verdict.CHANGES_REQUESTED: "REQUEST_CHANGES",
    Verdict.COMMENTED: "COMMENT",
}
CONCLUSIONS: Final = {
    CheckState.PASSED: "success",
    CheckState.FAILED: "failure",
    CheckState.CANCELLED: "cancelled",
    CheckState.TIMED_OUT: "timed_out",
    CheckState.NEEDS_PERSON: "action_required",
    CheckState.SKIPPED: "skipped",
    CheckState.NEUTRAL: "neutral",
}
"""How an ended check run went, as far as one may say so."""

STATUSES: Final = {
    CheckState.QUEUED: "pending",
    CheckState.RUNNING: "pending",
    CheckState.PASSED: "success",
    CheckState.SKIPPED: "success",
    CheckState.NEUTRAL: "success",
    CheckState.FAILED: "failure",
    CheckState.TIMED_OUT: "failure",
    CheckState.NEEDS_PERSON: "failure",
    CheckState.CANCELLED: "error",
}
"""The little that a commit status can say."""

_ENDED: Final = {
    **{word: state for state, word in CONCLUSIONS.items()},
    "stale": CheckState.STALE,
    "startup_failure": CheckState.FAILED,
}


def person(user: Mapping[str, Any] | None) -> Person:
    """Read an account; None is one that is gone."""
    if user is None:
        return Person(login=GHOST)
    return Person(login=user["login"], id=user["id"], bot=user["type"] == "Bot")


def moment(text: str) -> datetime:
    """Read a time as GitHub writes it."""
    return datetime.fromisoformat(text)


def repository(data: Mapping[str, Any]) -> Repository:
    """Read a repository, whole or as it is in a list."""
    rights = data.get("permissions") or {}
    best = next(
        (
            permission
            for word, permission in (
                ("admin", Permission.ADMIN),
                ("maintain", Permission.MAINTAIN),
                ("push", Permission.WRITE),
                ("triage", Permission.TRIAGE),
                ("pull", Permission.READ),
            )
            if rights.get(word)
        ),
        Permission.NONE,
    )
    methods = {
        MergeMethod.MERGE: data.get("allow_merge_commit"),
        MergeMethod.SQUASH: data.get("allow_squash_merge"),
        MergeMethod.REBASE: data.get("allow_rebase_merge"),
    }
    return Repository(
        name=data["full_name"],
        url=data["html_url"],
        default_branch=data["default_branch"],
        private=data["private"],
        fork=data["fork"],
        permission=best,
        methods=frozenset(method for method, allowed in methods.items() if allowed),
    )


def pull(data: Mapping[str, Any]) -> PullRequest:
    """Read a pull request, whole or as it is in a list."""
    merged = data["merged_at"] is not None
    closed = PullState.MERGED if merged else PullState.CLOSED
    head = data["head"]
    return PullRequest(
        number=data["number"],
        url=data["html_url"],
        title=data["title"],
        body=data["body"] or "",
        author=person(data["user"]),
        state=PullState.OPEN if data["state"] == "open" else closed,
        draft=data.get("draft", False),
        head=head["ref"],
        head_sha=head["sha"],
        head_repo=head["repo"]["full_name"] if head["repo"] else "",
        base=data["base"]["ref"],
        labels=labels(data["labels"]),
        # Of an open one this is a commit that GitHub made to try the merge.
        merge_commit=(data["merge_commit_sha"] or "") if merged else "",
        mergeable=data.get("mergeable"),
        created=moment(data["created_at"]),
        updated=moment(data["updated_at"]),
    )


def labels(data: Iterable[Any]) -> tuple[str, ...]:
    """Read the names of labels; GitHub gives some as mere names."""
    return tuple(item if isinstance(item, str) else item["name"] for item in data)


def changed_file(data: Mapping[str, Any]) -> ChangedFile:
    """Read a file that a pull request changes."""
    return ChangedFile(
        path=data["filename"],
        status=data["status"],
        additions=data["additions"],
        deletions=data["deletions"],
        before=data.get("previous_filename", ""),
    )


def review(data: Mapping[str, Any]) -> Review:
    """Read a review that was submitted."""
    return Review(
        id=data["id"],
        author=person(data["user"]),
        verdict=VERDICTS[data["state"]],
        body=data["body"] or "",
        commit=data["commit_id"] or "",
        submitted=moment(data["submitted_at"]),
        url=data["html_url"],
    )


def comment(data: Mapping[str, Any]) -> Comment:
    """Read a comment below an issue or pull request, or one in a thread."""
    about = data.get("issue_url") or data["pull_request_url"]
    return Comment(
        id=data["id"],
        number=int(about.rpartition("/")[2]),
        author=person(data["user"]),
        body=data.get("body") or "",
        created=moment(data["created_at"]),
        updated=moment(data["updated_at"]),
        url=data["html_url"],
    )


def threads(
    comments: Iterable[Mapping[str, Any]], states: Mapping[int, tuple[bool, bool]]
) -> tuple[Thread, ...]:
    """Put the comments of a pull request together; `states` says of a thread's first comment
    whether the thread is resolved, and whether it is outdated.
    """
    found: dict[int, list[Mapping[str, Any]]] = {}
    for item in sorted(comments, key=lambda item: item["id"]):
        found.setdefault(item.get("in_reply_to_id") or item["id"], []).append(item)
    made = []
    for number, items in found.items():
        first = items[0]
        resolved, outdated = states.get(number, (False, first.get("line") is None))
        made.append(
            Thread(
                id=number,
                path=first["path"],
                line=first.get("line"),
                first_line=first.get("start_line"),
                commit=first["original_commit_id"],
                hunk=first["diff_hunk"],
                review=first["pull_request_review_id"],
                resolved=resolved,
                outdated=outdated,
                comments=tuple(comment(item) for item in items),
            )
        )
    return tuple(made)


def check_run(data: Mapping[str, Any]) -> Check:
    """Read a check run."""
    if data["status"] == "completed":
        state = _ENDED.get(data["conclusion"], CheckState.FAILED)
    else:
        state = CheckState.RUNNING if data["status"] == "in_progress" else CheckState.QUEUED
    output = data["output"]
    return Check(
        id=data["id"],
        kind=CheckKind.RUN,
        name=data["name"],
        commit=data["head_sha"],
        state=state,
        title=output["title"] or "",
        summary=output["summary"] or "",
        text=output["text"] or "",
        url=data["details_url"] or data["html_url"] or "",
        app=(data["app"] or {}).get("slug", ""),
        external_id=data["external_id"] or "",
        annotations=output["annotations_count"],
    )


def status(data: Mapping[str, Any], commit: str) -> Check:
    """Read a commit status."""
    states = {
        "pending": CheckState.RUNNING,
        "success": CheckState.PASSED,
        "failure": CheckState.FAILED,
        "error": CheckState.FAILED,
    }
    return Check(
        id=data["id"],
        kind=CheckKind.STATUS,
        name=data["context"],
        commit=commit,
        state=states[data["state"]],
        title=data["description"] or "",
        url=data["target_url"] or "",
    )


def rollup(data: Mapping[str, Any]) -> Rollup:
    """Read how the last commit of a pull request is doing, as GraphQL tells it."""
    states = {
        "PENDING": CheckState.RUNNING,
        "EXPECTED": CheckState.RUNNING,  # a required one has not begun
        "SUCCESS": CheckState.PASSED,
        "FAILURE": CheckState.FAILED,
        "ERROR": CheckState.FAILED,
    }
    commits = [node["commit"] for node in data["commits"]["nodes"]]
    # The two may differ for a moment after a push.
    told = [
        commit["statusCheckRollup"] for commit in commits if commit["oid"] == data["headRefOid"]
    ]
    state = next((states[found["state"]] for found in told if found), None)
    said = any(data[kind]["totalCount"] for kind in ("comments", "reviews"))
    return Rollup(number=data["number"], head_sha=data["headRefOid"], state=state, said=said)


def annotation(data: Mapping[str, Any]) -> Annotation:
    """Read an annotation of a check run."""
    return Annotation(
        path=data["path"],
        line=data["start_line"],
        end_line=data["end_line"],
        level=Level(data["annotation_level"] or "notice"),
        message=data["message"] or "",
        title=data["title"] or "",
    )


def issue(data: Mapping[str, Any]) -> Issue:
    """Read an issue."""
    is_open = data["state"] == "open"
    return Issue(
        number=data["number"],
        url=data["html_url"],
        title=data["title"],
        body=data.get("body") or "",
        author=person(data["user"]),
        open=is_open,
        reason="" if is_open else data.get("state_reason") or "",
        labels=labels(data["labels"]),
        created=moment(data["created_at"]),
        updated=moment(data["updated_at"]),
    )
