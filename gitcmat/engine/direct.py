"""An agent that is run directly: no task, no entry, no gate and no branch.

What it does comes home on the ref of its run, and stays there for a person to take or to leave.
"""

import time
from collections.abc import Callable

from gitcmat.engine import claims, gating, prompts, room
from gitcmat.engine.boxes import box_for
from gitcmat.engine.checks import busy
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.engine.landing_record import repair
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.runfolder import Prompts
from gitcmat.engine.tasks import check_names
from gitcmat.errors import NotFound, Usage
from gitcmat.model import budget
from gitcmat.model.intent import Intent
from gitcmat.model.job import Job, JobKind
from gitcmat.model.run import Run
from gitcmat.model.spending import Total
from gitcmat.model.state import State
from gitcmat.model.task import Task
from gitcmat.store.git import Git
from gitcmat.store.refs import run_ref
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
    intent = gating.usable(gating.here(wants))
    check_names({"agent": agent}, intent)
    deps.trust.require(wants.plans[intent.ref])
    task = Task(prompt=prompt, agent=agent)
    while (short := room.shortage(deps)) is not None:
        room.wait(deps, agent, short, pause=time.sleep, say=on_line)
    claim, run = _record(deps, wants, intent, task)
    claims.start(claim)
    return run


def _record(deps: Deps, wants: Wants, intent: Intent, task: Task) -> tuple[Claim, Run]:
    base = Git(deps.repo.git_dir).rev("HEAD")
    if base is None:
        raise NotFound("There is no commit to start from.", hint="git commit")
    run_id = ids.run_id()
    found = intent.agents[task.agent or ""]
    box = box_for(deps, found.profile)
    made: Claim | None = None
    try:
        with deps.store.change(f"direct {run_id}", by=deps.actor) as change:
            active = {entry.workspace for entry in change.facts.entries(State.ACTIVE)}
            workspace = claims.free_workspace(deps, active | busy(change.facts))
            run = Run(
                id=run_id,
                task="",
                attempt=1,
                agent=found.profile.name,
                node=deps.store.node,
                base=base,
                start=base,
                ref=run_ref(run_id),
                workspace=workspace.name,
                plan=wants.plans[intent.ref].digest,
                sandbox=box.text,
                started=deps.clock.now(),
            )
            left = budget.left(found.profile.budget, Total())
            job = Job(
                kind=JobKind.WORK,
                run=run_id,
                task="",
                title=task.name,
                attempt=1,
                base=base,
                start=base,
                agent=claims.job_agent(found.profile, intent.config, task, box),
                gates=(),
                paths=(),
                usd=left.usd,
                tokens=left.tokens,
                workspace=str(workspace),
                **claims.common(deps, intent.config, run_id),
            )
            text = prompts.build_direct(run_id, task, system=found.system)
            made = claims.prepare(deps, job, Prompts(whole=text))
            change.put(run, f"{run_id}: runs {run.agent}")
    except BaseException:
        if made is not None:
            claims.abandon(deps, made)
        raise
    return made, run
