"""What a pull request says of the work: its parts, with nothing in them that acts by itself.

Text of agents and tasks calls nobody, closes no issue and hides nothing: a forge would do so on
the word of who wrote it last.
"""

import re
from collections.abc import Sequence
from typing import Final

from gitcmat.model.forge import LONGEST_BODY

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
_CUT: Final = "\n\n(… cut: it is longer than a forge takes)\n"


def defused(text: str) -> str:
    """Return text that looks the same and does nothing: it calls nobody, closes no issue, and has
    no hidden part.
    """
    text = _CALL.sub(f"@{_NOTHING}", text)
    text = _CLOSES.sub(rf"\1{_NOTHING}\2", text)
    return text.replace("<!--", "&lt;!--").replace("\0", "")


def part(text: str, longest: int = LONGEST_PART) -> str:
    """Return what somebody wrote, defused, and not longer than that before."""
    cut = text if len(text) <= longest else text[:longest].rstrip() + " …"
    return defused(cut)


def title(text: str) -> str:
    """Return what a pull request is called: one line, as a squash makes it a commit's subject."""
    return part(" ".join(text.split()), LONGEST_TITLE)


def assembled(ours: str, theirs: str, trailers: Sequence[str]) -> str:
    """Put a body together: what gitcmat says, the repository's own template as it is, trailers.

    Trailers are the last paragraph, where they stay trailers when a squash makes the body a
    message. What is too long is cut from ours; a template that does not fit is left out.
    """
    end = "\n".join(trailers)
    if len(theirs) > LONGEST_BODY // 2:
        theirs = ""
    after = "".join(f"\n\n{some.strip()}" for some in (theirs, end) if some.strip()) + "\n"
    room = LONGEST_BODY - len(after)
    ours = ours.strip()
    if len(ours) > room:
        ours = ours[: room - len(_CUT)].rstrip() + _CUT.rstrip()
    return ours + after
