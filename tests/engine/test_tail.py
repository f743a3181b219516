"""Logs are read from their end, by whole lines, and at no more cost than what is read."""

import threading
import time
from pathlib import Path

import pytest

from gitcmat.engine import tail


def _all(path: Path, start: int) -> str:
    return "".join(tail.follow(path, start, lambda: True))


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("a\nb\nc\n", 2, "b\nc\n"),
        ("a\nb\nc", 2, "b\nc"),
        ("a\nb\nc\n", 9, "a\nb\nc\n"),
        ("a\nb\nc\n", 3, "a\nb\nc\n"),
        ("a\nb\nc\n", 0, ""),
        ("\n\n\n", 2, "\n\n"),
        ("", 5, ""),
    ],
)
def test_the_last_lines_are_whole_lines(
    tmp_path: Path, text: str, count: int, expected: str
) -> None:
    log = tmp_path / "log"
    log.write_text(text)
    assert _all(log, tail.last_lines(log, count)) == expected


def test_the_last_lines_are_found_across_blocks(tmp_path: Path) -> None:
    log = tmp_path / "log"
    lines = [f"{n} {'x' * (n % 300)}\n" for n in range(5000)]
    log.write_text("".join(lines))
    for count in (1, 7, 1000, 4999, 5000):
        assert _all(log, tail.last_lines(log, count)) == "".join(lines[-count:])


@pytest.mark.parametrize(("line", "expected"), [(0, "a\nb\nc"), (1, "b\nc"), (2, "c"), (9, "")])
def test_reading_goes_on_behind_a_line(tmp_path: Path, line: int, expected: str) -> None:
    log = tmp_path / "log"
    log.write_text("a\nb\nc")
    assert _all(log, tail.after_line(log, line)) == expected


def test_a_log_that_is_not_there_is_empty(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert (tail.last_lines(log, 3), tail.after_line(log, 3), _all(log, 0)) == (0, 0, "")


def test_the_end_of_a_log_of_200_megabytes_comes_within_a_second(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as stream:
        block = b"a line of a chatty agent, which says nothing\n" * 23_302
        for _ in range(200):
            stream.write(block)
        stream.write("ä\nö\n".encode())
    begun = time.monotonic()
    assert _all(log, tail.last_lines(log, 2)) == "ä\nö\n"
    assert time.monotonic() - begun < 1


def test_what_is_appended_comes_in_whole_lines_and_never_in_half_characters(
    tmp_path: Path,
) -> None:
    log = tmp_path / "log"
    pieces = [b"one\ntw", b"o\nth\xc3", b"\xa4ree", b"\nfour"]
    over = threading.Event()
    got: list[str] = []

    def read() -> None:
        got.extend(t for t in tail.follow(log, 0, over.is_set) if t)

    reader = threading.Thread(target=read)
    reader.start()
    for number, piece in enumerate(pieces):
        with log.open("ab") as stream:
            stream.write(piece)
        end = time.monotonic() + 10
        while "".join(got).count("\n") < (1, 2, 2, 3)[number] and time.monotonic() < end:
            time.sleep(0.01)
    assert got[:3] == ["one\n", "two\n", "thäree\n"]
    over.set()
    reader.join(10)
    assert got[3:] == ["four"]


def test_bytes_that_are_no_text_are_shown_as_escapes(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"a\xff\nb\xc3")
    assert _all(log, 0) == "a\\xff\nb\\xc3"


def test_a_log_that_was_replaced_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("old one\n")
    seen: list[str] = []
    asked = iter([False, False, True])
    for text in tail.follow(log, 0, lambda: next(asked)):
        seen.append(text)
        if text == "old one\n":
            (tmp_path / "new").write_text("new\n")
            (tmp_path / "new").replace(log)
    assert "".join(seen) == "old one\nnew\n"


def test_a_line_without_end_comes_in_pieces(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("ä" * 3_000_000)
    pieces = list(tail.follow(log, 0, lambda: True))
    assert len(pieces) > 1
    assert "".join(pieces) == "ä" * 3_000_000
