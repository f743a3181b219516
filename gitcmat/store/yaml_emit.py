"""Write plain data as block YAML.

An emitter of our own, because every record goes through it: 27 lines cost about 50 us here, 500 in
ruamel.yaml with its C emitter and 1700 without, and neither writes literal blocks for some texts
only unless told text by text. It writes one style, so it needs no representer and no analysis of
scalars; a property test reads what it writes with our loader and with ruamel's.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.store.yaml_guard import MAX_BYTES, MAX_DEPTH, MAX_ENTRIES
from gitcmat.store.yaml_scalars import MAX_KEY, has_escapes, inline

_INDENT: Final = "  "
_KEEPS_INDENT: Final = (" ", "\n", "\t")


def dump(data: object, *, header: str = "") -> str:
    """Write dict, list, str, int, float, bool and None as YAML, in the order given.

    `header` comes first and as it is: comment lines, each with its line break. Text of several
    lines becomes a literal block. Raises `InvalidData` when the text would be larger, longer or
    deeper than the loader takes, TypeError and ValueError for data that YAML cannot hold (see
    `inline`).
    """
    lines: list[str] = []
    _node(lines, data, "", "", "")
    text = header + "\n".join(lines) + "\n"
    if len(text) * 4 > MAX_BYTES and (size := len(text.encode())) > MAX_BYTES:
        raise InvalidData(
            f"A record of {size // 1024} KiB is too large; {MAX_BYTES // 1024} KiB is the limit.",
            hint="shorten its texts",
        )
    if len(text) > MAX_ENTRIES and (count := _entries(data)) > MAX_ENTRIES:
        raise InvalidData(
            f"A record of {count:,} entries is too long; {MAX_ENTRIES:,} is the limit.",
            hint="shorten its lists",
        )
    return text


def _entries(data: object) -> int:
    """How many keys and list items there are in `data`, at any depth."""
    if isinstance(data, Mapping):
        return len(data) + sum(map(_entries, data.values()))
    return len(data) + sum(map(_entries, data)) if isinstance(data, list | tuple) else 0


def flow(items: Sequence[object]) -> str:
    """Write a list of scalars on one line: ``[a, 'b, c']``."""
    texts = (inline(item) for item in items)
    return "[" + ", ".join(t if t.isalnum() or t[0] in "'\"" else _quoted(t) for t in texts) + "]"


def _quoted(plain: str) -> str:
    return f"'{plain}'" if set(plain) & set(",[]{}") else plain


def _node(lines: list[str], value: object, lead: str, gap: str, indent: str) -> None:
    """Add `value`, whose children stand at `indent`.

    Its first line starts with `lead` (a key or a dash), then `gap` if the value goes on there.
    """
    if isinstance(value, Mapping) and value:
        _mapping(lines, value, lead, indent)
    elif isinstance(value, list | tuple) and value:
        _sequence(lines, value, lead, indent)
    elif isinstance(value, str) and "\n" in value and value.strip("\n") and not has_escapes(value):
        _literal(lines, value, lead + gap, indent or _INDENT)
    elif isinstance(value, Mapping):
        lines.append(f"{lead}{gap}{{}}")
    elif isinstance(value, list | tuple):
        lines.append(f"{lead}{gap}[]")
    else:
        lines.append(lead + gap + inline(value))


def _mapping(lines: list[str], value: Mapping[object, object], lead: str, indent: str) -> None:
    _check_depth(indent)
    start = _own_line(lines, lead, indent)
    for key, item in value.items():
        if type(key) is not str:
            raise TypeError(f"key {key!r} is not text")
        name = inline(key)
        if len(name) > MAX_KEY:
            raise ValueError(f"key {key[:40]!r}... is too long")
        _node(lines, item, f"{start}{name}:", " ", indent + _INDENT)
        start = indent


def _sequence(lines: list[str], value: Sequence[object], lead: str, indent: str) -> None:
    _check_depth(indent)
    start = _own_line(lines, lead, indent)
    for item in value:
        _node(lines, item, f"{start}-", " ", indent + _INDENT)
        start = indent


def _own_line(lines: list[str], lead: str, indent: str) -> str:
    """Where a collection's first entry starts: beside the dash it belongs to, or under its key."""
    if lead.endswith("-"):
        return lead + " "
    if lead:
        lines.append(lead)
    return indent


def _literal(lines: list[str], text: str, lead: str, indent: str) -> None:
    marker = "|2" if text.startswith(_KEEPS_INDENT) else "|"
    if text.endswith("\n\n"):
        marker += "+"
    elif not text.endswith("\n"):
        marker += "-"
    lines.append(lead + marker)
    body = text.removesuffix("\n").split("\n")
    lines.extend(indent + line if line else "" for line in body)


def _check_depth(indent: str) -> None:
    if len(indent) >= MAX_DEPTH * len(_INDENT):
        raise InvalidData(f"A record is nested more than {MAX_DEPTH} levels deep.")
