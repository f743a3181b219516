"""Agents that gitcmat can drive, by the name in a profile's `runs:`; each is imported on use."""

import importlib
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.ports import Agent

AGENTS: Final = {
    "acp": "gitcmat.adapters.agents.acp:AcpAgent",
    "aider": "gitcmat.adapters.agents.aider:AiderAgent",
    "claude": "gitcmat.adapters.agents.claude:ClaudeAgent",
    "codex": "gitcmat.adapters.agents.codex:CodexAgent",
    "command": "gitcmat.adapters.agents.command:CommandAgent",
    "gemini": "gitcmat.adapters.agents.gemini:GeminiAgent",
    "mini-swe-agent": "gitcmat.adapters.agents.mini_swe_agent:MiniSweAgent",
    "opencode": "gitcmat.adapters.agents.opencode:OpenCodeAgent",
}
"""Name of the adapter → where it is."""


def make_agent(name: str) -> Agent:
    """A new driver for one run of an agent of this kind.

    Raises:
        NotFound: there is no such adapter.
    """
    place = AGENTS.get(name)
    if place is None:
        known = ", ".join(sorted(AGENTS))
        raise NotFound(f"No agent adapter is called {name!r}.", hint=f"runs: is one of {known}")
    module, _, attribute = place.partition(":")
    made: Agent = getattr(importlib.import_module(module), attribute)()
    return made
