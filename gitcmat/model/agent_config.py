"""Files by which a repository configures the programs of agents.

They are code: hooks, servers and commands in them run with the agent, before anybody is asked. So
they belong to the plan of a repository that has an agent of that kind.
"""

import posixpath
import re
from collections.abc import Iterable, Iterator
from typing import Final

from gitcmat.model.agent import COMMAND, AgentProfile

CLAUDE_AGENTS: Final = ".claude/agents"
SKILLS: Final = (".cmat/skills", ".claude/skills", ".agents/skills")
"""Where a skill may be, in the order in which they count."""

_BY_PROGRAM: Final = {
    "claude": (".claude", ".mcp.json"),
    "codex": (".codex", ".agents"),
    "gemini": (".gemini", ".agents"),
    "opencode": (".opencode", ".agents", "opencode.json", "opencode.jsonc"),
    "aider": (
        ".aider.conf.yml",
        ".aider.model.metadata.json",
        ".aider.model.settings.yml",
        ".env",
    ),
    "mini-swe-agent": (),
    "amp": (".amp", ".agents"),
    "copilot": (".copilot", ".mcp.json"),
    "cursor-agent": (".cursor",),
    "goose": (".goose", ".goosehints"),
    "qwen": (".qwen",),
}
"""Program → files, and folders with all that is in them, which it takes its settings from."""

PLACES: Final = tuple(sorted({place for places in _BY_PROGRAM.values() for place in places}))
"""All of them."""

LITTER: Final = (".aider.tags.cache.v*/",)
"""What programs of agents keep in a work tree for themselves, and cannot be told to put elsewhere:
no part of anybody's work.
"""

_BETWEEN: Final = re.compile(r"[\s;&|<>()'\"`=,:$/]+")


def configuring(profiles: Iterable[AgentProfile]) -> tuple[str, ...]:
    """Return the places from which programs of these agents take settings, sorted."""
    return tuple(sorted({place for one in profiles for place in _places(one)}))


def is_below(path: str, places: Iterable[str]) -> bool:
    """Whether `path` is one of `places` or in one."""
    return any(path == place or path.startswith(f"{place}/") for place in places)


def _places(profile: AgentProfile) -> Iterator[str]:
    if profile.skills:
        yield from SKILLS[1:]
    if profile.runs in _BY_PROGRAM:
        yield from _BY_PROGRAM[profile.runs]
    elif profile.runs != COMMAND:
        yield from PLACES  # whatever program that is
    for word in profile.command:
        for part in (posixpath.basename(word), *_BETWEEN.split(word)):
            yield from _BY_PROGRAM.get(part, ())
