"""The types of dataclass fields as a tree that can be walked beside the data that fills it."""

import types
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum, StrEnum
from functools import cache, cached_property
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints


class Form(StrEnum):
    """What there is to look at inside a value."""

    LEAF = "leaf"
    TIME = "time"
    OBJECT = "object"
    LIST = "list"
    MAPPING = "mapping"


@dataclass(frozen=True)
class Shape:
    """One type; `core` is the type without None, NewType and Annotated around it."""

    type: Any
    core: Any
    form: Form
    item: "Shape | None" = None
    """Of the items of a list, or of the values of a mapping."""

    @cached_property
    def fields(self) -> dict[str, "Shape"]:
        """The fields of a dataclass by name."""
        hints = get_type_hints(self.core)
        return {field.name: shape_of(hints[field.name]) for field in fields(self.core)}

    @cached_property
    def watched(self) -> dict[str, "Shape"]:
        """Those fields that have something inside worth a look."""
        return {name: shape for name, shape in self.fields.items() if shape.deep}

    @property
    def deep(self) -> bool:
        """Whether a dataclass or a time can be inside."""
        return self.form in (Form.OBJECT, Form.TIME) or (self.item is not None and self.item.deep)

    @property
    def choices(self) -> list[str]:
        """The values of an enum, also where something else is allowed beside it; else nothing."""
        enums = [
            option
            for option in dict.fromkeys((self.core, *get_args(self.type)))
            if isinstance(option, type) and issubclass(option, Enum)
        ]
        return [str(member.value) for enum in enums for member in enum]

    def inside(self, value: object) -> Iterator[tuple[str | int, "Shape", Any]]:
        """The parts of `value`, each with key or index and shape; none if it does not fit."""
        if self.form is Form.OBJECT and isinstance(value, dict):
            for name, part in value.items():
                if name in self.fields:
                    yield name, self.fields[name], part
        elif self.form is Form.MAPPING and isinstance(value, dict) and self.item:
            for name, part in value.items():
                yield name, self.item, part
        elif self.form is Form.LIST and isinstance(value, list) and self.item:
            for index, part in enumerate(value):
                yield index, self.item, part


@cache
def shape_of(kind: Any) -> Shape:
    """The shape of a type as it stands in an annotation."""
    core = _core(kind)
    origin, args = get_origin(core) or core, get_args(core)
    if is_dataclass(core):
        return Shape(kind, core, Form.OBJECT)
    if core is datetime:
        return Shape(kind, core, Form.TIME)
    if not isinstance(origin, type):
        return Shape(kind, core, Form.LEAF)
    if issubclass(origin, Mapping) and args:
        return Shape(kind, core, Form.MAPPING, shape_of(args[1]))
    if issubclass(origin, tuple) and args[1:] != (...,):
        return Shape(kind, core, Form.LEAF)
    if issubclass(origin, Sequence | AbstractSet) and args:
        return Shape(kind, core, Form.LIST, shape_of(args[0]))
    return Shape(kind, core, Form.LEAF)


def _core(kind: Any) -> Any:
    if hasattr(kind, "__supertype__"):
        return _core(kind.__supertype__)
    if get_origin(kind) is Annotated:
        return _core(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        options = [option for option in get_args(kind) if option is not types.NoneType]
        structured = [option for option in options if shape_of(option).form is not Form.LEAF]
        if len(options) == 1 or structured:
            return _core((structured or options)[0])
    return kind
