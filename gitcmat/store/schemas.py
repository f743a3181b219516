"""JSON Schemas of the files that people write, so that editors complete and check them."""

import inspect
import json
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import msgspec

from gitcmat.store.shapes import Form, Shape, shape_of


def schema(cls: type, title: str, *, description: str = "") -> dict[str, Any]:
    """The JSON Schema of a file that holds a `cls`.

    Each field is described by ``metadata={"doc": ...}``, each class by the first paragraph of its
    docstring. Unknown keys are refused as `decode` does, those that begin with ``x-`` are not.
    """
    # Through JSON, because msgspec leaves tuples in the defaults.
    result: dict[str, Any] = json.loads(msgspec.json.encode(msgspec.json.schema(cls)))
    definitions = result["$defs"]
    for found in _classes(shape_of(cls), set()):
        _describe(definitions[found.__name__], found)
    for name, definition in definitions.items():
        if "description" in definition:
            definitions[name]["description"] = _first_paragraph(definition["description"])
    head: dict[str, Any] = {"$schema": "http://json-schema.org/draft-07/schema#", "title": title}
    if description:
        head["description"] = description
    root: dict[str, Any] = definitions.pop(cls.__name__)
    return head | root | head | {"$defs": definitions}


def _classes(shape: Shape, seen: set[Any]) -> Iterator[Any]:
    """Every dataclass that can be inside, once."""
    if shape.item is not None:
        yield from _classes(shape.item, seen)
    if shape.form is Form.OBJECT and shape.core not in seen:
        seen.add(shape.core)
        yield shape.core
        for inner in shape.fields.values():
            yield from _classes(inner, seen)


def _describe(definition: dict[str, Any], cls: Any) -> None:
    definition["additionalProperties"] = False
    definition["patternProperties"] = {"^x-": {}}
    properties = definition["properties"]
    for field in fields(cls):
        doc = field.metadata.get("doc")
        if not doc:
            continue
        known = properties[field.name]
        if "$ref" in known:  # draft 07, which editors read, ignores what stands beside a $ref
            known = {"allOf": [{"$ref": known.pop("$ref")}], **known}
        properties[field.name] = {"description": doc, **known}


def _first_paragraph(text: str) -> str:
    return " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
