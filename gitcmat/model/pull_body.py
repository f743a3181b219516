"""What a pull request says of the work: its parts, with nothing in them that acts by itself.

Text of agents and tasks calls nobody, closes no issue and hides nothing: a forge would do so on
the word of who wrote it last.
"""

import re
from collections.abc import Sequence
from typing import Final

from gitcmat.model.forge import LONGEST_BODY, mark

LONGEST_TITLE: Final = 250
LONGEST_PART: Final = 16_000
"""Characters of one text that others wrote."""

_NOTHING: Final = "\u200b"
"""A character of no width: people see the same, and the forge sees no word of its own."""
_CALL: Final = re.compile(r"@(?=[A-Za-z0-9])")
_REFERENCE: Final = r"(?:[\w.-]+/[\w.-]+)?#\d|GH-\d|https?://"
_CLOSES: Final = re.compile(
    rf"\b([cfr])((?:lose[sd]?|ix(?:e[sd])?|esolve[sd]?)\b:?\s*(?=[\[(<*_`]*(?:{_REFERENCE})))",
    re.IGNORECASE,
)
_SKIPS: Final = re.compile(
    r"\[(?=(?:skip ci|ci skip|no ci|skip actions|actions skip)\])|\bskip(?=-checks\s*:)",
    re.IGNORECASE,
)
"""What in a commit's message keeps a forge from checking it."""
_KEYS: Final = ("Cmat-Task: ", "Cmat-Run: ", "Assisted-by: ")
"""How our own trailers begin."""
_TRAILER: Final = re.compile(r"[A-Za-z0-9-]+: ")
_BREAK: Final = re.compile(r"\n[ \t\r]*\n")
_LEAST: Final = 2_000
"""Characters that ours needs at least."""
_CUT: Final = "\n\n(… cut: it is longer than a forge takes)\n"


def defused(text: str) -> str:
    """Return text that looks the same and does nothing: it calls nobody, closes no issue, skips no
    checks, and has no hidden part.
    """
    text = _CALL.sub(f"@{_NOTHING}", text)
    text = _CLOSES.sub(rf"\1{_NOTHING}\2", text)
    text = _SKIPS.sub(rf"\g<0>{_NOTHING}", text)
    return text.replace("<!--", "&lt;!--").replace("\0", "")


def part(text: str, longest: int = LONGEST_PART) -> str:
    """Return what somebody wrote, defused, and not longer than that before."""
    cut = text if len(text) <= longest else text[:longest].rstrip() + " …"
    return defused(cut)


def title(text: str) -> str:
    """Return what a pull request is called: one line, as a squash makes it a commit's subject.

    There is no markdown in it, and so no way to write what begins a hidden part: it is broken.
    """
    return part(" ".join(text.split()).replace("<!--", f"<{_NOTHING}!--"), LONGEST_TITLE)


def section(task: str, text: str, longest: int = LONGEST_BODY) -> str:
    """Return what gitcmat says, between the marks by which it finds it again, cut if need be."""
    begin, end = _marks(task)
    room = longest - len(begin) - len(end) - 4
    text = text.strip()
    if len(text) > room:
        text = text[: room - len(_CUT)].rstrip() + _CUT.rstrip()
    return f"{begin}\n{text}\n\n{end}"


def assembled(task: str, ours: str, theirs: str, trailers: Sequence[str]) -> str:
    """Put a body together: what gitcmat says, the repository's own template as it is, trailers.

    Trailers are the last paragraph, where they stay trailers when a squash makes the body a
    message. What is too long is cut from ours; a template that does not fit is left out.
    """
    end = "\n".join(trailers)
    if len(theirs) > LONGEST_BODY // 2:
        theirs = ""
    after = "".join(f"\n\n{some.strip()}" for some in (theirs, end) if some.strip()) + "\n"
    return section(task, ours, LONGEST_BODY - len(after)) + after


def refreshed(body: str, task: str, ours: str, trailers: Sequence[str]) -> str | None:
    """Return a body that says what gitcmat says by now, with all that people wrote in it as it is.

    Only what stands between our marks is made anew, and our own trailers, which end it. None where
    people took the marks away, or left no room: then it is theirs.
    """
    begin, end = _marks(task)
    if body.count(begin) != 1 or body.count(end) != 1 or body.index(end) < body.index(begin):
        return None
    before, _, rest = body.partition(begin)
    rest = _ending(rest.partition(end)[2], trailers)
    room = LONGEST_BODY - len(before) - len(rest)
    return before + section(task, ours, room) + rest if room >= _LEAST else None


def _marks(task: str) -> tuple[str, str]:
    return mark("task", task), mark("end", task)


def _ending(text: str, trailers: Sequence[str]) -> str:
    """Return the text with our trailers as they are now, in the paragraph that ends it."""
    newline = "\r\n" if "\r\n" in text else "\n"
    whole = text.rstrip()
    breaks = [found.end() for found in _BREAK.finditer(whole)]
    begin = breaks[-1] if breaks else 0
    lines = whole[begin:].splitlines()
    if trailers[0] in lines and all(_TRAILER.match(line) for line in lines):
        theirs = [line for line in lines if not line.startswith(_KEYS)]
        return whole[:begin] + newline.join((*trailers, *theirs)) + text[len(whole) :]
    block = rf"^{re.escape(trailers[0])}\r?$(?:\r?\n(?:{'|'.join(_KEYS)})[^\r\n]*)*"
    others = re.sub(block, "", text, count=1, flags=re.MULTILINE).rstrip()
    return others + newline * 2 + newline.join(trailers) + newline
