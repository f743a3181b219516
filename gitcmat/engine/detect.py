"""Look at a work tree and this machine, and propose setup and gates; nothing is run."""

import os
import re
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.stack import Project, Proposal, is_test_file, join
from gitcmat.model.stack_others import cargo, go, npm
from gitcmat.model.stack_python import python
from gitcmat.store.git import Git, Repository
from gitcmat.system.environment import find_program
from gitcmat.system.files import inside, read_regular

_PROGRAMS: Final = (
    *("python3", "pytest", "ruff", "black", "mypy"),
    *("npm", "yarn", "pnpm", "go", "cargo", "cargo-clippy", "cargo-fmt"),
)
_TELLING: Final = re.compile(
    r"pyproject\.toml|setup\.py|setup\.cfg|tox\.ini|\.?mypy\.ini|\.?ruff\.toml|noxfile\.py|justfile"
    r"|Makefile|\.pre-commit-config\.yaml|package\.json|[^/]*requirements[^/]*\.txt"
    r"|requirements/[^/]*\.txt|\.github/workflows/[^/]*\.ya?ml"
)
_MARKERS: Final = ("pyproject.toml", "setup.py", "package.json", "go.mod", "Cargo.toml")
_LIMIT: Final = 1 << 20
_MOST_TESTS: Final = 50
"""How many files of tests are read to see what runs them."""


def detect(repo: Repository) -> Proposal:
    """Propose for the work tree of `repo`; sub-folders are only named."""
    project = look(repo)
    found = [one for kind in (python, npm, go, cargo) if (one := kind(project))]
    whole = join(found)
    if not whole.stacks:
        further = tuple(
            f"{path}: only the top folder is looked at; write its gates yourself"
            for path in project.below(*_MARKERS)[:3]
        )
        nothing = f"a project to test: no {', '.join(_MARKERS)}, no test_*.py"
        return Proposal(missing=further or (nothing,))
    return whole


def look(repo: Repository) -> Project:
    """See the files of a work tree that git does not ignore, and the programs on PATH."""
    tree = repo.work_tree
    if tree is None:
        return Project(paths=(), texts={}, programs=frozenset())
    git = Git(repo.git_dir, work_tree=tree)
    out = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard").out
    paths = sorted({os.fsdecode(path) for path in out.split(b"\0") if path})
    paths = [path for path in paths if (tree / path).is_file()]
    tests = [path for path in paths if is_test_file(path)][:_MOST_TESTS]
    wanted = [path for path in paths if _TELLING.fullmatch(path)]
    texts = {path: text for path in (*wanted, *tests) if (text := _read(tree, path)) is not None}
    programs = (name for name in _PROGRAMS if find_program(name, os.environ, [tree]))
    return Project(paths=tuple(paths), texts=texts, programs=frozenset(programs))


def _read(tree: Path, path: str) -> str | None:
    try:
        return read_regular(inside(tree, path), _LIMIT).decode("utf-8", "replace")
    except (OSError, InvalidData):
        return None
