"""The files that `init` writes below ``.cmat/``, as bytes: the same proposal gives the same
files.
"""

import json
from typing import Final

from gitcmat.model.agent import AgentProfile
from gitcmat.model.settings import Branch, Config
from gitcmat.model.stack import Proposal
from gitcmat.model.task import Task
from gitcmat.store import layout
from gitcmat.store.schemas import schema
from gitcmat.store.templates import render
from gitcmat.store.yaml_emit import flow
from gitcmat.store.yaml_scalars import inline

_TEXTS: Final = {
    layout.CONFIG: "config.yaml.j2",
    f"{layout.CMAT}/.gitignore": "gitignore.j2",
    f"{layout.AGENTS}/README.md": "agents.md.j2",
    f"{layout.TASKS}/README.md": "tasks.md.j2",
}


def scaffold(proposal: Proposal, *, prefix: str) -> dict[str, bytes]:
    """Return path → content of every file; `prefix` is that of the branches for review."""
    values = {
        "gates": list(proposal.gates.items()),
        "setup": proposal.as_setup,
        "keep": proposal.keep,
        "prefix": prefix,
        "default_prefix": Branch().prefix,
        "facts": layout.FACTS,
    }
    files = {
        path: render(name, values, flow=flow, scalar=inline).encode()
        for path, name in _TEXTS.items()
    }
    return files | _schemas()


def _schemas() -> dict[str, bytes]:
    kinds = {
        "agent": schema(AgentProfile, "An agent of gitcmat: the front matter of its file"),
        "config": schema(Config, "Settings of gitcmat for a repository"),
        "task": schema(Task, "A task of gitcmat"),
    }
    return {
        f"{layout.SCHEMAS}/{kind}.json": (json.dumps(found, indent=2) + "\n").encode()
        for kind, found in kinds.items()
    }
