"""Mends names that nothing has, in files as they are saved; to commit that is the person's.

A name becomes the one that it is nearly. One that is like none, or like several, is taken out.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gitcmat.engine.lint import Reference, lint_files
from gitcmat.errors import CheckFailed, InvalidData
from gitcmat.store import snapshot, yamlio
from gitcmat.store.config_edit import set_at
from gitcmat.store.snapshot import File, Snapshot
from gitcmat.system.files import read_regular, write_atomic

_LIMIT: Final = 1 << 20


def mend(work_tree: Path, reference: Reference, *, known: Collection[str] = ()) -> None:
    """Replace or remove the name in its file; comments stay. `known` is as for `lint`.

    Raises `CheckFailed` when something else would be wrong then, such as a circle of needs; the
    file stays as it is.
    """
    path = reference.problem.path
    file = work_tree / path
    before = read_regular(file, _LIMIT)
    found = snapshot.of_work_tree(work_tree)
    wrong = _wrong(found, known)
    for text in _candidates(before.decode(), reference):
        if _wrong(_with(found, path, text.encode()), known) <= wrong:
            if text.encode() != before:
                write_atomic(file, text.encode(), mode=file.stat().st_mode & 0o777)
            return
    raise CheckFailed(
        f"{path} would be wrong in another way without '{reference.name}'.",
        hint=f"edit it: {reference.problem.hint}",
    )


def _wrong(found: Snapshot, known: Collection[str]) -> set[tuple[str, str]]:
    return {(problem.path, problem.text) for problem in lint_files(found, known=known)}


def _with(found: Snapshot, path: str, content: bytes) -> Snapshot:
    """The same files, one of them with another content."""

    def read(wanted: Iterable[File]) -> Mapping[str, bytes | InvalidData]:
        contents = found.read(wanted)
        return {**contents, path: content} if path in contents else contents

    return replace(found, read=read)


def _candidates(text: str, reference: Reference) -> Iterator[str]:
    """The text with the name that was meant, then without any; the text itself if it is mended."""
    key, name, file = reference.key, reference.name, reference.problem.path
    document = yamlio.load(text, name=file)
    value = _at(document.data, key)
    for new in (reference.like, None) if reference.like else (None,):
        after = _changed(value, name, new)
        if after == value:
            yield text
            return
        places = [n for n, item in enumerate(value) if item == name] if after else []
        lines = (
            [document.lines.get((*key, n), 0) for n in places] if isinstance(value, list) else []
        )
        edited = _edit_items(text, lines, name, new)
        if lines and _reads(edited, key, file) == after:
            yield edited
        else:
            yield set_at(text, key, after or yamlio.DELETE, name=file)


def _changed(value: object, name: str, new: str | None) -> Any:
    """What is to stand there; None and an empty list mean nothing."""
    if not isinstance(value, list):
        return new if value == name else value
    items = [new if item == name else item for item in value]
    return list(dict.fromkeys(item for item in items if item is not None))


def _edit_items(text: str, numbers: list[int], name: str, new: str | None) -> str:
    """Change the items of a list that have lines of their own, and no others.

    An editor of keys would write the whole list anew, without the comments in it.
    """
    lines: list[str] = text.split("\n")
    item = re.compile(rf"(\s*-\s+)(['\"]?){re.escape(name)}\2(\s*(?:\s#.*)?)")
    for number in reversed(numbers):
        if number and (match := item.fullmatch(lines[number - 1])):
            lines[number - 1 : number] = [f"{match[1]}{new}{match[3]}"] if new else []
    return "\n".join(lines)


def _reads(text: str, key: yamlio.KeyPath, file: str) -> object:
    try:
        return _at(yamlio.load(text, name=file).data, key)
    except InvalidData:
        return None


def _at(data: Any, key: yamlio.KeyPath) -> Any:
    for part in key:
        data = data.get(part) if isinstance(data, dict) else None
    return data
