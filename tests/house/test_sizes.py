"""Files stay small and are named for what they do."""

from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.codebase

ROOT: Final = Path(__file__).parents[2]
MOST_LINES: Final = {"gitcmat": 400, "tests": 600, "bench": 400}
NAMES_THAT_SAY_NOTHING: Final = frozenset(
    {"base", "common", "core", "handler", "handlers", "helper", "helpers", "manager", "managers"}
    | {"misc", "service", "services", "shared", "util", "utils"}
)


def _sources(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


@pytest.mark.parametrize(("folder", "most"), MOST_LINES.items())
def test_no_file_is_too_long_to_be_read_at_one_sitting(folder: str, most: int) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in _sources(folder)
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > most
    }
    assert long == {}


def test_no_module_or_folder_has_a_name_that_says_nothing() -> None:
    vague = [
        str(path.relative_to(ROOT))
        for path in _sources("gitcmat", "tests", "bench")
        if NAMES_THAT_SAY_NOTHING & {*path.relative_to(ROOT).with_suffix("").parts}
    ]
    assert vague == []


def test_every_package_says_what_it_is() -> None:
    silent = [
        str(folder.relative_to(ROOT))
        for folder in (ROOT / "gitcmat").rglob("*")
        if any(folder.glob("*.py")) and not (folder / "__init__.py").is_file()
    ]
    assert silent == []
