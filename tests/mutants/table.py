"""The faults of ``table.toml``."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TABLE: Final = Path(__file__).with_name("table.toml")


@dataclass(frozen=True, slots=True)
class Mutant:
    """One fault, and who has to notice it."""

    name: str
    """What gitcmat does wrong then, as words after "gitcmat"."""
    file: str
    """The module, below ``gitcmat/``."""
    edits: tuple[tuple[str, str], ...]
    """Old and new text."""
    killer: str
    """The test, below ``tests/``: ``file.py::test``."""

    def planted(self, text: str) -> str:
        """Return the text of its module with the fault in it.

        Raises AssertionError when a text to be replaced does not stand there exactly once.
        """
        for old, new in self.edits:
            assert text.count(old) == 1, f"gitcmat/{self.file} has {text.count(old)} times:\n{old}"
            text = text.replace(old, new)
        return text


def mutants() -> tuple[Mutant, ...]:
    """Return the faults in the order of the file."""
    rows = tomllib.loads(_TABLE.read_text(encoding="utf-8"))["mutant"]
    return tuple(
        Mutant(
            name=row["name"],
            file=row["file"],
            edits=tuple((edit["old"], edit["new"]) for edit in row["edit"]),
            killer=row["killer"],
        )
        for row in rows
    )
