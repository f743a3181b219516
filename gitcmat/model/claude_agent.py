"""Agents of Claude Code, ``.claude/agents/<name>.md``, taken as they are."""

from typing import Final

from gitcmat.model import front_matter
from gitcmat.model.agent import AgentProfile
from gitcmat.model.job import Permissions
from gitcmat.model.names import is_id

_KIND: Final = "claude"
_INHERIT: Final = "inherit"
_MODES: Final = {"plan": Permissions.READ, "bypassPermissions": Permissions.ALL}
_CHANGING: Final = ("Edit", "MultiEdit", "Write", "NotebookEdit", "Bash", "mcp__", "*")
"""Beginnings of tools that can change something."""


def profile(text: str, *, stem: str) -> tuple[AgentProfile, str]:
    """Return what a file says and the system prompt below it; keys that mean nothing here are left
    alone. `stem` is the file's name, for one that says no fit name itself.

    Raises:
        ValueError: it is no agent; the message says why.
    """
    said, body = front_matter.read(text)
    if not said:
        raise ValueError("has no front matter")
    name = next((n for n in (said.get("name", ""), stem) if is_id(n)), "")
    if not name:
        raise ValueError(f"its name is not 1 to 63 lower-case letters, digits and dashes: {stem!r}")
    tools = front_matter.items(said.get("tools", ""))
    model = said.get("model", "")
    made = AgentProfile(
        name=name,
        runs=_KIND,
        description=front_matter.one_line(said.get("description", "")),
        model=model if model and model != _INHERIT else None,
        tools=tools,
        permissions=_permissions(said.get("permissionMode", ""), tools),
        skills=front_matter.items(said.get("skills", "")),
    )
    return made, body.strip()


def _permissions(mode: str, tools: tuple[str, ...]) -> Permissions:
    if mode in _MODES:
        return _MODES[mode]
    only_reads = bool(tools) and not any(tool.startswith(_CHANGING) for tool in tools)
    # Who names only tools that read wants an agent that cannot edit.
    return Permissions.READ if only_reads else Permissions.EDIT
