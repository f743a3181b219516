"""Whose code a Python gate would judge: with real interpreters and real installations."""

import os
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from pathlib import Path

import pytest

from gitcmat.engine.import_origin import ImportOrigin, modules
from gitcmat.model.gate import GateOutcome
from gitcmat.model.job import JobGate
from tests.support.repo import TestRepo
from tests.support.runs import Bench

PROJECT = {
    "pyproject.toml": (
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
        '[project]\nname = "iso-dates"\nversion = "1"\n'
        '[tool.hatch.build.targets.wheel]\npackages = ["src/iso_dates"]\n'
        '[tool.hatch.build]\ndev-mode-dirs = ["src"]\n'
    ),
    "src/iso_dates/__init__.py": "def parse(text): return tuple(map(int, text.split('-')))\n",
    "tests/check.py": "import iso_dates; assert iso_dates.parse('2024-05-06') == (2024, 5, 6)\n",
}
BREAK = "echo 'def parse(text): return 1 / 0' > src/iso_dates/__init__.py"


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.commit("A package", PROJECT)
    repo.freeze()
    return Bench(repo, tmp_path)


@pytest.fixture(scope="session")
def interpreter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment that nothing is installed in."""
    return make_environment(tmp_path_factory.mktemp("environment") / "clean")


def site_packages(environment: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(environment)}))


def make_environment(folder: Path, editable: Path | None = None) -> Path:
    """An environment, as `pip install -e` leaves it when a folder of sources is `editable`."""
    venv.create(folder, with_pip=False, symlinks=True)
    if editable is not None:
        (site_packages(folder) / "_iso_dates.pth").write_text(f"{editable}\n")
    return folder


def with_path(environment: Path) -> str:
    return f"{environment / 'bin'}:{os.environ['PATH']}"


def test_an_editable_install_of_the_persons_checkout_is_no_green(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made by pip and a real backend; without the look this gate passes on broken work."""
    pytest.importorskip("hatchling.build")
    mine = make_environment(tmp_path / "mine")
    project = tmp_path / "project"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(mine / "bin" / "python"), "install", "-q",
         "--no-deps", "--no-build-isolation", "--no-index", "-e", str(project)],
        env={**os.environ, "PYTHONPATH": site_packages(Path(sys.prefix)).as_posix()},
        check=True,
    )  # fmt: skip
    monkeypatch.setenv("PATH", with_path(mine))
    gate = bench.judge("python", "tests/check.py", script=BREAK)
    naive = [str(mine / "bin" / "python"), "-B", "tests/check.py"]
    assert subprocess.run(naive, cwd=bench.tree, check=False).returncode == 0
    assert (gate.outcome, gate.exit_code) == (GateOutcome.ERROR, None)
    assert gate.reason == (
        f"it would judge `iso_dates` from your own checkout ({project}/src/iso_dates), not this "
        "work; let setup make a .venv in the workspace and install the project there "
        "(python -m venv .venv; pip install -e .)"
    )


def test_an_environment_of_the_workspace_judges_the_work(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = make_environment(tmp_path / "mine", tmp_path / "project" / "src")
    monkeypatch.setenv("PATH", with_path(mine))
    install = (
        "import os, sysconfig\n"
        "open(sysconfig.get_path('purelib') + '/w.pth', 'w').write(os.getcwd() + '/src')"
    )
    setup = (("python", "-m", "venv", "--without-pip", ".venv"), ("python", "-c", install))
    gate = JobGate(name="tests", run=("python", "tests/check.py"), timeout=30)
    job = bench.job(BREAK, gates=(gate,), setup=setup)
    red = bench.run(job).gates[0]
    green = bench.run(bench.job("echo x > x.txt", gates=(gate,), setup=setup)).gates[0]
    assert (red.outcome, green.outcome) == (GateOutcome.FAILED, GateOutcome.PASSED)
    assert "ZeroDivisionError" in red.output
    assert [(place.file, place.line) for place in red.locations] == [
        ("tests/check.py", 1),
        ("src/iso_dates/__init__.py", 1),
    ]


class Tree:
    """A work tree of files, and what a gate in it would judge."""

    def __init__(self, folder: Path, files: Mapping[str, str]) -> None:
        self.folder = folder
        self.host = folder.with_name("host")
        for name, text in files.items():
            for root in (self.folder, self.host):
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(text)
        self.files = list(files)

    def problem(self, environment: Path, *argv: str) -> str:
        env = {"PATH": f"{environment / 'bin'}:/usr/bin:/bin"}
        return ImportOrigin(self.folder, self.files, host=self.host).problem(argv, env)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "work", PROJECT)


@pytest.fixture
def mine(tree: Tree, tmp_path: Path) -> Path:
    return make_environment(tmp_path / "mine", tree.host / "src")


def script(environment: Path, name: str) -> None:
    program = environment / "bin" / name
    program.write_text(f"#!{environment}/bin/python\n")
    program.chmod(0o755)


@pytest.mark.parametrize(
    "argv",
    [
        ("python", "tests/check.py"),
        ("python", "-W", "error", "-X", "utf8", "-m", "unittest"),
        ("python", "-Im", "unittest"),
        ("python", "-c", "import iso_dates"),
        ("sh", "-c", "python tests/check.py"),
        ("pytest",),
        ("python", "-m", "pytest", "-q"),
    ],
)
def test_every_way_to_the_persons_code_is_found(
    tree: Tree, mine: Path, argv: tuple[str, ...]
) -> None:
    script(mine, "pytest")
    assert "from your own checkout" in tree.problem(mine, *argv)


@pytest.mark.parametrize(
    "argv", [("mypy", "src"), ("ruff", "check"), ("python", "-m", "mypy"), ("cat", "x"), ("gone",)]
)
def test_tools_that_import_nothing_are_left_alone(
    tree: Tree, mine: Path, argv: tuple[str, ...]
) -> None:
    script(mine, "mypy")
    script(mine, "ruff")
    assert tree.problem(mine, *argv) == ""


def test_a_package_that_is_not_installed_cannot_be_the_wrong_one(
    tree: Tree, interpreter: Path
) -> None:
    assert tree.problem(interpreter, "python", "tests/check.py") == ""


def test_a_copy_in_the_environment_of_the_workspace_is_not_the_work(tree: Tree) -> None:
    own = make_environment(tree.folder / ".venv")
    copy = site_packages(own) / "iso_dates"
    copy.mkdir()
    (copy / "__init__.py").write_text("")
    assert tree.problem(own, "python", "tests/check.py") == (
        f"it would judge the copy of `iso_dates` in {copy}, not this work; "
        "let setup install the project in editable mode (pip install -e .)"
    )
    assert tree.problem(own, "sh", "-c", "pip install . && python tests/check.py") == ""


def test_a_package_at_the_root_is_found_there_first_by_python_m(tmp_path: Path) -> None:
    flat = Tree(tmp_path / "work", {"setup.py": "", "dates/__init__.py": "", "tests/test_a.py": ""})
    mine = make_environment(tmp_path / "mine", flat.host)
    script(mine, "pytest")
    assert flat.problem(mine, "python", "-m", "pytest") == ""
    assert "your own checkout" in flat.problem(mine, "pytest")
    assert "your own checkout" in flat.problem(mine, "python", "tests/test_a.py")


@pytest.mark.parametrize(
    "files",
    [
        {"pyproject.toml": '[tool.pytest.ini_options]\npythonpath = ["src"]\n'},
        {"pyproject.toml": '[tool.pytest]\npythonpath = ["src"]\n'},
        {"setup.py": "", "pytest.ini": "[pytest]\npythonpath = lib src\n"},
        {"setup.py": "", "tox.ini": "[tox]\n", "setup.cfg": "[tool:pytest]\npythonpath = src\n"},
        {"setup.py": "", "src/dates/test_x.py": ""},
    ],
)
def test_what_pytest_puts_first_counts(tmp_path: Path, files: dict[str, str]) -> None:
    work = Tree(tmp_path / "work", {"src/dates/__init__.py": "", **files})
    mine = make_environment(tmp_path / "mine", work.host / "src")
    script(mine, "pytest")
    assert work.problem(mine, "pytest", "-q") == ""
    assert "your own checkout" in work.problem(mine, "python", "tests/x.py")


def test_tests_that_are_imported_by_importlib_put_nothing_first(tmp_path: Path) -> None:
    settings = '[tool.pytest.ini_options]\naddopts = "-q --import-mode=importlib"\n'
    files = {"pyproject.toml": settings, "dates/__init__.py": "", "conftest.py": ""}
    work = Tree(tmp_path / "work", files)
    mine = make_environment(tmp_path / "mine", work.host)
    script(mine, "pytest")
    assert "your own checkout" in work.problem(mine, "pytest")
    (work.folder / "pyproject.toml").write_text("not [ toml")
    assert work.problem(mine, "pytest") == ""


def test_files_of_the_tree_do_not_run_when_its_packages_are_looked_for(
    tree: Tree, mine: Path
) -> None:
    trap = "open('trapped', 'w')\n"
    for name in ("json.py", "importlib.py", "sitecustomize.py", "src/iso_dates/__init__.py"):
        (tree.folder / name).write_text(trap)
    assert "your own checkout" in tree.problem(mine, "python", "tests/check.py")
    assert not (tree.folder / "trapped").exists()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["src/a/__init__.py"], []),
        (["setup.py", "src/a/__init__.py", "src/b.py", "tests/__init__.py"], ["a"]),
        (["setup.py", "a/__init__.py", "a/b/__init__.py", "docs/__init__.py"], ["a"]),
        (["setup.cfg", "one.py", "noxfile.py", "test_one.py"], ["one"]),
        (["pyproject.toml", "src/ns/part/__init__.py"], ["ns.part"]),
        (["pyproject.toml", "src/a/__init__.py", "src/a/b/__init__.py"], ["a"]),
        (["pyproject.toml", "my-app/__init__.py"], []),
    ],
)
def test_the_names_that_a_project_makes(files: list[str], expected: list[str]) -> None:
    assert modules(files) == expected
