"""What an answer of GitHub that is no success means: wait, or an error in words for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gitcmat.errors import UserError
from gitcmat.forge import (
    AlreadyThere,
    HeadMoved,
    NotAllowed,
    NotVisible,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInRefused,
    Unreachable,
)

_TRIES: Final = 4
"""How often a request that changes nothing is sent while the forge is in trouble."""
_SECONDARY_PAUSE: Final = 60.0
"""Seconds that GitHub asks for where a secondary limit comes without a time."""
_LONGEST: Final = 400
"""Characters of GitHub's own words that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A request, and how to speak of it."""

    verb: str
    path: str
    what: str
    """What it is for, after "may not" and "would not": ``open a pull request``."""
    needs: str = ""
    """The permission for it, such as ``pull requests: write``."""
    params: Mapping[str, str] = field(default_factory=dict)
    body: object = None
    safe: bool = True
    """Whether it changes nothing, so that it may be sent again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. Status 0: no answer, because of what `text` says."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in small letters."""
    text: str = ""
    body: Any = None
    """What the JSON says."""
    sent: bool = True
    """Whether the request may have reached the forge."""

    @property
    def message(self) -> str:
        """What GitHub says, in one line: its message and the reasons below it."""
        if not isinstance(self.body, dict):
            return self.text.strip()[:_LONGEST] if self.status == 0 else ""
        errors = self.body.get("errors") or ()
        reasons = [str(self.body.get("message", "")), *(_reason(error) for error in errors)]
        return "; ".join(dict.fromkeys(reason for reason in reasons if reason))[:_LONGEST]


def pause_before_retry(ask: Ask, answer: Answer, tries: int, now: datetime) -> float | None:
    """Return how many seconds to wait before `ask` is sent again; None when it must not be.

    `tries` is how often it was sent. What changes something is never sent again: even where the
    forge says that it did nothing, its caller knows better what to look at first.
    """
    if not ask.safe or tries >= _TRIES:
        return None
    if (until := limited_until(answer, now)) is not None:
        return max(1.0, (until - now).total_seconds())
    if answer.status == 0 or answer.status >= 500:  # noqa: PLR2004 - a server's own fault
        return max(float(2 ** (tries - 1)), _retry_after(answer) or 0.0)
    return None


def limited_until(answer: Answer, now: datetime) -> datetime | None:
    """Return when a rate limit ends, primary or secondary; None when the answer tells of none."""
    if answer.status not in {403, 429}:
        return None
    if (seconds := _retry_after(answer)) is not None:
        return now + timedelta(seconds=seconds)
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = answer.headers.get("x-ratelimit-reset", "")
        if reset.isdigit():
            return datetime.fromtimestamp(int(reset), UTC)
    said = answer.message.lower()
    if answer.status == 429 or "rate limit" in said or "abuse detection" in said:  # noqa: PLR2004
        return now + timedelta(seconds=_SECONDARY_PAUSE)
    return None


def error_of(ask: Ask, answer: Answer, slug: str, now: datetime) -> UserError:
    """Return what to raise for an answer that is no success."""
    said = answer.message
    place = f"{ask.what} in {slug}"
    if (until := limited_until(answer, now)) is not None:
        return RateLimited(
            f"GitHub's rate limit is used up until {until:%Y-%m-%d %H:%M:%S} UTC.",
            until=until,
            hint="wait, or use another token: limits are for each account",
        )
    match answer.status:
        case 401:
            return SignInRefused(
                "GitHub does not accept the token: it is wrong, expired or revoked.",
                hint="gitcmat auth status says where it comes from",
            )
        case 403:
            return _not_allowed(ask, answer, place, said)
        case 404 | 410 | 451:
            scope = _scope_missing(answer)
            has = f"has {ask.needs!r}" if ask.needs else ""
            has = f"has the scope {scope}" if scope else has
            return NotVisible(
                f"GitHub would not {place}: it is not there, or the token may not see it.",
                hint="look whether the token is for this repository"
                + (f" and {has}" if has else ""),
            )
        case 301 | 302 | 307 | 308:
            return Refused(
                f"GitHub would not {place}: the repository has moved.",
                hint="set the remote to its new address: git remote set-url",
            )
        case status if status == 0 or status >= 500 or status < 300:  # noqa: PLR2004
            return _no_answer(ask, answer, place)
        case 409 if "head branch was modified" in said.lower():
            return HeadMoved(
                f"GitHub would not {place}: its branch has moved.",
                hint="look at what is new on it, and try again",
            )
        case 422 if "already exists" in said.lower():
            return AlreadyThere(f"GitHub would not {place}: {_sentence(said)}")
        case _:
            return Refused(f"GitHub would not {place}: {_sentence(said or f'{answer.status}')}")


def _not_allowed(ask: Ask, answer: Answer, place: str, said: str) -> NotAllowed:
    sso = answer.headers.get("x-github-sso", "")
    if sso.startswith("required"):
        _, _, url = sso.partition("url=")
        return NotAllowed(
            f"The token may not {place}: its organisation wants single sign-on for it.",
            hint=f"authorise the token at {url}" if url else "authorise the token for it",
            permission=ask.needs,
        )
    if "actions is not permitted" in said.lower():
        return NotAllowed(
            f"The token may not {place}: {_sentence(said)}",
            hint="an owner can allow it in the settings, under Actions: or use the token of an App",
            permission=ask.needs,
        )
    if scope := _scope_missing(answer):
        return NotAllowed(
            f"The token may not {place}: it lacks the scope {scope}.",
            hint=f"give the token the scope {scope}",
            permission=ask.needs,
        )
    # GitHub names what fine-grained tokens and Apps lack in a header of its own.
    named = answer.headers.get("x-accepted-github-permissions", "")
    permission = named.replace("_", " ").replace("=", ": ") or ask.needs
    lacks = f" It lacks {permission!r}." if permission else ""
    return NotAllowed(
        f"The token may not {place}: {_sentence(said or 'forbidden')}{lacks}",
        hint=f"give the token {permission!r}; a classic one needs the scope 'repo'"
        if permission
        else "use a token that may",
        permission=permission,
    )


def _words_in(answer: Answer, header: str) -> set[str]:
    return set(answer.headers.get(header, "").replace(",", " ").split())


def _scope_missing(answer: Answer) -> str:
    """Return of which scopes a classic token lacks all; empty when that is not why."""
    wanted = _words_in(answer, "x-accepted-oauth-scopes")
    if "x-oauth-scopes" not in answer.headers or wanted & _words_in(answer, "x-oauth-scopes"):
        return ""
    return " or ".join(sorted(wanted))


def _no_answer(ask: Ask, answer: Answer, place: str) -> UserError:
    why = answer.message or answer.text
    if answer.status >= 500:  # noqa: PLR2004 - a server's own fault
        why = f"it has trouble of its own ({answer.status})"
    elif answer.status:
        why = f"it answered something that cannot be read ({answer.status})"
    if ask.safe or not answer.sent:
        return Unreachable(
            f"GitHub could not be asked to {place}: {why}.",
            hint="nothing has changed; try again later",
        )
    return OutcomeUnknown(
        f"Whether GitHub did {place} is not known: {why}.",
        hint="look before you try again",
    )


def read_json(text: str) -> object:
    """Return what `text` says; None for no text.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(text) if text else None


def _retry_after(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    return float(text) if text.isdigit() else None


def _reason(error: object) -> str:
    if not isinstance(error, dict):
        return str(error)
    if error.get("message"):
        return str(error["message"])
    return " ".join(str(error[key]) for key in ("resource", "field", "code") if error.get(key))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
