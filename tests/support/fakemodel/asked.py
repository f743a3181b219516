"""A request as every dialect means it: who asks what, at which turn, with which tools."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

Body = Mapping[str, Any]

_ADDED: Final = re.compile(r"\s*(?:<([\w-]+)[\s>].*</\1>|Tool loaded\.)\s*", re.DOTALL)
"""What a client itself puts among a person's words: whole elements, and one word of Claude Code."""

_CWD: Final = re.compile(
    r"(?:[Ww]orking directory: |<cwd>|Workspace Directories:\*?\*?\s+- )(/[^<\n\\]*)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request to the model."""

    dialect: str
    model: str
    prompt: str
    """The last words of the person, without what the client adds."""
    turn: int
    """How often the model has replied since then."""
    results: tuple[str, ...]
    """What its tools gave back since then."""
    prompts: int
    """How many prompts the conversation has; more than one means that it was gone on with."""
    tools: tuple[str, ...]
    stream: bool
    cwd: str = ""
    """The client's working directory, as far as the request tells it."""
    aside: bool = False
    """Not part of the work: a title, a choice of model, a count of tokens."""


class Conversation:
    """Collects the messages of a request, in order."""

    def __init__(self) -> None:
        self._prompt: list[str] = []
        self._results: list[str] = []
        self._turns = 0
        self._prompts = 0
        self._last = ""

    def said(self, text: str) -> None:
        """Add words of the user's side."""
        if not text.strip() or _ADDED.fullmatch(text):
            return
        if self._last != "prompt":
            self._prompt, self._results, self._turns = [], [], 0
            self._prompts += 1
        self._prompt.append(text)
        self._last = "prompt"

    def replied(self) -> None:
        """Add something by the model; several in a row are one reply."""
        self._turns += self._last != "reply"
        self._last = "reply"

    def gave(self, result: str) -> None:
        """Add what a tool gave back."""
        self._results.append(result)
        self._last = "result"

    def asked(self, body: Body, *, dialect: str, model: str, tools: list[str]) -> Asked:
        """Return the request that ends with this conversation."""
        cwd = _CWD.search(json.dumps(body, ensure_ascii=False).replace("\\n", "\n"))
        return Asked(
            dialect=dialect,
            model=model,
            prompt="\n".join(self._prompt),
            turn=self._turns,
            results=tuple(self._results),
            prompts=self._prompts,
            tools=tuple(tools),
            stream=bool(body.get("stream")),
            cwd=cwd[1].strip() if cwd else "",
        )


def texts(content: Any) -> list[str]:
    """Return the texts of a message's content: a string, or a list of parts."""
    if isinstance(content, str):
        return [content]
    return [part["text"] for part in content or () if isinstance(part.get("text"), str)]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An answer over HTTP that is none."""

    status: int
    body: Body
    headers: Mapping[str, str]


def event(data: Body, name: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


def pieces(text: str) -> list[str]:
    """Cut `text` into the pieces that a stream brings it in."""
    return re.findall(r"\S+\s*|\s+", text)
