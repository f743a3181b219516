"""The words of the domain as types, with the checks they need where they come from outside."""

import re
from collections.abc import Iterable
from typing import Final, NewType

from gitcmat.errors import InvalidData

TaskId = NewType("TaskId", str)
RunId = NewType("RunId", str)
BlockerId = NewType("BlockerId", str)
NodeId = NewType("NodeId", str)
Sha = NewType("Sha", str)
"""A whole object id, 40 or 64 hex digits; short ones are for display only."""
Ref = NewType("Ref", str)
"""A full ref name, ``refs/heads/main``."""

_ID: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_RESERVED: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))}
)


def task_id(text: str) -> TaskId:
    """Check an id before it becomes a path or part of a ref.

    Raises `InvalidData` for anything but 1 to 63 lower-case letters, digits and dashes, and for
    names that Windows reserves.
    """
    if not _ID.fullmatch(text):
        raise InvalidData(
            f"{text!r} is not a task id.", hint="1 to 63 lower-case letters, digits and dashes"
        )
    if text in _RESERVED:
        raise InvalidData(f"{text!r} is a reserved name on Windows.", hint="choose another id")
    return TaskId(text)


def is_id(text: str) -> bool:
    """Whether `text` may be an id of a task, an agent, a gate or a record."""
    return bool(_ID.fullmatch(text)) and text not in _RESERVED


def check_variables(key: str, names: Iterable[str], values: Iterable[str] = ()) -> None:
    """Check names and values of environment variables, which stand below `key` of a file.

    Raises `InvalidData` for what no program could be started with.
    """
    for name in names:
        if not _VARIABLE.fullmatch(name):
            raise InvalidData(
                f"{key}: {name!r} is no name of a variable",
                hint="letters, digits and underscores, and no digit first, such as API_KEY",
            )
    if any("\0" in value for value in values):
        raise InvalidData(
            f"{key}: a value has a NUL character", hint="take it out: no variable can hold it"
        )


def heading(title: str, prompt: str) -> str:
    """What people call a task: its title, or the first line of its prompt."""
    return title.strip() or prompt.strip().splitlines()[0]


def short(sha: str) -> str:
    """An object id as people read it."""
    return sha[:10]
