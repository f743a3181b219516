"""GitHub's own description of its API: what it says an answer is, and what it says a request is."""

import copy
import functools
import gzip
import json
import re
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FILE: Final = Path(__file__).parents[2] / "fixtures/github/openapi.json.gz"
_NAME: Final = "github"
_ERRORS: Final = "basic-error"

_NOT_DESCRIBED: Final = (
    re.compile(r"/graphql"),  # has a description of its own kind
    re.compile(r"/repos/[^/]+/[^/]+/actions/jobs/\d+/logs"),  # not among the 163 paths
    re.compile(r"/elsewhere/.*"),  # not GitHub: where it keeps logs
)


_FORGOTTEN: Final = (
    ("pull-request", "head", "repo"),  # the fork is gone
    ("pull-request-simple", "head", "repo"),
    ("pull-request-simple", "labels", "description"),  # as in all others that have labels
    ("pull-request-review-comment", "line"),  # it is not there any more
)
"""Where GitHub says null in truth, and its description does not allow that."""


class Description:
    """The description, read once; use `description()`."""

    def __init__(self, data: Any) -> None:
        self._data = _nullable(data)
        for name, *fields in _FORGOTTEN:
            schema = self._data["components"]["schemas"][name]
            for field in fields[:-1]:
                schema = schema["properties"][field]
                schema = schema.get("items", schema)
            was = schema["properties"][fields[-1]]
            schema["properties"][fields[-1]] = {"anyOf": [was, {"type": "null"}]}
        resource = Resource.from_contents(self._data, default_specification=DRAFT202012)
        self._registry = Registry().with_resource(_NAME, resource)
        self._paths = [
            (re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path)), path)
            # What is written out comes before what is a pattern.
            for path in sorted(self._data["paths"], key=lambda path: path.count("{"))
        ]
        self._seen: dict[tuple[str, str], list[str]] = {}

    def answer(self, verb: str, path: str, status: int, body: Any) -> list[str]:
        """Return what is wrong with an answer."""
        found = self._operation(verb, path)
        if found is None:
            return [] if _is_elsewhere(path) else [f"{verb} {path} is nothing that GitHub has"]
        place, operation = found
        where = f"{verb} {path} answered {status}"
        response = operation["responses"].get(str(status))
        if response is None and (status >= 400 or status in {301, 307}):
            return [f"{where}: {wrong}" for wrong in self._wrong(_schema(_ERRORS), body)]
        if response is None and status == 304:
            return []
        if response is None:
            return [f"{where}, which GitHub never does"]
        pointer = f"{place}/responses/{status}"
        if "$ref" in response:
            pointer = str(response["$ref"])
            response = self._data["components"]["responses"][pointer.rpartition("/")[2]]
        if "application/json" not in response.get("content", {}):
            wrong = body is not None and status < 400
            return [f"{where} with a body, where GitHub has none"] if wrong else []
        pointer += "/content/application~1json/schema"
        schema = response["content"]["application/json"]["schema"]
        if schema.get("type") == "array" and isinstance(body, list):
            wrongs = [wrong for item in body for wrong in self._wrong(f"{pointer}/items", item)]
        else:
            wrongs = self._wrong(pointer, body)
        return [f"{where}: {wrong}" for wrong in wrongs]

    def request(self, verb: str, path: str, query: dict[str, str], body: Any) -> list[str]:
        """Return what is wrong with a request."""
        found = self._operation(verb, path)
        if found is None:
            return []
        place, operation = found
        known = {self._parameter(item)["name"] for item in operation.get("parameters", ())}
        wrong = [f"no parameter is called {name!r}" for name in query.keys() - known]
        sent = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if body is not None and sent is None:
            wrong.append("a body is sent where GitHub takes none")
        elif sent is not None and (body is not None or operation["requestBody"].get("required")):
            wrong += self._wrong(f"{place}/requestBody/content/application~1json/schema", body)
            unknown = self._unknown(sent["schema"], body)
            wrong += [f"no field is called {name!r}" for name in unknown]
        return [f"{verb} {path} was asked wrongly: {text}" for text in wrong]

    def blank(self, name: str) -> dict[str, Any]:
        """Return the least that is right for the schema `name`: only what must be there."""
        made = copy.deepcopy(self._least(name))
        assert isinstance(made, dict)
        return made

    @functools.cache  # noqa: B019 - there is one description
    def _least(self, name: str) -> Any:
        schema = self._data["components"]["schemas"][name]
        if isinstance(schema.get("type"), list):  # or null, which is of no use to a caller
            schema = schema | {"type": schema["type"][0]}
        return self._value(schema)

    def _value(self, schema: Any) -> Any:
        if "$ref" in schema:
            return copy.deepcopy(self._least(schema["$ref"].rpartition("/")[2]))
        for key in ("anyOf", "oneOf"):
            if key in schema:
                options = schema[key]
                return None if {"type": "null"} in options else self._value(options[0])
        if "allOf" in schema:
            return {k: v for part in schema["allOf"] for k, v in self._value(part).items()}
        if "enum" in schema:
            return None if None in schema["enum"] else schema["enum"][0]
        kind = schema.get("type", "object")
        if isinstance(kind, list):
            return None if "null" in kind else self._value(schema | {"type": kind[0]})
        match kind:
            case "object":
                needed = schema.get("required", ())
                properties = schema.get("properties", {})
                return {name: self._value(properties[name]) for name in needed}
            case "array":
                return []
            case "string":
                return ""
            case "boolean":
                return False
            case _:
                return schema.get("minimum", 0)

    def _operation(self, verb: str, path: str) -> tuple[str, Any] | None:
        for pattern, name in self._paths:
            operation = self._data["paths"][name].get(verb.lower())
            if operation is not None and pattern.fullmatch(path):
                escaped = name.replace("~", "~0").replace("/", "~1")
                return f"#/paths/{_quoted(escaped)}/{verb.lower()}", operation
        return None

    def _parameter(self, item: Any) -> Any:
        if "$ref" in item:
            return self._data["components"]["parameters"][item["$ref"].rpartition("/")[2]]
        return item

    def _unknown(self, schema: Any, body: Any) -> list[str]:
        if "properties" not in schema or not isinstance(body, dict):
            return []
        return sorted(body.keys() - schema["properties"].keys())

    def _wrong(self, pointer: str, value: Any) -> list[str]:
        key = (pointer, json.dumps(value, sort_keys=True))
        if key not in self._seen:
            errors = self._validator(pointer).iter_errors(value)
            self._seen[key] = [f"{error.json_path}: {error.message[:200]}" for error in errors]
        return self._seen[key]

    @functools.cache  # noqa: B019 - there is one description
    def _validator(self, pointer: str) -> Draft202012Validator:
        return Draft202012Validator({"$ref": f"{_NAME}{pointer}"}, registry=self._registry)


@functools.cache
def description() -> Description:
    """Return GitHub's description."""
    return Description(json.loads(gzip.decompress(FILE.read_bytes())))


def _schema(name: str) -> str:
    return f"#/components/schemas/{name}"


def _is_elsewhere(path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in _NOT_DESCRIBED)


def _quoted(part: str) -> str:
    return part.replace("{", "%7B").replace("}", "%7D")


def _nullable(node: Any) -> Any:
    """Say "or null" as JSON Schema does: this kind of description has a word of its own for it."""
    if isinstance(node, list):
        return [_nullable(item) for item in node]
    if not isinstance(node, dict):
        return node
    made = {key: _nullable(value) for key, value in node.items()}
    if made.pop("nullable", None) is not True:
        return made
    if isinstance(made.get("type"), str):
        made["type"] = [made["type"], "null"]
        if "enum" in made and None not in made["enum"]:
            made["enum"] = [*made["enum"], None]
        return made
    return {"anyOf": [made, {"type": "null"}]}
