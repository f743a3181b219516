"""What an agent would be started as, here and now."""

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.engine.boxes import box_for
from gitcmat.engine.claims import job_agent, workspaces_root
from gitcmat.engine.deps import Deps
from gitcmat.errors import NotFound, UserError
from gitcmat.model.agent import AgentProfile
from gitcmat.model.job import JobAgent
from gitcmat.model.sandbox import NO_BOX, Box
from gitcmat.model.settings import Config
from gitcmat.model.task import Task
from gitcmat.ports import Agent, Launch, Turn
from gitcmat.store.borrowing import linked_trees
from gitcmat.system import environment

MakeAgent = Callable[[str], Agent]
"""From the name in ``runs:`` to what drives such a program."""

_NO_TASK: Final = Task(prompt="-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Effective:
    """An agent as a run would have it."""

    job: JobAgent
    program: Path | None
    """None where there is none that may be started."""
    box: Box | None
    """None where it asks for a sandbox that there is not."""
    launch: Launch | None
    """None where its driver cannot start it."""
    environment: dict[str, str]
    """The variables that it would see, but those of a run; their values are never shown."""
    missing: tuple[str, ...]
    """Variables that it is to be handed, and that are not set here."""
    agent: Agent
    """What drives it."""
    errors: tuple[UserError, ...]
    """Why it could not start."""


def effective(
    deps: Deps, make_agent: MakeAgent, profile: AgentProfile, config: Config
) -> Effective:
    """Work out what a run would start; nothing is started but, once, bubblewrap to see if it works.

    Raises:
        NotFound: nothing drives agents of this kind.
    """
    errors: list[UserError] = []
    program = program_of(deps, profile)
    if program is None:
        name = profile.argv[0]
        missing = NotFound(
            f"There is no program `{name}` on your PATH outside of the repository.",
            hint="install it, or name it: command: [/path/to/it]",
        )
        errors.append(environment.not_found(name) if environment.unfit(name) else missing)
    box: Box | None = None
    try:
        box = box_for(deps, profile)
    except NotFound as error:
        errors.append(error)
    agent = make_agent(profile.runs)
    job = job_agent(profile, config, _NO_TASK, box or NO_BOX)
    launch: Launch | None = None
    env: dict[str, str] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="gitcmat-agent-") as name:
            folder = Path(name)
            launch = agent.launch(Turn(profile=job, prompt="", cwd=folder, scratch=folder))
        env = environment.agent_environment(
            os.environ,
            set={**profile.env, **launch.env},
            pass_env=profile.pass_env,
            drop_paths=theirs(deps),
            allow_forbidden=deps.settings.allow_env,
        )
    except UserError as error:
        errors.append(error)
    return Effective(
        job=job,
        program=program,
        box=box,
        launch=launch,
        environment=env,
        missing=tuple(name for name in profile.pass_env if name not in os.environ),
        agent=agent,
        errors=tuple(errors),
    )


def program_of(deps: Deps, profile: AgentProfile) -> Path | None:
    """Where the program of an agent is: an absolute path outside of all that a repository can
    bring; None where there is none.
    """
    return environment.find_program(profile.argv[0], os.environ, theirs(deps))


def theirs(deps: Deps) -> list[Path]:
    """Where agents and the repository can put programs: none of those is ever an agent's."""
    repo = deps.repo
    trees = [tree for tree in (repo.work_tree, repo.main_work_tree) if tree is not None]
    return [repo.common_dir, *trees, *linked_trees(repo.common_dir), workspaces_root(deps)]
