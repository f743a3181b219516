"""Places in files, as compilers, linters and test runners name them in their output."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from gitcmat.model.gate import Location

MOST: Final = 50
"""How many places of one output are kept: the first ones, which usually cause the others."""

_LONGEST_LINE: Final = 2000
_LONGEST_MESSAGE: Final = 300

_FILE: Final = r"(?P<file>[^\s:()'\"<>|,=\[\]][^:()'\"<>|,\n]{0,299}?)"
_FORMS: Final = (
    # rust's panic, whose words come on the next line: `thread 'a' panicked at src/lib.rs:10:5:`
    re.compile(
        rf"^\s*thread '.{{0,300}}' .{{0,40}}?panicked at {_FILE}:(?P<line>\d{{1,7}})"
        r":(?P<column>\d{1,5}):$"
    ),
    # ruff, mypy, gcc, go, eslint, pytest's short form: `src/a.py:12:5: message`
    re.compile(
        rf"^\s*{_FILE}:(?P<line>\d{{1,7}})(?::(?P<column>\d{{1,5}}))?:?(?:\s+(?P<message>.*))?$"
    ),
    # rust and ruff's full form, whose words come on the line before: ` --> src/main.rs:10:5`
    re.compile(rf"^\s*(?:-->|╭▸|┌─)\s*{_FILE}:(?P<line>\d{{1,7}})(?::(?P<column>\d{{1,5}}))?\s*$"),
    # a Python traceback: `  File "src/a.py", line 12, in f`
    re.compile(r"^\s*File \"(?P<file>[^\"\n]{1,300})\", line (?P<line>\d{1,7})(?P<message>)"),
    # tsc, MSVC: `src/a.ts(12,5): error TS2322: …`
    re.compile(rf"^\s*{_FILE}\((?P<line>\d{{1,7}}),(?P<column>\d{{1,5}})\):\s*(?P<message>.*)$"),
    # node: `    at parse (/work/src/a.js:10:5)`
    re.compile(
        rf"^\s*at .{{0,300}}?\({_FILE}:(?P<line>\d{{1,7}}):(?P<column>\d{{1,5}})\)(?P<message>)"
    ),
    # pytest's summary: `FAILED tests/test_a.py::test_b - AssertionError: …`
    re.compile(rf"^(?:FAILED|ERROR) {_FILE}(?:::\S.*?)?(?: - (?P<message>.*))?$"),
)
_UNDER_A_FILE: Final = re.compile(
    r"^\s{1,8}(?P<line>\d{1,7}):(?P<column>\d{1,5})\s+(?P<level>error|warning)\s+(?P<message>\S.*)$"
)
"""A line of eslint's own form, below the one that is the path: `  10:5  error  …  no-undef`."""
_SAID_BEFORE: Final = re.compile(r"^(?:error|warning|note|help)(?:\[\w+\])?: |^[A-Z]{1,4}\d{3,4} ")
"""What rust and ruff say, the line before they say where."""
_BARE: Final = re.compile(r"^(?:[\w.]*(?:Error|Exception|Failed|Exit|Interrupt))?$")
"""All that pytest says at a place; what was wrong there stands in lines before it."""
_EXPLAINED: Final = re.compile(r"^E\s{3,}(?P<message>\S.*)$")


@dataclass(frozen=True, slots=True)
class Places:
    """The places that an output names."""

    kept: tuple[Location, ...] = ()
    more: int = 0
    """How many it names beside those."""


def parse(output: str, *, root: str, known: Callable[[str], bool]) -> Places:
    """Find the places that `output` names, each once, in its order; at most `MOST` are kept.

    A place counts when its file, from `root` (an absolute folder), is `known`: numbers in prose and
    files of the machine are none. Paths in the answer are relative to `root`.
    """
    found: dict[tuple[str, int, int], Location] = {}
    lineless: dict[str, Location] = {}
    for place in _places(output):
        file = _relative(place.file, root)
        if not file or not known(file):
            continue
        named = replace(place, file=file)
        if place.line:
            found.setdefault((file, place.line, place.column), named)
        else:
            lineless.setdefault(file, named)
    with_line = {file for file, _, _ in found}
    rest = [place for file, place in lineless.items() if file not in with_line]
    every = (*found.values(), *rest)
    return Places(every[:MOST], max(0, len(every) - MOST))


def _places(output: str) -> Iterator[Location]:
    """Yield what looks like a place, with what is said of it there or in the lines around it."""
    lines = [line if len(line) <= _LONGEST_LINE else "" for line in output.splitlines()]
    heading = explained = ""
    for number, line in enumerate(lines):
        if says := _EXPLAINED.match(line):
            explained = explained or says["message"]
        elif not line[:1].isspace() and line.strip():
            heading = line.strip()
        if under := _UNDER_A_FILE.match(line):
            said = f"{under['level']}: {under['message']}"
            yield _location(heading, under["line"], under["column"], said)
            continue
        match = next((match for form in _FORMS if (match := form.match(line))), None)
        if match is None:
            continue
        parts = match.groupdict()
        said = (parts.get("message") or "").strip()
        if "message" not in parts:
            said = _around(lines, number)
        elif explained and _BARE.match(said):
            said = explained
        explained = ""
        yield _location(parts["file"], parts.get("line"), parts.get("column"), said)


def _around(lines: list[str], number: int) -> str:
    """Return what the line before a place says of it; of a panic it is the line after."""
    if lines[number].endswith(":"):
        return lines[number + 1].strip() if number + 1 < len(lines) else ""
    before = lines[number - 1].strip() if number else ""
    return before if _SAID_BEFORE.match(before) else ""


def _location(file: str, line: str | None, column: str | None, message: str) -> Location:
    return Location(
        file=file.strip(),
        line=int(line or 0),
        column=int(column or 0),
        message=message[:_LONGEST_MESSAGE].strip(),
    )


def _relative(file: str, root: str) -> str:
    """`file` from `root`; empty when it lies elsewhere."""
    inside = file.replace("\\", "/").removeprefix(f"{root}/").removeprefix("./")
    return "" if inside.startswith("/") or ".." in inside.split("/") else inside
