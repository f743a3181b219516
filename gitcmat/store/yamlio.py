"""The one place that reads YAML, and the only importer of ruamel.yaml.

Files come from repositories that strangers write to, so the library constructs nothing: its C
parser delivers events one by one (which cannot overflow the C stack, as composing deep nesting
does) and a reader of our own builds dicts, lists and scalars from them, refusing anchors, tags,
merge keys, duplicate keys and more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.store.yaml_emit import dump
from gitcmat.store.yaml_guard import checked, problem, utf8
from gitcmat.store.yaml_reader import KeyPath, Reader
from gitcmat.store.yaml_splice import DELETE, Odd, splice
from gitcmat.system import trace

__all__ = ["DELETE", "Document", "KeyPath", "dump", "edit", "load", "split_front_matter"]

_FENCE: Final = "---"


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where it stands in its file.

    `lines` has the 1-based line of every key and every list item by its path, such as
    ``("gates", "tests", "run", 0)``; ``()`` is the line where the data begins.
    """

    data: Any
    lines: Mapping[KeyPath, int]


def load(text: bytes | str, *, name: str, first_line: int = 1) -> Document:
    """Read one YAML document; an empty one is None.

    `name` is the file as errors show it, `first_line` the line of it where `text` begins. Raises
    `InvalidData` with ``name:line: what is wrong`` for anything that is not plain YAML (see the
    module).
    """
    trace.event("yaml", name)
    plain = checked(text, name=name, first_line=first_line)
    data, reader = _read(plain, name=name, first_line=first_line)
    return Document(data, reader.lines)


def split_front_matter(text: bytes | str, *, name: str) -> tuple[Document, str, int]:
    """Take a Markdown file apart: YAML between two ``---`` lines, body, line where the body begins.

    A file that does not begin with ``---`` is all body and has empty front matter. Raises
    `InvalidData` when the second ``---`` is missing or the YAML is not plain.
    """
    plain = utf8(text, name=name).removeprefix("\ufeff")
    lines = plain.split("\n")
    if lines[0].rstrip() != _FENCE:
        return Document({}, {(): 1}), plain, 1
    end = next((n for n, line in enumerate(lines) if n and line.rstrip() == _FENCE), None)
    if end is None:
        raise problem(name, 1, "front matter has no end", hint="close it with a line of ---")
    head = load("\n".join([*lines[1:end], ""]), name=name, first_line=2)
    if head.data is None:
        head = Document({}, head.lines)
    return head, "\n".join(lines[end + 1 :]), end + 2


def edit(text: str, changes: Mapping[str, object], *, name: str = "text") -> str:
    """Set top-level keys of a YAML text, or remove them with `DELETE`, and leave all else as it is.

    Only the lines of a changed key are replaced; new keys come last. Where the text is laid out
    in a way that does not allow this (a flow mapping), ruamel.yaml writes it anew with its
    comments. Raises `InvalidData` when `text` is no mapping or cannot be edited without loss.
    """
    found = load(text, name=name)
    before = {} if found.data is None else found.data
    if not isinstance(before, dict):
        raise problem(name, found.lines[()], "is not a mapping")
    news = {
        key: value for key, value in changes.items() if not _same(value, before.get(key, DELETE))
    }
    after = {key: value for key, value in {**before, **news}.items() if value is not DELETE}
    for attempt in (_edit_lines, _edit_round_trip):
        try:
            result = attempt(text, news)
            if _same(_read(checked(result, name=name, first_line=1), name=name)[0] or {}, after):
                return result
        except (Odd, InvalidData):
            continue
    raise InvalidData(f"{name}: cannot change {', '.join(news)} in place.", hint="edit it by hand")


def _read(plain: str, *, name: str, first_line: int = 1) -> tuple[Any, Reader]:
    from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]  # imported there for us
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:  # a new parser for each text: one shared by two threads mixes up their documents
        reader = Reader(CParser(plain).get_event, name=name, first_line=first_line)
        return reader.document(), reader
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        raise _syntax_problem(plain, name, line, first_line, str(error.problem)) from None
    except YAMLError as error:  # a character that the reader below the parser refuses
        raise problem(name, first_line, str(error).splitlines()[0]) from None


def _syntax_problem(
    plain: str, name: str, line: int, first_line: int, complaint: str
) -> InvalidData:
    lines = plain.splitlines()
    shown = lines[line] if line < len(lines) else ""
    if "\t" in shown[: len(shown) - len(shown.lstrip())]:
        return problem(name, first_line + line, "is indented with a tab", hint="use spaces")
    hint = "put the text in quotes" if "mapping values" in complaint else ""
    return problem(name, first_line + line, complaint, hint=hint)


def _edit_lines(text: str, changes: Mapping[str, object]) -> str:
    body = text.removeprefix("\ufeff")
    _, reader = _read(body, name="text")
    return text[: len(text) - len(body)] + splice(body, reader.spans, changes)


def _edit_round_trip(text: str, changes: Mapping[str, object]) -> str:
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    yaml = YAML()  # rt is the only type that keeps comments; it is slow, so it comes second
    yaml.preserve_quotes = True
    yaml.width = 1 << 20
    data = yaml.load(text)
    if data is None:
        data = CommentedMap()
    for key, value in changes.items():
        if value is DELETE:
            del data[key]
        else:
            data[key] = value
    out = StringIO()
    yaml.dump(data, out)
    return out.getvalue()


def _same(a: object, b: object) -> bool:
    """Equal in value and type: 1, 1.0 and True differ."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    return type(a) is type(b) and a == b
