"""What ``gitcmat wrap`` wraps: an agent of a repository's, or a program that is named there."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from gitcmat.engine import trust
from gitcmat.engine.boxes import box_for
from gitcmat.engine.claims import job_agent
from gitcmat.engine.deps import Deps
from gitcmat.engine.tasks import check_names
from gitcmat.engine.wrap_run import Wrapped, root_of
from gitcmat.errors import Conflict, NotFound
from gitcmat.model.job import JobAgent
from gitcmat.model.sandbox import SandboxMode, decide
from gitcmat.model.settings import UserSettings
from gitcmat.model.task import Task
from gitcmat.store.git import discover
from gitcmat.store.settings import load_user_settings
from gitcmat.system import bwrap, environment


def of_program(
    agent: JobAgent, cwd: Path, path: str, sandbox: SandboxMode | None
) -> Callable[[], Wrapped]:
    """An agent that whoever starts the wrapper describes; `path` is the PATH to find it on.

    `sandbox` is how it is kept in; None for what the person's settings say.
    """

    def find() -> Wrapped:
        """Raises `NotFound` for a sandbox or a program that is not there."""
        theirs = _around(cwd)
        usual = sandbox or _settings(cwd).sandbox
        why_not = "" if usual is SandboxMode.OFF else bwrap.why_not(theirs)
        box = decide(None, usual=usual, why_not=why_not)
        return Wrapped(agent=replace(_found(agent, path, theirs), sandbox=box), cwd=cwd)

    return find


def of_profile(deps: Deps, name: str, cwd: Path, path: str) -> Callable[[], Wrapped]:
    """The agent `name` as the branch that is checked out says it, if its plan is allowed."""

    def find() -> Wrapped:
        """Raises `NotTrusted`, or `NotFound` for an agent that is not there."""
        found = trust.look(deps)
        deps.trust.require(found.plan)
        check_names({"agent": name}, found.intent)
        one = found.intent.agents[name]
        box = box_for(deps, one.profile)
        agent = job_agent(one.profile, found.intent.config, Task(prompt="-", agent=name), box)
        theirs = [*_around(cwd), deps.repo.common_dir, *filter(None, [deps.repo.work_tree])]
        return Wrapped(
            agent=_found(agent, path, theirs),
            system=one.system,
            cwd=cwd,
            git_dir=deps.repo.common_dir,
            budget=one.profile.budget,
            allow_env=deps.settings.allow_env,
        )

    return find


def _settings(cwd: Path) -> UserSettings:
    """The person's own, for the repository around `cwd` if there is one.

    Raises `InvalidData`.
    """
    try:
        repo = discover(cwd)
    except (NotFound, Conflict):  # none, or one that git keeps away from
        return load_user_settings(None)
    return load_user_settings(repo)


def _around(cwd: Path) -> list[Path]:
    """Where what is worked on could have put programs."""
    return [cwd, *filter(None, [root_of(cwd)])]


def _found(agent: JobAgent, path: str, theirs: list[Path]) -> JobAgent:
    """`agent` with the absolute path of its program."""
    name = agent.command[0]
    program = environment.find_program(name, {"PATH": path}, theirs)
    if program is None:
        raise environment.not_found(name)
    return replace(agent, command=(str(program), *agent.command[1:]))
