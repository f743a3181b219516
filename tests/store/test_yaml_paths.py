"""One key deep inside changes; every other byte stays."""

import pytest

from gitcmat.errors import InvalidData
from gitcmat.store.yaml_paths import set_at
from gitcmat.store.yamlio import DELETE, load

TEXT = """\
# Ours.
schema: 1

# What judges.
gates:
  # The tests.
  tests:
    run: [pytest, -q]   # quick
    timeout: 5m
  lint:
    run:
      - ruff
      - check

# Where nobody says otherwise.
defaults:
  attempts: 3  # enough

# The end.
"""


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("defaults.attempts", 5, "attempts: 3  # enough", "attempts: 5  # enough"),
        ("gates.tests.timeout", "9m", "timeout: 5m", "timeout: 9m"),
        ("gates.tests.run", ["tox"], "[pytest, -q]   # quick", "[tox]   # quick"),
        ("defaults.agent", "me", "enough\n", "enough\n  agent: me\n"),
        ("gates.lint.timeout", "1m", "      - check\n", "      - check\n    timeout: 1m\n"),
        ("gates.tests.timeout", DELETE, "    timeout: 5m\n", ""),
        ("schema", 2, "schema: 1", "schema: 2"),
        ("view", False, "# The end.\n", "# The end.\nview: false\n"),
        ("branch.prefix", "bots", "# The end.\n", "# The end.\nbranch:\n  prefix: bots\n"),
        ("defaults.attempts", 3, "", ""),
    ],
)
def test_only_that_changes(path: str, value: object, old: str, new: str) -> None:
    assert set_at(TEXT, tuple(path.split(".")), value) == TEXT.replace(old, new)


def test_a_mapping_that_becomes_empty_goes_away() -> None:
    result = set_at("a: 1\ndefaults:\n  attempts: 3\nb: 2\n", ("defaults", "attempts"), DELETE)

    assert result == "a: 1\nb: 2\n"


def test_a_flow_mapping_is_written_anew() -> None:
    result = set_at("branch: {prefix: a}\nview: true\n", ("branch", "prefix"), "b")

    assert load(result, name="x").data == {"branch": {"prefix": "b"}, "view": True}


def test_a_comment_further_left_inside_is_not_in_the_way_of_the_meaning() -> None:
    text = "defaults:\n  attempts: 3\n# odd\n  agent: a\n"

    result = set_at(text, ("defaults", "agent"), "b")

    assert load(result, name="x").data == {"defaults": {"attempts": 3, "agent": "b"}}


def test_an_empty_text_gets_its_first_key() -> None:
    assert set_at("", ("a", "b", "c"), 1) == "a:\n  b:\n    c: 1\n"


def test_what_is_no_mapping_is_not_gone_into() -> None:
    with pytest.raises(InvalidData, match="text: b cannot be set in what is not a mapping"):
        set_at("a: [1]\n", ("a", "b"), 1)
