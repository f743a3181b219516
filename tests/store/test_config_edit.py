"""One key is set at any depth; every other line stays."""

import pytest

from gitcmat.errors import InvalidData
from gitcmat.store import yamlio
from gitcmat.store.config_edit import set_at

TEXT = """\
# mine
schema: 1

gates:
  # the tests
  tests:
    run: [pytest]  # fast
    timeout: 5m

  lint: {run: [ruff]}
# at the margin

defaults: {attempts: 2}
"""


def changed(path: str, value: object, text: str = TEXT) -> str:
    return set_at(text, tuple(path.split(".")), value, name="config.yaml")


@pytest.mark.parametrize(
    ("path", "value", "old", "new"),
    [
        ("gates.tests.timeout", "9m", "timeout: 5m", "timeout: 9m"),
        ("gates.tests.env", {"A": "1"}, "5m\n", "5m\n    env:\n      A: '1'\n"),
        ("defaults.attempts", 3, "{attempts: 2}", "\n  attempts: 3"),
        ("view", False, "attempts: 2}\n", "attempts: 2}\nview: false\n"),
        ("branch.prefix", "x", "attempts: 2}\n", "attempts: 2}\nbranch:\n  prefix: x\n"),
    ],
)
def test_only_the_lines_of_the_key_change(path: str, value: object, old: str, new: str) -> None:
    expected = TEXT.replace(old, new).replace("defaults: \n", "defaults:\n")
    assert changed(path, value) == expected


def test_what_stands_in_one_line_is_written_anew_in_its_own_place() -> None:
    after = changed("gates.lint.timeout", "1m")
    assert yamlio.load(after, name="x").data["gates"]["lint"] == {"run": ["ruff"], "timeout": "1m"}
    assert after.startswith(TEXT.partition("  lint:")[0])
    assert "# at the margin\n\ndefaults: {attempts: 2}\n" in after


def test_an_empty_file_gets_the_key() -> None:
    assert changed("a.b", 1, text="") == "a:\n  b: 1\n"
    assert changed("a.b", 1, text="a:\n") == "a:\n  b: 1\n"


def test_a_key_on_the_way_that_is_no_mapping_is_left_alone() -> None:
    with pytest.raises(InvalidData) as caught:
        changed("schema.x", 1)
    assert caught.value.message == "config.yaml:2: schema: is not a mapping"
