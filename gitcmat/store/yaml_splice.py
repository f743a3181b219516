"""Change top-level keys of a YAML text by cutting out only what belongs to them."""

from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from gitcmat.store.yaml_emit import dump, flow
from gitcmat.store.yaml_reader import Span


class _Delete(Enum):
    DELETE = "delete"


DELETE: Final = _Delete.DELETE
"""As a value in `edit`: remove the key."""


class Odd(Exception):
    """The text is laid out in a way that cannot be cut by lines."""


def splice(text: str, spans: Mapping[str, Span], changes: Mapping[str, Any]) -> str:
    """Apply `changes` to `text`, whose keys stand at `spans`; new keys come last.

    The caller must check what the result means. Raises `Odd` when a key shares its line with
    something else.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    if any(span.column for span in spans.values()):
        raise Odd
    known = [key for key in changes if key in spans]
    for key in sorted(known, key=lambda key: spans[key].key, reverse=True):
        start, end, new = _replacement(text, key, spans[key], changes[key])
        text = text[:start] + new.replace("\n", newline) + text[end:]
    added = {key: value for key, value in changes.items() if key not in spans}
    if DELETE in added.values():
        raise Odd
    if not spans:
        text = text.rstrip().removesuffix("{}")  # an empty mapping, as dump writes it
    if added:
        if text and not text.endswith("\n"):
            text += newline
        text += dump(added).replace("\n", newline)
    return text


def _replacement(text: str, key: str, span: Span, value: object) -> tuple[int, int, str]:
    """From, to and new text for one key."""
    if value is not DELETE and span.inline and (new := _inline(text, span, value)) is not None:
        gap = "" if text[span.value - 1 : span.value] in (" ", "\n") else " "
        return span.value, span.end, gap + new
    end = span.end
    if text[span.key : end].endswith("\n"):
        end = span.key + len(text[span.key : end].rstrip())  # blank lines after a block stay
    line_end = text.find("\n", end)
    end = len(text) if line_end < 0 else line_end + 1
    return span.key, end, "" if value is DELETE else dump({key: value})


def _inline(text: str, span: Span, value: object) -> str | None:
    """`value` in the place of the old one on its line, None if it needs lines of its own."""
    if isinstance(value, list | tuple):
        was_list = text.startswith("[", span.value)
        scalars = not any(isinstance(item, list | tuple | dict) for item in value)
        return flow(value) if scalars and (was_list or not value) else None
    new = dump({"k": value}).removeprefix("k:").removesuffix("\n")
    return None if "\n" in new or new.startswith(" |") else new.strip()
