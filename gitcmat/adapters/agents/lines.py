"""What the adapters of programs share that print one JSON object a line."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

_SESSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_LONGEST: Final = 300


def parsed(line: str) -> dict[str, Any]:
    """The object of one line; an empty one for what is none."""
    try:
        found = json.loads(line) if line.lstrip()[:1] == "{" else None
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def text(value: object) -> str:
    """`value` if it is text, else an empty one."""
    return value if isinstance(value, str) else ""


def inner(value: object, *keys: str) -> Any:
    """What lies at `keys`, one in the other; None where something else is on the way."""
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def count(value: object) -> int:
    """A number of tokens; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def money(value: object) -> float | None:
    """An amount of money; None for what is none."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e9  # noqa: PLR2004 - more than anybody has
    return float(value) if good and isinstance(value, int | float) else None


def session(value: object) -> str:
    """A session's id, fit to be an argument; empty for what is none."""
    return value if isinstance(value, str) and _SESSION.fullmatch(value) else ""


def one_line(value: str) -> str:
    """The first line that says something, cut."""
    return next((line.strip() for line in value.splitlines() if line.strip()), "")[:_LONGEST]


def unwrapped(message: str) -> str:
    """What a provider's answer says that a program passed on whole; other messages as they are."""
    return text(inner(parsed(message), "error", "message")) or message


def refused(what: str) -> str:
    """The question to a person when `what` was refused, and no answer can let the program do it."""
    return f"The agent was refused {what}, and no answer here can allow that. What shall it do?"


_SOON: Final = timedelta(minutes=2)
_USED_UP: Final = ("quota", "usage limit", "usage cap", "insufficient credits", "credit balance")


def used_up(said: str, now: datetime) -> bool:
    """Whether a limit, as a message says it, is none that a turn should wait for: it ends at an
    hour, or when somebody pays, and not in a moment.
    """
    at = until(said, now)
    if at is not None:
        return at > now + _SOON
    return any(word in said.lower() for word in _USED_UP)


_RETRY: Final = re.compile(
    r"(?:retry|try again|resets?)\s+(?:in|after)\s+([\d.]+)\s*(ms|s|m|h)", re.IGNORECASE
)
_UNITS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
_DAY: Final = re.compile(
    r"(?:on|at|until)\s+(\d{4})-(\d\d)-(\d\d)(?:\s+at)?\s+(\d\d):(\d\d)\s*UTC", re.IGNORECASE
)
_DATE: Final = re.compile(
    r"at ([A-Z][a-z]{2}) (\d{1,2})(?:st|nd|rd|th), (\d{4}) (\d{1,2}):(\d\d) ([AP]M)"
)
_CLOCK: Final = re.compile(
    r"(?:at|resets) (\d{1,2}):?(\d\d)? ?([ap]m)(?: \((UTC)\))?", re.IGNORECASE
)
_MINUTE: Final = timedelta(minutes=1)
_MONTHS: Final = "janfebmaraprmayjunjulaugsepoctnovdec"


def until(said: str, now: datetime) -> datetime | None:
    """When a provider serves again, as a message says it; None where it does not.

    Times of day without a zone are this machine's: the programs print them so. They cut the seconds
    off, so the minute that is named must be over: else one would ask too early, and be told the
    same minute again, which by then would be tomorrow's.
    """
    try:
        return _until(said, now)
    except (ValueError, OverflowError):
        return None


def _until(said: str, now: datetime) -> datetime | None:
    if found := _RETRY.search(said):
        return now + timedelta(seconds=float(found[1]) * _UNITS[found[2].lower()])
    if found := _DAY.search(said):
        year, month, day, hour, minute = (int(part) for part in found.groups())
        return datetime(year, month, day, hour, minute, tzinfo=UTC) + _MINUTE
    if found := _DATE.search(said):
        month = _MONTHS.index(found[1].lower()) // 3 + 1
        hour = _hour(int(found[4]), found[6])
        there = datetime(int(found[3]), month, int(found[2]), hour, int(found[5]))  # noqa: DTZ001
        return there.astimezone(UTC) + _MINUTE
    if found := _CLOCK.search(said):
        zone = UTC if found[4] else now.astimezone().tzinfo
        here = now.astimezone(zone)
        hour = _hour(int(found[1]), found[3])
        at = here.replace(hour=hour, minute=int(found[2] or 0), second=0, microsecond=0) + _MINUTE
        return (at if at > here else at + timedelta(days=1)).astimezone(UTC)
    return None


def _hour(hour: int, half: str) -> int:
    return hour % 12 + (12 if half.lower() == "pm" else 0)
