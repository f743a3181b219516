"""Change one key deep inside a YAML text and leave all comments and the layout as they are."""

from collections.abc import Mapping
from typing import Any

from gitcmat.errors import InvalidData
from gitcmat.store import yamlio
from gitcmat.store.yamlio import DELETE, Document


def set_at(text: str, path: tuple[str, ...], value: object, *, name: str = "text") -> str:
    """Set the key at `path`, or remove it with `DELETE`; mappings on the way are made or removed.

    Raises `InvalidData` when the text is wrong, or when something on the way is no mapping.
    """
    document = yamlio.load(text, name=name)
    before = {} if document.data is None else document.data
    after = _changed(before, path, value, name=name)
    head, rest = path[0], path[1:]
    if not rest or not isinstance(before.get(head), dict) or not after.get(head):
        return yamlio.edit(text, {head: after.get(head, DELETE)}, name=name)
    lines = text.splitlines(keepends=True)
    block = _block(lines, document, head)
    if block is not None:
        start, end, indent = block
        inner = "".join(line[indent:] if line.strip() else line for line in lines[start:end])
        new = set_at(inner, rest, value, name=name).splitlines(keepends=True)
        new = [" " * indent + line if line.strip() else line for line in new]
        result = "".join([*lines[:start], *new, *lines[end:]])
        if _reads_as(result, after):
            return result
    return yamlio.edit(text, {head: after[head]}, name=name)


def _changed(data: Any, path: tuple[str, ...], value: object, *, name: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidData(f"{name}: {path[0]} cannot be set in what is not a mapping")
    result = dict(data)
    head, rest = path[0], path[1:]
    new = _changed(result.get(head) or {}, rest, value, name=name) if rest else value
    if new is DELETE or (rest and not new):
        result.pop(head, None)
    else:
        result[head] = new
    return result


def _block(lines: list[str], document: Document, key: str) -> tuple[int, int, int] | None:
    """First line, line after the last, and indentation of the mapping below a top-level key."""
    at = document.lines
    children = [at[key, child] for child in document.data[key]]
    start = min(children) - 1
    if start < at[(key,)]:
        return None  # on the key's own line: a flow mapping
    indent = len(lines[start]) - len(lines[start].lstrip(" "))
    later = [line for path, line in at.items() if len(path) == 1 and line > at[(key,)]]
    end = min(later, default=len(lines) + 1) - 1
    while end > start and not _belongs(lines[end - 1], indent):
        end -= 1
    if not all(_belongs(line, indent) or not line.strip() for line in lines[start:end]):
        return None  # a comment that stands further left cannot be moved with the block
    return start, end, indent


def _belongs(line: str, indent: int) -> bool:
    return bool(line.strip()) and len(line) - len(line.lstrip(" ")) >= indent > 0


def _reads_as(text: str, expected: object) -> bool:
    try:
        return bool(yamlio.load(text, name="text").data == expected)
    except InvalidData:
        return False
