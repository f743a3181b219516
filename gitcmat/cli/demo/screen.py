"""What the demo prints: commands as a person would type them, and what matters of their output."""

import os
import sys
from typing import Final

from gitcmat.system.logs import visible

WIDTH: Final = 100
_RESET: Final = "\x1b[0m"
_BOLD: Final = "\x1b[1m"
_GREEN: Final = "\x1b[32m"
_RED: Final = "\x1b[31m"
_YELLOW: Final = "\x1b[33m"
_GOOD: Final = ("→ review", "→ done", "OK", "+")
_BAD: Final = ("red:", "FAILED", "-")
_WAITS: Final = ("→ blocked", "answer:")


class Screen:
    """Prints lines as they come, none longer than `WIDTH`; coloured on a terminal that wants it."""

    def __init__(self, *, color: bool, silent: bool) -> None:
        """Colours are used if `color`, on a terminal, and without ``NO_COLOR``."""
        plain = "NO_COLOR" in os.environ or os.environ.get("TERM") == "dumb"
        self._color = color and not plain and sys.stdout.isatty()
        self._silent = silent

    def say(self, text: str) -> None:
        """Print a line of the demo's own."""
        self._print(text, _BOLD)

    def command(self, text: str) -> None:
        """Print a command that is about to run."""
        self._print(f"$ {text}", _BOLD)

    def line(self, text: str) -> None:
        """Print a line of a command's output."""
        self._print(f"  {text}", _color_of(text))

    def _print(self, text: str, color: str) -> None:
        if self._silent:
            return
        text = visible(text).rstrip()
        if len(text) > WIDTH:
            text = text[: WIDTH - 1] + "…"
        sys.stdout.write((f"{color}{text}{_RESET}" if self._color and color else text) + "\n")
        sys.stdout.flush()


def _color_of(text: str) -> str:
    for color, words in ((_GREEN, _GOOD), (_RED, _BAD), (_YELLOW, _WAITS)):
        if any(word in text if len(word) > 1 else text.startswith(word) for word in words):
            return color
    return ""
