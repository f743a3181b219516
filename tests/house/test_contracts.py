"""The import rules are really held: each is broken once in a copy of the tree, and is reported."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.codebase

ROOT: Final = Path(__file__).parents[2]

CONTRACTS: Final = {
    contract["id"]: contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
}

BREACHES: Final = [
    ("layers", "errors", "gitcmat.model"),
    ("layers", "model.stray", "gitcmat.system"),
    ("layers", "system.stray", "gitcmat.store"),
    ("layers", "store.stray", "gitcmat.engine"),
    ("layers", "engine.stray", "gitcmat.adapters"),
    ("layers", "engine.stray", "gitcmat.cli"),
    ("layers", "adapters.stray", "gitcmat.cli"),
    ("adapters", "adapters.stray", "gitcmat.engine"),
    ("adapters", "adapters.agents.stray", "gitcmat.store"),
    ("commands", "cli.commands.stray", "gitcmat.cli.commands.other"),
    ("pure-model", "model.stray", "os"),
    ("pure-model", "model.stray", "msgspec"),
    ("pure-model", "errors", "subprocess"),
    ("system-stdlib", "system.stray", "msgspec"),
    ("only-git", "store.stray", "git"),
    ("only-yaml", "store.stray", "ruamel.yaml"),
    ("layers", "ports", "gitcmat.forge"),
    ("only-github", "adapters.agents.stray", "github"),
    ("only-github", "adapters.forges.stray", "urllib3"),
    ("only-watchdog", "engine.stray", "watchdog.events"),
    ("only-subprocess", "system.stray", "subprocess"),
    ("only-cli", "engine.stray", "click"),
    ("only-cli", "store.stray", "rich.table"),
    ("only-acp", "adapters.agents.stray", "acp"),
    ("only-acp", "engine.stray", "pydantic"),
    ("only-mcp", "cli.serving.stray", "mcp"),
    ("only-psutil", "engine.stray", "psutil"),
    ("only-msgspec", "engine.stray", "msgspec"),
]
"""Contract, module of gitcmat that breaks it, what it imports."""


def _copy(to: Path) -> Path:
    shutil.copytree(ROOT / "gitcmat", to / "gitcmat", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", to)
    return to


def _lint(tree: Path) -> tuple[int, str]:
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=tree,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The report on a copy with every breach in it, as one run over the tree is the costly part."""
    tree = _copy(tmp_path_factory.mktemp("broken"))
    (tree / "gitcmat/cli/commands/other.py").write_text('"""Another."""\n')
    (tree / "gitcmat/utils.py").write_text('"""In no layer."""\n')
    for _, module, imported in BREACHES:
        path = tree / "gitcmat" / f"{module.replace('.', '/')}.py"
        with path.open("a") as file:
            file.write(f"import {imported}\n")
    code, report = _lint(tree)
    assert code == 1, report
    return report


def _section(report: str, name: str) -> str:
    """Return what the report says of one broken contract: from its underlined name to the next."""
    _, _, after = report.partition(f"{name}\n{'-' * len(name)}\n")
    lines = after.splitlines()
    ends = (
        number - 1
        for number, line in enumerate(lines)
        if number and set(line) == {"-"} and len(line) == len(lines[number - 1])
    )
    return "\n".join(lines[: next(ends, None)])


def test_the_tree_keeps_every_contract(tmp_path: Path) -> None:
    code, report = _lint(_copy(tmp_path))

    assert code == 0, report
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken." in report


def test_every_contract_has_a_breach_here() -> None:
    assert {contract for contract, _, _ in BREACHES} == set(CONTRACTS)


@pytest.mark.parametrize(
    ("contract", "module", "imported"),
    BREACHES,
    ids=[f"{contract}: {module} imports {imported}" for contract, module, imported in BREACHES],
)
def test_a_breach_is_reported_under_the_name_of_its_contract(
    broken: str, contract: str, module: str, imported: str
) -> None:
    name = CONTRACTS[contract]
    shown = imported if imported.startswith("gitcmat.") else imported.partition(".")[0]

    assert f"{name} BROKEN" in broken
    assert f"gitcmat.{module} -> {shown} " in _section(broken, name)


def test_a_module_in_no_layer_is_reported(broken: str) -> None:
    section = _section(broken, CONTRACTS["layers"])

    assert "The following modules are not listed as layers:\n\n- gitcmat.utils\n" in section
