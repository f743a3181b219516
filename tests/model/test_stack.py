"""The same files and programs give the same setup and gates."""

from collections.abc import Iterable

from gitcmat.model.gate import Gate
from gitcmat.model.stack import Project, Proposal, join
from gitcmat.model.stack_others import cargo, go, npm
from gitcmat.model.stack_python import python

VENV = ("python3", "-m", "venv", ".venv")
PIP = ".venv/bin/pip"


def project(files: dict[str, str], programs: Iterable[str] = ("python3",)) -> Project:
    return Project(paths=tuple(sorted(files)), texts=files, programs=frozenset(programs))


def proposed(files: dict[str, str], programs: Iterable[str] = ("python3",)) -> Proposal:
    found = python(project(files, programs))
    assert found is not None
    return found


def commands(found: Proposal) -> dict[str, tuple[str, ...]]:
    return {name: gate.run for name, gate in found.gates.items()}


def test_a_modern_python_project_gets_a_venv_with_the_extras_it_declares() -> None:
    pyproject = """
[project]
name = "loader"
dependencies = ["click>=8"]
[project.optional-dependencies]
docs = ["sphinx"]
test = ["pytest>=9", "coverage[toml]"]
lint = ["ruff", "mypy"]
[tool.ruff.format]
[tool.mypy]
strict = true
"""
    found = proposed(
        {"pyproject.toml": pyproject, "src/loader/__init__.py": "", "tests/test_a.py": ""}
    )
    assert found == Proposal(
        stacks=(("Python", "pyproject.toml"),),
        setup=(VENV, (PIP, "install", "-e", ".[test,lint]")),
        when=("pyproject.toml",),
        gates={
            "tests": Gate(run=("python3", "-m", "pytest")),
            "lint": Gate(run=("ruff", "check")),
            "format": Gate(run=("ruff", "format", "--check")),
            "types": Gate(run=("mypy", "src")),
        },
        keep=(".venv",),
    )


def test_groups_of_dependencies_need_a_pip_that_knows_them() -> None:
    pyproject = """
[project]
name = "x"
[dependency-groups]
tests = ["pytest"]
dev = [{include-group = "tests"}]
docs = ["sphinx"]
"""
    found = proposed({"pyproject.toml": pyproject, "tests/test_a.py": ""})
    assert found.setup == (
        VENV,
        (PIP, "install", "--upgrade", "pip>=25.1"),
        (PIP, "install", "-e", ".", "--group", "tests", "--group", "dev"),
    )


def test_an_extra_that_names_another_of_the_same_project_holds_it() -> None:
    pyproject = """
[project]
name = "My.Pkg"
[project.optional-dependencies]
dev = ["my-pkg[checks]"]
checks = ["pytest"]
"""
    found = proposed({"pyproject.toml": pyproject, "test_a.py": ""})
    assert found.setup[-1] == (PIP, "install", "-e", ".[dev]")


def test_an_old_project_declares_in_setup_cfg_setup_py_and_requirement_files() -> None:
    files = {
        "setup.py": "from setuptools import setup\nsetup(extras_require={'testing': ['pytest']})\n",
        "setup.cfg": "[metadata]\nname = x\n[options.extras_require]\ndev =\n    black\n[mypy]\n",
        "requirements.txt": "click\n",
        "requirements-dev.txt": "-r requirements.txt\nmypy==1 # types\n",
        "x/__init__.py": "",
        "tests/__init__.py": "",
        "tests/test_x.py": "import unittest\n",
    }
    found = proposed(files)
    assert found.setup == (
        VENV,
        (PIP, "install", "-e", ".[dev,testing]", "-r", "requirements-dev.txt"),
    )
    assert found.when == ("setup.py", "setup.cfg", "requirements-dev.txt")
    assert commands(found) == {"tests": ("python3", "-m", "pytest"), "types": ("mypy", "x")}


def test_requirements_alone_are_installed_too() -> None:
    found = proposed({"requirements.txt": "pytest\n", "app.py": "", "app_test.py": ""})
    assert found.setup == (VENV, (PIP, "install", "-r", "requirements.txt"))


def test_pytest_is_installed_where_the_tests_need_it_and_nobody_declares_it() -> None:
    found = proposed({"pyproject.toml": "[project]\nname='x'\n", "tests/conftest.py": ""})
    assert found.setup[-1] == (PIP, "install", "-e", ".", "pytest")


def test_plain_unittest_needs_no_setup() -> None:
    found = proposed({"app.py": "", "tests/test_app.py": "import unittest\n"})
    assert found == Proposal(
        stacks=(("Python", "tests/test_app.py"),),
        gates={"tests": Gate(run=("python3", "-m", "unittest", "discover", "-s", "tests"))},
    )
    packaged = proposed({"tests/__init__.py": "", "tests/test_app.py": "import unittest\n"})
    run = ("python3", "-m", "unittest", "discover", "-s", "tests", "-t", ".")
    assert commands(packaged) == {"tests": run}
    flat = proposed({"test_app.py": "from unittest import TestCase\n"})
    assert commands(flat) == {"tests": ("python3", "-m", "unittest", "discover")}


def test_a_tool_that_is_configured_and_nowhere_to_be_had_is_named() -> None:
    files = {
        "pyproject.toml": "[tool.mypy]\nfiles = ['src']\n[tool.ruff]\n",
        "tests/test_a.py": "import pytest\n",
    }
    found = proposed(files, programs=["python3", "ruff"])
    assert commands(found) == {"lint": ("ruff", "check")}
    assert found.missing == (
        "pytest: the tests need it, but it is not on PATH",
        "mypy: the project configures it, but no dependency names it and it is not on PATH",
    )
    assert found.setup == ()


def test_settings_that_are_a_tool_s_alone_are_read_as_in_the_base() -> None:
    files = {"ruff.toml": "[format]\n", "pytest.ini": "[pytest]\n", "mypy.ini": "[mypy]\nfiles=x\n"}
    found = proposed({**files, "test_a.py": ""}, programs=["pytest", "ruff", "mypy"])
    assert found.gates == {
        "tests": Gate(run=("pytest",), protect=("pytest.ini",)),
        "lint": Gate(run=("ruff", "check"), protect=("ruff.toml",)),
        "format": Gate(run=("ruff", "format", "--check"), protect=("ruff.toml",)),
        "types": Gate(run=("mypy",), protect=("mypy.ini",)),
    }


def test_a_formatter_is_no_gate_only_because_the_linter_is_used() -> None:
    files = {"pyproject.toml": "[tool.ruff]\nline-length = 100\n", "test_a.py": ""}
    assert "format" not in proposed(files, programs=["ruff", "pytest"]).gates
    hooks = "repos:\n- hooks:\n  - id: ruff-check\n  - id: ruff-format\n"
    with_hook = {".pre-commit-config.yaml": hooks, "test_a.py": ""}
    assert set(proposed(with_hook, programs=["ruff"]).gates) == {"lint", "format"}


def test_files_that_cannot_be_read_are_named_and_do_no_harm() -> None:
    found = proposed({"pyproject.toml": "[project\n", "setup.py": "setup(", "test_a.py": ""})
    toml, script = found.missing
    assert toml.startswith("pyproject.toml: cannot be read: Expected ']' at the end")
    assert script == "setup.py: cannot be read as Python"


def test_odd_values_are_no_error() -> None:
    pyproject = """
project = {name = 1, dependencies = "x", optional-dependencies = {test = 3}}
dependency-groups = {dev = "x", test = [{include-group = "test"}, 1]}
tool = {mypy = 3}
"""
    assert proposed({"pyproject.toml": pyproject, "test_a.py": ""}).gates


def test_no_python_is_no_proposal() -> None:
    assert python(project({"README.md": "", "docs/conf.py": ""})) is None


def test_npm_follows_lock_and_scripts() -> None:
    manifest = '{"scripts": {"test": "vitest", "lint": "eslint .", "build": "tsc", "dev": "vite"}}'
    files = {"package.json": manifest, "package-lock.json": "{}"}
    assert npm(project(files, ["npm"])) == Proposal(
        stacks=(("npm", "package.json"),),
        setup=(("npm", "ci"),),
        when=("package.json", "package-lock.json"),
        gates={
            "tests": Gate(run=("npm", "run", "test"), env={"CI": "true"}),
            "lint": Gate(run=("npm", "run", "lint")),
            "build": Gate(run=("npm", "run", "build")),
        },
        keep=("node_modules",),
    )


def test_npm_without_a_lock_writes_none_and_without_dependencies_installs_nothing() -> None:
    with_needs = npm(project({"package.json": '{"devDependencies": {"a": "1"}}'}, ["npm"]))
    assert with_needs is not None
    assert with_needs.setup == (("npm", "install", "--no-package-lock"),)
    default = '{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}'
    assert npm(project({"package.json": default}, ["npm"])) == Proposal(
        stacks=(("npm", "package.json"),),
        missing=("tests: package.json has no script `test`",),
    )


def test_other_package_managers_are_told_by_their_locks() -> None:
    files = {"package.json": '{"scripts": {"test": "jest"}}', "pnpm-lock.yaml": ""}
    found = npm(project(files, ["npm", "pnpm"]))
    assert found is not None
    assert found.setup == (("pnpm", "install", "--frozen-lockfile"),)
    assert commands(found) == {"tests": ("pnpm", "run", "test")}
    assert npm(project(files, ["npm"])) == Proposal(
        stacks=(("npm", "package.json"),),
        missing=("pnpm: pnpm-lock.yaml needs it, but it is not on PATH",),
    )
    broken = npm(project({"package.json": "{"}, ["npm"]))
    assert broken is not None
    assert broken.missing[0].startswith("package.json: cannot be read: ")


def test_go_and_rust_have_their_own_commands() -> None:
    found = go(project({"go.mod": ""}, ["go"]))
    assert found is not None
    assert commands(found) == {"tests": ("go", "test", "./..."), "lint": ("go", "vet", "./...")}
    rust = cargo(project({"Cargo.toml": "", "rustfmt.toml": ""}, ["cargo", "cargo-fmt"]))
    assert rust is not None
    assert commands(rust) == {"tests": ("cargo", "test"), "format": ("cargo", "fmt", "--check")}
    assert rust.missing == (
        "cargo-clippy: it would be a gate for Cargo.toml, but it is not on PATH",
    )
    assert go(project({"go.mod": ""}, [])) == Proposal(
        stacks=(("Go", "go.mod"),), missing=("go: go.mod needs it, but it is not on PATH",)
    )


def test_two_stacks_share_one_file_of_settings() -> None:
    files = {"go.mod": "", "Cargo.toml": ""}
    seen = project(files, ["go", "cargo"])
    whole = join(one for kind in (go, cargo) if (one := kind(seen)))
    assert whole.stacks == (("Go", "go.mod"), ("Rust", "Cargo.toml"))
    assert list(whole.gates) == ["tests", "lint", "rust-tests"]
