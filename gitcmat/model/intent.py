"""What people want, as it stands at one commit of a branch: settings, agents and task files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcmat.model.agent import AgentProfile
from gitcmat.model.problem import Problem
from gitcmat.model.settings import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One file ``.cmat/agents/<name>.md``: its front matter and the text below it."""

    profile: AgentProfile
    system: str
    path: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFile:
    """One file ``.cmat/tasks/<id>.yaml``, not yet read: an unchanged blob needs no reading."""

    id: str
    path: str
    blob: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """Everything below ``.cmat/`` at the tip of a source that people write."""

    ref: str
    """The branch, as a full ref name."""
    commit: str
    tree: str
    """The object of ``.cmat``: equal trees are equal intents. Empty when there is none."""
    settings_from: str | None
    """The commit whose config and agents these are: an earlier one while those here are wrong.

    None when they are wrong and no good ones were ever seen: `config` and `agents` are then empty
    and nothing may start.
    """
    config: Config = field(default_factory=Config)
    agents: Mapping[str, Agent] = field(default_factory=dict)
    tasks: Mapping[str, TaskFile] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """Every file below ``.cmat/`` but facts: path to blob, or ``link <blob>`` for a symlink."""
    problems: tuple[Problem, ...] = ()
