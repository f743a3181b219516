"""Places in files, read from what real tools print."""

import pytest

from gitcmat.model.gate import Location
from gitcmat.model.locations import MOST, parse

KNOWN = frozenset(
    ["src/a.py", "b.py", "main.go", "src/lib.rs", "web/app.ts", "web/x.js", "with space.py"]
)


def places(output: str) -> tuple[Location, ...]:
    return parse(output, root="/work/tree", known=KNOWN.__contains__).kept


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "src/a.py:12:5: F401 `os` imported but unused",
            Location(file="src/a.py", line=12, column=5, message="F401 `os` imported but unused"),
        ),
        (
            "src/a.py:3: error: Name 'x' is not defined  [name-defined]",
            Location(
                file="src/a.py", line=3, message="error: Name 'x' is not defined  [name-defined]"
            ),
        ),
        (
            "src/a.py:12: AssertionError",
            Location(file="src/a.py", line=12, message="AssertionError"),
        ),
        ("  --> src/lib.rs:10:5", Location(file="src/lib.rs", line=10, column=5)),
        (
            "./main.go:7:2: undefined: x",
            Location(file="main.go", line=7, column=2, message="undefined: x"),
        ),
        (
            "    main.go:7: want 1, got 2",
            Location(file="main.go", line=7, message="want 1, got 2"),
        ),
        ('  File "/work/tree/b.py", line 9, in f', Location(file="b.py", line=9)),
        (
            "web/app.ts(4,11): error TS2322: no",
            Location(file="web/app.ts", line=4, column=11, message="error TS2322: no"),
        ),
        ("    at parse (/work/tree/web/x.js:3:9)", Location(file="web/x.js", line=3, column=9)),
        (
            "FAILED src/a.py::test_one[a b] - assert 1 == 2",
            Location(file="src/a.py", message="assert 1 == 2"),
        ),
        ("ERROR b.py - ImportError", Location(file="b.py", message="ImportError")),
        (
            "src/a.py:1:1: W291 trailing whitespace",  # flake8
            Location(file="src/a.py", line=1, column=1, message="W291 trailing whitespace"),
        ),
        (
            "src/lib.rs:3:9: warning: unused variable 'x' [-Wunused-variable]",  # gcc
            Location(
                file="src/lib.rs",
                line=3,
                column=9,
                message="warning: unused variable 'x' [-Wunused-variable]",
            ),
        ),
        (
            "/work/tree/web/x.js:3:9: 'y' is not defined. [Error/no-undef]",  # eslint, unix
            Location(
                file="web/x.js", line=3, column=9, message="'y' is not defined. [Error/no-undef]"
            ),
        ),
        (
            "/work/tree/web/x.js\n  3:9  error  'y' is not defined  no-undef\n",  # eslint
            Location(
                file="web/x.js", line=3, column=9, message="error: 'y' is not defined  no-undef"
            ),
        ),
        (
            "error[E0308]: mismatched types\n  --> src/lib.rs:10:5\n   |",  # cargo
            Location(
                file="src/lib.rs", line=10, column=5, message="error[E0308]: mismatched types"
            ),
        ),
        (
            "F401 [*] `os` imported but unused\n --> src/a.py:1:8\n  |",  # ruff
            Location(
                file="src/a.py", line=1, column=8, message="F401 [*] `os` imported but unused"
            ),
        ),
        (
            "thread 'tests::adds' panicked at src/lib.rs:8:9:\nassertion failed: a == b",
            Location(file="src/lib.rs", line=8, column=9, message="assertion failed: a == b"),
        ),
        (
            ">    assert 1 == 2\nE    assert 1 == 2\nE     +  one\n\nsrc/a.py:12: AssertionError",
            Location(file="src/a.py", line=12, message="assert 1 == 2"),
        ),
        ("with space.py:4: odd", Location(file="with space.py", line=4, message="odd")),
    ],
)
def test_the_forms_of_known_tools_are_read(line: str, expected: Location) -> None:
    assert places(f"some words\n{line}\nmore words") == (expected,)


@pytest.mark.parametrize(
    "line",
    [
        "12:30:10 started",
        "see https://example.org:443/a.py:1",
        "/usr/lib/python3/os.py:12: no",
        "../b.py:1: outside",
        "unknown.py:1: no",
        "src/a.py: no line",
        "b.py:99999999: no such line",
        "x" * 3000 + " b.py:1: far away",
        "",
    ],
)
def test_what_is_no_place_of_the_tree_is_left_out(line: str) -> None:
    assert places(line) == ()


def test_each_place_is_named_once_and_the_summary_only_where_nothing_is_nearer() -> None:
    output = "b.py:1: one\nb.py:1: again\nFAILED b.py::t - one\nFAILED src/a.py::t - two\n"
    assert places(output) == (
        Location(file="b.py", line=1, message="one"),
        Location(file="src/a.py", message="two"),
    )


def test_what_was_explained_is_not_said_of_a_later_place() -> None:
    output = "E   assert 1 == 2\n\nsrc/a.py:12: AssertionError\nb.py:3: ValueError\n"
    assert [place.message for place in places(output)] == ["assert 1 == 2", "ValueError"]


def test_only_the_first_places_are_kept_and_the_rest_is_counted() -> None:
    output = "\n".join(f"b.py:{n}: x" for n in range(1, 200))
    found = parse(output, root="/work/tree", known=KNOWN.__contains__)
    assert [place.line for place in found.kept] == list(range(1, MOST + 1))
    assert found.more == 199 - MOST


def test_a_long_hostile_output_is_read_in_no_time() -> None:
    assert places(("a" * 1999 + "\n") * 200 + (":" * 1999 + "\n") * 200 + "(" * 100_000) == ()
