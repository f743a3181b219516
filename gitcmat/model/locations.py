"""Places in files, as compilers, linters and test runners name them in their output."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from gitcmat.model.gate import Location

MOST: Final = 50
"""How many places of one output are kept: the first ones, which usually cause the others."""

_LONGEST_LINE: Final = 2000
_LONGEST_MESSAGE: Final = 300

_FILE: Final = r"(?P<file>[^\s:()'\"<>|,=\[\]][^:()'\"<>|,\n]{0,299}?)"
_FORMS: Final = (
    # ruff, mypy, gcc, go, eslint, pytest's short form: `src/a.py:12:5: message`
    re.compile(
        rf"^\s*{_FILE}:(?P<line>\d{{1,7}})(?::(?P<column>\d{{1,5}}))?:?(?:\s+(?P<message>.*))?$"
    ),
    # rust and ruff's full form: ` --> src/main.rs:10:5`
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


def parse(output: str, *, root: str, known: Callable[[str], bool]) -> tuple[Location, ...]:
    """The places that `output` names, each once, in its order, at most `MOST`.

    A place counts when its file, from `root` (an absolute folder), is `known`: numbers in prose and
    files of the machine are none. Paths in the answer are relative to `root`.
    """
    found: dict[tuple[str, int, int], Location] = {}
    lineless: dict[str, Location] = {}
    for place in _places(output):
        file = _relative(place.file, root)
        if not file or not known(file):
            continue
        named = Location(file=file, line=place.line, column=place.column, message=place.message)
        if place.line:
            found.setdefault((file, place.line, place.column), named)
        else:
            lineless.setdefault(file, named)
        if len(found) == MOST:
            break
    with_line = {file for file, _, _ in found}
    rest = [place for file, place in lineless.items() if file not in with_line]
    return (*found.values(), *rest)[:MOST]


def _places(output: str) -> Iterator[Location]:
    for line in output.splitlines():
        if len(line) > _LONGEST_LINE:
            continue
        for form in _FORMS:
            if match := form.match(line):
                parts = match.groupdict()
                yield Location(
                    file=parts["file"].strip(),
                    line=int(parts.get("line") or 0),
                    column=int(parts.get("column") or 0),
                    message=(parts.get("message") or "").strip()[:_LONGEST_MESSAGE],
                )
                break


def _relative(file: str, root: str) -> str:
    """`file` from `root`; empty when it lies elsewhere."""
    inside = file.replace("\\", "/").removeprefix(f"{root}/").removeprefix("./")
    return "" if inside.startswith("/") or ".." in inside.split("/") else inside
