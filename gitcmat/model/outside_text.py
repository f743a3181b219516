"""Text from outside without the parts that whoever reads it on the forge's page does not see.

Who approves such a text has read the page. What is only in its source would reach the agent alone.
"""

import re
from collections import Counter
from typing import Final

LEFT_OUT: Final = "[a hidden part was left out]"

_BEGIN: Final = re.compile(r"<!--|^ {0,3}(?P<fence>`{3,}|~{3,})[^\n]*$", re.MULTILINE)
_DEFINITION: Final = re.compile(
    r"^ {0,3}\[(?P<name>[^\]\n]{1,300})\]:[ \t]*(?P<place>[^\s<>]*)(?P<rest>[^\n]*)$", re.MULTILINE
)
_NAMED: Final = re.compile(r"\[([^\]\n]{1,300})\]")
_TAG: Final = re.compile(
    r"<(?P<name>a|abbr|b|br|code|dd|del|details|div|dl|dt|em|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol"
    r"|p|picture|pre|q|s|samp|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul"
    r"|video)\b(?P<inner>[^<>]{1,4000})>",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(
    r"""\b(?:href|src)\s*=\s*(?:"[^"\s]*"|'[^'\s]*'|[^\s"'>]+)""", re.IGNORECASE
)


def without_hidden(text: str) -> str:
    """Return `text` without HTML comments, attributes of HTML tags but addresses, and definitions
    of links that nothing uses. What stands in fences of code is shown as it is, and stays.
    """
    text = text.replace("\r\n", "\n")
    names = Counter(name.casefold() for name in _NAMED.findall(text))
    parts: list[str] = []
    at = 0
    while found := _BEGIN.search(text, at):
        parts.append(_shown(text[at : found.start()], names))
        fence = found["fence"]
        if fence is None:
            end = text.find("-->", found.end())
            parts.append(LEFT_OUT)
            at = len(text) if end < 0 else end + len("-->")
        else:
            closing = re.compile(rf"^ {{0,3}}{re.escape(fence)}{fence[0]}*[ \t]*$", re.MULTILINE)
            closed = closing.search(text, found.end())
            at = closed.end() if closed else len(text)
            parts.append(text[found.start() : at])
    parts.append(_shown(text[at:], names))
    return "".join(parts)


def _shown(text: str, names: "Counter[str]") -> str:
    def definition(found: re.Match[str]) -> str:
        if names[found["name"].casefold()] > 1 and found["place"]:
            return f"[{found['name']}]: {found['place']}"
        return LEFT_OUT

    def tag(found: re.Match[str]) -> str:
        kept = _PLACE.findall(found["inner"])
        return f"<{' '.join([found['name'], *kept])}>"

    return _TAG.sub(tag, _DEFINITION.sub(definition, text))
