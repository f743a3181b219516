"""What came from agents, made fit to keep (no secrets) and to show (nothing hidden)."""

import re
import unicodedata
from collections.abc import Iterable

_LONGEST_LINE = 65536
# Kept back when a line is cut because of its length; no secret is longer.
_OVERLAP = 8192
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Invisible, but not of category Cf: fillers, the grapheme joiner, variation selectors (Mongolian
# ones too) and the whole block of tags and selectors, assigned or not.
_UNSEEN = (
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U000e0000-\U000e0fff]"
)
_CANDIDATE = re.compile(r"[^\n\t\x20-\x7e]")


def visible(text: str) -> str:
    r"""`text` with every character that a terminal would obey or not show as an escape (``\x1b``).

    These are all control characters but line break and tab, all format characters (direction, zero
    width, tags), line and paragraph separators, lone surrogates, variation selectors and fillers.
    """
    return _CANDIDATE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    char = match[0]
    if unicodedata.category(char) not in _HIDDEN and not re.match(_UNSEEN, char):
        return char
    code = ord(char)
    if code <= 0xFF:  # noqa: PLR2004 - what two hex digits hold
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - four digits


class Redactor:
    """Replaces known secrets, and what looks like one, in a stream of bytes that is written down.

    Feed it what comes, in any pieces, and write what it returns; it keeps an unfinished line back,
    and lines in which a secret may begin that was wrapped, so call `flush` at the end. One object
    serves one stream and one thread.
    """

    def __init__(self, values: Iterable[str]) -> None:
        """Know these secrets: plain, in base64, URL, JSON and hex form, and through colours."""
        from gitcmat.system.redaction import Finder  # what is only shown needs none

        self._finder = Finder(values)
        self._rest = b""

    def feed(self, chunk: bytes) -> bytes:
        """Take `chunk` in and return what is certain by now, redacted: whole lines."""
        data = self._rest + chunk
        cut = data.rfind(b"\n") + 1
        if len(data) - cut > _LONGEST_LINE:
            cut = self._finder.safe_cut(data, len(data) - _OVERLAP)
        else:
            cut = self._finder.begun(data, cut)
        done, self._rest = data[:cut], data[cut:]
        return self._finder.redact(done)

    def flush(self) -> bytes:
        """Return what was kept back, redacted; the redactor is ready for another stream."""
        done, self._rest = self._rest, b""
        result = self._finder.redact(done)
        self._finder.reset()
        return result

    def text(self, text: str) -> str:
        """`text`, which is whole, redacted at once; independent of the stream."""
        data = text.encode("utf-8", "surrogateescape")
        return self._finder.fresh().redact(data).decode("utf-8", "surrogateescape")

    def has_secret(self, data: bytes) -> bool:
        """Whether something in `data`, which is whole, would be replaced (before publishing)."""
        return self._finder.fresh().redact(data) != data
