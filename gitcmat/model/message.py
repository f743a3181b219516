"""What an agent may send us: one JSON object a line, of one of five kinds.

The agent may write anything there, so a line is read like something from a stranger: it is one of
these, with the run's nonce and within their sizes, or it is nothing.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import ClassVar, Final

from gitcmat.model.subtask import LONGEST_TITLE

MOST_MEMBERS: Final = 20
"""How many runs one run may have made for it."""

REPLY: Final = re.compile(r"[a-z0-9]{8,32}")
"""What a reply is called by whoever waits for it: also the name of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question to a person."""

    kind: ClassVar = "ask"
    most: ClassVar = 20
    """So many of a kind are taken from one run."""
    longest: ClassVar = {"question": 10_000}
    """Characters that each field may have."""

    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubtask:
    """A part of the run's task that turned out to be wanted."""

    kind: ClassVar = "subtask"
    most: ClassVar = 20
    longest: ClassVar = {"title": LONGEST_TITLE}

    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far it is, for whoever follows the run."""

    kind: ClassVar = "progress"
    most: ClassVar = 500
    longest: ClassVar = {"text": 2_000}

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveNow:
    """The work tree is to be saved as a checkpoint."""

    kind: ClassVar = "checkpoint"
    most: ClassVar = 20
    longest: ClassVar = {"name": 200, "id": 32}

    name: str
    id: str = ""
    """What the reply is to be called; empty for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegate:
    """Another agent is to do a part of the work, in a run of its own."""

    kind: ClassVar = "delegate"
    most: ClassVar = 10 * MOST_MEMBERS
    """More than are taken: each of the others is told so."""
    longest: ClassVar = {"agent": 100, "prompt": 100_000, "group": 100, "id": 32}

    agent: str
    prompt: str
    id: str
    """What the reply is to be called."""
    group: str = ""
    """What those that belong together have in common, for people."""


Message = Ask | NewSubtask | Progress | SaveNow | Delegate

KINDS: Final[Mapping[str, type[Message]]] = {
    kind.kind: kind for kind in (Ask, NewSubtask, Progress, SaveNow, Delegate)
}
_LONGEST_UNKNOWN: Final = 40


def written(message: Message, nonce: str) -> bytes:
    """One line that says `message` for the run with this nonce.

    Raises ValueError with what is wrong with the message, such as ``its title is empty``.
    """
    values = asdict(message)
    _checked(type(message), values)
    return json.dumps({"kind": message.kind, "nonce": nonce, **values}).encode() + b"\n"


def read(line: bytes, nonce: str) -> Message:
    """Return what a line says. Raises ValueError with what is wrong with it."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise ValueError("it is no JSON") from None
    if not isinstance(said, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - data, not a wrong call
    if said.pop("nonce", "") != nonce:
        raise ValueError("it does not have the nonce of this run")
    name = said.pop("kind", None)
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise ValueError(f"its kind is none of {', '.join(KINDS)}")
    return kind(**_checked(kind, said))


def _checked(kind: type[Message], said: Mapping[str, object]) -> dict[str, str]:
    known = {field.name for field in fields(kind)}
    for name in said.keys() - known:
        raise ValueError(f"a {kind.kind} has no {name[:_LONGEST_UNKNOWN]!r}")
    values: dict[str, str] = {}
    for field in fields(kind):
        text = said.get(field.name, field.default)
        if not isinstance(text, str):
            raise ValueError(f"its {field.name} is no text")  # noqa: TRY004 - data
        text = text.strip()
        if not text and field.default != "":
            raise ValueError(f"its {field.name} is empty")
        if len(text) > kind.longest[field.name]:
            most = f"{kind.longest[field.name]:,}"
            raise ValueError(f"its {field.name} has more than {most} characters")
        values[field.name] = text
    if values.get("id") and not REPLY.fullmatch(values["id"]):
        raise ValueError("its id is not 8 to 32 of a-z and 0-9")
    return values
