"""Patterns of paths, as people write them in `paths:`, `protect:` and `setup.when:`.

They mean what they mean in ``.gitignore``, without ``!``: ``*`` stays inside one folder, ``**``
does not, a pattern without a slash matches at any depth, and what names a folder covers all below.
"""

import functools
import re
from collections.abc import Iterable


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether `path` (relative, with slashes) is covered by any of `patterns`."""
    return any(_compiled(pattern).fullmatch(path) for pattern in patterns)


def pathspecs(patterns: Iterable[str]) -> tuple[str, ...]:
    """The same patterns as git understands them on its command line, after ``--``."""
    rooted = ["**/" * _floats(pattern) + _bare(pattern) for pattern in patterns]
    return tuple(f":(glob){text}{below}" for text in rooted for below in ("", "/**"))


@functools.lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    start = "(?:.*/)?" if _floats(pattern) else ""
    return re.compile(f"{start}{_translated(_bare(pattern))}(?:/.*)?", re.DOTALL)


def _floats(pattern: str) -> bool:
    """Whether it matches at any depth."""
    return "/" not in pattern.removeprefix("./").rstrip("/")


def _bare(pattern: str) -> str:
    return pattern.removeprefix("./").strip("/")


def _translated(text: str) -> str:
    out = ""
    at = 0
    while at < len(text):
        if text.startswith("**/", at):
            out, at = f"{out}(?:.*/)?", at + 3
        elif text.startswith("**", at):
            out, at = f"{out}.*", at + 2
        elif text[at] == "*":
            out, at = f"{out}[^/]*", at + 1
        elif text[at] == "?":
            out, at = f"{out}[^/]", at + 1
        elif text[at] == "[" and (end := text.find("]", at + 2)) > 0:
            out, at = out + _one_of(text[at + 1 : end]), end + 1
        else:
            out, at = out + re.escape(text[at]), at + 1
    return out


def _one_of(text: str) -> str:
    """A set such as ``a-z`` or ``!0-9``; one that makes no sense matches only itself."""
    negated = text[0] in "!^"
    members = re.sub(r"([\\\[\]&~|^])", r"\\\1", text[1:] if negated else text)
    found = f"(?!/)[{'^' if negated else ''}{members}]"
    try:
        re.compile(found)
    except re.error:
        return re.escape(f"[{text}]")
    return found
