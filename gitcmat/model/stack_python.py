"""Python: an own virtual environment in the workspace, what the project declares for its tests,
and gates for the tools that it configures.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.model.gate import Gate
from gitcmat.model.python_project import Need, PythonProject, read_python
from gitcmat.model.stack import Project, Proposal, is_test_file, not_on_path

_TEST_NAMES: Final = ("test", "tests", "testing", "dev", "develop", "development")
_BY_PYTEST: Final = re.compile(r"^\s*(?:import pytest|from pytest\b)", re.MULTILINE)
_BY_UNITTEST: Final = re.compile(r"^\s*(?:import unittest|from unittest\b)", re.MULTILINE)
_PIP: Final = ".venv/bin/pip"
_GROUPS_PIP: Final = "pip>=25.1"
"""The first pip that knows ``--group``; a new virtual environment has the one of its Python."""


@dataclass(frozen=True, slots=True)
class _Tool:
    """A checker: the gate it is for, its files of settings, and its section in pyproject.toml."""

    program: str
    gate: str
    run: tuple[str, ...]
    own_files: tuple[str, ...]
    section: str
    hook: str
    """What names it in ``.pre-commit-config.yaml``."""


_TOOLS: Final = (
    _Tool("ruff", "lint", ("ruff", "check"), ("ruff.toml", ".ruff.toml"), "ruff", "id: ruff"),
    _Tool("black", "format", ("black", "--check", "."), (), "black", "id: black"),
    _Tool("mypy", "types", ("mypy",), ("mypy.ini", ".mypy.ini"), "mypy", "id: mypy"),
)
_RUFF_FORMAT: Final = ("ruff", "format", "--check")


def python(project: Project) -> Proposal | None:
    """Propose for a Python project; None when there is none at the root."""
    found = read_python(project)
    tests = [path for path in project.paths if is_test_file(path)]
    if not found.files and not tests:
        return None
    runner = _runner(project, found, tests)
    wanted = [tool for tool in _TOOLS if _is_configured(project, found, tool)]
    names = [runner] if runner == "pytest" else []
    chosen = _choose(found.needs, [*names, *(tool.program for tool in wanted)])
    declared = found.required | {name for need in chosen for name in need.names}
    setup = _setup(found, chosen, add_pytest=runner == "pytest" and "pytest" not in declared)
    missing = list(found.problems)
    if setup and "python3" not in project.programs:
        missing.append(not_on_path("python3", f"{found.files[0]} needs it"))
        setup = ()
    gates: dict[str, Gate] = {}
    if not runner:
        missing.append("tests: no test_*.py, no *_test.py and no settings of pytest")
    elif needed := _lacking(project, runner, in_venv=bool(setup)):
        missing.append(not_on_path(needed, "the tests need it"))
    else:
        gates["tests"] = _tests_gate(project, tests, runner, in_venv=bool(setup))
    for tool in wanted:
        if (setup and tool.program in declared) or tool.program in project.programs:
            gates |= _tool_gates(project, found, tool)
        else:
            missing.append(
                f"{tool.program}: the project configures it, "
                "but no dependency names it and it is not on PATH"
            )
    return Proposal(
        stacks=(("Python", (*found.files, *tests)[0]),),
        setup=setup,
        when=found.files if setup else (),
        gates=gates,
        keep=(".venv",) if setup else (),
        missing=tuple(missing),
    )


def _lacking(project: Project, runner: str, *, in_venv: bool) -> str:
    """Name the program that the tests need and that is not here; empty when all is there."""
    program = "pytest" if runner == "pytest" else "python3"
    return "" if in_venv or program in project.programs else program


def _runner(project: Project, found: PythonProject, tests: list[str]) -> str:
    """Name what runs the tests: pytest, unittest, or nothing."""
    texts = [project.texts[path] for path in tests if path in project.texts]
    conftest = any(path.rpartition("/")[2] == "conftest.py" for path in project.paths)
    declared = any("pytest" in need.names for need in found.needs) or "pytest" in found.required
    configured = found.has_section("pytest") or bool(project.has("pytest.ini", "pytest.toml"))
    if configured or conftest or declared or any(_BY_PYTEST.search(text) for text in texts):
        return "pytest" if tests or configured or conftest else ""
    if any(_BY_UNITTEST.search(text) for text in texts):
        return "unittest"
    return "pytest" if tests else ""


def _tests_gate(project: Project, tests: list[str], runner: str, *, in_venv: bool) -> Gate:
    if runner == "unittest":
        return Gate(run=("python3", "-m", "unittest", "discover", *_start(project, tests)))
    own = project.has("pytest.ini", "pytest.toml")
    if not in_venv:
        return Gate(run=("pytest",), protect=own)
    # By the module: its Python is certainly the one that has the project.
    return Gate(run=("python3", "-m", "pytest"), protect=own)


def _start(project: Project, tests: list[str]) -> tuple[str, ...]:
    """The options of ``unittest discover`` that find all tests."""
    folders = {path.rpartition("/")[0].partition("/")[0] for path in tests}
    if len(folders) != 1 or folders == {""}:
        return ()
    (folder,) = folders
    return ("-s", folder, "-t", ".") if project.has(f"{folder}/__init__.py") else ("-s", folder)


def _is_configured(project: Project, found: PythonProject, tool: _Tool) -> bool:
    hooks = project.texts.get(".pre-commit-config.yaml", "")
    return (
        found.has_section(tool.section)
        or bool(project.has(*tool.own_files))
        or re.search(rf"{tool.hook}(?:-check)?\s*$", hooks, re.MULTILINE) is not None
    )


def _tool_gates(project: Project, found: PythonProject, tool: _Tool) -> dict[str, Gate]:
    own = project.has(*tool.own_files)
    run = tool.run
    if tool.program == "mypy" and not found.mypy_names_files:
        run = (*run, *found.packages) if found.packages else (*run, ".")
    gates = {tool.gate: Gate(run=run, protect=own)}
    if tool.program == "ruff" and _formats_by_ruff(project, found):
        gates["format"] = Gate(run=_RUFF_FORMAT, protect=own)
    return gates


def _formats_by_ruff(project: Project, found: PythonProject) -> bool:
    """Only where something says so: a gate that is red at the start fails every task."""
    ruff: dict[str, Any] = found.section("ruff")
    texts = [project.texts.get(name, "") for name in (".pre-commit-config.yaml", "Makefile")]
    texts += [text for path, text in project.texts.items() if path.startswith(".github/workflows/")]
    texts += [project.texts.get(name, "") for name in ("tox.ini", "noxfile.py", "justfile")]
    own = "".join(project.texts.get(name, "") for name in ("ruff.toml", ".ruff.toml"))
    said = any("ruff-format" in text or "ruff format" in text for text in texts)
    return "format" in ruff or "[format]" in own or said


def _choose(needs: Iterable[Need], tools: list[str]) -> tuple[Need, ...]:
    """Those that are named for tests, and for each tool that is still lacking the first with it."""
    every = list(needs)
    chosen = [need for need in every if need.for_tests(_TEST_NAMES)]
    for tool in tools:
        if not any(tool in need.names for need in chosen):
            chosen += [need for need in every if tool in need.names][:1]
    return tuple(need for need in every if need in chosen)


def _setup(
    found: PythonProject, chosen: tuple[Need, ...], *, add_pytest: bool
) -> tuple[tuple[str, ...], ...]:
    extras = [need.name for need in chosen if need.kind == "extra"]
    groups = [need.name for need in chosen if need.kind == "group"]
    files = [need.name for need in chosen if need.kind == "file"]
    install: list[str] = []
    if found.installable:
        install += ["-e", f".[{','.join(extras)}]" if extras else "."]
    for file in files:
        install += ["-r", file]
    for group in groups:
        install += ["--group", group]
    if not found.files or not (install or add_pytest):
        return ()
    if add_pytest:
        install.append("pytest")
    newer = ((_PIP, "install", "--upgrade", _GROUPS_PIP),) if groups else ()
    return (("python3", "-m", "venv", ".venv"), *newer, (_PIP, "install", *install))
