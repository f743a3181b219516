"""Plain data to dataclasses and back: what fits, and how it is said what does not."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, NewType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.errors import InvalidData, NotFound
from gitcmat.store import codec, schemas, yamlio

Name = NewType("Name", str)


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step.

    More about it.
    """

    run: tuple[str, ...] = field(metadata={"doc": "Program and arguments"})
    timeout: str = "1m"

    def __post_init__(self) -> None:
        if not self.run:
            raise ValueError("run must not be empty")
        if not self.timeout.endswith("m"):
            raise NotFound(f"{self.timeout!r} is not a time", hint="write 3m")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    schema: int = 1
    name: Name = field(metadata={"doc": "What it is called"})
    sha: str | None = None
    size: Size = field(default=Size.SMALL, metadata={"doc": "How big"})
    at: datetime | None = None
    weight: float = 0.0
    hold: bool = False
    tags: frozenset[str] = frozenset()
    pair: tuple[int, int] = (0, 0)
    first: Step | None = None
    steps: tuple[Step, ...] = ()
    gates: Mapping[str, Step] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """Contains itself."""

    children: "tuple[Tree, ...]" = ()
    at: datetime | None = None


def decode(text: str, **options: Any) -> Plan:
    document = yamlio.load(text, name="p.yaml")
    return codec.decode(Plan, document, name="p.yaml", schema=1, **options)


def complaint(text: str, **options: Any) -> tuple[str, str]:
    with pytest.raises(InvalidData) as caught:
        decode(text, **options)
    return caught.value.message, caught.value.hint


FULL = """\
schema: 1
name: a
sha: '1234567'
size: large
at: 2026-11-21T06:36:00.123+01:00
weight: 2
hold: true
tags: [b, a]
pair: [1, 2]
first: {run: [x]}
steps:
  - run: [pytest, -q]
    x-note: mine
gates:
  tests:
    run: [pytest]
    timeout: 3m
x-mine: {anything: 1}
"""


def test_every_kind_of_field_is_decoded() -> None:
    assert decode(FULL) == Plan(
        name=Name("a"),
        sha="1234567",
        size=Size.LARGE,
        at=datetime(2026, 11, 21, 5, 36, 0, 123000, tzinfo=UTC),
        weight=2.0,
        hold=True,
        tags=frozenset({"a", "b"}),
        pair=(1, 2),
        first=Step(run=("x",)),
        steps=(Step(run=("pytest", "-q")),),
        gates={"tests": Step(run=("pytest",), timeout="3m")},
    )


def test_what_is_encoded_is_plain_and_leaves_defaults_out() -> None:
    assert codec.encode(decode(FULL)) == {
        "schema": 1,
        "name": "a",
        "sha": "1234567",
        "size": "large",
        "at": "2026-11-21T05:36:00.123Z",
        "weight": 2.0,
        "hold": True,
        "tags": ["a", "b"],
        "pair": [1, 2],
        "first": {"run": ["x"]},
        "steps": [{"run": ["pytest", "-q"]}],
        "gates": {"tests": {"run": ["pytest"], "timeout": "3m"}},
    }
    assert codec.encode(Plan(name=Name("a"))) == {"schema": 1, "name": "a"}
    assert type(codec.encode(decode(FULL))["size"]) is str


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
steps = st.builds(
    Step,
    run=st.lists(texts, min_size=1, max_size=3).map(tuple),
    timeout=st.sampled_from(["1m", "2m"]),
)
offsets = st.integers(-12, 12).map(lambda hours: timezone(timedelta(hours=hours)))
plans = st.builds(
    Plan,
    name=texts,
    sha=st.none() | texts,
    size=st.sampled_from(Size),
    at=st.none() | st.datetimes(datetime(1999, 1, 1), datetime(2100, 1, 1), timezones=offsets),  # noqa: DTZ001
    weight=st.floats(allow_nan=False, allow_infinity=False),
    hold=st.booleans(),
    tags=st.frozensets(texts, max_size=3),
    pair=st.tuples(st.integers(0, 9), st.integers(0, 9)),
    first=st.none() | steps,
    steps=st.lists(steps, max_size=2).map(tuple),
    gates=st.dictionaries(texts, steps, max_size=2),
)


@given(plans)
def test_a_value_survives_the_way_to_yaml_and_back(plan: Plan) -> None:
    assert decode(yamlio.dump(codec.encode(plan))) == plan


@given(plans)
def test_a_value_survives_the_way_to_json_and_back(plan: Plan) -> None:
    assert codec.json_decode(Plan, codec.json_encode(plan)) == plan


def test_a_type_may_contain_itself() -> None:
    tree = Tree((Tree((Tree(),)), Tree(at=datetime(2026, 1, 1, tzinfo=UTC))))
    document = yamlio.load(yamlio.dump(codec.encode(tree)), name="t")
    assert codec.decode(Tree, document, name="t") == tree


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: a\nsha: 1.10\n", "p.yaml:2: sha: expected str, got float (quote it?)"),
        ("name: a\nsha: 1234567\n", "p.yaml:2: sha: expected str, got int (quote it?)"),
        ("name:\n", "p.yaml:1: name: expected str, got null"),
        ("# c\nsha: a\n", "p.yaml:2: missing key 'name'"),
        ("name: a\nhold: yes\n", "p.yaml:2: hold: expected bool, got str (write true or false)"),
        ("name: a\nhold: 1\n", "p.yaml:2: hold: expected bool, got int"),
        ("name: a\nweight: '1'\n", "p.yaml:2: weight: expected float, got str"),
        ("name: a\nsteps: x\n", "p.yaml:2: steps: expected list, got str (write [x])"),
        ("name: a\nfirst: [x]\n", "p.yaml:2: first: expected mapping, got list"),
        (
            "name: a\nsteps:\n- run: [a]\n- run: [1]\n",
            "p.yaml:4: steps.1.run.0: expected str, got int (quote it?)",
        ),
        ("name: a\ngates:\n  x: {run: [a]}\n  y: {}\n", "p.yaml:4: gates.y: missing key 'run'"),
        (
            "name: a\nsize: larg\n",
            "p.yaml:2: size: 'larg' is not one of small, large (did you mean 'large'?)",
        ),
        ("name: a\nsize: xxl\n", "p.yaml:2: size: 'xxl' is not one of small, large"),
        (
            "name: a\nat: soon\n",
            "p.yaml:2: at: expected a time with its offset, such as 2026-11-21T05:36:00Z",
        ),
        (
            "name: a\nat: 2026-01-01T00:00:00\n",
            "p.yaml:2: at: expected a time with its offset, such as 2026-11-21T05:36:00Z",
        ),
        ("name: a\nfirst:\n  timeout: 1m\n  run: []\n", "p.yaml:4: first: run must not be empty"),
        (
            "name: a\nfirst:\n  run: [a]\n  timeout: 3h\n",
            "p.yaml:4: first.timeout: '3h' is not a time",
        ),
        ("- name\n", "p.yaml:1: is not a mapping"),
        ("", "p.yaml:1: is empty"),
        ("name: a\nnmae: b\n", "p.yaml:2: nmae: unknown key (did you mean 'name'?)"),
        ("name: a\nfirst:\n  run: [a]\n  zzz: 1\n", "p.yaml:4: first.zzz: unknown key"),
        ("name: a\nschema: 1.5\n", "p.yaml:2: schema: expected int, got float"),
    ],
)
def test_what_does_not_fit_is_said_with_its_line(text: str, message: str) -> None:
    assert complaint(text)[0] == message


def test_all_unknown_keys_and_the_first_wrong_value_are_said_together() -> None:
    text = "nmae: a\nx-ok: 1\nsteps:\n- {run: [a], rnu: b}\nsha: 1\nhold: 3\nname: a\n"
    assert complaint(text)[0] == (
        "p.yaml:1: nmae: unknown key (did you mean 'name'?)\n"
        "p.yaml:4: steps.0.rnu: unknown key (did you mean 'run'?)\n"
        "p.yaml:5: sha: expected str, got int (quote it?)"
    )


def test_errors_hint_at_what_to_do() -> None:
    assert complaint("name: a\nzzz: 1\n")[1] == "keys that begin with x- are yours"
    assert complaint("name: a\nfirst: {run: [a], timeout: 3h}\n")[1] == "write 3m"


def test_a_key_in_the_wrong_file_is_sent_to_the_right_one() -> None:
    said = complaint("name: a\nparallel: 2\n", elsewhere={"parallel": "your own settings"})
    assert said[0] == "p.yaml:2: parallel: belongs in your own settings"


def test_a_newer_schema_is_refused_before_anything_else() -> None:
    assert complaint("new: 1\nschema: 2\n") == (
        "p.yaml:2: is schema 2, this gitcmat knows 1",
        "upgrade gitcmat",
    )


def test_a_time_without_offset_is_not_written() -> None:
    with pytest.raises(ValueError, match="has no offset"):
        codec.encode(Plan(name=Name("a"), at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_what_is_not_data_is_not_written() -> None:
    with pytest.raises(TypeError, match="object is not data"):
        codec.encode({"a": object()})


def test_json_that_is_not_the_value_is_refused() -> None:
    with pytest.raises(InvalidData) as caught:
        codec.json_decode(Plan, b'{"name": 1}', name="job.json")
    assert caught.value.message == "job.json: Expected `str`, got `int` - at `$.name`"
    for broken in (b"{", b'{"name": "\xff"}'):
        with pytest.raises(InvalidData):
            codec.json_decode(Plan, broken)


def test_the_codec_does_not_load_a_yaml_library() -> None:
    code = "import sys, gitcmat.store.codec; sys.exit('ruamel.yaml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_schema_describes_and_closes_what_people_write() -> None:
    schema = schemas.schema(Plan, "a plan", description="What to do.")
    assert schema["title"] == "a plan"
    assert schema["description"] == "What to do."
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False
    assert schema["patternProperties"] == {"^x-": {}}
    assert schema["properties"]["name"] == {"description": "What it is called", "type": "string"}
    assert schema["properties"]["size"] == {
        "description": "How big",
        "allOf": [{"$ref": "#/$defs/Size"}],
        "default": "small",
    }
    assert schema["properties"]["pair"]["default"] == [0, 0]
    assert schema["$defs"].keys() == {"Size", "Step"}
    step = schema["$defs"]["Step"]
    assert (step["description"], step["additionalProperties"]) == ("One step.", False)
    assert step["properties"]["run"]["description"] == "Program and arguments"
