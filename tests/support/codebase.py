"""A real project to work on: jinja2 with its own tests, and the codemods that modernise it."""

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.registry import source_distribution, wheelhouse
from tests.support.repo import TestRepo

_NAME: Final = "jinja2"
_VERSION: Final = "3.1.6"
_SHA256: Final = "0137fb05990d35f1275a587e9aee6d56da821fc83491a0fb838183be43f66d6d"

TOOLS: Final = ("pytest==9.0.2", "pyupgrade==3.21.2", "ruff==0.14.10", "trio==0.32.0")
_BUILT_WITH: Final = ("flit_core==3.12.0", "markupsafe==3.0.3")

_IGNORED: Final = "*.egg-info/\n*.pyc\n.venv/\n__pycache__/\n.pytest_cache/\n.ruff_cache/\n"


@dataclass(frozen=True, slots=True)
class Codemod:
    """One task: a tool, what it is asked to apply, and the files that it may change."""

    id: str
    agent: str
    rules: str
    files: tuple[str, ...]
    needs: tuple[str, ...] = ()

    @property
    def prompt(self) -> str:
        """What the task's file asks; the tools read this one line."""
        return f"Apply {self.rules} to {' '.join(self.files)}"


def _source(*names: str) -> tuple[str, ...]:
    return tuple(f"src/jinja2/{name}.py" for name in names)


def _tests(*names: str) -> tuple[str, ...]:
    return tuple(f"tests/test_{name}.py" for name in names)


CLASHING: Final = (
    Codemod("generics-environment", "ruff-fix", "UP006", _source("environment")),
    Codemod("unions-environment", "ruff-fix", "UP007,UP045", _source("environment")),
)
"""Both rewrite the same annotations; whichever lands second is in conflict."""

ASKING: Final = Codemod(
    "format-tests", "asks-first", "format", _tests("ext", "filters"), ("commas-in-tests",)
)
"""Asks for the line length before it changes anything."""

CODEMODS: Final = (
    Codemod("raise-in-compiler", "ruff-fix", "RSE102", _source("compiler")),
    Codemod("commas-compiler", "ruff-fix", "COM812", _source("compiler"), ("raise-in-compiler",)),
    Codemod("generics-loaders", "ruff-fix", "UP006", _source("loaders")),
    Codemod("unions-loaders", "ruff-fix", "UP007,UP045", _source("loaders"), ("generics-loaders",)),
    Codemod("flags-lexer", "ruff-fix", "FURB167,UP006", _source("lexer")),
    Codemod("unions-lexer", "ruff-fix", "UP007,UP045", _source("lexer"), ("flags-lexer",)),
    Codemod("docstrings", "ruff-fix", "D209", _source("nodes", "optimizer")),
    Codemod("raise-in-nodes", "ruff-fix", "RSE102", _source("nodes"), ("docstrings",)),
    Codemod("returns-parser", "ruff-fix", "RET505", _source("parser")),
    Codemod("branches-parser", "ruff-fix", "PLR5501", _source("parser"), ("returns-parser",)),
    Codemod("versions-debug", "pyupgrade", "py310-plus", _source("debug")),
    Codemod("unions-debug", "ruff-fix", "UP045", _source("debug"), ("versions-debug",)),
    Codemod("commas-in-tests", "ruff-fix", "COM812", _tests("ext", "filters")),
    Codemod("fixtures-in-tests", "ruff-fix", "PT001", _tests("loader")),
    Codemod("format-async-tests", "ruff-format", "format", _tests("async", "core_tags", "debug")),
    Codemod("commas-in-docs", "ruff-fix", "COM812", ("docs/conf.py", "docs/examples")),
    Codemod("slots-runtime", "ruff-fix", "RUF023,PYI032", _source("runtime")),
    ASKING,
    *CLASHING,
)
"""The good ones."""

BREAKING: Final = Codemod("break-the-cache", "vandal", "nothing", _source("utils"))
"""Makes the length of an LRU cache wrong, which jinja2's own tests see."""

_AGENTS: Final = {
    "ruff-fix": "tools/ruff-fix.sh",
    "ruff-format": "tools/ruff-format.sh",
    "pyupgrade": "tools/pyupgrade.sh",
    "asks-first": "tools/asks-first.sh",
    "vandal": "tools/vandal.sh",
}

_READS_PROMPT: Final = """\
#!/bin/sh
set -eu
prompt=$(cat)
rules=$(printf '%s\\n' "$prompt" | sed -n 's/^Apply \\([^ ]*\\) to .*/\\1/p')
files=$(printf '%s\\n' "$prompt" | sed -n 's/^Apply [^ ]* to //p')
"""

_SCRIPTS: Final = {
    "tools/ruff-fix.sh": _READS_PROMPT + 'ruff check --fix-only --select "$rules" $files\n',
    "tools/ruff-format.sh": _READS_PROMPT + "ruff format $files\n",
    "tools/pyupgrade.sh": _READS_PROMPT
    + 'pyupgrade --exit-zero-even-if-changed "--$rules" $files\n',
    "tools/asks-first.sh": _READS_PROMPT
    + """\
width=$(printf '%s\\n' "$prompt" | sed -n 's/^> \\([0-9][0-9]*\\)$/\\1/p')
if [ -z "$width" ]; then
    gitcmat blocker ask "How long may a line of the tests be?"
    exit 0
fi
ruff format --line-length "$width" $files
""",
    "tools/vandal.sh": _READS_PROMPT
    + "sed -i 's/return len(self._mapping)$/return len(self._mapping) + 1/' $files\n",
}

_CONFIG: Final = """\
schema: 1
setup:
  run:
    - [python3, -m, venv, .venv]
    - [.venv/bin/python, -m, pip, install, -q, --no-index, --find-links, {wheels}, -e, ., {tools}]
  when: [pyproject.toml]
gates:
  lint:
    run: [ruff, check, --no-fix, --quiet, .]
  tests:
    run: [python, -m, pytest, -q, -p, "no:cacheprovider"]
    protect: [tests/conftest.py]
defaults:
  backoff: 1s
"""


class Codebase:
    """The project in a repository of its own, with what its environment is made from."""

    def __init__(self, path: Path) -> None:
        """Take it from the registry and give it a history of three commits.

        Skips the test as `tests.support.registry` says.
        """
        archive = source_distribution(_NAME, _VERSION, _SHA256)
        self.wheels = wheelhouse((*TOOLS, *_BUILT_WITH))
        self.repo = TestRepo(path)
        with tarfile.open(archive) as sources:
            for member in sources.getmembers():
                _, _, member.name = member.name.partition("/")
                if member.name and member.name != "PKG-INFO":
                    sources.extract(member, path, filter="data")
        self.repo.commit(f"Import {_NAME} {_VERSION}")
        self.repo.commit("Ignore what tools leave", {".gitignore": _IGNORED})
        declared = self.repo.read("pyproject.toml")
        newer = declared.replace(">=3.7", ">=3.10").replace('    "UP",  # pyupgrade\n', "")
        newer = newer.replace("[tool.ruff.lint]", '[tool.ruff.lint]\nignore = ["B905"]')
        self.repo.commit(
            "Require Python 3.10; bring its syntax in bit by bit", {"pyproject.toml": newer}
        )

    def settings(self) -> dict[str, str]:
        """Return what a person writes to have the codemods done: config, agents, their tools."""
        config = _CONFIG.format(wheels=self.wheels, tools=", ".join(TOOLS))
        profiles = {
            f".cmat/agents/{name}.md": (
                f"---\nname: {name}\nruns: command\ncommand: [sh, {tool}]\n---\n"
            )
            for name, tool in _AGENTS.items()
        }
        return {".cmat/config.yaml": config, **profiles, **_SCRIPTS}

    def task_file(self, codemod: Codemod) -> tuple[str, str]:
        """Return path and text of a codemod's task file."""
        needs = f"needs: [{', '.join(codemod.needs)}]\n" if codemod.needs else ""
        attempts = "attempts: 1\n" if codemod is BREAKING else ""
        text = (
            f"schema: 1\ntitle: Modernise, {codemod.id}\nagent: {codemod.agent}\n"
            f"prompt: {codemod.prompt}\n{needs}{attempts}"
        )
        return f".cmat/tasks/{codemod.id}.yaml", text

    def environment(self) -> dict[str, str]:
        """Return the environment in which pip takes all it needs from the wheels and nothing
        from a registry.
        """
        return {**os.environ, "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels)}
