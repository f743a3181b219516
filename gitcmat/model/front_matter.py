"""Front matter that people wrote for other programs, which read it less strictly than YAML is."""

import re
from collections.abc import Mapping
from typing import Final

_FENCE: Final = "---"
_KEY: Final = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)[ \t]*:(?:[ \t]+(.*)|)")
_BLOCK: Final = re.compile(r"[|>][+-]?")
_QUOTES: Final = ("'", '"')


def read(text: str) -> tuple[Mapping[str, str], str]:
    """Return the top-level keys and the text below; a text without front matter is all text.

    A value is one text, its lines joined; `items` makes a list of it. ``description: Use when: it
    is late`` is no YAML, and stands in many files.
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != _FENCE:
        return {}, text
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() == _FENCE), None)
    if end is None:
        return {}, text
    found: dict[str, list[str]] = {}
    current: list[str] = []
    for line in lines[1:end]:
        key = _KEY.fullmatch(line.rstrip())
        if key is not None:
            first = (key[2] or "").strip()
            current = found[key[1]] = [] if _BLOCK.fullmatch(first) else [first]
        elif line.strip() and not line.lstrip().startswith("#"):
            current.append(line.strip())
    values = {key: "\n".join(part for part in parts if part) for key, parts in found.items()}
    return {key: _bare(value) for key, value in values.items()}, "\n".join(lines[end + 1 :])


def items(value: str) -> tuple[str, ...]:
    """Take a list apart: ``a, b``, ``[a, b]`` or one ``- a`` a line. What is in round brackets
    stays together: ``Bash(git diff:*, git log:*)``.
    """
    lines = value.split("\n")
    if all(line.startswith("- ") for line in lines):
        parts = [line[2:] for line in lines]
    else:
        whole = " ".join(lines)
        if whole.startswith("[") and whole.endswith("]"):
            whole = whole[1:-1]
        parts = _split(whole)
    bare = (_bare(part.strip()) for part in parts)
    return tuple(dict.fromkeys(part for part in bare if part))


def one_line(value: str) -> str:
    """A value on one line, also where line breaks are written as in a quoted text."""
    return " ".join(value.replace("\\n", " ").split())


def _split(text: str) -> list[str]:
    parts, depth = [""], 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _bare(value: str) -> str:
    """`value` without the quotes around it."""
    quoted = len(value) > 1 and value[0] in _QUOTES and value[-1] == value[0]
    return value[1:-1] if quoted else value
