"""Text of agents on its way through a workflow: what makes it harmless, and whether it is.

A job that runs an agent makes its words harmless before it hands them on; the job that publishes
them believes nothing and looks whether they are. Both ask here.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, Final

from gitcmat.model.pull_body import defused

_NOTHING: Final = "\u200b"
"""A character of no width: people see the same, and a workflow sees no command."""
_COMMAND: Final = re.compile(r"^(\s*)::", re.MULTILINE)
_OLD_COMMAND: Final = "##["
_TRAILER: Final = re.compile(r"cmat-[\w-]*\s*:", re.IGNORECASE)

BIDIRECTIONAL: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e") | frozenset(
    "\u2066\u2067\u2068\u2069"
)
"""What makes a line look other than it is read (CVE-2021-42574)."""
_TAGS: Final = range(0xE0000, 0xE0080)
"""Letters that nobody sees and models read."""
DECEIVING: Final = BIDIRECTIONAL | {chr(code) for code in _TAGS}
"""What a reviewer of source cannot see."""


def hides(char: str) -> bool:
    """Whether a character makes text look other than it is, or is no text at all."""
    if char in "\n\t":
        return False
    return char in DECEIVING or unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"}


def harmless(text: str) -> str:
    """Return text that looks the same, hides nothing, and is no command of a workflow."""
    text = text.replace("\r\n", "\n")
    shown = "".join(_escaped(char) if hides(char) else char for char in text)
    shown = shown.replace(_OLD_COMMAND, f"#{_NOTHING}#[")
    return _COMMAND.sub(rf"\1{_NOTHING}::", shown)


def sealed(message: str, ours: Collection[str]) -> str:
    """Return the message of a commit as it may be pushed: harmless; it calls nobody, closes no
    issue, skips no checks, and says in gitcmat's name nothing but the lines `ours`.
    """
    lines = defused(harmless(message)).split("\n")
    kept = (f"> {line}" if _TRAILER.match(line) and line not in ours else line for line in lines)
    return "\n".join(kept).strip("\n") + "\n"


def trailers(task: str, runs: Iterable[str]) -> frozenset[str]:
    """Return the lines that commits of these runs may say in gitcmat's name."""
    return frozenset((f"Cmat-Task: {task}", *(f"Cmat-Run: {run}" for run in runs)))


def made_harmless(value: Any) -> Any:
    """Return the same data with each of its texts made harmless."""
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, Mapping):
        return {harmless(str(key)): made_harmless(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [made_harmless(item) for item in value]
    return value


def texts(value: object) -> Iterator[str]:
    """Every text in a value, however deep it lies."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from (*texts(key), *texts(item))
    elif isinstance(value, Sequence):
        for item in value:
            yield from texts(item)
    elif is_dataclass(value):
        for one in fields(value):
            yield from texts(getattr(value, one.name))


def _escaped(char: str) -> str:
    code = ord(char)
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004 - two digits
