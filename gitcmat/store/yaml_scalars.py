"""What a YAML scalar means, in both directions: `resolve` reads one, `inline` writes one.

Reading is YAML 1.2 core, string first: only ``true false null``, decimal integers and plain
decimal fractions are anything but text. ``no``, ``012``, ``22:22``, dates, ``0x1f`` and
``12e3456`` (a commit!) are text, and so is an integer of more than 18 digits, which nobody counts
with but which a digest may be.

Writing quotes every text that *any* reader could take for something else, YAML 1.1 included:
people open our files with other tools.
"""

import math
import re
from typing import Final

Scalar = str | int | float | bool | None

_MAX_DIGITS: Final = 18
MAX_INT: Final = 10**_MAX_DIGITS - 1
"""The largest integer that `resolve` reads back as one."""

MAX_KEY: Final = 1000
"""YAML readers give up on a key that has no colon within 1024 characters."""

_WORDS: Final[dict[str, Scalar]] = {
    "true": True,
    "false": False,
    "null": None,
    "~": None,
    "": None,
}
_INT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_FLOAT: Final = re.compile(r"-?(?:0|[1-9][0-9]*)\.[0-9]+(?:e[+-][0-9]+)?", re.ASCII)
_MAY_BE_NUMBER: Final = frozenset("-0123456789")

_PLAIN: Final = re.compile(
    r"""(?! (?i: y | n | yes | no | on | off | true | false | null ) \Z )
        (?! (?i: [-+]? \.? (?: inf | nan ) ) \Z )
        (?! [-+.]? [0-9.] [-+.:_,0-9a-fA-FxoTtZz ]* \Z )  # numbers, dates, times, short object ids
        (?! (?: [0-9a-f]{40} | [0-9a-f]{64} ) \Z )        # so that object ids all look alike
        (?: [A-Za-z0-9_./(+$^] | --? (?= [A-Za-z0-9] ) )  # what can begin nothing else
        (?: [!"$-9;-~\u00a1-\u1fff\u2010-\u2027\u2030-\u205e\u3001-\ud7ff\U00010000-\U0010ffff]
          | [ ] (?= [^ \#] ) | : (?= [^ ] ) | (?<= [^ ] ) \#
        )* \Z
    """,
    re.VERBOSE,
)
# Control characters, line breaks that YAML 1.1 readers would normalize, byte order marks,
# surrogates, noncharacters, and what turns the direction of the text around (CVE-2021-42574).
_ESCAPED: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\xa0\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufff0-\ufffb\ufffe\uffff]"
)
_IN_QUOTES: Final = re.compile(f'["\\\\\t\n]|{_ESCAPED.pattern}')
_SHORT_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def resolve(plain: str) -> Scalar:
    """The value of an unquoted scalar."""
    if plain in _WORDS:
        return _WORDS[plain]
    if plain[0] not in _MAY_BE_NUMBER:
        return plain
    if _INT.fullmatch(plain):
        return int(plain)
    if _FLOAT.fullmatch(plain) and math.isfinite(value := float(plain)):
        return value
    return plain


def inline(value: object) -> str:
    r"""Write one scalar on one line.

    A surrogate (a byte of a file name that is not UTF-8) has no place in YAML and becomes the six
    visible characters ``\udcff``: the one text that is not read back as it was. Raises TypeError
    for what is not a scalar, ValueError for an infinite or too large number.
    """
    kind = type(value)
    if kind is str:
        return _text(value)  # type: ignore[arg-type]  # mypy does not follow `kind`
    if value is None:
        return "null"
    if kind is bool:
        return "true" if value else "false"
    if kind is int:
        if abs(value) > MAX_INT:  # type: ignore[arg-type]
            raise ValueError(f"{value} is too large for a record")
        return str(value)
    if kind is float:
        return _fraction(value)  # type: ignore[arg-type]
    raise TypeError(f"YAML has no {kind.__name__}")


def has_escapes(text: str) -> bool:
    """Whether `text` has characters that can only be written as escapes."""
    return _ESCAPED.search(text) is not None


def _text(text: str) -> str:
    if _PLAIN.match(text):
        return text
    if "'" not in text and not _IN_QUOTES.search(text):
        return f"'{text}'"
    return '"' + _IN_QUOTES.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    char = found[0]
    if char in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  # the surrogates, as Unicode numbers them
        return f"\\\\u{code:04x}"
    return f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}"  # noqa: PLR2004  # one byte


def _fraction(value: float) -> str:
    if not math.isfinite(value):
        raise ValueError(f"{value} cannot be written")
    digits, e, exponent = repr(value).partition("e")
    return (digits if "." in digits else digits + ".0") + e + exponent
