"""The action installs gitcmat by itself, and nothing that lies in the workspace."""

import re
import subprocess
import tomllib
from pathlib import Path
from typing import Final

import pytest

from tests.support.acting import REF, ROOT, Acted, Runner

LOCKED: Final = (ROOT / ".github/action/requirements.txt").read_text(encoding="utf-8")
HOSTILE: Final = "import pathlib, sys; pathlib.Path('/proc/self/cwd/canary').write_text('ran')\n"

WORKFLOW: Final = f"""\
name: try
on: push
permissions: {{}}
jobs:
  try:
    name: try
    runs-on: ubuntu-24.04
    steps:
      - name: A project
        run: |
          git init -q .
          mkdir -p .cmat/tasks
          eval "$PREPARE"
      - id: it
        uses: gitcmat/gitcmat@{REF}
        with:
          mode: ${{{{ vars.MODE }}}}
          python: ${{{{ vars.PYTHON }}}}
      - if: always()
        run: |
          ls -a
          test ! -e canary && echo no canary
"""


def versions(text: str) -> dict[str, str]:
    """Package → its version, by names as registries compare them."""
    found = re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)
    return {normal(name): version for name, version in found}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def act(runner: Runner, mode: str, prepare: str = "", python: str = "python3") -> Acted:
    text = WORKFLOW.replace("${{ vars.MODE }}", mode).replace("${{ vars.PYTHON }}", python)
    return runner.run(text, "push", {}, PREPARE=prepare)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def test_every_requirement_is_locked_at_the_version_that_is_tested() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    locked = versions(LOCKED)
    tested = versions((ROOT / "constraints.txt").read_text(encoding="utf-8"))
    assert {normal(re.split(r"[<>=\[ ]", name, maxsplit=1)[0]) for name in needed} <= set(locked)
    assert {name: at for name, at in locked.items() if tested.get(name) != at} == {}


def test_everything_that_is_locked_has_a_hash() -> None:
    for block in re.split(r"^(?=[\w.-]+==)", LOCKED, flags=re.MULTILINE)[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_installs_itself_and_runs_nothing_of_the_workspace(tmp_path: Path) -> None:
    files = ("pip.py", "venv.py", "json.py", "sitecustomize.py", "usercustomize.py", "encodings.py")
    lines = [f"cat > {name} <<'END'\n{HOSTILE}END" for name in files]
    lines += ["printf '[global]\\nindex-url = http://127.0.0.1:1/\\n' > pip.conf", "mkdir gitcmat"]
    lines += [f"cat > gitcmat/__init__.py <<'END'\n{HOSTILE}END"]
    done = act(Runner(tmp_path, installs=True), "validate", "\n".join(lines))
    assert done.jobs == {"try": "success"}, done.all
    assert "Nothing is wrong below .cmat/." in done.said()
    assert "no canary" in done.said()


def test_a_python_that_is_too_old_is_said_in_words(tmp_path: Path) -> None:
    runner = Runner(tmp_path, installs=True)
    runner.program("old", "#!/bin/sh\nexit 1\n")
    done = act(runner, "validate", python="old")
    assert done.jobs == {"try": "failure"}
    assert "Python 3.11 or newer is needed; the input python names none." in done.all


def test_a_system_that_it_does_not_know_is_said_in_words(tmp_path: Path) -> None:
    done = subprocess.run(
        ["bash", ROOT / ".github/action/install"],
        env={"RUNNER_OS": "Windows", "RUNNER_TEMP": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "::error title=gitcmat::It needs Linux or macOS: runs-on: ubuntu-24.04\n"
    assert (done.returncode, done.stdout) == (2, said)


def test_validate_says_what_is_wrong_and_fails(runner: Runner) -> None:
    done = act(runner, "validate", "echo 'titel: x' > .cmat/tasks/a.yaml")
    assert done.jobs == {"try": "failure"}
    assert ".cmat/tasks/a.yaml:1" in done.said()


def test_names_of_files_are_no_commands_of_the_runner(runner: Runner) -> None:
    name = ".cmat/tasks/$(printf 'x\\n::set-output name=pull::666\\n::add-path::evil.yaml')"
    done = act(runner, "validate", f'echo "titel: x" > "{name}"')
    assert done.jobs == {"try": "failure"}
    met = {line["command"] for line in done.lines if "666" in str(line) and "command" in line}
    assert met == {"ignored"}
    assert not [line for line in done.lines if line.get("command") == "add-path"]


@pytest.mark.parametrize("mode", ["", "RUN", "run; id", "lint", "$(id)", "--help"])
def test_another_mode_does_nothing(runner: Runner, mode: str) -> None:
    done = act(runner, f"'{mode}'")
    assert done.jobs == {"try": "failure"}
    assert "The input mode is none of gate, plan, run, publish, sync, validate" in done.all
