"""What came from agents: secrets kept out of what is written, nothing hidden in what is shown."""

import base64
import itertools
import json
import re
import sys
import unicodedata
import urllib.parse
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gitcmat.system.logs import Redactor, visible

VALUE = 'p/w+"ö\\s3cret?=x&y'
OTHER = "another-value-0123456789"
MARK = "[secret]"


def test_everything_that_a_terminal_obeys_or_hides_is_an_escape() -> None:
    for code in range(sys.maxunicode + 1):
        char = chr(code)
        shown = visible(f"a{char}b")
        hidden = unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} and char not in "\n\t"
        selector = 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
        if hidden or selector:
            width = 2 if code <= 0xFF else 4 if code <= 0xFFFF else 8
            letter = {2: "x", 4: "u", 8: "U"}[width]
            assert shown == f"a\\{letter}{code:0{width}x}b"


def test_ordinary_text_of_any_language_is_shown_as_it_is() -> None:
    text = "tab\t line\n größer 日本語 עברית العربية हिन्दी é e\u0301 € 😀 \\x1b ~"
    assert visible(text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\x1b]52;c;ZXZpbA==\x07", "\\x1b]52;c;ZXZpbA==\\x07"),
        ("\x1b[2Jx\r\n", "\\x1b[2Jx\\x0d\n"),
        ("if a\u202e and b\u2066", "if a\\u202e and b\\u2066"),
        ("\U000e0041\u200b\ufeff\xad", "\\U000e0041\\u200b\\ufeff\\xad"),
        ("\u3164=\u115f\u034f", "\\u3164=\\u115f\\u034f"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("\udcff\u2028", "\\udcff\\u2028"),
    ],
)
def test_tricks_are_seen(text: str, expected: str) -> None:
    assert visible(text) == expected


@given(st.text())
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    assert visible(visible(text)) == visible(text)


def redact(text: str, *values: str) -> str:
    return Redactor(values).text(text)


RAW = VALUE.encode()
FORMS = {
    "plain": VALUE,
    "json": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "json in ascii": json.dumps(VALUE)[1:-1],
    "json with escaped slashes": json.dumps(VALUE)[1:-1].replace("/", "\\/"),
    "json in json": json.dumps(json.dumps(VALUE)[1:-1])[1:-1],
    "url": urllib.parse.quote(VALUE, safe=""),
    "url path": urllib.parse.quote(VALUE),
    "url form": urllib.parse.quote_plus(VALUE),
    "url in lower case": re.sub("%..", lambda hit: hit[0].lower(), urllib.parse.quote(VALUE)),
    "hex": RAW.hex(),
    "hex in upper case": RAW.hex().upper(),
    "colours": "\x1b[1m".join(VALUE),
    "colour inside": f"{VALUE[:5]}\x1b[31;1m{VALUE[5:]}",
}


@pytest.mark.parametrize("form", FORMS)
def test_a_known_value_is_found_in_the_form(form: str) -> None:
    assert redact(f"before {FORMS[form]} after", OTHER, VALUE) == f"before {MARK} after"


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "Bearer "])
@pytest.mark.parametrize("after", ["", "1", "12", "123"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_known_value_is_found_inside_base64(
    before: str, after: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{OTHER}{after}".encode()).decode()
    shown = redact(f"x {encoded} y", OTHER)
    assert MARK in shown
    left = shown.removeprefix("x ").removesuffix(" y").replace(MARK, "")
    # What depends on the neighbours may stay: a character or two at each end, the neighbours
    # themselves.
    assert len(left) <= 4 * (len(before) // 3 + len(after) // 3 + 3)


def test_short_values_are_left_alone_and_longer_ones_go_first() -> None:
    assert redact("a dev build, yes: 12345", "dev", "yes", "12345", "") == "a dev build, yes: 12345"
    assert redact("abcdefgh abcdef", "abcdef", "abcdefgh") == f"{MARK} {MARK}"


def test_each_line_of_a_value_counts() -> None:
    value = "first-line-of-it\nx\nthird-line-of-it\n"
    assert redact("> third-line-of-it\n> x\n", value) == f"> {MARK}\n> x\n"


TOKENS = [
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "A1b2C3_" * 11,
    "glpat-" + "x" * 20,
    "sk-ant-api03-" + "aB3_-" * 18,
    "sk-proj-" + "aB3_" * 12,
    "sk-" + "a1B2" * 12,
    "AKIAIOSFODNN7EXAMPLE",
    "AIza" + "a" * 35,
    "xoxb-" + "1234567890" * 2,
    "sk_live_" + "a1" * 12,
    "npm_" + "a" * 36,
    "pypi-" + "A" * 60,
    "hf_" + "a" * 34,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P",
]


@pytest.mark.parametrize("token", TOKENS)
def test_a_token_is_known_by_its_format(token: str) -> None:
    assert redact(f"TOKEN={token}\n") == f"TOKEN={MARK}\n"
    assert redact(f'{{"t": "{token}"}}\n') == f'{{"t": "{MARK}"}}\n'


def test_passwords_in_addresses_and_headers_go() -> None:
    assert redact("git clone https://me:hunter22@host/x") == f"git clone https://{MARK}@host/x"
    assert redact("https://x-access-token:abc@github.com/") == f"https://{MARK}@github.com/"
    assert redact("Authorization: Bearer abcdef0123456789\n") == f"{MARK}\n"
    assert redact("curl -H 'authorization: basic dXNlcjpwYXNzd29yZA=='") == f"curl -H '{MARK}'"


@pytest.mark.parametrize(
    "line",
    [
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "task-sk-something and risk-averse",
        "https://example.org:8080/a@b",
        "see https://host/path:with/colon and me@host",
        "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "authorization: none",
        "eyJust a word.eyJ",
        "xoxo ghp_short npm_install pypi-name hf_hub",
        "/usr/lib/python3.11/site-packages/x.py:12: error",
    ],
)
def test_clean_lines_stay_as_they_are(line: str) -> None:
    assert redact(line, VALUE, OTHER) == line


KEY = (
    "-----BEGIN OPENSSH PRIVATE KEY-----\n"
    "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU\n"
    "QyNTUxOQAAACB\n"
    "-----END OPENSSH PRIVATE KEY-----\n"
)


def test_a_private_key_loses_its_content() -> None:
    assert redact(f"a\n{KEY}b\n") == (
        "a\n-----BEGIN OPENSSH PRIVATE KEY-----\n[secret]\n[secret]\n"
        "-----END OPENSSH PRIVATE KEY-----\nb\n"
    )
    flat = json.dumps(KEY)
    assert redact(flat) == (
        f'"-----BEGIN OPENSSH PRIVATE KEY-----{MARK}-----END OPENSSH PRIVATE KEY-----\\n"'
    )


def test_a_text_about_keys_does_not_swallow_the_log() -> None:
    long_line = "x " * 200
    text = f"-----BEGIN PRIVATE KEY-----\n{long_line}\nrest\n"
    assert redact(text) == text
    many = "-----BEGIN PRIVATE KEY-----\n" + "line\n" * 1000
    assert redact(many).count("line\n") > 500


@given(st.lists(st.integers(0, 400), max_size=12))
def test_a_stream_is_redacted_wherever_it_is_cut(cuts: list[int]) -> None:
    text = f"one {OTHER}\n\x1b[1m{OTHER[:9]}\x1b[0m{OTHER[9:]} two\n{KEY}end ghp_{'a1' * 20}"
    data = text.encode()
    redactor = Redactor([OTHER])
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    pieces = [redactor.feed(data[a:b]) for a, b in itertools.pairwise(edges)]
    joined = b"".join([*pieces, redactor.flush()]).decode()
    assert joined == (
        f"one {MARK}\n\x1b[1m{MARK} two\n-----BEGIN OPENSSH PRIVATE KEY-----\n{MARK}\n{MARK}\n"
        f"-----END OPENSSH PRIVATE KEY-----\nend {MARK}"
    )


def test_a_stream_without_line_ends_is_neither_kept_in_memory_nor_cut_inside_a_secret() -> None:
    redactor = Redactor([OTHER])
    out = b""
    for _ in range(4000):
        out += redactor.feed(f"x{OTHER}".encode())
        assert len(redactor._rest) < 80_000
    out += redactor.flush()
    assert out == b"x[secret]" * 4000


def test_a_check_before_publishing_says_whether_there_is_a_secret() -> None:
    redactor = Redactor([OTHER])
    assert redactor.has_secret(f"diff\n+{OTHER}\n".encode())
    assert redactor.has_secret(KEY.encode())
    assert not redactor.has_secret(b"diff\n+nothing\n\xff")
    assert redactor.text(f"\udcff {OTHER}") == f"\udcff {MARK}"
