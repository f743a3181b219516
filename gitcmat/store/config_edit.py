"""Set one key of a YAML file at any depth, and leave every other line as it is."""

from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.store import yamlio

_INDENT: Final = "  "


def set_at(text: str, path: tuple[str, ...], value: object, *, name: str) -> str:
    """Return `text` with the key at `path` set; mappings on the way are made.

    The value `yamlio.DELETE` removes the key, and mappings that have nothing else with it.

    Raises `InvalidData` when the text is wrong, or a key on the way holds something else.
    """
    key, *rest = path
    if not rest:
        return yamlio.edit(text, {key: value}, name=name)
    document = yamlio.load(text, name=name)
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    inner = data.get(key)
    if inner is not None and not isinstance(inner, dict):
        line = document.lines[(key,)]
        raise InvalidData(f"{name}:{line}: {key}: is not a mapping", hint="edit it by hand")
    if not inner:
        return yamlio.edit(text, {key: _nested(rest, value)}, name=name)
    if value is yamlio.DELETE and not _merged(inner, rest, value):
        return yamlio.edit(text, {key: yamlio.DELETE}, name=name)
    starts = sorted(line for at, line in document.lines.items() if len(at) == 1)
    head = document.lines[(key,)]
    after = next((line for line in starts if line > head), None)
    lines = text.splitlines(keepends=True)
    block = lines[head : after - 1 if after else len(lines)]
    while block and not block[-1].startswith((" ", "\t")):
        block.pop()  # blank lines and comments at the margin belong to what follows
    if lines[head - 1].partition("#")[0].rstrip() != f"{key}:" and not block:
        # A mapping in one line: {a: b}.
        return yamlio.edit(text, {key: _merged(inner, rest, value)}, name=name)
    indent = _indent(block)
    own = "".join(line.removeprefix(indent) for line in block)
    changed = set_at(own, tuple(rest), value, name=name).splitlines(keepends=True)
    new = [indent + line if line.strip() else line for line in changed]
    return "".join([*lines[:head], *new, *lines[head + len(block) :]])


def _indent(block: list[str]) -> str:
    first = next(line for line in block if line.strip() and not line.lstrip().startswith("#"))
    return first[: len(first) - len(first.lstrip())]


def _nested(path: list[str], value: object) -> object:
    for key in reversed(path):
        value = {key: value}
    return value


def _merged(data: dict[str, Any], path: list[str], value: object) -> dict[str, Any]:
    key, *rest = path
    below = data.get(key)
    new = _merged(below if isinstance(below, dict) else {}, rest, value) if rest else value
    if new is yamlio.DELETE or (value is yamlio.DELETE and not new):
        return {name: item for name, item in data.items() if name != key}
    return {**data, key: new}
