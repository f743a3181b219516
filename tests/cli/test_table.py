"""Tables: aligned by what a terminal shows, never wider than it, and without a code of its own."""

import fcntl
import os
import pty
import struct
import subprocess
import termios

from gitcmat.cli import table
from gitcmat.model.task import Task
from tests.support.cli import PROGRAM
from tests.support.repo import TestRepo
from tests.support.store import entry, open_store, put

HEAD = ("ID", "NOTE", "TITLE")


def test_columns_are_as_wide_as_what_they_hold() -> None:
    rows = [("a", None, "First"), ("longer-id", "held", "Second")]
    assert table.lines(HEAD, rows, width=None) == [
        "ID         NOTE  TITLE",
        "a                First",
        "longer-id  held  Second",
    ]


def test_wide_characters_take_two_cells() -> None:
    assert table.lines(("A", "B"), [("日本", 1), ("e\u0301x", 2)], width=None) == [
        "A     B",
        "日本  1",
        "e\u0301x    2",
    ]


def test_what_does_not_fit_is_cut_from_the_right_and_never_the_id() -> None:
    rows = [("a-rather-long-id", "a note of some length", "A title that is long as well")]
    assert table.lines(HEAD, rows, width=50) == [
        "ID                NOTE                   TITLE",
        "a-rather-long-id  a note of some length  A title…",
    ]
    assert table.lines(HEAD, rows, width=10) == [
        "ID                NOTE      TITLE",
        "a-rather-long-id  a note…   A title…",
    ]
    assert table.lines(("A", "B"), [("x", "日本語日本語")], width=12) == ["A  B", "x  日本語日…"]


def test_control_characters_and_lines_end_at_the_cell() -> None:
    assert table.lines(("A", "B"), [("x\x1b[2J", "two\n lines")], width=None) == [
        "A         B",
        "x\\x1b[2J  two lines",
    ]


def test_spaces_before_a_text_are_its_depth() -> None:
    assert table.lines(("A", "B"), [("  a  b", 1)], width=None) == ["A      B", "  a b  1"]


def test_a_terminal_shows_what_a_pipe_does_as_far_as_it_is_wide(repo: TestRepo) -> None:
    title = "A title that is too long for it"
    put(open_store(repo.path), entry("wide", task=Task(title=title)))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k != "COLUMNS"}
    with repo.guarded():
        subprocess.run(
            [*PROGRAM, "queue", "list"], cwd=repo.path, stdout=theirs, env=environment, check=True
        )
    os.close(theirs)
    shown = os.read(ours, 65536).decode().replace("\r\n", "\n")
    os.close(ours)

    assert shown == (
        "ID    STATE    PRIORITY  AGENT  NOTE  TITLE\n"
        "wide  pending  normal                 A title tha…\n"
    )
