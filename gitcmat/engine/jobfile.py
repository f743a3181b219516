"""Jobs, results and requests as plain JSON.

By the standard library alone: a runner starts for every run.
"""

import dataclasses
import json
import types
import typing
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from gitcmat.errors import InvalidData
from gitcmat.model.job import JOB_SCHEMA, Job, Result

if TYPE_CHECKING:
    from gitcmat.model.ci import Report
    from gitcmat.model.delegation import Request

T = TypeVar("T")

LARGEST: Final = 16_000_000
"""Bytes that such a file may have at most."""


def encode(value: "Job | Result | Request | Report") -> bytes:
    """Write it as JSON text; a path that is no UTF-8 survives."""
    return json.dumps(_plain(value), indent=1).encode("ascii") + b"\n"


def decode(
    kind: type[T],
    data: bytes,
    *,
    name: str,
    hint: str = "It is gitcmat's own file; gitcmat doctor",
    load: Callable[[bytes], Any] = json.loads,
) -> T:
    """Read a `kind` (Job, Result, Request or Report) from JSON text; `name` is the file's, for the
    message. `load` is what takes the text apart.

    Raises:
        InvalidData: it is no JSON, of a newer program, or not what a `kind` must be.
    """
    try:
        raw = load(data)
        if isinstance(raw, dict) and isinstance(raw.get("schema"), int):
            _check_schema(raw["schema"], name)
        read: T = _typed(kind, raw, "")
    except (ValueError, TypeError, RecursionError) as error:
        raise InvalidData(f"{name} is damaged: {error}.", hint=hint) from error
    return read


def _check_schema(schema: int, name: str) -> None:
    if schema > JOB_SCHEMA:
        raise InvalidData(
            f"{name} has schema {schema}; this gitcmat knows {JOB_SCHEMA}.", hint="upgrade gitcmat"
        )


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return value.value
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(kind: Any, raw: Any, where: str) -> Any:
    """`raw` as `kind`; raises ValueError or TypeError that says where it is not."""
    origin = typing.get_origin(kind)
    if origin is types.UnionType:
        choices = [c for c in typing.get_args(kind) if c is not types.NoneType]
        return None if raw is None else _typed(choices[0], raw, where)
    if origin is tuple:
        item = typing.get_args(kind)[0]
        return tuple(_typed(item, r, f"{where}[{i}]") for i, r in enumerate(_is(list, raw, where)))
    if origin is dict:
        item = typing.get_args(kind)[1]
        return {k: _typed(item, r, f"{where}.{k}") for k, r in _is(dict, raw, where).items()}
    if dataclasses.is_dataclass(kind):
        return _record(kind, _is(dict, raw, where), where)
    if kind is datetime:
        return datetime.fromisoformat(_is(str, raw, where))
    if kind is float:
        return float(_is((int, float), raw, where))
    if issubclass(kind, Enum):
        return kind(raw)
    if kind is int and isinstance(raw, bool):
        raise TypeError(f"{where.removeprefix('.')} is true or false")
    return _is(kind, raw, where)


def _record(kind: Any, raw: dict[str, Any], where: str) -> Any:
    hints = typing.get_type_hints(kind)
    unknown = raw.keys() - hints.keys()
    if unknown:
        raise ValueError(f"unknown key {where.removeprefix('.')}.{min(unknown)}")
    return kind(**{name: _typed(hints[name], r, f"{where}.{name}") for name, r in raw.items()})


def _is(kind: Any, raw: Any, where: str) -> Any:
    if not isinstance(raw, kind):
        raise TypeError(f"{where.removeprefix('.') or 'the whole'} is {type(raw).__name__}")
    return raw
