"""What the file of a workflow's event says, as far as anything hangs on it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.forge import GHOST

MOST_BYTES: Final = 8 << 20
"""A push of two thousand commits has a file of some megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who did something."""

    login: str
    bot: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidComment:
    """A comment as it was made."""

    id: int
    author: Account
    body: str
    created: datetime
    updated: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidIssue:
    """An issue or pull request as it was then."""

    number: int
    author: Account
    pull: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """The parts of it that are looked at."""

    repository: str = ""
    """``owner/name``; empty where the event does not say it, as that of a clock."""
    default_branch: str = ""
    action: str = ""
    sender: Account | None = None
    after: str = ""
    """The commit that was pushed."""
    label: str = ""
    issue: SaidIssue | None = None
    comment: SaidComment | None = None


def read_payload(text: bytes) -> Payload:
    """Read the file of an event.

    Raises:
        InvalidData: it is too big, no JSON, says a thing twice, or lacks what it must have.
    """
    if len(text) > MOST_BYTES:
        raise InvalidData(f"its file has more than {MOST_BYTES >> 20} MB.")
    try:
        whole = json.loads(text.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise InvalidData("its file is no JSON.") from None
    if not isinstance(whole, dict):
        raise InvalidData("its file holds no object.")
    repository = _part(whole, "repository") if whole.get("repository") is not None else {}
    issue, comment, label = (whole.get(name) for name in ("issue", "comment", "label"))
    return Payload(
        repository=_text(repository, "full_name") if repository else "",
        default_branch=_text(repository, "default_branch") if repository else "",
        action=_text(whole, "action", ""),
        sender=_account(whole, "sender") if whole.get("sender") is not None else None,
        after=_text(whole, "after", ""),
        label=_text(_part(whole, "label"), "name") if label is not None else "",
        issue=_issue(_part(whole, "issue")) if issue is not None else None,
        comment=_comment(_part(whole, "comment")) if comment is not None else None,
    )


def _issue(part: dict[str, Any]) -> SaidIssue:
    return SaidIssue(
        number=_number(part, "number"),
        author=_account(part, "user"),
        pull=part.get("pull_request") is not None,
    )


def _comment(part: dict[str, Any]) -> SaidComment:
    return SaidComment(
        id=_number(part, "id"),
        author=_account(part, "user"),
        body=_text(part, "body"),
        created=_moment(part, "created_at"),
        updated=_moment(part, "updated_at"),
    )


def _account(part: dict[str, Any], name: str) -> Account:
    """GitHub says null for an account that is gone."""
    if part.get(name) is None:
        return Account(login=GHOST, bot=False)
    found = _part(part, name)
    return Account(login=_text(found, "login"), bot=_text(found, "type") != "User")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number of JSON")


def _part(whole: dict[str, Any], name: str) -> dict[str, Any]:
    found = whole.get(name)
    if not isinstance(found, dict):
        raise InvalidData(f"its {name} is no object.")
    return found


def _text(part: dict[str, Any], name: str, default: str | None = None) -> str:
    found = part.get(name, default)
    if not isinstance(found, str):
        raise InvalidData(f"its {name} is no text.")
    return found


def _number(part: dict[str, Any], name: str) -> int:
    found = part.get(name)
    if type(found) is not int or found < 1:
        raise InvalidData(f"its {name} is no number.")
    return found


def _moment(part: dict[str, Any], name: str) -> datetime:
    try:
        found = datetime.fromisoformat(_text(part, name))
    except ValueError:
        raise InvalidData(f"its {name} is no moment.") from None
    if found.tzinfo is None:
        raise InvalidData(f"its {name} has no time zone.")
    return found
