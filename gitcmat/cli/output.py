"""All that commands print: data on standard output as text or as one JSON object, progress on
standard error.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gitcmat.system.logs import visible

SCHEMA: Final = 1


class Output:
    """How one command prints. Text of people and agents is shown with control characters made
    visible.
    """

    def __init__(self, *, as_json: bool, quiet: bool, color: bool) -> None:
        self.as_json = as_json
        self.quiet = quiet
        self._color = color and "NO_COLOR" not in os.environ

    @property
    def colors(self) -> bool:
        """Whether what is printed goes to a terminal that wants colours."""
        return self._color and sys.stdout.isatty()

    def show(self, data: Mapping[str, Any], text: str | Iterable[str]) -> None:
        """Print `data` as one JSON object, or else `text` (a text, or lines)."""
        if self.as_json:
            shown = json.dumps({"schema": SCHEMA, **data}, indent=2, default=str)
            sys.stdout.write(shown + "\n")
            return
        lines = [text] if isinstance(text, str) else text
        for line in lines:
            sys.stdout.write(visible(line).rstrip("\n") + "\n")

    def diff(self, data: bytes) -> None:
        """Print what ``git diff`` printed: as it is for other programs, made visible for people."""
        if not sys.stdout.isatty():
            self.raw(data)
            return
        from gitcmat.cli.difftext import for_terminal

        sys.stdout.write(for_terminal(data, colors=self.colors))
        sys.stdout.flush()

    def raw(self, data: bytes) -> None:
        """Print bytes as they are, for what other programs read."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def stream(self, text: str) -> None:
        """Print a piece of text that is whole lines, now; with --json one object for each line."""
        if not text:
            return
        if self.as_json:
            lines = text.removesuffix("\n").split("\n")
            text = "".join(json.dumps({"schema": SCHEMA, "line": line}) + "\n" for line in lines)
        sys.stdout.write(text if self.as_json else visible(text))
        sys.stdout.flush()

    def log(self, text: str) -> None:
        """Print a piece of what a program prints, as progress; not with --quiet or --json."""
        if not self.quiet and not self.as_json:
            sys.stderr.write(visible(text))
            sys.stderr.flush()

    def progress(self, text: str) -> None:
        """Say what is going on; not with --quiet or --json."""
        if not self.quiet and not self.as_json:
            sys.stderr.write(visible(text) + "\n")
            sys.stderr.flush()

    def bell(self) -> None:
        """Ring the bell of the terminal, if it is one; not with --quiet or --json."""
        if not self.quiet and not self.as_json and sys.stderr.isatty():
            sys.stderr.write("\a")
            sys.stderr.flush()

    def warn(self, text: str) -> None:
        """Say something that must not be missed."""
        sys.stderr.write(f"warning: {visible(text)}\n")

    def table(self, head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
        """Return the lines of a table: columns aligned, as wide as the terminal or, in a pipe, as
        the text.
        """
        from gitcmat.cli import table

        return table.lines(head, rows, width=_columns())


def _columns() -> int | None:
    """How wide the terminal is; None when what is printed goes elsewhere."""
    if not sys.stdout.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns
