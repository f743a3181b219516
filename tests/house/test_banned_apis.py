"""ruff refuses each banned name everywhere but in its one home."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = pytest.mark.codebase

ROOT: Final = Path(__file__).parents[2]
LINT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["ruff"][
    "lint"
]
BANNED: Final[dict[str, dict[str, str]]] = LINT["flake8-tidy-imports"]["banned-api"]

HOMES: Final = {
    "gitcmat/adapters/forges/github.py",
    "gitcmat/engine/watch.py",
    "gitcmat/store/git.py",
    "gitcmat/store/yamlio.py",
    "gitcmat/system/clock.py",
    "gitcmat/system/proc.py",
}


def _refused(source: str, name: str) -> list[str]:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ruff", "check", "--no-cache"),
            *("--config", str(ROOT / "pyproject.toml")),
            *("--select", "TID", "--output-format", "json", "--stdin-filename", name, "-"),
        ],
        input=source,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return [f"{found['code']} {found['message']}" for found in json.loads(done.stdout)]


def _use(api: str) -> str:
    """Return source that uses `api`, a module or something in one."""
    if api in {"git", "github", "ruamel.yaml", "watchdog", "subprocess"}:
        return f"def late() -> None:\n    import {api}\n"
    module, _, rest = api.partition(".")
    return f"import {module}\n\n{module}.{rest}()\n"


@pytest.mark.parametrize("api", BANNED)
def test_a_banned_name_is_refused_with_what_to_use(api: str) -> None:
    assert _refused(_use(api), "gitcmat/engine/stray.py") == [
        f"TID251 `{api}` is banned: {BANNED[api]['msg']}"
    ]


def test_a_relative_import_is_refused() -> None:
    assert _refused("from . import other\n", "gitcmat/engine/stray.py") == [
        "TID252 Prefer absolute imports over relative imports"
    ]


def test_only_the_homes_are_excused() -> None:
    excused = {name for name, codes in LINT["per-file-ignores"].items() if "TID251" in codes}

    assert {name for name in excused if name.startswith("gitcmat")} == HOMES
    not_the_program = {"tests/**", "bench/**", "docs/**", "templates/demo/**"}
    assert excused - HOMES <= not_the_program


def test_nobody_excuses_himself() -> None:
    own = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "gitcmat").rglob("*.py")
        if "TID25" in path.read_text(encoding="utf-8")
    ]
    assert own == []
