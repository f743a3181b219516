"""The agents of a repository: what their files say, and what of it holds."""

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from pathlib import PurePosixPath

from gitcmat.engine import lint, trust
from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model.intent import Agent, Intent
from gitcmat.model.problem import Problem
from gitcmat.model.settings import Config
from gitcmat.store import layout
from gitcmat.store.intent import read_settings
from gitcmat.store.snapshot import Snapshot
from gitcmat.store.sources import saved_not_committed
from gitcmat.store.trust import read_plan


class Standing(StrEnum):
    """What of an agent's file is committed: only that is ever used."""

    COMMITTED = "committed"
    CHANGED = "changed, not committed"
    NEW = "not committed"
    DELETED = "deleted, not committed"
    UNUSED = "not used"
    """Another agent has its name, or it is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One file of an agent."""

    name: str
    path: str
    standing: Standing
    written: Agent | None
    """What holds, or would after a commit; None where the file cannot be read."""
    problems: tuple[Problem, ...] = ()
    trusted: bool = False
    """Whether a run may start it."""

    def required(self) -> Agent:
        """Return what its file says.

        Raises:
            InvalidData: it cannot be read.
        """
        if self.written is None:
            problem = self.problems[0]
            raise InvalidData(str(problem), hint=problem.hint or "gitcmat agent list")
        return self.written


@dataclass(frozen=True, slots=True, kw_only=True)
class Registry:
    """All agents of a repository."""

    agents: tuple[Known, ...]
    branch: str | None
    """The branch whose tip says what may run; None where there is none."""
    commit: str | None
    why_none: str = ""
    """Why there is no such branch or tip."""
    config: Config
    allowed: bool
    """Whether the person has allowed what it may start."""

    @property
    def problems(self) -> list[Problem]:
        """All that is wrong with their files."""
        told = (one for one in self.agents if one.standing is not Standing.UNUSED)
        return sorted({problem for one in told for problem in one.problems})

    @property
    def notes(self) -> list[Problem]:
        """Which files of other programs' agents are not used, and why; that is no error."""
        told = (one for one in self.agents if one.standing is Standing.UNUSED)
        return [problem for one in told for problem in one.problems]

    def find(self, name: str) -> Known:
        """Return the agent of this name; one that can be used before one that cannot.

        Raises:
            NotFound: there is none.
        """
        found = [one for one in self.agents if one.name == name]
        if not found:
            names = sorted({one.name for one in self.agents})
            near = get_close_matches(name, names, n=1)
            guess = f" (did you mean {near[0]!r}?)" if near else ""
            raise NotFound(
                f"There is no agent {name!r}{guess}.",
                hint=f"agents: {', '.join(names)}" if names else f"gitcmat agent add {name}",
            )
        return min(found, key=lambda one: one.standing is Standing.UNUSED)


def registry(deps: Deps) -> Registry:
    """Look at all files of agents, committed and saved; nothing is started."""
    intent: Intent | None = None
    why = ""
    try:
        intent = trust.tip(deps)
    except (Conflict, NotFound) as error:
        why = error.message
    found = _saved(deps, intent)
    settings = read_settings(found)[0] if found is not None else None
    committed = intent.agents if intent is not None else {}
    bare = deps.repo.work_tree is None
    saved = committed if bare or settings is None else settings.agents
    allowed = (
        intent is not None
        and intent.settings_from is not None
        and deps.trust.trusted(read_plan(deps.git, intent))
    )
    known = _known(committed, saved, *_problems(found, intent))
    if intent is None:  # HEAD is detached, say: what it has is committed all the same
        unsaved = {one.path for one in saved_not_committed(deps.repo)}
        known = (one if one.path in unsaved else _as_committed(one) for one in known)
    notes = sorted(lint.unused(found)) if found is not None else []
    config = intent.config if intent is not None else settings.config if settings else Config()
    return Registry(
        agents=(
            *(replace(one, trusted=allowed and _holds(one, committed)) for one in known),
            *(_unused(note) for note in notes),
        ),
        branch=intent.ref.removeprefix("refs/heads/") if intent is not None else None,
        commit=intent.commit if intent is not None else None,
        why_none=why,
        config=config,
        allowed=allowed,
    )


def _as_committed(one: Known) -> Known:
    return replace(one, standing=Standing.COMMITTED) if _is_agent(one.path) else one


def _holds(one: Known, committed: Mapping[str, Agent]) -> bool:
    return one.written is not None and committed.get(one.name) is one.written


def _saved(deps: Deps, intent: Intent | None) -> Snapshot | None:
    if deps.repo.work_tree is not None:
        return lint.take(deps.repo, deps.git, lint.WORK_TREE)
    return lint.take(deps.repo, deps.git, intent.commit) if intent is not None else None


def _problems(
    found: Snapshot | None, intent: Intent | None
) -> tuple[Mapping[str, list[Problem]], frozenset[str]]:
    """What is wrong by path, as the files are saved and, where that is right, as they are
    committed; and the paths of those that are committed so.
    """
    wrong: dict[str, list[Problem]] = {}
    for problem in lint.lint_files(found) if found is not None else ():
        wrong.setdefault(problem.path, []).append(problem)
    there = {problem.path: problem for problem in (intent.problems if intent is not None else ())}
    for path, problem in there.items():
        wrong.setdefault(path, [problem])
    return {path: told for path, told in wrong.items() if _is_agent(path)}, frozenset(there)


def _is_agent(path: str) -> bool:
    return path.startswith(f"{layout.AGENTS}/") and path.endswith(".md")


def _known(
    committed: Mapping[str, Agent],
    saved: Mapping[str, Agent],
    wrong: Mapping[str, list[Problem]],
    wrong_there: Container[str],
) -> Iterator[Known]:
    paths = {path: PurePosixPath(path).stem for path in wrong}
    paths |= {one.path: name for agents in (saved, committed) for name, one in agents.items()}
    for path, name in sorted(paths.items(), key=lambda pair: (pair[1], pair[0])):
        then, now = _at(committed, name, path), _at(saved, name, path)
        yield Known(
            name=name,
            path=path,
            standing=_standing(then, now, broken=path in wrong, there=path in wrong_there),
            written=then or now,
            problems=tuple(wrong.get(path, ())),
        )


def _at(agents: Mapping[str, Agent], name: str, path: str) -> Agent | None:
    found = agents.get(name)
    return found if found is not None and found.path == path else None


def _standing(then: Agent | None, now: Agent | None, *, broken: bool, there: bool) -> Standing:
    """`broken`: something is wrong with the file; `there`: with the committed one."""
    if now is None and there:
        return Standing.COMMITTED
    if then is None:
        return Standing.NEW
    if now is None:
        return Standing.CHANGED if broken else Standing.DELETED
    same = (now.profile, now.system) == (then.profile, then.system)
    return Standing.COMMITTED if same else Standing.CHANGED


def _unused(note: Problem) -> Known:
    return Known(
        name=PurePosixPath(note.path).stem,
        path=note.path,
        standing=Standing.UNUSED,
        written=None,
        problems=(note,),
    )
