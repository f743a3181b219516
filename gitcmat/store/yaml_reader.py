"""Build plain data from the events of a YAML parser, refusing what plain data has no use for."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gitcmat.errors import InvalidData
from gitcmat.store.yaml_guard import MAX_DEPTH, MAX_ENTRIES, problem
from gitcmat.store.yaml_scalars import resolve

KeyPath = tuple[str | int, ...]

_WRITE_OUT: Final = "write the value out"
_PLAIN_HINT: Final = "write plain YAML: keys, lists and text"


class Mark(Protocol):
    """A place in the text, all from 0."""

    index: int
    line: int
    column: int


class Event(Protocol):
    """What libyaml says about the next piece of text; each class has some of these attributes."""

    start_mark: Mark
    end_mark: Mark
    anchor: str | None
    tag: str | None
    value: str
    style: str
    implicit: tuple[bool, bool]
    flow_style: bool
    version: tuple[int, int] | None
    tags: object


@dataclass(frozen=True, slots=True)
class Span:
    """Where a top-level key and its value stand, as indices into the text."""

    key: int
    column: int
    value: int
    end: int
    """Just after the last character of the value; for a block scalar, after its line breaks."""
    inline: bool
    """Whether the value is a plain or quoted scalar or a flow collection."""


class Reader:
    """Reads one document; `lines` and `spans` are filled on the way.

    The recursion is bounded by `MAX_DEPTH`, whatever the text is.
    """

    def __init__(self, next_event: Callable[[], Event], *, name: str, first_line: int) -> None:
        self._next = next_event
        self._name = name
        self._first_line = first_line
        self._end = 0
        self.lines: dict[KeyPath, int] = {}
        self.spans: dict[str, Span] = {}

    def document(self) -> Any:
        """The data of the only document, None if there is none.

        Raises `InvalidData` for everything that is not plain data.
        """
        self._next()  # the stream starts
        start = self._next()
        if _kind(start) == "StreamEndEvent":
            self.lines[()] = self._first_line
            return None
        if start.version or start.tags:
            raise self._problem(start, "has a % directive", hint=_PLAIN_HINT)
        first = self._next()
        self.lines[()] = self._line(first)
        data = self._value(first, (), 1)
        self._next()  # the document ends
        if _kind(more := self._next()) != "StreamEndEvent":
            raise self._problem(more, "has a second document", hint="one file holds one document")
        return data

    def _value(self, event: Event, path: KeyPath, depth: int) -> Any:
        kind = _kind(event)
        if kind == "ScalarEvent":
            if event.anchor is not None or event.tag is not None:
                raise self._decorated(event)
            self._end = event.end_mark.index
            return resolve(event.value) if event.implicit[0] else event.value
        if kind == "AliasEvent":
            raise self._problem(event, f"has an alias (*{event.anchor})", hint=_WRITE_OUT)
        if event.anchor is not None or event.tag is not None:
            raise self._decorated(event)
        if depth > MAX_DEPTH:
            raise self._problem(event, f"is nested more than {MAX_DEPTH} levels deep")
        if kind == "MappingStartEvent":
            return self._mapping(event, path, depth)
        return self._sequence(event, path, depth)

    def _mapping(self, start: Event, path: KeyPath, depth: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        while _kind(event := self._next()) != "MappingEndEvent":
            key = self._key(event)
            here = (*path, key)
            if key in result:
                raise self._problem(
                    event,
                    f"key '{key}' is there twice (first in line {self.lines[here]})",
                    hint="keep one of them",
                )
            self._note_line(here, event)
            value = self._next()
            result[key] = self._value(value, here, depth + 1)
            if depth == 1:
                self._note_span(key, event, value)
        if start.flow_style:
            self._end = event.end_mark.index
            if depth == 1:
                self.spans.clear()  # keys on one line cannot be cut out by line
        return result

    def _sequence(self, start: Event, path: KeyPath, depth: int) -> list[Any]:
        result: list[Any] = []
        while _kind(event := self._next()) != "SequenceEndEvent":
            here = (*path, len(result))
            self._note_line(here, event)
            result.append(self._value(event, here, depth + 1))
        if start.flow_style:
            self._end = event.end_mark.index
        return result

    def _key(self, event: Event) -> str:
        if _kind(event) != "ScalarEvent":
            raise self._problem(event, "has a key that is not text", hint=_PLAIN_HINT)
        if event.anchor is not None or event.tag is not None:
            raise self._decorated(event)
        text = event.value
        if event.implicit[0]:
            if text == "<<":
                raise self._problem(event, "has a merge key (<<)", hint="write the keys out")
            if not isinstance(resolve(text), str):
                raise self._problem(event, f"key {text or 'null'} is not text", hint="quote it")
        return text

    def _note_line(self, path: KeyPath, event: Event) -> None:
        self.lines[path] = self._line(event)
        if len(self.lines) - 1 > MAX_ENTRIES:  # one line is that of the whole
            raise self._problem(event, f"has more than {MAX_ENTRIES:,} entries", hint="split it up")

    def _note_span(self, key: str, event: Event, value: Event) -> None:
        self.spans[key] = Span(
            key=event.start_mark.index,
            column=event.start_mark.column,
            value=value.start_mark.index,
            end=self._end,
            inline=value.style not in ("|", ">")
            if _kind(value) == "ScalarEvent"
            else bool(value.flow_style),
        )

    def _decorated(self, event: Event) -> InvalidData:
        if event.tag is not None:
            return self._problem(event, f"has a tag ({event.tag})", hint=_PLAIN_HINT)
        return self._problem(event, f"has an anchor (&{event.anchor})", hint=_WRITE_OUT)

    def _line(self, event: Event) -> int:
        return event.start_mark.line + self._first_line

    def _problem(self, event: Event, message: str, *, hint: str = "") -> InvalidData:
        return problem(self._name, self._line(event), message, hint=hint)


def _kind(event: Event) -> str:
    return type(event).__name__
