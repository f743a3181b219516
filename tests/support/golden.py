"""Output made comparable: ids, objects and times by what they are, each id with its own number."""

import re
from typing import Final

_IDS: Final = re.compile(r"\b([rbn])-[a-z2-7]{8}\b")
_TIMES: Final = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?Z?")
_OBJECTS: Final = re.compile(r"\b[0-9a-f]{40}\b")
_SHORT: Final = re.compile(r"\b[0-9a-f]{10}\b")


def golden(text: str) -> str:
    """Return `text` with ``r-1`` for the first run in it, ``(object)``, ``(time)`` and so on."""
    seen: dict[str, str] = {}

    def number(found: re.Match[str]) -> str:
        kind = found[1]
        count = sum(name.startswith(kind) for name in seen.values())
        return seen.setdefault(found[0], f"{kind}-{count + 1}")

    text = _IDS.sub(number, text)
    text = _TIMES.sub("(time)", text)
    text = _OBJECTS.sub("(object)", text)
    return _SHORT.sub("(short)", text)
