"""An agent that is run directly: no task, no entry, no gate and no branch.

What it does comes home on the ref of its run, and stays there for a person to take or to leave.
"""

import time
from collections.abc import Callable
from pathlib import Path

from gitcmat.engine import alone, claims, gating, prompts, room
from gitcmat.engine.alone import Decided
from gitcmat.engine.boxes import box_for
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.engine.landing_record import repair
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.tasks import check_names
from gitcmat.errors import NotFound, Usage
from gitcmat.model import budget
from gitcmat.model.intent import Intent
from gitcmat.model.job import Job, JobKind
from gitcmat.model.run import Run
from gitcmat.model.spending import Total
from gitcmat.model.task import Task
from gitcmat.store.git import Git
from gitcmat.store.state import Change
from gitcmat.system import ids


def start(
    reconciler: Reconciler, agent: str, prompt: str, *, on_line: Callable[[str], None]
) -> Run:
    """Start `agent` on the commit that is checked out, and return its run at once.

    It goes on by itself; the next command, or a daemon, takes its result in.

    Raises:
        NotFound: there is no such agent, or no commit.
        Usage: the prompt is empty.
        InvalidData: the settings are wrong.
        NotTrusted: the plan was not allowed at this machine.
        Conflict: no branch is checked out, or the machine has had no room for long.
    """
    deps = reconciler.deps
    if not prompt.strip():
        raise Usage("The prompt is empty.", hint=f'gitcmat run direct {agent} "…"')
    repair(deps)
    wants = reconciler(start=False).wants
    if wants is None:
        raise NotFound("There are no settings to read.", hint="gitcmat init")
    _intent(deps, wants, agent)  # nobody waits for room, to be told then that it may not start
    while (short := room.shortage(deps)) is not None:
        room.wait(deps, agent, short, pause=time.sleep, say=on_line)
    claim, run = _record(reconciler, Task(prompt=prompt, agent=agent), agent)
    claims.start(claim)
    return run


def _intent(deps: Deps, wants: Wants, agent: str) -> Intent:
    """The settings of the branch that is checked out, if they have `agent` and may start it."""
    intent = gating.usable(gating.here(wants))
    check_names({"agent": agent}, intent)
    deps.trust.require(wants.plans[intent.ref])
    return intent


def _record(reconciler: Reconciler, task: Task, agent: str) -> tuple[Claim, Run]:
    deps = reconciler.deps
    run_id = ids.run_id()

    def decide(change: Change, workspace: Path) -> Decided:
        # Inside the change: what is checked out, wanted and trusted may have moved since.
        wants = reconciler.intake.wants(change.facts)
        intent = _intent(deps, wants, agent)
        base = Git(deps.repo.git_dir).rev("HEAD")
        if base is None:
            raise NotFound("There is no commit to start from.", hint="git commit")
        found = intent.agents[agent]
        left = budget.left(found.profile.budget, Total())
        job = Job(
            kind=JobKind.WORK,
            run=run_id,
            task="",
            title=task.name,
            attempt=1,
            base=base,
            start=base,
            agent=claims.job_agent(
                found.profile, intent.config, task, box_for(deps, found.profile)
            ),
            gates=(),
            paths=(),
            agents=tuple(intent.agents),
            usd=left.usd,
            tokens=left.tokens,
            workspace=str(workspace),
            **claims.common(deps, intent.config, run_id),
        )
        return Decided(
            job=job,
            plan=wants.plans[intent.ref].digest,
            note=f"runs {agent}",
            prompt=prompts.build_direct(run_id, task, system=found.system),
        )

    return alone.record(deps, f"direct {run_id}", decide)
