"""The table of attacks in the docs: read, compared, written anew."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.support.evil.oracle import UNKNOWN
from tests.support.evil.registry import ATTACKS

PAGE: Final = Path(__file__).resolve().parents[3] / "docs/evil-agent.md"
MODES: Final = ("off", "full", "model", "none")
"""``sandbox: off``, and bwrap with each network."""

_HEAD: Final = "| attack | threat | off | bwrap, full | bwrap, model | bwrap, none |"
_ROW: Final = re.compile(r"^\| `([a-z-]+)`: (.*) \| (T\d+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|$")
_TABLE: Final = re.compile(rf"^{re.escape(_HEAD)}\n(?:\|.*\n)*", re.MULTILINE)

Cells = dict[str, dict[str, str]]
"""By the name of an attack: what became of it, by mode."""


def read() -> Cells:
    """The table as the docs have it."""
    rows = (_ROW.match(line) for line in PAGE.read_text("utf-8").splitlines())
    return {row[1]: dict(zip(MODES, row.groups()[3:], strict=True)) for row in rows if row}


def wrong(mode: str, found: Mapping[str, str]) -> dict[str, str]:
    """What the docs say otherwise about a mode, by attack; what cannot be known here is not."""
    printed = {name: cells[mode] for name, cells in read().items()}
    every = sorted(printed.keys() | found.keys())
    return {
        name: f"the docs say {printed.get(name)}, it was {found.get(name)}"
        for name in every
        if printed.get(name) != found.get(name) and found.get(name) != UNKNOWN
    }


def write(mode: str, found: Mapping[str, str]) -> None:
    """Put what became of each attack in a mode into the docs."""
    cells = read()
    text = PAGE.read_text("utf-8")
    PAGE.write_text(_TABLE.sub(lambda _: _printed(cells, mode, found), text), "utf-8")


def _printed(before: Cells, mode: str, found: Mapping[str, str]) -> str:
    lines = [_HEAD, "|---|---|---|---|---|---|"]
    for each in sorted(ATTACKS.values(), key=lambda a: (int(a.threat[1:]), a.name)):
        old = before.get(each.name, {})
        now = {m: old.get(m, "?") for m in MODES}
        if found.get(each.name, UNKNOWN) != UNKNOWN:
            now[mode] = found[each.name]
        shown = " | ".join(now.values())
        lines.append(f"| `{each.name}`: {each.text} | {each.threat} | {shown} |")
    return "\n".join(lines) + "\n"


def rows() -> list[tuple[str, str, str]]:
    """Name, sentence and threat of each attack in the docs."""
    found = (_ROW.match(line) for line in PAGE.read_text("utf-8").splitlines())
    return [(row[1], row[2], row[3]) for row in found if row]
