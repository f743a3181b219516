"""Edits of YAML that people wrote: only what was asked for changes."""

from io import StringIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from gitcmat.errors import InvalidData
from gitcmat.store import yamlio
from gitcmat.store.yamlio import DELETE

texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n#:-'"), max_size=9)
plain_data = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-1, 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)


def load(text: str) -> Any:
    return yamlio.load(text, name="f.yaml").data


TASK = """\
# A task.
schema:   1   # the format

title: 'Parse dates'
prompt: |
    Four spaces.

      Kept.

# what it needs
needs: [b,   c]  # in any order
budget:
     usd: 2.00
gates:
- tests
- lint   # fast

priority: high # soon
"""


@pytest.mark.parametrize(
    ("changes", "old", "new"),
    [
        ({"priority": "low"}, "priority: high # soon", "priority: low # soon"),
        ({"title": "no"}, "'Parse dates'", "'no'"),
        ({"title": "a\nb\n"}, "title: 'Parse dates'", "title: |\n  a\n  b"),
        ({"needs": ["b", "c, d"]}, "[b,   c]", "[b, 'c, d']"),
        ({"needs": []}, "[b,   c]", "[]"),
        ({"needs": DELETE}, "needs: [b,   c]  # in any order\n", ""),
        ({"prompt": "Short."}, "prompt: |\n    Four spaces.\n\n      Kept.\n", "prompt: Short.\n"),
        ({"prompt": DELETE}, "prompt: |\n    Four spaces.\n\n      Kept.\n", ""),
        ({"budget": {"usd": 3.5}}, "     usd: 2.00", "  usd: 3.5"),
        ({"gates": ["lint"]}, "- tests\n- lint   # fast", "  - lint"),
        ({"gates": DELETE}, "gates:\n- tests\n- lint   # fast\n", ""),
        ({"hold": True}, "# soon\n", "# soon\nhold: true\n"),
        ({"schema": 1, "hold": DELETE}, "", ""),
    ],
)
def test_an_edit_changes_only_its_own_lines(changes: dict[str, object], old: str, new: str) -> None:
    assert yamlio.edit(TASK, changes) == TASK.replace(old, new)


def test_several_edits_at_once() -> None:
    edited = yamlio.edit(TASK, {"schema": 2, "budget": DELETE, "gates": [], "x-mine": None})
    assert edited == (
        TASK.replace("1   # the", "2   # the")
        .replace("budget:\n     usd: 2.00\n", "")
        .replace("gates:\n- tests\n- lint   # fast\n", "gates: []\n")
        + "x-mine: null\n"
    )


def test_an_empty_value_and_a_last_line_without_break_can_be_set() -> None:
    assert yamlio.edit("a:\nb: 1", {"a": "x", "c": 2}) == "a: x\nb: 1\nc: 2\n"


def test_line_breaks_and_byte_order_mark_of_the_file_stay() -> None:
    edited = yamlio.edit("\ufeffa: 1\r\nb: 2\r\n", {"a": "x\ny\n", "c": 3})
    assert edited == "\ufeffa: |\r\n  x\r\n  y\r\nb: 2\r\nc: 3\r\n"


def test_an_odd_layout_is_edited_too() -> None:
    assert load(yamlio.edit("{a: 1, b: 2} # c\n", {"a": DELETE, "c": "x"})) == {"b": 2, "c": "x"}
    assert yamlio.edit("# only this\n", {"a": 1}) == "# only this\na: 1\n"
    assert load(yamlio.edit("a: 1\n", {"a": DELETE})) is None


def test_only_mappings_can_be_edited() -> None:
    with pytest.raises(InvalidData) as caught:
        yamlio.edit("# c\n- a\n", {"a": 1}, name="f.yaml")
    assert caught.value.message == "f.yaml:2: is not a mapping"


@given(
    st.dictionaries(texts, plain_data, max_size=4),
    st.dictionaries(texts, plain_data | st.just(DELETE), max_size=3),
)
def test_an_edit_means_what_was_asked(data: dict[str, Any], changes: dict[str, Any]) -> None:
    if data:
        changes |= {next(iter(data)): DELETE}
    expected = {key: value for key, value in {**data, **changes}.items() if value is not DELETE}
    assert (load(yamlio.edit(yamlio.dump(data), changes)) or {}) == expected


def test_ruamel_agrees_on_the_edited_task() -> None:
    out = StringIO()
    yaml = YAML()
    yaml.dump(yaml.load(yamlio.edit(TASK, {"priority": "low"})), out)
    assert "# in any order" in out.getvalue()
