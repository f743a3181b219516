"""YAML in and out: what is refused, what values mean, that nothing is lost."""

import math
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.cyaml import CParser  # type: ignore[attr-defined]

from gitcmat.errors import InvalidData
from gitcmat.store import yamlio
from gitcmat.store.yaml_reader import Reader
from gitcmat.store.yaml_scalars import MAX_INT

TRICKY = [
    *"yYnN~=-?!&*|>%@`'\"#:, ",
    *("yes", "No", "on", "OFF", "true", "False", "NULL", "null", "", "<<", "---", "...", "--- a"),
    *("012", "0o7", "0x1f", "0b1", "1_000", "12e3", "1e5", "+1", "1.10", ".5", "5.", "1.", "+"),
    *(".inf", "-.INF", ".nan", "inf", "22:22", "1:2:3", "2026-11-21", "2026-11-21T05:36:00.123Z"),
    *("12e3456", "1234567", "1" * 40, "a" * 40, "9" * 19, "null ", " a", "a ", "a: b", "a #b"),
    *("a:", "a#b", "- a", "? a", "[a]", "{a}", "a\tb", "\ta", "a\n", "\n", "\n\n", "\na", " a\nb"),
    *("a\n\n", "a\n b\n", "a\n  \nb", "a\n ", "\ta\nb\n", "a\r\nb", "a\x85b\n", "a\u2028b", "\x00"),
    *(
        "\ufeffa",
        "\x7f",
        "\u202eabc",
        "é…",
        "日本",
        "👍\n👎",
        "# a\nb",
        "---\na",
        "a\n---\n",
        "\n  \n",
    ),
    *(
        "--flag",
        "-x",
        "---x",
        "--- ",
        "%a",
        "@a",
        ".cmat/tasks/x.yaml",
        "src/**",
        "*.py",
        "s\tk",
        "K",
    ),
]

texts = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from(" \n\t:#-'\"0123456789.eE\\|&*!"),
    max_size=30,
) | st.sampled_from(TRICKY)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INT, MAX_INT)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
plain_data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def load(text: bytes | str) -> Any:
    return yamlio.load(text, name="f.yaml").data


def typed(value: object) -> object:
    """`value` so that 1, 1.0 and True, and 0.0 and -0.0, are told apart."""
    if isinstance(value, dict):
        return {key: typed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [typed(item) for item in value]
    return type(value), repr(value)


def complaint(text: bytes | str, **options: Any) -> str:
    with pytest.raises(InvalidData) as caught:
        yamlio.load(text, name="f.yaml", **options)
    return caught.value.message


# --- dump and load ----------------------------------------------------------------------------


@given(plain_data)
def test_what_is_dumped_is_read_back_with_the_same_types(data: Any) -> None:
    assert typed(load(yamlio.dump(data))) == typed(data)


@given(plain_data)
def test_other_readers_understand_what_is_dumped(data: Any) -> None:
    assert typed(YAML(typ="safe", pure=True).load(yamlio.dump(data))) == typed(data)


@given(texts)
def test_readers_of_yaml_1_1_see_text_where_text_was(text: str) -> None:
    reader = YAML(typ="safe", pure=True)
    reader.version = (1, 1)
    assert reader.load(yamlio.dump({"k": text})) == {"k": text}


@pytest.mark.parametrize("text", TRICKY)
def test_no_tricky_text_changes_as_value_key_or_item(text: str) -> None:
    data = {"a": text, text: [text, [text, {text: text}]]}
    assert typed(load(yamlio.dump(data))) == typed(data)


def test_the_parser_is_the_one_in_c() -> None:
    assert YAML(typ="safe", pure=False).Parser is CParser


def test_a_record_reads_well() -> None:
    text = yamlio.dump(
        {
            "schema": 1,
            "prompt": "Do this.\n\n  Then that.\n",
            "needs": ["a", "no"],
            "gates": [],
            "budget": {"usd": 2.0},
            "head": "12e3456",
            "answer": None,
            "steps": [{"run": ["a", "--b"], "ok": True}, [1, 2]],
            "path": "a\x1bb",
        },
        header="# A record.\n",
    )
    assert text == (
        "# A record.\n"
        "schema: 1\n"
        "prompt: |\n"
        "  Do this.\n"
        "\n"
        "    Then that.\n"
        "needs:\n"
        "  - a\n"
        "  - 'no'\n"
        "gates: []\n"
        "budget:\n"
        "  usd: 2.0\n"
        "head: '12e3456'\n"
        "answer: null\n"
        "steps:\n"
        "  - run:\n"
        "      - a\n"
        "      - --b\n"
        "    ok: true\n"
        "  - - 1\n"
        "    - 2\n"
        'path: "a\\x1bb"\n'
    )


def test_a_byte_that_is_not_utf8_becomes_visible() -> None:
    assert load(yamlio.dump({"path": "a\udcffb"})) == {"path": "a\\udcffb"}


@pytest.mark.parametrize("value", [math.inf, math.nan, 10**18])
def test_numbers_that_yaml_cannot_hold_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"cannot be written|too large"):
        yamlio.dump({"a": value})


@pytest.mark.parametrize("data", [{1: "a"}, {"a": {1, 2}}, b"a"])
def test_data_that_yaml_does_not_have_is_refused(data: object) -> None:
    with pytest.raises(TypeError):
        yamlio.dump(data)


def test_what_the_loader_would_refuse_is_not_written() -> None:
    with pytest.raises(
        InvalidData, match=r"A record of 292 KiB is too large; 256 KiB is the limit."
    ):
        yamlio.dump({"a": "b" * 300_000})
    with pytest.raises(
        InvalidData, match=r"A record of 8,001 entries is too long; 8,000 is the limit."
    ):
        yamlio.dump({"a": [1] * 8_000})
    most = {"a": [1] * 7_999}
    assert load(yamlio.dump(most)) == most
    deep: Any = "a"
    for _ in range(32):
        deep = [deep]
    assert load(yamlio.dump(deep)) == deep
    with pytest.raises(InvalidData, match="nested more than 32 levels deep"):
        yamlio.dump([deep])


# --- values and lines -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *(("true", True), ("false", False), ("null", None), ("~", None), ("", None)),
        *(("12", 12), ("-3", -3), ("0", 0), ("1.10", 1.1), ("-0.5", -0.5), ("1.0e+30", 1e30)),
        *((t, t) for t in ("True", "no", "yes", "012", "22:22", "0x1f", "0o7", "12e3456", "+1")),
        *((t, t) for t in ("2026-11-21", ".inf", "1_000", "9" * 40, "1.0e+999", "=")),
        *(("'1'", "1"), ('"true"', "true"), ("'~'", "~"), ("|\n 12", "12")),
    ],
)
def test_only_what_is_plainly_no_text_is_not_text(text: str, value: object) -> None:
    assert typed(load("k: " + text)) == typed({"k": value})


def test_every_key_and_item_has_its_line() -> None:
    document = yamlio.load(
        "# c\na: 1\n\nb:\n  - x\n  - {c: 2,\n     d: 3}\n", name="f", first_line=10
    )
    assert document.data == {"a": 1, "b": ["x", {"c": 2, "d": 3}]}
    assert document.lines == {
        (): 11,
        ("a",): 11,
        ("b",): 13,
        ("b", 0): 14,
        ("b", 1): 15,
        ("b", 1, "c"): 15,
        ("b", 1, "d"): 16,
    }


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", b"\xef\xbb\xbf"])
def test_an_empty_document_is_none(text: bytes | str) -> None:
    assert load(text) is None


# --- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: key 'a' is there twice (first in line 1)"),
        ("a: &x 1\n", "f.yaml:1: has an anchor (&x)"),
        ("a: &x [1]\n", "f.yaml:1: has an anchor (&x)"),
        ("a: 1\nb: *a\n", "f.yaml:2: has an alias (*a)"),
        ("a:\n  <<: {b: 1}\n", "f.yaml:2: has a merge key (<<)"),
        (
            "a: !!python/object:os.system x\n",
            "f.yaml:1: has a tag (tag:yaml.org,2002:python/object:os.system)",
        ),
        ("a: !!str 1\n", "f.yaml:1: has a tag (tag:yaml.org,2002:str)"),
        ("a: ! 1\n", "f.yaml:1: has a tag (!)"),
        ("!t a: 1\n", "f.yaml:1: has a tag (!t)"),
        ("a: 1\n---\nb: 1\n", "f.yaml:2: has a second document"),
        ("%YAML 1.1\n---\na: 1\n", "f.yaml:1: has a % directive"),
        ("a: 1\n2: b\n", "f.yaml:2: key 2 is not text"),
        ("true: b\n", "f.yaml:1: key true is not text"),
        ("~: b\n", "f.yaml:1: key ~ is not text"),
        ("? [a]\n: b\n", "f.yaml:1: has a key that is not text"),
        ("a:\n\tb: 1\n", "f.yaml:2: is indented with a tab"),
        ("a: b: c\n", "f.yaml:1: mapping values are not allowed in this context"),
        ("a: 1\nb: [1\nc: 2\n", "f.yaml:3: did not find expected ',' or ']'"),
        ("a: 1\nb: \x1b[0m\n", "f.yaml:2: has a control character (U+001B)"),
        (b"a: 1\nb: \xff\n", "f.yaml:2: is not UTF-8"),
        ("a: 1\nb: \udcff\n", "f.yaml:2: is not UTF-8"),
        ("a:\n<<<<<<< HEAD\n  1\n=======\n  2\n>>>>>>> b\n", "f.yaml:2: has conflict markers"),
        ("a: " + "b" * 2**18, "f.yaml:1: is 256 KiB; 256 KiB is the limit"),
        ("- a\n" * 8_001, "f.yaml:8001: has more than 8,000 entries"),
        (
            "".join(f"{n}a: 1\n" for n in range(8_001)),
            "f.yaml:8001: has more than 8,000 entries",
        ),
        ("{a: [" + "1," * 8_000 + "]}", "f.yaml:1: has more than 8,000 entries"),
        ("[" * 50_000, "f.yaml:1: is nested more than 32 levels deep"),
        ("- " * 50_000, "f.yaml:1: is nested more than 32 levels deep"),
        ("{a: " * 50_000, "f.yaml:1: is nested more than 32 levels deep"),
        ("? " * 50_000, "f.yaml:1: has a key that is not text"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: bytes | str, message: str) -> None:
    assert complaint(text) == message


def test_lines_of_complaints_count_from_the_first_line() -> None:
    assert (
        complaint("a: 1\na: 2\n", first_line=7)
        == "f.yaml:8: key 'a' is there twice (first in line 7)"
    )
    assert complaint("a: b: c\n", first_line=7).startswith("f.yaml:7: ")
    assert complaint("\n\x00", first_line=7).startswith("f.yaml:8: ")


@given(st.binary(max_size=200) | st.text("ab:-[]{}#'\"&*!|>%?, \n\t\\<=~", max_size=80))
def test_no_text_does_worse_than_be_refused(text: bytes | str) -> None:
    try:
        data = load(text)
    except InvalidData as error:
        message = error.message
    else:
        message = "f.yaml:"
        assert typed(load(yamlio.dump(data))) == typed(data)
    assert message.startswith("f.yaml:")


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "[",
        "- ",
        "? ",
        "{a: ",
        "[],",
        "&a ",
        "'",
        '"',
        "\\",
        "a\n",
        "a: |\n",
        "!",
        " ",
        "- a\n",
    ],
)
def test_hostile_repetition_takes_no_long_time(piece: str) -> None:
    text = "[" + piece * ((2**18 - 2) // len(piece))
    start = time.thread_time()
    for hostile in (text, text[1:]):
        try:
            load(hostile)
        except InvalidData:
            continue
    assert time.thread_time() - start < 3, (
        "thread time, not wall time: quadratic behaviour takes minutes"
    )


# --- front matter -----------------------------------------------------------------------------


def test_front_matter_is_taken_off_and_lines_stay_those_of_the_file() -> None:
    document, body, line = yamlio.split_front_matter(b"---\nname: a\n---\n# Hi\n---\n", name="a.md")
    assert (document.data, document.lines[("name",)]) == ({"name": "a"}, 2)
    assert (body, line) == ("# Hi\n---\n", 4)


def test_front_matter_may_be_empty_or_missing() -> None:
    empty, body, line = yamlio.split_front_matter("---\n---\nx", name="a.md")
    assert (empty.data, body, line) == ({}, "x", 3)
    missing, body, line = yamlio.split_front_matter("x\n---\n", name="a.md")
    assert (missing.data, body, line) == ({}, "x\n---\n", 1)


def test_front_matter_without_an_end_is_refused() -> None:
    with pytest.raises(InvalidData) as caught:
        yamlio.split_front_matter("---\nname: a\n", name="a.md")
    assert caught.value.message == "a.md:1: front matter has no end"


@pytest.mark.parametrize("piece", ["{n:x}a: 1\n", "- a\n", "- - a\n", "- 2020-01-01\n"])
def test_a_large_flat_text_is_given_up_before_it_costs_much(piece: str) -> None:
    size = len(piece.format(n=99_999))
    text = "".join(piece.format(n=n) for n in range(2**18 // size))
    assert len(text) > 150_000
    events = 0
    parser = CParser(text)

    def next_event() -> Any:
        nonlocal events
        events += 1
        return parser.get_event()

    with pytest.raises(InvalidData, match="has more than 8,000 entries"):
        Reader(next_event, name="f.yaml", first_line=1).document()
    assert events < 20_000
