"""Claims: an entry becomes active, with everything its run needs decided and written down before
anything starts.
"""

import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gitcmat.engine import branches, prompts
from gitcmat.engine.boxes import box_for
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Wants
from gitcmat.engine.own_program import PROGRAM
from gitcmat.engine.runfolder import LOCK_FD, Prompts, RunFolder
from gitcmat.errors import NotFound
from gitcmat.model import landing
from gitcmat.model.agent import AgentProfile
from gitcmat.model.budget import Left
from gitcmat.model.entry import Entry
from gitcmat.model.events import Claimed
from gitcmat.model.job import Answer, Job, JobAgent, JobGate, JobKind
from gitcmat.model.machine import size
from gitcmat.model.run import Run
from gitcmat.model.sandbox import NO_BOX, Box
from gitcmat.model.settings import Config
from gitcmat.model.task import Task, seconds
from gitcmat.model.usage import Session
from gitcmat.store import refs
from gitcmat.store.slots import default_root, slot_folder
from gitcmat.store.state import Change
from gitcmat.system import ids, proc
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import FileLock, is_locked


@dataclass(frozen=True, slots=True)
class Claim:
    """A run that is recorded and may be started."""

    folder: RunFolder
    lock: FileLock
    job: Job


def claim(
    deps: Deps,
    change: Change,
    entry: Entry,
    wants: Wants,
    used: Collection[str],
    after: After,
    left: Left,
) -> Claim:
    """Decide everything about the next run of `entry`, write its folder and record it in `change`.

    `used` are the workspaces of other runs, `left` is what it may use. Raises `NotFound` when its
    agent, a gate or its target does not exist; nothing has changed then.
    """
    run_id = ids.run_id()
    profile, system = wants.agent(entry)
    box = box_for(deps, profile)
    config = wants.config(entry)
    base, start = starting_point(deps, entry)
    workspace = _workspace(deps, entry, used)
    gates = wants.gates(entry)
    started = happen(
        change,
        entry.id,
        Claimed(run=run_id, base=base, workspace=workspace.name),
        deps.clock.now(),
        after,
    )
    if entry.branch and start not in (entry.head, base):
        # A person committed on the branch: the result will stand on that, and may move it from
        # there.
        started = replace(started, branch_head=start)
        change.put(started)
    last = _last(change, entry, profile, workspace)
    job = Job(
        kind=JobKind.WORK,
        run=run_id,
        task=entry.id,
        title=landing.commit_title(entry),
        session=last.session if last is not None else Session(),
        answers=tuple(Answer(question=n.question, text=n.text) for n in entry.notes if n.question),
        attempt=started.attempt,
        base=base,
        start=start,
        agent=job_agent(profile, config, entry.task, box),
        gates=job_gates(config, gates),
        paths=entry.task.paths,
        agents=wants.agents(entry),
        workspace=str(workspace),
        usd=left.usd,
        tokens=left.tokens,
        **common(deps, config, run_id),
    )
    told = Prompts(
        whole=prompts.build(started, system=system, gates=gates),
        more=prompts.build_more(started, last.started) if last is not None else "",
    )
    made = prepare(deps, job, told)
    now = deps.clock.now()
    change.put(
        Run(
            id=run_id,
            task=entry.id,
            attempt=started.attempt,
            agent=profile.name,
            node=deps.store.node,
            base=base,
            start=start,
            ref=job.run_ref,
            workspace=workspace.name,
            plan=wants.digest(entry),
            account=profile.limited_as,
            sandbox=box.text,
            started=now,
        ),
        f"{run_id}: claimed",
    )
    return made


def prepare(deps: Deps, job: Job, told: Prompts) -> Claim:
    """Make the folder of a run, hold its lock, and keep its start alive by its ref."""
    folder = RunFolder(deps.runs / job.run)
    folder.create(job, told)
    made = Claim(folder, FileLock(folder.lock).acquire(timeout=10), job)
    try:
        deps.git.update_ref(job.run_ref, job.start, None, why=f"gitcmat: start of {job.run}")
    except BaseException:
        abandon(deps, made)
        raise
    return made


def abandon(deps: Deps, claim: Claim) -> None:
    """Undo what `prepare` made, for a claim that could not be recorded."""
    claim.lock.release()
    deps.git.delete_ref(claim.job.run_ref, claim.job.start)
    remove_tree(claim.folder.path)


def undo(deps: Deps, change: Change, run: str) -> None:
    """Undo a claim of somebody who was killed between writing and recording it, if it is one.

    Nothing of such a run was started, as that comes after the record and leaves a log. Claims
    under way are safe: they are made under the lock of the change.
    """
    folder = RunFolder(deps.runs / run)
    begun = folder.runner_log.exists() or folder.log.exists() or is_locked(folder.lock)
    if begun or not folder.path.is_dir() or change.run(run) is not None:
        return
    ref = refs.run_ref(run)
    if (at := deps.git.ref(ref)) is not None:
        deps.git.delete_ref(ref, at)
    remove_tree(folder.path)


def sweep(deps: Deps) -> None:
    """Undo claims of somebody who was killed between writing and recording them."""
    with deps.store.change("sweep", by=deps.daemon) as change:
        for path in deps.runs.glob("r-" + 8 * "[a-z2-7]"):
            undo(deps, change, path.name)


def start(claim: Claim) -> None:
    """Start the runner: a process of its own that outlives this one."""
    argv = [*PROGRAM, "run", "exec", str(claim.folder.path)]
    fd = claim.lock.fd
    env = {**os.environ, LOCK_FD: str(fd)}
    try:
        proc.spawn_detached(
            argv,
            cwd=claim.folder.path,
            env=env,
            pass_fds=(fd,),
            log=claim.folder.runner_log,
        )
    finally:
        claim.lock.hand_over()


def starting_point(deps: Deps, entry: Entry) -> tuple[str, str]:
    """Return (base, start) of the next run: a first run starts at the target's tip, a further one
    where the work is.

    Raises `NotFound` when the target is gone.
    """
    if entry.head and entry.base and deps.git.ok("cat-file", "-e", f"{entry.head}^{{commit}}"):
        work = branches.tip(deps.git, entry)
        if work.commit != entry.base:
            return entry.base, work.commit
    target = branches.target_tip(deps.git, entry.target)
    if target is None:
        raise NotFound(
            f"{entry.id} starts from {entry.target}, which does not exist.",
            hint=f"gitcmat queue cancel {entry.id}, or make that branch again",
        )
    return target, target


def common(deps: Deps, config: Config, run_id: str) -> dict[str, Any]:
    """What every job of this repository has, as keyword arguments of `Job`."""
    main = deps.repo.main_work_tree
    return {
        "git_dir": str(deps.repo.common_dir),
        "work_tree": str(main) if main else None,
        "object_format": deps.repo.object_format,
        "run_ref": refs.run_ref(run_id),
        "setup": config.setup.run,
        "setup_when": config.setup.when,
        "setup_timeout": seconds(config.setup.timeout),
        "keep": config.keep,
        "copy": config.copy,
        "allow_env": deps.settings.allow_env,
        "checkpoint_every": deps.settings.checkpoint_seconds,
        "memory": size(deps.settings.limits.run_memory),
        "processes": deps.settings.limits.run_processes,
        "prices": deps.settings.prices,
        "nonce": ids.token(26),
        "identity": deps.me,
    }


def job_gates(config: Config, names: Collection[str]) -> tuple[JobGate, ...]:
    """The gates of these names, as a job has them."""
    return tuple(
        JobGate(
            name=name,
            run=config.gates[name].run,
            timeout=seconds(config.gates[name].timeout),
            protect=config.gates[name].protect,
            env=config.gates[name].env,
        )
        for name in names
    )


def job_agent(profile: AgentProfile, config: Config, task: Task, box: Box = NO_BOX) -> JobAgent:
    """The agent for a task, as a job has it."""
    defaults = config.defaults
    return JobAgent(
        name=profile.name,
        runs=profile.runs,
        command=profile.argv,
        account=profile.limited_as,
        model=profile.model or "",
        tools=profile.tools,
        permissions=profile.permissions,
        env=profile.env,
        pass_env=profile.pass_env,
        timeout=seconds(task.timeout or profile.timeout or defaults.timeout),
        idle_timeout=seconds(task.idle_timeout or profile.idle_timeout or defaults.idle_timeout),
        sandbox=box,
    )


def workspaces_root(deps: Deps) -> Path:
    """The folder that holds this person's workspaces."""
    chosen = deps.settings.workspaces
    return Path(chosen).expanduser() if chosen else default_root()


def free_workspace(deps: Deps, used: Collection[str]) -> Path:
    """The first workspace that no run uses."""
    number = 1
    while True:
        folder = slot_folder(workspaces_root(deps), deps.repo, number)
        if folder.name not in used:
            return folder
        number += 1


def _last(change: Change, entry: Entry, profile: AgentProfile, workspace: Path) -> Run | None:
    """The last run of `entry` if its agent has a session there to go on with. A program keeps its
    sessions by the folder it works in, and one that is told anew begins anew.
    """
    last = change.run(entry.run) if entry.run and entry.base else None
    if last is None or not last.session.id or entry.edited_since:
        return None
    same = (last.agent, last.workspace) == (profile.name, workspace.name)
    return last if same else None


def _workspace(deps: Deps, entry: Entry, used: Collection[str]) -> Path:
    """The workspace of the last attempt if it is free: what setup and the agent left there is
    still warm.
    """
    if entry.workspace and entry.workspace not in used:
        own = free_workspace(deps, ()).parent / entry.workspace
        if own.is_dir():
            return own
    return free_workspace(deps, used)
