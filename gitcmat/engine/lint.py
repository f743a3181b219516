"""Judge what people wrote below ``.cmat/``: each file for itself, then what they say of others."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from graphlib import CycleError, TopologicalSorter
from typing import Final

from gitcmat.engine import exposed
from gitcmat.errors import InvalidData
from gitcmat.model.agent_config import SKILLS
from gitcmat.model.intent import Agent, TaskFile
from gitcmat.model.problem import Problem
from gitcmat.model.task import Task
from gitcmat.store import documents, layout, profiles, snapshot, yamlio
from gitcmat.store.git import Git, Repository
from gitcmat.store.intent import list_tasks, odd, read_settings
from gitcmat.store.snapshot import File, Snapshot
from gitcmat.store.yamlio import Document, KeyPath

WORK_TREE: Final = "worktree"
STAGED: Final = "staged"

_MISNAMED: Final = {
    ".cmat/config.yml": layout.CONFIG,
    ".cmat/config.json": layout.CONFIG,
    ".cmat/config.toml": layout.CONFIG,
}


@dataclass(frozen=True, slots=True)
class _Read:
    """A task file that is right in itself, and its lines."""

    file: TaskFile
    task: Task
    document: Document


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a file uses and nothing has."""

    problem: Problem
    key: tuple[str, ...]
    """Where it stands in the file, without the place in a list."""
    name: str
    like: str | None
    """The one name that it is nearly, None when there is none or more than one."""


@dataclass(slots=True)
class _Names:
    """What tasks may name; None where it is not known because its file is wrong."""

    tasks: frozenset[str]
    agents: frozenset[str]
    gates: frozenset[str] | None
    default_agent: str | None
    sole_agent: str | None

    @property
    def no_agent(self) -> bool:
        """Whether a task that names no agent has none."""
        return self.default_agent is None and self.gates is not None and self.sole_agent is None


def lint(
    repo: Repository, git: Git, at: str = WORK_TREE, *, known: Collection[str] = ()
) -> list[Problem]:
    """Return everything that is wrong, by file and line; nothing is changed.

    `at` is `WORK_TREE`, `STAGED` or a revision. `known` are ids of tasks that exist without a file,
    such as finished ones. Raises `NotFound` for a revision that does not exist.
    """
    return lint_files(take(repo, git, at), known=known)


def take(repo: Repository, git: Git, at: str) -> Snapshot:
    """Return the files that `lint` is to judge."""
    if at == STAGED:
        return snapshot.of_index(Git(repo.git_dir, work_tree=repo.work_tree))
    if at == WORK_TREE and repo.work_tree is not None:
        return snapshot.of_work_tree(repo.work_tree)
    return snapshot.of_revision(git, "HEAD" if at == WORK_TREE else at)


def lint_files(found: Snapshot, *, known: Collection[str] = ()) -> list[Problem]:
    """Judge a set of files."""
    problems, references = judge(found, known=known)
    return sorted({*problems, *(reference.problem for reference in references)})


def judge(found: Snapshot, *, known: Collection[str] = ()) -> tuple[list[Problem], list[Reference]]:
    """Judge a set of files; names that nothing has come apart from all else that is wrong."""
    files, problems = list_tasks(found.files)
    names, wrong, references = _names(found, files, known)
    problems += [*wrong, *_places(found)]
    tasks: dict[str, _Read] = {}
    contents = found.read(_files_of(found, files))
    for file in files.values():
        try:
            content = contents[file.path]
            if isinstance(content, InvalidData):
                problems.append(Problem(file.path, 1, content.message, content.hint))
                continue
            task, document = documents.task(content, name=file.path)
        except InvalidData as error:
            problems += Problem.all_of(error, file.path)
        else:
            tasks[file.id] = _Read(file, task, document)
    for read in tasks.values():
        references += _references(read, names)
        if read.task.agent is None and names.no_agent:
            hint = "agent: in the task, or defaults: agent: in .cmat/config.yaml"
            text = "agent: is missing, and there is no default"
            problems.append(Problem(read.file.path, 1, text, hint))
    problems += _cycles(tasks)
    return problems, references


def _files_of(found: Snapshot, tasks: Mapping[str, TaskFile]) -> Iterator[File]:
    paths = {task.path for task in tasks.values()}
    return (file for file in found.files if file.path in paths)


def _names(
    found: Snapshot, files: Mapping[str, TaskFile], known: Collection[str]
) -> tuple[_Names, list[Problem], list[Reference]]:
    settings, wrong = read_settings(found)
    config = settings.config
    broken = {problem.path for problem in wrong}
    stems = {
        path.removeprefix(f"{layout.AGENTS}/").removesuffix(".md")
        for path in broken
        if path.startswith(f"{layout.AGENTS}/")
    }
    own = {name: agent for name, agent in settings.agents.items() if agent.is_own}
    only = sorted({*own, *stems})
    names = _Names(
        tasks=frozenset(files) | frozenset(known),
        agents=frozenset(settings.agents) | stems,
        gates=None if layout.CONFIG in broken else frozenset(config.gates),
        default_agent=config.defaults.agent,
        sole_agent=only[0] if len(only) == 1 else None,
    )
    references: list[Reference] = []
    if layout.CONFIG not in broken:
        path, lines, defaults = layout.CONFIG, _config_lines(found), config.defaults
        if defaults.agent is not None:
            at = ("defaults", "agent")
            references += _unknown(path, lines, at, defaults.agent, names.agents)
        for n, gate in enumerate(defaults.gates or ()):
            references += _unknown(path, lines, ("defaults", "gates", n), gate, config.gates)
    return names, [*wrong, *_skills(found, own)], references


def _skills(found: Snapshot, agents: Mapping[str, Agent]) -> Iterator[Problem]:
    """Skills that an agent names and nobody has written; not those of other programs' agents."""
    named = {name for agent in agents.values() for name in agent.profile.skills}
    known = profiles.skills(found, named) if named else {}
    files = {f.path: f for f in found.files}
    for agent in agents.values():
        missing = [name for name in agent.profile.skills if name not in known]
        content = found.read([files[agent.path]])[agent.path] if missing else b""
        if isinstance(content, bytes) and missing:
            document, _, _ = yamlio.split_front_matter(content, name=agent.path)
            for name in missing:
                at = ("skills", agent.profile.skills.index(name))
                line = document.lines.get(at) or document.lines.get(at[:1], 1)
                hint = "skills are " + ", ".join(f"{top}/<name>/SKILL.md" for top in SKILLS)
                yield Problem(agent.path, line, f"skills: there is no skill '{name}'", hint)


def notes(found: Snapshot) -> list[Problem]:
    """What is not wrong and good to know: secrets in files, and what `unused` says."""
    settings = read_settings(found)[0]
    return [*exposed.notes(found, settings.agents, settings.config), *unused(found)]


def unused(found: Snapshot) -> list[Problem]:
    """Agents of Claude Code that are not used, and why."""
    stems = {
        f.path.removeprefix(f"{layout.AGENTS}/").removesuffix(".md")
        for f in found.files
        if f.path.startswith(f"{layout.AGENTS}/")
    }
    return profiles.claude(found, stems)[1]


def _config_lines(found: Snapshot) -> Document:
    for file in found.files:
        if file.path == layout.CONFIG and file.regular:
            content = found.read([file])[file.path]
            if isinstance(content, bytes):
                return documents.config(content, name=layout.CONFIG)[1]
    return Document({}, {})


def _places(found: Snapshot) -> Iterator[Problem]:
    """Files that are not where, or not what, they would have to be to mean something."""
    for path in found.facts:
        hint = f"git rm --cached {path}"
        yield Problem(path, 1, "is gitcmat's own record, which no branch may track", hint)
    for file in found.files:
        folder, _, name = file.path.rpartition("/")
        if file.path in _MISNAMED:
            yield Problem(file.path, 1, "is not read", f"name it {_MISNAMED[file.path]}")
        elif not file.regular and not file.path.startswith((layout.TASKS, layout.AGENTS)):
            yield odd(file)
        elif folder.startswith(layout.AGENTS) and not _is_agent(folder, name):
            yield Problem(file.path, 1, "is not read", f"agents are {layout.AGENTS}/<name>.md")


def _is_agent(folder: str, name: str) -> bool:
    return (folder == layout.AGENTS and name.endswith(".md")) or name == ".gitkeep"


def _references(read: _Read, names: _Names) -> Iterator[Reference]:
    path, task, document = read.file.path, read.task, read.document
    for n, need in enumerate(task.needs):
        if need != read.file.id:  # else a cycle, and reported as one
            others = names.tasks - {read.file.id}
            yield from _unknown(path, document, ("needs", n), need, others)
    if task.agent is not None:
        yield from _unknown(path, document, ("agent",), task.agent, names.agents)
    if names.gates is not None:
        for n, gate in enumerate(task.gates or ()):
            yield from _unknown(path, document, ("gates", n), gate, names.gates)


_KINDS: Final = {
    "needs": ("task", f"{layout.TASKS}/<id>.yaml"),
    "agent": ("agent", f"{layout.AGENTS}/<name>.md"),
    "gates": ("gate", f"named under gates: in {layout.CONFIG}"),
}
"""By the key that names one: what it is, and where such things are."""


def _unknown(
    file: str, document: Document, path: KeyPath, name: str, names: Collection[str]
) -> Iterator[Reference]:
    if name in names:
        return
    line = document.lines.get(path) or document.lines.get(path[:1], 1)
    key = tuple(part for part in path if isinstance(part, str))
    like = get_close_matches(name, sorted(names), 2)
    meant = f" (did you mean '{like[0]}'?)" if like else ""
    kind, where = _KINDS[key[-1]]
    text = f"{'.'.join(key)}: there is no {kind} '{name}'{meant}"
    problem = Problem(file, line, text, f"{kind}s are {where}")
    yield Reference(problem, key, name, like[0] if len(like) == 1 else None)


def _cycles(tasks: Mapping[str, _Read]) -> Iterator[Problem]:
    """One problem per cycle, at the first of its tasks by name; removing it shows the next."""
    needs = {name: [n for n in read.task.needs if n in tasks] for name, read in tasks.items()}
    while True:
        cycle = _a_cycle(needs)
        if not cycle:
            return
        first = cycle.index(min(cycle))
        around = [*cycle[first:], *cycle[:first]]
        read, need = tasks[around[0]], around[1 % len(around)]
        line = read.document.lines.get(("needs", read.task.needs.index(need)), 1)
        shown = " -> ".join([*around, around[0]])
        yield Problem(
            read.file.path,
            line,
            f"needs: goes round in a circle: {shown}",
            "remove one of these needs",
        )
        needs[around[0]].remove(need)


def _a_cycle(needs: Mapping[str, Iterable[str]]) -> list[str]:
    """Return tasks that each need the next and the last the first; empty when there are none."""
    try:
        TopologicalSorter(needs).prepare()
    except CycleError as error:
        # graphlib names each before the one that needs it, and the first again at the end.
        reversed_: list[str] = error.args[1]
        return reversed_[:0:-1]
    return []
