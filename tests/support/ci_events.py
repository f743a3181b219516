"""Events of GitHub's workflows as its runner tells them: environment and file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

SLUG: Final = "pat/project"
SHA: Final = "1c0ffee" + "0" * 33
COMMENTED: Final = "2026-11-20T10:00:00Z"


def account(login: str, kind: str = "User") -> dict[str, Any]:
    """A user as it stands in events."""
    return {
        "login": login,
        "id": 1000 + len(login),
        "node_id": "U_kgDOAAAAAA",
        "html_url": f"https://github.com/{login}",
        "type": kind,
        "user_view_type": "public",
        "site_admin": False,
    }


def repository(slug: str = SLUG, *, branch: str = "main", private: bool = True) -> dict[str, Any]:
    """A repository as it stands in events."""
    owner, name = slug.split("/")
    return {
        "id": 42,
        "node_id": "R_kgDOAAAAAA",
        "name": name,
        "full_name": slug,
        "private": private,
        "visibility": "private" if private else "public",
        "owner": account(owner),
        "html_url": f"https://github.com/{slug}",
        "fork": False,
        "default_branch": branch,
    }


def issue(number: int = 7, author: str | None = "rita", *, pull: bool = False) -> dict[str, Any]:
    """An issue, or a pull request as events about comments have it."""
    place = f"https://api.github.com/repos/{SLUG}"
    said: dict[str, Any] = {
        "number": number,
        "title": "Split a bill to the cent",
        "user": author and account(author, "Bot" if author.endswith("[bot]") else "User"),
        "labels": [],
        "state": "open",
        "author_association": "MEMBER",
        "body": "…",
    }
    if pull:
        said |= {"draft": True, "pull_request": {"url": f"{place}/pulls/{number}"}}
    return said


def comment(body: str, author: str | None = "rita", *, edited: str = COMMENTED) -> dict[str, Any]:
    """A comment below an issue or pull request."""
    return {
        "id": 99,
        "user": author and account(author, "Bot" if author.endswith("[bot]") else "User"),
        "created_at": COMMENTED,
        "updated_at": edited,
        "author_association": "OWNER",
        "body": body,
    }


@dataclass
class Told:
    """An event; `env` and `payload` may be changed before it is told."""

    env: dict[str, str]
    payload: dict[str, Any]
    more: dict[str, str] = field(default_factory=dict)

    def file(self) -> bytes:
        return json.dumps(self.payload).encode()

    def at(self, folder: Path) -> Mapping[str, str]:
        """The environment, with the file written below a folder."""
        path = folder / "event.json"
        path.write_bytes(self.file())
        return self.env | self.more | {"GITHUB_EVENT_PATH": str(path)}


def told(name: str, actor: str = "rita", *, sha: str = SHA, **payload: object) -> Told:
    """An event of a name: what all have, and `payload`, where None takes something out."""
    whole: dict[str, Any] = {"repository": repository(), "sender": account(actor)}
    if actor.endswith("[bot]"):
        whole["sender"]["type"] = "Bot"
    whole |= payload
    return Told(
        env={
            "GITHUB_ACTIONS": "true",
            "GITHUB_EVENT_NAME": name,
            "GITHUB_REPOSITORY": SLUG,
            "GITHUB_SHA": sha,
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_ACTOR": actor,
            "GITHUB_TRIGGERING_ACTOR": actor,
            "GITHUB_RUN_ATTEMPT": "1",
            "RUNNER_ENVIRONMENT": "github-hosted",
        },
        payload={key: value for key, value in whole.items() if value is not None},
    )


def push(actor: str = "rita", sha: str = SHA) -> Told:
    """A push to main."""
    commits = [{"id": sha, "message": "Tasks", "distinct": True}]
    return told("push", actor, sha=sha, ref="refs/heads/main", after=sha, commits=commits)


def dispatch(actor: str = "rita", task: str = "") -> Told:
    """Somebody pressed the button."""
    event = told("workflow_dispatch", actor, inputs={"task": task}, ref="refs/heads/main")
    event.env["CMAT_TASK"] = task
    return event


def schedule(actor: str = "rita") -> Told:
    """The clock did; it says little, and of the repository nothing."""
    return told("schedule", actor, schedule="17 * * * *", sender=None, repository=None)


def labelled(actor: str = "rita", author: str | None = "rita", label: str = "cmat") -> Told:
    """An issue got a label."""
    name = {"id": 1, "name": label, "color": "ededed"}
    return told("issues", actor, action="labeled", issue=issue(author=author), label=name)


def commented(
    body: str = "/cmat retry", author: str = "rita", *, on: dict[str, Any] | None = None
) -> Told:
    """Somebody said something."""
    said = comment(body, author)
    return told("issue_comment", author, action="created", issue=on or issue(), comment=said)
