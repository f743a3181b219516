"""Whether an agent may do what it asks for: decided by what it says of the call itself.

An agent that lies about its call is let through: that is what a sandbox is for.
"""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.model.job import Permissions

_LONGEST: Final = 1000
_THINKS: Final = frozenset({"think"})
_LOOKS: Final = frozenset({"read", "search"})
_CHANGES: Final = frozenset({"edit", "delete", "move", "switch_mode"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the agent is told."""

    allowed: bool
    what: str
    """The call in words, by which a person can allow it."""
    ask: bool = False
    """Whether a person is to be asked; not for what the profile rules out."""


def decide(
    call: Mapping[str, Any],
    permissions: Permissions,
    allowed: Collection[str],
    inside: Callable[[str], bool],
) -> Verdict:
    """Judge a tool call of the protocol: `kind`, `title`, `locations` and `rawInput` count.

    `allowed` holds kinds (``execute``), titles, or rules as in `Verdict.what`; `inside` says
    whether a path lies in the work tree.
    """
    kind, what = _kind(call), rule(call)
    if permissions is Permissions.ALL or {kind, what, str(call.get("title"))} & set(allowed):
        return Verdict(allowed=True, what=what)
    if kind in _THINKS:
        return Verdict(allowed=True, what=what)
    at_home = all(inside(path) for path in _paths(call))
    if kind in _LOOKS:
        return Verdict(allowed=at_home, what=what, ask=True)
    if kind in _CHANGES:
        may = permissions is Permissions.EDIT
        return Verdict(allowed=may and at_home, what=what, ask=may)
    return Verdict(allowed=False, what=what, ask=True)


def rule(call: Mapping[str, Any]) -> str:
    """The call in words: its kind, and the command, the paths or the title of it."""
    given = call.get("rawInput")
    command = given.get("command") if isinstance(given, Mapping) else None
    if isinstance(command, list):
        command = " ".join(map(str, command))
    about = command if isinstance(command, str) else ""
    about = about or ", ".join(_paths(call)) or str(call.get("title") or "")
    return f"{_kind(call)}({_shown(about)})" if about else _kind(call)


def _kind(call: Mapping[str, Any]) -> str:
    return str(call.get("kind") or "other")


def _paths(call: Mapping[str, Any]) -> list[str]:
    places = call.get("locations")
    found = [place for place in places or () if isinstance(place, Mapping)]
    return list(dict.fromkeys(str(place["path"]) for place in found if place.get("path")))


def _shown(about: str) -> str:
    """`about` whole in one line: a person must not allow by its first line what the second does."""
    if len(about) > _LONGEST:
        mark = hashlib.sha256(about.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        about = f"{about[:_LONGEST]}… #{mark}"
    lines = about.replace("\r\n", "\n").strip().split("\n")
    return " ⏎ ".join(
        "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line) for line in lines
    )
