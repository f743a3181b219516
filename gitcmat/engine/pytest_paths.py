"""Which folders pytest puts before Python's own path: by its settings, and to import tests."""

import configparser
import re
import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.system import files

_LARGEST: Final = 1_000_000
# The first of these that has a section for pytest counts, as pytest itself does it.
_SETTINGS: Final = (
    ("pytest.toml", ("pytest",)),
    (".pytest.toml", ("pytest",)),
    ("pytest.ini", ("pytest",)),
    (".pytest.ini", ("pytest",)),
    ("pyproject.toml", ("tool", "pytest")),
    ("tox.ini", ("pytest",)),
    ("setup.cfg", ("tool:pytest",)),
)
_TEST: Final = re.compile(r"conftest\.py|test_[^/]*\.py|[^/]*_test\.py")
_IMPORTLIB: Final = re.compile(r"--import-mode[= ]importlib")


def inserted(tree: Path, tracked: Sequence[str]) -> tuple[str, ...]:
    """The folders, absolute: those of ``pythonpath``, then the roots of the tests."""
    settings = _settings(tree)
    chosen = [str(tree / name) for name in _words(settings.get("pythonpath", ()))]
    if not _IMPORTLIB.search(" ".join(_words(settings.get("addopts", ())))):
        chosen += [str(tree / folder) for folder in _test_roots(tracked)]
    return tuple(dict.fromkeys(chosen))


def _test_roots(tracked: Sequence[str]) -> list[str]:
    """For each test file the first folder upwards that is no package: pytest's "prepend"."""
    packages = {str(PurePosixPath(p).parent) for p in tracked if p.endswith("__init__.py")}
    roots: set[str] = set()
    for path in tracked:
        if _TEST.fullmatch(PurePosixPath(path).name):
            folder = PurePosixPath(path).parent
            while str(folder) in packages and str(folder) != ".":
                folder = folder.parent
            roots.add(str(folder))
    return sorted(roots)


def _settings(tree: Path) -> dict[str, Any]:
    for name, keys in _SETTINGS:
        try:
            text = files.read_regular(tree / name, _LARGEST).decode("utf-8")
            found = _toml(text, keys) if name.endswith(".toml") else _ini(text, keys[0])
        except (OSError, ValueError, InvalidData, configparser.Error):
            continue
        if found is not None:
            return found
    return {}


def _toml(text: str, keys: Iterable[str]) -> dict[str, Any] | None:
    table: Any = tomllib.loads(text)
    for key in keys:
        table = table.get(key) if isinstance(table, dict) else None
    if not isinstance(table, dict):
        return None
    older = table.get("ini_options")
    return older if isinstance(older, dict) else table


def _ini(text: str, section: str) -> dict[str, Any] | None:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    return dict(parser[section]) if parser.has_section(section) else None


def _words(value: object) -> list[str]:
    if isinstance(value, str):
        return value.split()
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
