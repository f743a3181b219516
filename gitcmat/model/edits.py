"""What a person may change in the view, merged field by field with the record as it is by now.

Three texts of one record meet here as plain data: the `base` that gitcmat wrote into the view, what
the person made of it, and the record now. Only a few fields may differ between the first two.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.model.blocker import BlockerStatus
from gitcmat.model.state import State
from gitcmat.model.task import Priority

Lines = Mapping[tuple[str | int, ...], int]
"""The 1-based line of each key by its path, as the YAML reader gives it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The edit may be taken in. No `changes` means that it says nothing new (a comment, say)."""

    changes: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Refused:
    """The edit may not be taken in; `line` is the line of `key` in the person's file."""

    reason: str
    key: str
    line: int = 1


_MISSING: Final = object()
_QUEUE: Final = "queue"
_BLOCKERS: Final = "blockers"
_DEFAULTS: Final[dict[str, dict[str, Any]]] = {
    _QUEUE: {"priority": Priority.NORMAL.value, "hold": False},
    _BLOCKERS: {"answer": ""},
}
"""Per kind of record the fields that may be edited, with what their absence means."""


def merge_edit(
    kind: str,
    base: object,
    edited: object,
    current: Mapping[str, Any],
    *,
    state: State | None = None,
    lines: Lines | None = None,
) -> Accepted | Refused:
    """Compare `edited` with `base` and return what of it goes into the record, `current` now.

    `kind` is the folder of the record (``queue``, ``blockers``, …), `state` that of a queue entry
    now. An ``answer`` counts when there is more in it than white space.
    """
    where = lines or {}
    if not isinstance(edited, Mapping) or not isinstance(base, Mapping):
        return Refused("it is not a mapping of keys to values", "", where.get((), 1))
    own = _DEFAULTS.get(kind, {})
    for key in sorted({*base, *edited}, key=lambda k: where.get((k,), 0)):
        reason = _forbidden(key, base, edited, current, own)
        if reason:
            return Refused(reason, str(key), where.get((key,), 1))
    changes: dict[str, Any] = {}
    for key, default in own.items():
        before, now = base.get(key, default), current.get(key, default)
        wish = edited.get(key, default)
        line = where.get((key,), 1)
        wrong = _CHECKS[key](wish)
        if wrong and not _same(wish, before):
            return Refused(wrong, key, line)
        if _silent(key, wish) or _same(wish, before) or _same(wish, now):
            continue
        closed = _closed(kind, current, state)
        if closed:
            return Refused(closed, key, line)
        if not _same(before, now):
            return Refused(f"{key} was changed here and also elsewhere, to {now!r}", key, line)
        changes[key] = wish
    return Accepted(changes)


def _forbidden(
    key: object,
    base: Mapping[str, Any],
    edited: Mapping[str, Any],
    current: Mapping[str, Any],
    own: Mapping[str, Any],
) -> str:
    before, after = base.get(str(key), _MISSING), edited.get(str(key), _MISSING)
    if not isinstance(key, str) or (before is _MISSING and key not in own):
        known = isinstance(key, str) and _same(after, current.get(key, _MISSING))
        return "" if known else f"{key} was added; {_may(own)}"
    if _same(before, after) or _same(after, current.get(key, _MISSING)):
        return ""
    if after is _MISSING:
        return f"{key} was removed; {_may(own)}"
    if key in own:
        return ""
    if key == "version":
        return (
            "it was saved from an older version of the record; open it again and repeat the change"
        )
    return f"{key} was changed; {_may(own)}"


def _may(own: Mapping[str, Any]) -> str:
    return f"only {' and '.join(own)} may be changed here" if own else "nothing here may be changed"


def _closed(kind: str, current: Mapping[str, Any], state: State | None) -> str:
    """Say why nothing may be changed any more, or nothing when it may."""
    if kind == _QUEUE and state is not None and state.finished:
        return f"the task is {state} by now"
    status = current.get("status", BlockerStatus.OPEN)
    if kind == _BLOCKERS and status != BlockerStatus.OPEN:
        return f"the question is {status} by now"
    return ""


def _silent(key: str, wish: object) -> bool:
    return key == "answer" and (not isinstance(wish, str) or not wish.strip())


def _wrong_priority(wish: object) -> str:
    names = [p.value for p in Priority]
    return "" if wish in names else f"priority is one of {', '.join(names)}, not {wish!r}"


def _wrong_hold(wish: object) -> str:
    return "" if isinstance(wish, bool) else f"hold is true or false, not {wish!r}"


def _wrong_answer(wish: object) -> str:
    if wish is None or isinstance(wish, str):
        return ""
    return "answer is not text; write it on the lines below `answer: |`, two spaces in"


_CHECKS: Final[dict[str, Callable[[object], str]]] = {
    "priority": _wrong_priority,
    "hold": _wrong_hold,
    "answer": _wrong_answer,
}


def _same(a: object, b: object) -> bool:
    """Equal in value and type (1 is not true); text without regard to white space at its ends."""
    if isinstance(a, str) and isinstance(b, str):
        return a.strip() == b.strip()
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b
