"""ARCHITECTURE.md is true: what it names is there, and no package is missing."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.codebase

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
PYTHON: Final = sorted(set(re.findall(r"`((?:gitcmat/)?[\w/*]+\.py)(?::\w+)?`", TEXT)))
NAMES: Final = sorted(set(re.findall(r"`([\w/]+\.py):(\w+)`", TEXT)))


def files(path: str) -> list[Path]:
    """The files that a path of the text names, with or without the package before it."""
    return sorted((ROOT / "gitcmat").glob(path.removeprefix("gitcmat/")))


def layer_rows() -> list[str]:
    """What the first column of the table of layers names."""
    (table,) = re.findall(r"^## Layers\n.*?(^\|.*?)^$", TEXT, re.DOTALL | re.MULTILINE)
    return re.findall(r"^\| `(gitcmat/[^`]*)`", table, re.MULTILINE)


@pytest.mark.parametrize("path", PYTHON)
def test_a_file_that_is_named_is_there(path: str) -> None:
    assert files(path) != []


@pytest.mark.parametrize(("path", "name"), NAMES)
def test_what_is_named_in_a_file_is_in_it(path: str, name: str) -> None:
    (file,) = files(path)
    tree = ast.parse(file.read_text(encoding="utf-8"))
    defined = ast.ClassDef | ast.FunctionDef
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, defined)}


def test_the_layers_are_all_packages_and_single_modules() -> None:
    packages = [
        f"{path.parent.relative_to(ROOT)}/" for path in ROOT.glob("gitcmat/*/**/__init__.py")
    ]
    modules = [str(path.relative_to(ROOT)) for path in ROOT.glob("gitcmat/*.py")]
    assert sorted(layer_rows()) == sorted({*packages, *modules} - {"gitcmat/__init__.py"})


def test_the_layers_stand_in_the_order_that_is_checked() -> None:
    (contract,) = re.findall(r"^layers = \[(.*?)\]", _pyproject(), re.DOTALL | re.MULTILINE)
    checked = [name for name in re.findall(r'"\(?(\w+)\)?"', contract) if name != "web"]
    tops = [Path(row.removeprefix("gitcmat/")).with_suffix("").parts[0] for row in layer_rows()]
    assert list(dict.fromkeys(tops)) == checked


def test_no_file_belongs_to_two_groups() -> None:
    (groups,) = re.findall(r"^- \*\*the loop\*\*.*?^$", TEXT, re.DOTALL | re.MULTILINE)
    found = [file for path in re.findall(r"`([\w/*]+\.py)`", groups) for file in files(path)]
    assert sorted(set(found)) == sorted(found)


def test_every_dependency_has_its_reason() -> None:
    (block,) = re.findall(r"^dependencies = \[(.*?)^\]", _pyproject(), re.DOTALL | re.MULTILINE)
    declared = re.findall(r'"([\w.]+)', block)
    (table,) = re.findall(r"^## Dependencies\n.*?(^\|.*?)^$", TEXT, re.DOTALL | re.MULTILINE)
    explained = re.findall(r"^\| ([\w., ]+?) \|", table, re.MULTILINE)
    names = {name.strip().lower() for row in explained for name in row.split(",")} - {"package"}
    assert names == set(declared)


def _pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8")
