"""What people want, as it stands at one commit of a branch: settings, agents and task files."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from gitcmat.model.agent import AgentProfile
from gitcmat.model.problem import Problem
from gitcmat.model.settings import Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One file ``.cmat/agents/<name>.md``, or one of Claude Code's: what it says, and the text
    below that, with the skills it names.
    """

    profile: AgentProfile
    system: str
    path: str
    blob: str

    @property
    def is_own(self) -> bool:
        """Whether it was written for gitcmat."""
        return self.path.startswith(".cmat/")


def sole(agents: Mapping[str, Agent]) -> str | None:
    """The agent of tasks that name none, where the settings name none either: the only one that was
    written for gitcmat, whatever other programs' agents there are.
    """
    own = [name for name, agent in agents.items() if agent.is_own]
    return own[0] if len(own) == 1 else None


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
    guests: Mapping[str, str] = field(default_factory=dict)
    """The files outside of ``.cmat/`` that programs of agents read, as `files`."""
    problems: tuple[Problem, ...] = ()
