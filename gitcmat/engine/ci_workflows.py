"""The workflows of ``templates/workflows/``, filled in for a repository, and written when asked."""

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gitcmat.engine import trust
from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.system.assets import templates_dir
from gitcmat.system.files import read_regular, write_atomic

FOLDER: Final = ".github/workflows"
_REF: Final = f"gitcmat/gitcmat@{'0' * 40}"
_DIGEST: Final = f'"{"0" * 64}"'
_BRANCHES: Final = "branches: [main]"
"""What stands in the templates: they are whole workflows, and run nothing until it is replaced."""

_SHA: Final = re.compile(r"[0-9a-f]{40}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_BRANCH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,200}")
"""No character that a filter of branches takes for a pattern."""
_LONGEST: Final = 1 << 20


class How(StrEnum):
    """What a file would become."""

    NEW = "new"
    SAME = "same"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow:
    """A file below ``.github/workflows/``."""

    path: str
    text: str
    how: How


def filled(deps: Deps, *, ref: str, branch: str = "", digest: str = "") -> list[Workflow]:
    """Return the workflows for this repository; nothing is written.

    `ref` is the commit of gitcmat that they run; `branch` and `digest` are the branch that tasks
    come from and the digest of its plan unless they are given.

    Raises:
        InvalidData: one of them is not what it must be.
    """
    if not _SHA.fullmatch(ref) or not ref.strip("0"):
        raise InvalidData(
            f"{ref!r} is no commit of gitcmat.",
            hint="name one that you have looked at, by all its 40 digits; a tag may be moved",
        )
    if not branch or not digest:
        look = trust.look(deps)
        branch, digest = branch or look.branch, digest or look.plan.digest
    if not _SHA256.fullmatch(digest) or not digest.strip("0"):
        raise InvalidData(f"{digest!r} is no digest.", hint="gitcmat trust --print-digest")
    if not _BRANCH.fullmatch(branch):
        raise InvalidData(
            f"The branch {branch!r} cannot be named in a workflow.", hint="--branch main"
        )
    found = []
    for source in sorted((templates_dir() / "workflows").glob("*.yml")):
        text = (
            source.read_text(encoding="utf-8")
            .replace(_REF, f"gitcmat/gitcmat@{ref}")
            .replace(_DIGEST, f'"{digest}"')
            .replace(_BRANCHES, f"branches: [{json.dumps(branch)}]")
        )
        path = f"{FOLDER}/{source.name}"
        found.append(Workflow(path=path, text=text, how=_how(deps, path, text)))
    return found


def write(deps: Deps, workflows: list[Workflow], *, replace: bool) -> None:
    """Write them into the work tree; nothing is staged or committed.

    Raises:
        Conflict: one is there, says something else, and may not be replaced. None is written then.
    """
    there = [workflow.path for workflow in workflows if workflow.how is How.CHANGED]
    if there and not replace:
        raise Conflict(
            f"{', '.join(there)}: there already, and different.",
            hint="--replace writes over it; git diff shows what changes then",
        )
    for workflow in workflows:
        if workflow.how is not How.SAME:
            write_atomic(_root(deps) / workflow.path, workflow.text.encode())


def _how(deps: Deps, path: str, text: str) -> How:
    try:
        there = read_regular(_root(deps) / path, _LONGEST)
    except FileNotFoundError:
        return How.NEW
    except InvalidData:
        return How.CHANGED
    return How.SAME if there == text.encode() else How.CHANGED


def _root(deps: Deps) -> Path:
    if deps.repo.work_tree is None:
        raise NotFound("There is no work tree here.", hint="work in a clone with files")
    return deps.repo.work_tree
