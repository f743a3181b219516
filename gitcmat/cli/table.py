"""Tables as lines of text: columns aligned by the cells that characters take on a terminal."""

from collections.abc import Iterable, Sequence
from typing import Final

from gitcmat.system.logs import visible

_GAP: Final = "  "
_ONE_CELL: Final = "\u0300"
"""What comes before the first combining character takes one cell each."""
_NARROWEST: Final = 8
"""Cells that a column keeps however narrow the terminal is."""


def lines(head: Sequence[str], rows: Iterable[Sequence[object]], *, width: int | None) -> list[str]:
    """Return the table; what does not fit into `width` cells (None: all does) is cut, the last
    columns first, and ends in an ellipsis.
    """
    cells = [list(head), *([_cell(value) for value in row] for row in rows)]
    widths = [max(map(_cells, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        _narrow(widths, width - len(_GAP) * (len(widths) - 1))
    fitted = ([_fit(text, w) for text, w in zip(row, widths, strict=True)] for row in cells)
    return [_GAP.join(row).rstrip() for row in fitted]


def _narrow(widths: list[int], room: int) -> None:
    """Take cells from the columns, the last one first; none from the first, which is typed."""
    for at in reversed(range(1, len(widths))):
        too_much = sum(widths) - room
        widths[at] -= max(0, min(too_much, widths[at] - _NARROWEST))


def _cell(value: object) -> str:
    """One line of text; spaces before it are the depth in a tree."""
    text = "" if value is None else visible(str(value))
    depth = len(text) - len(text.lstrip(" "))
    return " " * depth + " ".join(text.split())


def _cells(text: str) -> int:
    if not text or max(text) < _ONE_CELL:
        return len(text)
    from rich.cells import cell_len  # most lists need no tables of widths

    return cell_len(text)


def _fit(text: str, width: int) -> str:
    taken = _cells(text)
    if taken <= width:
        return text + " " * (width - taken)
    from rich.cells import set_cell_size

    cut = set_cell_size(text, width - 1).rstrip() + "…"
    return cut + " " * (width - _cells(cut))
