"""A diff on a terminal: nothing in it is obeyed or hidden, and all colours are ours.

A file may hold whatever its author liked: codes that clear the screen, write to the clipboard or
print text in the colour of the background, and characters that turn the order of words around.
"""

from collections.abc import Iterator
from typing import Final

from gitcmat.system.logs import visible

_COLORS: Final = {"+": "\x1b[32m", "-": "\x1b[31m", "@": "\x1b[36m"}
_BOLD: Final = "\x1b[1m"
_END: Final = "\x1b[m"


def for_terminal(diff: bytes, *, colors: bool) -> str:
    """Return what ``git diff`` printed without colours, to be shown to a person."""
    text = visible(diff.decode("utf-8", "backslashreplace"))
    return "\n".join(_colored(text.split("\n"))) if colors else text


def _colored(lines: list[str]) -> Iterator[str]:
    head = False  # the lines from `diff --git` to the first hunk are about the file
    for line in lines:
        head = line.startswith("diff --git ") or (head and not line.startswith("@@"))
        code = _BOLD if head else _COLORS.get(line[:1], "")
        yield f"{code}{line}{_END}" if code and line else line
