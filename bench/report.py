"""The table of rows, for the terminal and for the page that keeps it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Final

from bench.row import Row

HEAD: Final = ("what", "ours", "measured by", "floor", "ratio", "best ratio", "goal", "")
_PAGE: Final = Path(__file__).with_name("README.md")
_BEGIN, _END = "<!-- measured -->", "<!-- end -->"
_SECOND: Final = 1000.0


def cells(row: Row) -> tuple[str, ...]:
    """Return a row as text, one for each name of `HEAD`."""
    return (
        row.what,
        _time(row.times.median),
        row.floor,
        _time(row.floor_times.median),
        f"{row.ratio:.2f}",
        f"{row.best_ratio:.2f}",
        str(row.goal or "-"),
        {True: "met", False: "missed", None: ""}[row.met],
    )


def table(rows: Iterable[Row]) -> str:
    """Return all rows as a table of Markdown, which is also readable as it is."""
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [_line(line, widths) for line in lines]
    shown.insert(1, _line(["-" * width for width in widths], widths))
    return "\n".join(shown)


def keep(rows: Iterable[Row], machine: Mapping[str, str], on: date) -> Path:
    """Put the table into the page, in place of the one before; return the page's path."""
    before, _, rest = _PAGE.read_text(encoding="utf-8").partition(_BEGIN)
    _, _, after = rest.partition(_END)
    measured = "\n".join(_measured(rows, machine, on))
    _PAGE.write_text(f"{before}{_BEGIN}\n{measured}\n{_END}{after}", encoding="utf-8")
    return _PAGE


def _measured(rows: Iterable[Row], machine: Mapping[str, str], on: date) -> Iterator[str]:
    yield f"{on:%Y-%m-%d}: {'; '.join(f'{name} {what}' for name, what in machine.items())}."
    yield ""
    yield table(rows)


def _line(texts: Iterable[str], widths: Iterable[int]) -> str:
    return f"| {' | '.join(t.ljust(w) for t, w in zip(texts, widths, strict=True))} |"


def _time(seconds: float) -> str:
    milliseconds = seconds * _SECOND
    return f"{milliseconds:.2f} ms" if milliseconds < 1 else f"{milliseconds:.1f} ms"
