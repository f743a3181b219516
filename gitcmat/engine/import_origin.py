"""Whose code a Python gate would judge.

Where the person has installed the project in editable mode, a plain ``pytest`` in the workspace
imports the person's own files, tests those, and is green whatever the agent did. So before a gate
that would import the project runs, its interpreter is asked where each of the project's packages
comes from.

Only the standard library of that interpreter takes part; nothing of the project is imported.
"""

import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from gitcmat.engine import pytest_paths
from gitcmat.errors import UserError
from gitcmat.system import proc

_PROBE: Final = """\
import sys
if sys.path and sys.path[0] == "":
    del sys.path[0]
import importlib.util, json
asked = json.loads(sys.argv[1])
sys.path[:0] = asked["front"]
found = {}
for name in asked["names"]:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        spec = None
    if spec is not None:
        places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
        found[name] = [place for place in places if isinstance(place, str)]
print(json.dumps(found))
"""
_PROBE_SECONDS: Final = 20.0
_PYTHON: Final = re.compile(r"(?:python|pypy)[\d.]*")
_FLAGS: Final = re.compile(r"-[IEsSPBOuvbq]+")
_WITH_VALUE: Final = ("-X", "-W")
_SHELLS: Final = frozenset({"sh", "bash", "zsh", "dash", "make", "gmake", "just", "env"})
# These read files, or make an environment of their own: what is installed does not matter to them.
_DO_NOT_IMPORT: Final = frozenset(
    """
    autoflake bandit black build codespell deptry flake8 hatch isort lint-imports mypy nox pdm
    pip poetry pre_commit pre-commit pycodestyle pydocstyle pyflakes pyright pyupgrade ruff tox
    uv validate-pyproject venv vulture yamllint
    """.split()  # noqa: SIM905 - a list of quoted words is three times as long
)
# Folders and modules beside a package that are no part of it (shortened from setuptools).
_ROOTS: Final = ("", "src", "lib", "python")
_NO_PACKAGES: Final = frozenset(
    """
    benchmark benchmarks bench bin build ci debian dist doc docs documentation example examples
    htmlcov lib python scripts src task tasks test tests tools unit_test unit_tests util utils
    """.split()  # noqa: SIM905 - a list of quoted words is three times as long
)
_NO_MODULES: Final = frozenset(
    """
    conftest dodo fabfile manage noxfile pavement setup tasks toxfile versioneer wsgi asgi
    """.split()  # noqa: SIM905 - a list of quoted words is three times as long
)
_MOST_NAMES: Final = 200


@dataclass(frozen=True, slots=True)
class _Interpreter:
    """The Python of a gate: how it is started, and what it puts before its own path."""

    argv: tuple[str, ...]
    front: tuple[str, ...]
    guess: bool = False
    """Whether a shell or make stands before it, which may choose another."""


class ImportOrigin:
    """Answers for one tree; remembers what an interpreter said."""

    def __init__(self, tree: Path, tracked: Sequence[str], *, host: Path | None) -> None:
        """`tracked` are the paths of the judged commit, `host` is the person's own work tree."""
        self._tree = tree.resolve()
        self._host = host.resolve() if host else None
        self._tracked = tracked
        self._modules = modules(tracked)
        self._asked: dict[tuple[object, ...], dict[str, list[str]]] = {}

    def problem(self, argv: Sequence[str], env: Mapping[str, str]) -> str:
        """Why this gate would judge the wrong code, and what to do; empty when it would not."""
        python = self._interpreter(argv, env) if self._modules else None
        if python is None:
            return ""
        for name, places in self._places(python, env).items():
            if places and not any(self._is_ours(Path(place)) for place in places):
                place = Path(places[0]).resolve()
                if self._lies_in_an_environment(place):
                    if python.guess:  # it may well install the package first
                        continue
                    return (
                        f"it would judge the copy of `{name}` in {place.parent}, not this work; "
                        "let setup install the project in editable mode (pip install -e .)"
                    )
                whose = "your own checkout" if self._in_host(place) else "another place"
                return (
                    f"it would judge `{name}` from {whose} ({place.parent}), not this work; "
                    "let setup make a .venv in the workspace and install the project there "
                    "(python -m venv .venv; pip install -e .)"
                )
        return ""

    def _interpreter(self, argv: Sequence[str], env: Mapping[str, str]) -> _Interpreter | None:
        program = _located(argv[0], self._tree, env)
        if program is None:
            return None
        if _PYTHON.fullmatch(program.name):
            return self._of_python(str(program), argv[1:])
        name = program.name
        if name in _DO_NOT_IMPORT:
            return None
        if name in _SHELLS or program.resolve().is_relative_to(self._tree):
            found = _located("python", self._tree, env) or _located("python3", self._tree, env)
            front = (str(self._tree),)  # a line such as `python -m pytest` finds the tree first
            return _Interpreter((str(found),), front, guess=True) if found else None
        python = _shebang(program)
        if not python:
            return None
        return _Interpreter(python, self._front(name, str(program.resolve().parent)))

    def _of_python(self, program: str, rest: Sequence[str]) -> _Interpreter | None:
        flags: list[str] = []
        arguments = list(rest)
        while arguments:
            word = arguments[0]
            if _FLAGS.fullmatch(word):
                flags.append(arguments.pop(0))
            elif word in _WITH_VALUE:
                del arguments[:2]
            elif word.startswith(_WITH_VALUE):
                del arguments[:1]
            else:
                break
        isolated = any(letter in flag for flag in flags for letter in "IP")
        if arguments[:1] == ["-m"]:
            module = arguments[1] if len(arguments) > 1 else ""
            if module.split(".")[0] in _DO_NOT_IMPORT:
                return None
            front = self._front(module, "" if isolated else str(self._tree))
        elif not arguments or arguments[0].startswith("-"):
            front = () if isolated else (str(self._tree),)
        else:
            script = Path(os.path.normpath(self._tree / arguments[0]))
            front = () if isolated else (str(script.parent),)
        return _Interpreter((program, *flags), front)

    def _front(self, tool: str, first: str) -> tuple[str, ...]:
        own = (first,) if first else ()
        if tool not in {"pytest", "py.test"}:
            return own
        return (*pytest_paths.inserted(self._tree, self._tracked), *own)

    def _places(self, python: _Interpreter, env: Mapping[str, str]) -> dict[str, list[str]]:
        key = (python, tuple(sorted(env.items())))
        if key not in self._asked:
            self._asked[key] = self._ask(python, env)
        return self._asked[key]

    def _ask(self, python: _Interpreter, env: Mapping[str, str]) -> dict[str, list[str]]:
        """Where the project's modules come from; nothing when the interpreter gives no answer."""
        question = json.dumps({"names": self._modules, "front": python.front})
        try:
            done = proc.run(
                [*python.argv, "-c", _PROBE, question],
                cwd=self._tree,
                env=env,
                timeout=_PROBE_SECONDS,
            )
            answer = json.loads(done.out)
        except (UserError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    def _is_ours(self, place: Path) -> bool:
        real = place.resolve()
        return real.is_relative_to(self._tree) and not self._lies_in_an_environment(real)

    def _lies_in_an_environment(self, place: Path) -> bool:
        return bool({"site-packages", "dist-packages"} & set(place.parts))

    def _in_host(self, place: Path) -> bool:
        return self._host is not None and place.is_relative_to(self._host)


def modules(tracked: Sequence[str]) -> list[str]:
    """The importable names that a Python project's files make, as far as they show; sorted.

    Nothing when there is no ``pyproject.toml``, ``setup.py`` or ``setup.cfg`` at its root.
    """
    names = set(tracked)
    if names.isdisjoint({"pyproject.toml", "setup.py", "setup.cfg"}):
        return []
    found: set[str] = set()
    single: set[str] = set()
    for path in names:
        parts = PurePosixPath(path).parts
        for root in _ROOTS:
            inner = parts[1:] if root and parts[0] == root else parts if not root else ()
            if len(inner) == 2 and inner[1] == "__init__.py" and inner[0] not in _NO_PACKAGES:  # noqa: PLR2004
                found.add(inner[0])
            elif len(inner) == 1 and inner[0].endswith(".py"):
                single.add(inner[0].removesuffix(".py"))
    found |= _below_namespaces(names, found)
    if not found:
        found = {name for name in single if name not in _NO_MODULES and not name.startswith("test")}
    return sorted(name for name in found if all(p.isidentifier() for p in name.split(".")))[
        :_MOST_NAMES
    ]


def _below_namespaces(names: set[str], regular: set[str]) -> set[str]:
    """Packages in a folder of ``src`` that is none itself, such as ``google.thing``."""
    found: set[str] = set()
    for path in names:
        parts = PurePosixPath(path).parts
        if len(parts) == 4 and parts[0] == "src" and parts[3] == "__init__.py":  # noqa: PLR2004
            space, package = parts[1:3]
            if space not in regular and f"src/{space}/__init__.py" not in names:
                found.add(f"{space}.{package}")
    return found


def _located(name: str, tree: Path, env: Mapping[str, str]) -> Path | None:
    if "/" in name:
        path = tree / name
        return path if path.is_file() else None
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    return Path(found) if found else None


def _shebang(program: Path) -> tuple[str, ...]:
    """The interpreter that a script names, if it is a Python."""
    try:
        with program.open("rb") as stream:
            first = stream.read(500).split(b"\n")[0]
    except OSError:
        return ()
    if not first.startswith(b"#!"):
        return ()
    words = os.fsdecode(first[2:]).split()
    if words and PurePosixPath(words[0]).name == "env":
        words = [word for word in words[1:] if word != "-S"]
    if not words or not _PYTHON.fullmatch(PurePosixPath(words[0]).name):
        return ()
    return (words[0], *(word for word in words[1:] if _FLAGS.fullmatch(word)))
