"""Read the agents of a snapshot: gitcmat's own, those of Claude Code, and the skills they name."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model import claude_agent, front_matter
from gitcmat.model.agent_config import CLAUDE_AGENTS, SKILLS
from gitcmat.model.intent import Agent
from gitcmat.model.problem import Problem
from gitcmat.store import documents
from gitcmat.store.snapshot import File, Snapshot

_SKILL: Final = "SKILL.md"
_HEADING: Final = "## Skills\n\nRead the file of a skill before you do what it is about.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """Instructions that an agent is pointed to."""

    name: str
    path: str
    """Of its ``SKILL.md``, from the root of the repository."""
    description: str

    @property
    def line(self) -> str:
        """What a prompt says of it."""
        return f"- {self.name} (`{self.path}`)" + (
            f": {self.description}" if self.description else ""
        )


def own(file: File, content: bytes) -> Agent:
    """Read ``.cmat/agents/<name>.md``.

    Raises:
        InvalidData: it is wrong.
    """
    stem = PurePosixPath(file.path).stem
    profile, system, _ = documents.agent(content, name=file.path, stem=stem)
    return Agent(profile=profile, system=system, path=file.path, blob=file.blob)


def is_claude(path: str) -> bool:
    """Whether an agent of Claude Code is there."""
    folder, _, name = path.rpartition("/")
    return folder == CLAUDE_AGENTS and name.endswith(".md") and name != "README.md"


def is_skill(path: str) -> bool:
    """Whether the text of a skill is there."""
    return skill_name(path) is not None


def skill_name(path: str) -> str | None:
    """The name of the skill whose text is at `path`; None for all else."""
    folder, _, file = path.rpartition("/")
    top, _, name = folder.rpartition("/")
    return name if file == _SKILL and top in SKILLS else None


def claude(found: Snapshot, taken: Collection[str]) -> tuple[dict[str, Agent], list[Problem]]:
    """Read the agents of Claude Code, but those whose name is `taken`; the problems say which are
    not used, and why. None of these keeps anything else from being used.
    """
    agents: dict[str, Agent] = {}
    notes: list[Problem] = []
    files = [f for f in found.guests if is_claude(f.path)]
    contents = found.read(f for f in files if f.regular)
    for file in files:
        content = contents.get(file.path)
        if not isinstance(content, bytes):
            why = content.message if content is not None else "is no plain file"
            notes.append(Problem(file.path, 1, f"{why}, and is not used"))
            continue
        try:
            text = content.decode("utf-8")
            profile, system = claude_agent.profile(text, stem=PurePosixPath(file.path).stem)
        except ValueError as error:
            why = "is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
            notes.append(Problem(file.path, 1, f"{why}, and is not used"))
            continue
        other = agents.get(profile.name)
        if profile.name in taken or other is not None:
            by = other.path if other else f".cmat/agents/{profile.name}.md"
            said = f"is not used, as {by} has the same name"
            notes.append(Problem(file.path, 1, said))
        else:
            agents[profile.name] = Agent(
                profile=profile, system=system, path=file.path, blob=file.blob
            )
    return agents, notes


def skills(found: Snapshot, names: Collection[str]) -> dict[str, Skill]:
    """Find those of `names` that are there."""
    files: dict[str, File] = {}
    for top in reversed(SKILLS):
        for file in (*found.files, *found.guests):
            name = skill_name(file.path)
            if (
                name is not None
                and name in names
                and file.regular
                and file.path.startswith(f"{top}/")
            ):
                files[name] = file
    contents = found.read(files.values()) if files else {}
    return {name: _skill(name, file.path, contents) for name, file in files.items()}


def _skill(name: str, path: str, contents: Mapping[str, bytes | InvalidData]) -> Skill:
    content = contents[path]
    text = content.decode("utf-8", "replace") if isinstance(content, bytes) else ""
    said, _ = front_matter.read(text)
    return Skill(
        name=name,
        path=path,
        description=front_matter.one_line(said.get("description", "")),
    )


def pointed(agents: Mapping[str, Agent], known: Mapping[str, Skill]) -> Iterator[Agent]:
    """The agents, with the skills that they name at the end of their system prompt."""
    for agent in agents.values():
        lines = [known[name].line for name in agent.profile.skills if name in known]
        if lines:
            system = "\n\n".join(filter(None, (agent.system, "\n".join([_HEADING, *lines]))))
            yield replace(agent, system=system)
        else:
            yield agent
