"""Where secrets are in a text: known values in all their forms, and usual token formats."""

import base64
import json
import re
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from typing import Self

MARK = b"[secret]"
# Shorter values ("1", "true", "dev") would be found everywhere and redact the log to pieces.
SHORTEST = 6

# Formats with a fixed prefix, as their issuers document them: no entropy guesses, few false alarms.
# Each with texts of which it holds one: to look for these first is many times faster.
_PATTERNS = tuple(
    (literals, re.compile(pattern))
    for literals, pattern in (
        # GitHub
        ((b"ghp_", b"gho_", b"ghu_", b"ghs_", b"ghr_"), rb"\bgh[pousr]_[A-Za-z0-9]{36,251}"),
        ((b"github_pat_",), rb"\bgithub_pat_[A-Za-z0-9_]{60,251}"),
        # GitLab
        ((b"glpat-", b"glptt-", b"gldt-", b"glrt-"), rb"\bgl(?:pat|ptt|dt|rt)-[\w.-]{20,251}"),
        ((b"glcbt-", b"glft-", b"glsoat-"), rb"\bgl(?:cbt|ft|soat)-[\w.-]{20,251}"),
        # Anthropic, OpenAI and others
        (
            (b"sk-ant-", b"sk-proj-", b"sk-svcacct-", b"sk-admin-", b"sk-or-v1-"),
            rb"\bsk-(?:ant|proj|svcacct|admin|or-v1)-[\w-]{20,251}",
        ),
        ((b"sk-",), rb"\bsk-[A-Za-z0-9]{32,251}\b"),
        ((b"hf_",), rb"\bhf_[A-Za-z0-9]{30,100}\b"),
        # clouds
        ((b"AKIA", b"ASIA"), rb"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"),
        ((b"AIza",), rb"\bAIza[\w-]{35}"),
        ((b"ya29.",), rb"\bya29\.[\w-]{20,2048}"),
        # Slack, Stripe, SendGrid
        ((b"xox",), rb"\bxox[abeoprs]-[A-Za-z0-9-]{10,251}"),
        ((b"xapp-",), rb"\bxapp-[0-9]-[A-Za-z0-9-]{20,251}"),
        ((b"hooks.slack.com",), rb"\bhooks\.slack\.com/services/[A-Za-z0-9/]{20,100}"),
        ((b"sk_live_", b"rk_live_"), rb"\b[sr]k_live_[A-Za-z0-9]{16,251}"),
        ((b"SG.",), rb"\bSG\.[\w-]{16,32}\.[\w-]{32,64}"),
        # registries
        ((b"npm_",), rb"\bnpm_[A-Za-z0-9]{36}\b"),
        ((b"pypi-",), rb"\bpypi-[\w-]{50,1024}"),
        ((b"dckr_pat_",), rb"\bdckr_pat_[\w-]{20,100}"),
        # a JSON web token, the password in a URL, a request header
        ((b"eyJ",), rb"\beyJ[\w-]{10,2048}\.eyJ[\w-]{10,4096}\.[\w-]{16,2048}"),
        ((b"://",), rb"(?<=://)[^\s/:@\"'<>]{0,100}:[^\s/@\"'<>]{3,200}(?=@)"),
        (
            (b"uthorization", b"UTHORIZATION"),
            rb"(?i:authorization[\"']?\s*[:=]\s*[\"']?(?:basic|bearer|token)\s+)[\w.~+/=-]{12,4096}",
        ),
    )
)
_KEY_BEGIN = re.compile(rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_KEY_END = re.compile(rb"-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----")
_LONGEST_KEY_LINE = 200
_LONGEST_KEY = 400
# Colours and the like, which split a value for whoever searches the raw bytes.
_ESCAPE = rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])|\x08"
_ESCAPES = re.compile(_ESCAPE)
# Line ends split what was wrapped, base64 above all; the indentation after them may be its own.
_BREAKS = re.compile(_ESCAPE + rb"|\r?\n")
_INDENTED = re.compile(_ESCAPE + rb"|\r?\n[ \t]*")
_SHORTEST_BEGINNING = 4
"""So many bytes of a value at the end of a line may be the beginning of one that goes on."""


def forms(value: str) -> set[bytes]:
    """What a value may look like: plain, quoted for JSON and URLs, in hex and base64.

    For base64 the value may stand anywhere in what was encoded: the part of the text that does not
    depend on its neighbours is taken, for each of the three offsets.
    """
    raw = value.encode("utf-8", "surrogateescape")
    found = {raw, raw.hex().encode(), raw.hex().upper().encode()}
    with_ascii, without = json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]
    for quoted in (with_ascii, without, json.dumps(with_ascii)[1:-1]):
        for form in (quoted, quoted.replace("/", "\\/")):
            found.add(form.encode("utf-8", "surrogateescape"))
    for safe in ("", "/", "-_.!~*'()"):
        upper = urllib.parse.quote(raw, safe=safe)
        found |= {upper.encode(), re.sub("%..", lambda hit: hit[0].lower(), upper).encode()}
    found.add(urllib.parse.quote_plus(raw).encode())
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        inner = encoded[(0, 2, 3)[offset] : len(encoded) - (0, 3, 2)[(len(raw) + offset) % 3]]
        found |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return {form for form in found if len(form) >= SHORTEST}


class Finder:
    """Replaces secrets in the pieces of one stream; a private key may go over several."""

    def __init__(self, values: Iterable[str]) -> None:
        """Know these values; of one with several lines, each line of some length counts, too."""
        known: set[bytes] = set()
        for value in values:
            for part in {value, value.strip(), *value.splitlines()}:
                if len(part.strip()) >= SHORTEST:
                    known |= forms(part)
        longest_first = sorted(known, key=lambda form: (-len(form), form))
        self._forms = longest_first
        self._known = re.compile(b"|".join(map(re.escape, longest_first)))
        self._beginnings = frozenset(form[:_SHORTEST_BEGINNING] for form in longest_first)
        self._key_lines = 0  # how many lines of a private key we are in

    def fresh(self) -> Self:
        """Another one that knows the same values, at the start of its stream."""
        other = object.__new__(type(self))
        other._forms, other._known, other._key_lines = self._forms, self._known, 0
        other._beginnings = self._beginnings
        return other

    def reset(self) -> None:
        """Be at the start of a stream again."""
        self._key_lines = 0

    def redact(self, data: bytes) -> bytes:
        """`data`, whole lines unless it is the last, with a mark in place of each secret."""
        if self._key_lines or b"PRIVATE KEY" in data:
            data = b"".join(self._without_keys(data))
        spans = sorted(self._spans(data))
        if not spans:
            return data
        pieces: list[bytes] = []
        at = 0
        for start, end in spans:
            if start >= at:
                pieces += [data[at:start], MARK]
            at = max(at, end)
        return b"".join(pieces) + data[at:]

    def begun(self, data: bytes, end: int) -> int:
        """Where the line begins in `data[:end]`, whole lines, in which a value may have begun that
        goes on behind; `end` when there is none.
        """
        if not self._forms:
            return end
        longest = len(self._forms[0])
        first = max(0, end - 2 * longest)
        tail = data[first:end]
        if not any(beginning in tail for beginning in self._beginnings):
            return end
        bare, origin = _without(_BREAKS, tail)
        found = [
            origin[len(bare) - size]
            for form in self._forms
            for size in range(_SHORTEST_BEGINNING, min(len(form), len(bare) + 1))
            if bare.endswith(form[:size])
        ]
        return data.rfind(b"\n", 0, first + min(found)) + 1 if found else end

    def safe_cut(self, data: bytes, wanted: int) -> int:
        """The last place at or before `wanted` that is not inside a secret of `data`."""
        for start, end in sorted(self._spans(data), reverse=True):
            if start < wanted < end:
                wanted = start
        return wanted

    def _spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        yield from self._plain_spans(data)
        if b"\x1b" in data or b"\x08" in data:
            yield from _spans_without(_ESCAPES, data, self._plain_spans)
        if b"\n" in data[:-1]:
            # Known values alone: a format would go on into the words of the next line.
            for breaks in (_BREAKS, _INDENTED):
                yield from _spans_without(breaks, data, self._known_spans)

    def _known_spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        if any(form in data for form in self._forms):  # much faster than the pattern
            yield from (hit.span() for hit in self._known.finditer(data))

    def _plain_spans(self, data: bytes) -> Iterator[tuple[int, int]]:
        yield from self._known_spans(data)
        for literals, pattern in _PATTERNS:
            if any(literal in data for literal in literals):
                yield from (hit.span() for hit in pattern.finditer(data))

    def _without_keys(self, data: bytes) -> Iterator[bytes]:
        for line in data.splitlines(keepends=True):
            if not self._key_lines:
                begin = _KEY_BEGIN.search(line)
                if begin is None:
                    yield line
                    continue
                end = _KEY_END.search(line, begin.end())
                if end is not None:  # all in one line: a JSON string, a variable
                    yield line[: begin.end()] + MARK + line[end.start() :]
                    continue
                self._key_lines = 1
                yield line
                continue
            if _KEY_END.search(line) or self._is_past_key(line):
                self._key_lines = 0
                yield line
                continue
            self._key_lines += 1
            yield MARK + b"\n"

    def _is_past_key(self, line: bytes) -> bool:
        # Text about keys has a BEGIN line without an END: do not swallow the rest of the log for
        # it.
        return self._key_lines > _LONGEST_KEY or len(line) > _LONGEST_KEY_LINE


def _without(pattern: re.Pattern[bytes], data: bytes) -> tuple[bytes, list[int]]:
    """`data` without what the pattern matches, and for each byte of that where it stood."""
    origin: list[int] = []
    at = 0
    for hit in pattern.finditer(data):
        origin += range(at, hit.start())
        at = hit.end()
    origin += range(at, len(data))
    return pattern.sub(b"", data), origin


def _spans_without(
    pattern: re.Pattern[bytes], data: bytes, find: Callable[[bytes], Iterator[tuple[int, int]]]
) -> Iterator[tuple[int, int]]:
    """What `find` finds in `data` without what the pattern matches, as places in `data`."""
    spans = list(find(pattern.sub(b"", data)))
    if spans:
        _, origin = _without(pattern, data)
        yield from ((origin[start], origin[end - 1] + 1) for start, end in spans)
