"""Write the file of an agent, for a person to look at, commit and allow."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from gitcmat.engine import exposed
from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, InvalidData
from gitcmat.model.agent import PROGRAMS, AgentProfile
from gitcmat.model.agent_config import CLAUDE_AGENTS
from gitcmat.model.problem import Problem
from gitcmat.ports import Login
from gitcmat.store import documents, layout
from gitcmat.store.templates import render
from gitcmat.store.yaml_emit import flow
from gitcmat.store.yaml_scalars import inline
from gitcmat.system.files import inside, write_atomic

SYSTEM: Final = "Change only what the task names."
"""What an agent is told before each task where a person says nothing else."""

_TEMPLATE: Final = "agent.md.j2"
_LEFT_OUT: Final[dict[str, Any]] = {
    "description": "",
    "command": (),
    "model": None,
    "permissions": None,
    "tools": (),
    "skills": (),
    "env": {},
    "pass_env": (),
    "account": None,
    "sandbox": None,
    "timeout": None,
    "idle_timeout": None,
    "usd": None,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A file that was written."""

    path: str
    profile: AgentProfile
    hides: str | None = None
    """The agent of Claude Code that is not used any more, as this one has its name."""


def add(
    deps: Deps, name: str, runs: str, fields: Mapping[str, Any], *, system: str, login: Login | None
) -> Added:
    """Write ``.cmat/agents/<name>.md`` with comments; nothing is committed, nothing is allowed.

    `fields` are keys of the front matter, and ``usd`` for the budget. Raises `InvalidData` for what
    such a file may not say, a secret
    too, `Conflict` when it is there already or there is no work tree.
    """
    root = deps.repo.work_tree
    if root is None:
        raise Conflict(
            "A bare repository has no work tree to write an agent in.",
            hint="gitcmat agent add, in a clone of it",
        )
    if (root / layout.CMAT).is_symlink():
        raise InvalidData(
            f"{layout.CMAT} is a symbolic link: no agent is written through it.",
            hint="put the folder itself there",
        )
    path = f"{layout.AGENTS}/{name}.md"
    text = _text(name, runs, fields, system, login)
    profile = _read(text, path, name)
    if wrong := exposed.names(profile.env):
        raise InvalidData(
            f"{wrong[0]} looks like a secret, and the profile is committed.",
            hint=f"use --pass-env {wrong[0]}: the value stays in your environment",
        )
    file = inside(root, path)
    if file.exists() or file.is_symlink():
        raise Conflict(f"There is a file {path} already.", hint=f"edit it: $EDITOR {path}")
    write_atomic(file, text)
    hidden = f"{CLAUDE_AGENTS}/{name}.md"
    return Added(path=path, profile=profile, hides=hidden if (root / hidden).is_file() else None)


def _text(
    name: str, runs: str, fields: Mapping[str, Any], system: str, login: Login | None
) -> bytes:
    usual = PROGRAMS[runs]
    values = {
        **_LEFT_OUT,
        **{key: value for key, value in fields.items() if value not in (None, (), {}, "")},
        "name": name,
        "runs": runs,
        "usual": usual[0] if usual else "",
        "key": login.variables[0] if login is not None else "",
        "system": system.strip() or SYSTEM,
    }
    return render(_TEMPLATE, values, flow=flow, scalar=inline).encode()


def _read(text: bytes, path: str, name: str) -> AgentProfile:
    """Read what is not saved yet as a run would: its path and lines would only mislead.

    Raises `InvalidData`.
    """
    try:
        return documents.agent(text, name=path, stem=name)[0]
    except InvalidData as error:
        wrong = "; ".join(problem.text for problem in Problem.all_of(error, path))
        raise InvalidData(wrong, hint=error.hint) from error
