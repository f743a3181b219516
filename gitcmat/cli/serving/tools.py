"""What a tool is: its name, what it is for, what it takes, and what it does."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from gitcmat.errors import Usage


class Caller(Protocol):
    """Whoever waits for a tool."""

    def tell(self, done: int, of: int, text: str) -> None:
        """Say how far it is."""

    def pause(self, seconds: float) -> None:
        """Sleep; raises what ends the call when nobody waits for it any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """One tool."""

    name: str
    about: str
    """For the model that chooses among them."""
    takes: Mapping[str, Mapping[str, Any]]
    """Its arguments: name → JSON Schema, of which `checked` knows a part."""
    needs: tuple[str, ...] = ()
    """Those that must be there."""
    call: Callable[[Mapping[str, Any], Caller], Mapping[str, Any]]
    """Does it; returns a JSON object, or raises a `UserError`."""
    reads: bool = False
    """Whether it changes nothing."""

    @property
    def schema(self) -> dict[str, Any]:
        """What it takes, as JSON Schema."""
        return {
            "type": "object",
            "properties": {name: dict(about) for name, about in self.takes.items()},
            "required": list(self.needs),
            "additionalProperties": False,
        }

    def __call__(self, arguments: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
        """Check the arguments, and do it.

        Raises:
            Usage: one is missing, unknown, or not what it must be.
            UserError: as the call.
        """
        if wrong := checked(self.schema, arguments, ""):
            raise Usage(f"{self.name}: {wrong}.", hint="see what the tool takes")
        return self.call(arguments, caller)


def text(about: str, longest: int) -> dict[str, Any]:
    """The schema of a text."""
    return {"type": "string", "description": about, "maxLength": longest}


def checked(schema: Mapping[str, Any], value: Any, where: str) -> str:
    """Say what is wrong with a value, as the end of a sentence; empty when it is as it must be."""
    kind = schema["type"]
    if not isinstance(value, _KINDS[kind]) or (kind != "boolean" and isinstance(value, bool)):
        return f"{where or 'what it is given'} is no {kind}"
    if kind == "string":
        return _text(schema, value, where)
    if kind == "array":
        return _list(schema, value, where)
    return _object(schema, value, where) if kind == "object" else ""


_KINDS: Final[Mapping[str, Any]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
}


def _text(schema: Mapping[str, Any], value: str, where: str) -> str:
    choices: Sequence[str] = schema.get("enum", ())
    if choices and value not in choices:
        return f"{where} is none of {', '.join(choices)}"
    if len(value) > schema.get("maxLength", len(value)):
        return f"{where} has more than {schema['maxLength']:,} characters"
    if "\0" in value:
        return f"{where} has a zero byte"
    return ""


def _list(schema: Mapping[str, Any], value: list[Any], where: str) -> str:
    if len(value) > schema.get("maxItems", len(value)):
        return f"{where} has more than {schema['maxItems']} items"
    if len(value) < schema.get("minItems", 0):
        return f"{where} is empty"
    found = (checked(schema["items"], item, f"{where}[{n}]") for n, item in enumerate(value))
    return next(filter(None, found), "")


def _object(schema: Mapping[str, Any], value: dict[str, Any], where: str) -> str:
    known = schema["properties"]
    start = f"{where}." if where else ""
    for name in value.keys() - known.keys():
        return f"there is no {start}{name[:40]}"
    for name in schema["required"]:
        if name not in value:
            return f"{start}{name} is missing"
    found = (checked(known[name], item, f"{start}{name}") for name, item in value.items())
    return next(filter(None, found), "")
