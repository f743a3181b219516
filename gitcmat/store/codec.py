"""Plain data to frozen dataclasses and back, strictly, with the file and line of what does not fit.

It is imported where starting must be quick, so it knows YAML documents only by name.
"""

import re
from collections.abc import Hashable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import msgspec

from gitcmat.errors import InvalidData, UserError
from gitcmat.store.shapes import Form, Shape, shape_of

if TYPE_CHECKING:
    from gitcmat.store.yamlio import Document, KeyPath

T = TypeVar("T")

_OWN_KEYS: Final = "x-"
_VERSION_KEY: Final = "schema"
_WITH_OFFSET: Final = re.compile(r"\d(?:Z|[+-]\d\d:?\d\d)\Z")
_TIME: Final = "expected a time with its offset, such as 2026-11-21T05:36:00Z"
_EXPECTED: Final = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_MISSING: Final = re.compile(r"Object missing required field `([^`]+)`")
_WORDS: Final = {"object": "mapping", "array": "list"}
_SWITCHES: Final = frozenset({"yes", "no", "on", "off", "true", "false"})
_QUOTABLE: Final = frozenset({"int", "float", "bool"})


class _Problem(NamedTuple):
    line: int
    message: str
    hint: str = ""


def decode(
    cls: type[T],
    document: "Document",
    *,
    name: str,
    schema: int | None = None,
    elsewhere: Mapping[str, str] | None = None,
) -> T:
    """Make a `cls` of the data of a document; nothing is converted but times, enums and tuples.

    `name` is the file as errors show it, `schema` the newest version of it that is known,
    `elsewhere` says for keys that stand in the wrong file which one is right. Keys that begin with
    ``x-`` are the user's and mean nothing.

    Raises `InvalidData` with one line for each unknown key and one for the first value that does
    not fit: ``file:line: key: what is wrong``.
    """
    return _Decoder(document, name, elsewhere or {}).decode(cls, schema)


def encode(value: object) -> Any:
    """Turn a dataclass into plain data that `decode` makes the same dataclass of.

    Fields that have their default are left out, but for `schema`, times are UTC to the millisecond
    or, where there are any, microsecond. Raises ValueError for a time without offset, TypeError for
    what is not data.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [encode(item) for item in value]
    if isinstance(value, datetime):
        return _timestamp(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {name: encode(item) for name, item in _set_fields(value)}
    if isinstance(value, Mapping):
        return {encode(key): encode(item) for key, item in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(encode(item) for item in value)
    raise TypeError(f"{type(value).__name__} is not data")


def json_encode(value: object) -> bytes:
    """Write a value as compact JSON, for files and rows that only this program reads."""
    return msgspec.json.encode(value)


def json_decode(cls: type[T], data: bytes, *, name: str = "") -> T:
    """Read what `json_encode` wrote; raises `InvalidData` when it is not a `cls`."""
    whole: Any = cls
    try:
        read: T = _json_decoder(whole).decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidData(f"{name or cls.__name__}: {error}") from None
    return read


@cache
def _json_decoder(cls: Hashable) -> msgspec.json.Decoder[Any]:
    """Kept, as making one takes longer than to read a record."""
    return msgspec.json.Decoder(cls)


class _Decoder:
    """Decodes one document and collects what is wrong with it."""

    def __init__(self, document: "Document", name: str, elsewhere: Mapping[str, str]) -> None:
        self._data = document.data
        self._lines = document.lines
        self._name = name
        self._elsewhere = elsewhere
        self._problems: list[_Problem] = []

    def decode(self, cls: type[T], schema: int | None) -> T:
        """Make the value or raise all that is wrong at once."""
        if not isinstance(self._data, dict):
            what = "is empty" if self._data is None else "is not a mapping"
            raise self._failure([_Problem(self._line(()), what, "write key: value")])
        whole: Any = cls
        shape = shape_of(whole)
        self._check_version(schema)
        self._check_keys(shape, self._data, (), {_VERSION_KEY} if schema is not None else set())
        try:
            result = msgspec.convert(self._data, cls)
        except (msgspec.ValidationError, UserError) as error:
            cause = self._cause(shape, self._data, (), error)
            # What is missing in the whole is what a misspelt key was to say.
            if not self._problems or cause.line != self._line(()) or ": " in cause.message:
                self._problems.append(cause)
        else:
            if not self._problems:
                return result
        raise self._failure(self._problems)

    def _check_version(self, known: int | None) -> None:
        found = self._data.get(_VERSION_KEY)
        if known is not None and type(found) is int and found > known:
            line = self._line((_VERSION_KEY,))
            message = f"is schema {found}, this gitcmat knows {known}"
            raise self._failure([_Problem(line, message, "upgrade gitcmat")])

    def _check_keys(
        self, shape: Shape, value: object, path: "KeyPath", also: AbstractSet[str] = frozenset()
    ) -> None:
        if shape.form is Form.OBJECT and isinstance(value, dict):
            if unknown := value.keys() - shape.fields.keys() - also:
                self._refuse_keys([key for key in value if key in unknown], shape, path)
            for name, inner in shape.watched.items():
                if name in value:
                    self._check_keys(inner, value[name], (*path, name))
        elif shape.form is Form.TIME:
            if isinstance(value, str) and not _WITH_OFFSET.search(value):
                self._add(path, _TIME)
        elif shape.deep:
            for part, inner, item in shape.inside(value):
                self._check_keys(inner, item, (*path, part))

    def _refuse_keys(self, keys: list[str], shape: Shape, path: "KeyPath") -> None:
        for key in keys:
            if key.startswith(_OWN_KEYS):
                continue
            if not path and key in self._elsewhere:
                self._add((key,), f"belongs in {self._elsewhere[key]}")
            elif like := get_close_matches(key, shape.fields, 1):
                self._add((*path, key), f"unknown key (did you mean '{like[0]}'?)")
            else:
                self._add((*path, key), "unknown key", "keys that begin with x- are yours")

    def _cause(self, shape: Shape, value: object, path: "KeyPath", error: Exception) -> _Problem:
        """Find the innermost part that fails alone: msgspec does not say which key of a dict."""
        for part, inner, item in shape.inside(value):
            try:
                msgspec.convert(item, inner.type)
            except (msgspec.ValidationError, UserError) as inner_error:
                return self._cause(inner, item, (*path, part), inner_error)
        message = error.message if isinstance(error, UserError) else str(error)
        message = message.split(" - at `$")[0]
        hint = error.hint if isinstance(error, UserError) else ""
        if found := _MISSING.fullmatch(message):
            return self._at(path, f"missing key '{found[1]}'")
        is_word = isinstance(value, str)  # where a mapping could stand, too
        if shape.form is not Form.OBJECT or is_word or _EXPECTED.fullmatch(message):
            return self._at(path, _phrase(message, shape, value), hint)
        for key, item in value.items() if isinstance(value, dict) else ():
            if message.startswith((f"{key} ", f"{key}:")):
                return self._at(path, message, hint, line=self._line((*path, key)))
            if isinstance(item, str) and repr(item) in message:
                return self._at((*path, key), message, hint)
        return self._at(path, message, hint)

    def _add(self, path: "KeyPath", message: str, hint: str = "") -> None:
        self._problems.append(self._at(path, message, hint))

    def _at(self, path: "KeyPath", message: str, hint: str = "", line: int = 0) -> _Problem:
        where = ".".join(map(str, path))
        return _Problem(line or self._line(path), f"{where}: {message}" if where else message, hint)

    def _line(self, path: "KeyPath") -> int:
        """Of the key, or of what it is in when it stands in no file."""
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path, 1)

    def _failure(self, problems: list[_Problem]) -> InvalidData:
        ordered = sorted(set(problems))
        message = "\n".join(f"{self._name}:{p.line}: {p.message}" for p in ordered)
        return InvalidData(message, hint=next((p.hint for p in ordered if p.hint), ""))


def _phrase(message: str, shape: Shape, value: object) -> str:
    """What msgspec says about one value, in our words."""
    if shape.form is Form.TIME and isinstance(value, str):
        return _TIME
    if shape.choices and isinstance(value, str):
        like = get_close_matches(value, shape.choices, 1)
        meant = f" (did you mean '{like[0]}'?)" if like else ""
        return f"{value!r} is not one of {', '.join(shape.choices)}{meant}"
    if not (found := _EXPECTED.fullmatch(message)):
        return message
    wanted = [_WORDS.get(word, word) for word in found[1].split(" | ") if word != "null"]
    got = _WORDS.get(found[2], found[2])
    meant = " (quote it?)" if "str" in wanted and got in _QUOTABLE else ""
    if wanted == ["bool"] and str(value).lower() in _SWITCHES:
        meant = " (write true or false)"
    if wanted == ["list"] and isinstance(value, str):
        parts = ", ".join(value.replace(",", " ").split())
        meant = f" (write [{parts}])" if parts.isprintable() else ""
    return f"expected {' or '.join(wanted)}, got {got}{meant}"


def _timestamp(value: datetime) -> str:
    if value.tzinfo is None:
        raise ValueError(f"{value} has no offset")
    digits = "microseconds" if value.microsecond % 1000 else "milliseconds"
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=digits) + "Z"


def _set_fields(value: Any) -> Iterator[tuple[str, Any]]:
    """The fields that differ from their default in value or type."""
    for name, make in _defaults(value.__class__):
        item = getattr(value, name)
        if make is not None and name != _VERSION_KEY:
            default = make()
            if item == default and type(item) is type(default):
                continue
        yield name, item


@cache
def _defaults(cls: Any) -> list[tuple[str, Any]]:
    """Each field with a function that makes its default, None if it has none."""
    return [(field.name, _maker(field)) for field in fields(cls)]


def _maker(field: Any) -> Any:
    if field.default is not MISSING:
        return lambda: field.default
    return None if field.default_factory is MISSING else field.default_factory
