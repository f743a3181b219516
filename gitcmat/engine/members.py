"""Delegation as the loop sees it: members are started, answered for, and ended with their parent.

A member is a run like one that is started directly: it has a workspace and a record of its own, no
entry and no gate. It does not count against `parallel`, because its parent does, and waits for it;
nor does a pause hold it up, as it is a part of what runs.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gitcmat.engine import alone, claims, delegation, prompts, room
from gitcmat.engine.alone import Decided
from gitcmat.engine.boxes import box_for
from gitcmat.engine.claims import Claim
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import UserError
from gitcmat.model import budget
from gitcmat.model.agent import AgentProfile
from gitcmat.model.budget import Left
from gitcmat.model.delegation import AT_ONCE, Request
from gitcmat.model.intent import Intent
from gitcmat.model.job import Job, JobAgent, JobKind, Permissions
from gitcmat.model.machine import Shortage
from gitcmat.model.run import Run
from gitcmat.model.sandbox import NO_BOX
from gitcmat.model.spending import Total
from gitcmat.model.state import State
from gitcmat.model.task import Task
from gitcmat.model.usage import UNKNOWN
from gitcmat.store import accounts
from gitcmat.store.facts import Facts
from gitcmat.store.state import Change


class _Refused(UserError):
    """A member cannot be; its parent's agent is told."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A member that is not there yet."""

    parent: Run
    folder: RunFolder
    """The parent's."""
    request: Request


def claim(deps: Deps, change: Change, wants: Wants, made: list[Claim]) -> Shortage | None:
    """Claim the members that are wanted, and add them to `made`, which is what `change` has claimed
    before. Return why some have to wait, if the machine has no room.

    One that may not start is answered at once.
    """
    used = _workspaces(change, made)
    for wanted in _wanted(deps, change):
        if (short := room.shortage(deps)) is not None:
            return short
        try:
            claimed = _claim(deps, change, wants, wanted, used)
        except UserError as error:
            said = f"{error.message} {error.hint}".strip()
            about = {"agent": wanted.request.agent, "group": wanted.request.group, "error": said}
            wanted.folder.reply(wanted.request.id, about)
            continue
        made.append(claimed)
        used.add(Path(claimed.job.workspace).name)
    return None


def orphans(deps: Deps, change: Change) -> Iterator[str]:
    """Yield the members under way whose parent's agent works no more: they are to be stopped."""
    for run in change.facts.runs(only_open=True):
        if run.parent and delegation.is_over(RunFolder(deps.runs / run.parent)):
            yield run.id


def answer(deps: Deps, before: Facts) -> None:
    """Answer each request whose member is over, once; `before` are facts of a moment ago."""
    folders = [RunFolder(deps.runs / run.id) for run in before.runs(only_open=True)]
    folders = [folder for folder in folders if folder.requests.is_dir()]
    if not folders:
        return
    facts = deps.store.read()
    for folder in folders:
        for request in delegation.requests(folder):
            run = facts.run(request.run)
            over = run is not None and run.outcome is not None
            if run is not None and over and not delegation.is_answered(folder, request.id):
                folder.reply(request.id, _report(deps, request, run))


def _workspaces(change: Change, made: Collection[Claim]) -> set[str]:
    """The workspaces that are used, also by what `change` has claimed."""
    held = {e.id: e for e in change.facts.entries(State.ACTIVE)} | change.entries()
    used = {e.workspace for e in held.values() if e.state is State.ACTIVE}
    return used | alone.busy(change.facts) | {Path(each.job.workspace).name for each in made}


def _wanted(deps: Deps, change: Change) -> Iterator[_Wanted]:
    for parent in change.facts.runs(only_open=True):
        folder = RunFolder(deps.runs / parent.id)
        asked = delegation.requests(folder)
        if not asked or delegation.is_over(folder):
            continue
        records = {each.id: change.run(each.run) for each in asked}
        under_way = sum(run is not None and run.outcome is None for run in records.values())
        new = [each for each in asked if records[each.id] is None]
        new = [each for each in new if not delegation.is_answered(folder, each.id)]
        for request in new[: max(0, AT_ONCE - under_way)]:
            yield _Wanted(parent, folder, request)


def _claim(
    deps: Deps, change: Change, wants: Wants, wanted: _Wanted, used: Collection[str]
) -> Claim:
    parent, request = wanted.parent, wanted.request
    above = wanted.folder.read_job()
    intent = _intent(wants, parent)
    found = intent.agents.get(request.agent)
    if found is None:
        known = ", ".join(intent.agents)
        raise _Refused(f"There is no agent {request.agent!r}; there is: {known}.")
    task = Task(title=f"Delegated by {parent.agent}", prompt=_told(parent, request))
    agent = claims.job_agent(found.profile, intent.config, task, box_for(deps, found.profile))
    _check(deps, above, agent)
    left = _left(deps, above, wanted, found.profile)
    claims.undo(deps, change, request.run)  # of somebody who was killed before it was recorded
    if RunFolder(deps.runs / request.run).path.exists():
        raise _Refused(f"There is a folder of {request.run} already.")
    job = Job(
        kind=JobKind.WORK,
        run=request.run,
        task=above.task,
        title=request.title,
        attempt=above.attempt,
        base=request.start,
        start=request.start,
        agent=agent,
        gates=(),
        paths=above.paths,
        usd=left.usd,
        tokens=left.tokens,
        parent=parent.id,
        root=above.root or above.run,
        depth=above.depth + 1,
        agents=tuple(intent.agents),
        workspace=str(claims.free_workspace(deps, used)),
        **claims.common(deps, intent.config, request.run),
    )
    text = prompts.build_direct(job.task or job.run, task, system=found.system)
    note = f"{agent.name}, for {parent.id}"
    decided = Decided(job=job, plan=parent.plan, note=note, prompt=text, group=request.group)
    return alone.put(deps, change, decided)[0]


def _intent(wants: Wants, parent: Run) -> Intent:
    """What holds for the parent: the settings of the very plan that it was started under, which
    still is allowed.
    """
    same = [ref for ref, plan in wants.plans.items() if plan.digest == parent.plan]
    for ref in sorted(same, key=lambda ref: ref != wants.sources.new):
        intent = wants.intents[ref]
        if ref in wants.trusted and intent.settings_from is not None:
            return intent
    raise _Refused("What gitcmat may start here has changed since this run began.")


def _check(deps: Deps, above: Job, agent: JobAgent) -> None:
    """Refuse an agent that could do for its parent what that may not do itself, and one whose
    provider would only turn it away.
    """
    outer = above.agent.sandbox if above.agent is not None else NO_BOX
    allowed = above.agent.permissions if above.agent is not None else Permissions.READ
    if not allowed.cover(agent.permissions):
        raise _Refused(
            f"{agent.name} may do more than this run (permissions: {agent.permissions}; "
            f"here: {allowed})."
        )
    if not outer.holds(agent.sandbox):
        raise _Refused(
            f"{agent.name} may reach what this run may not (sandbox: {agent.sandbox.text}; "
            f"here: {outer.text}): give it a sandbox that is no wider."
        )
    limit = accounts.limits(deps.clock.now()).get(agent.account)
    if limit is not None:
        until = f"{limit.until.astimezone():%Y-%m-%d %H:%M}"
        raise _Refused(f"The account {agent.account} is on hold until {until}.")


def _left(deps: Deps, above: Job, wanted: _Wanted, profile: AgentProfile) -> Left:
    """What a member may use: what its parent may, without what that and its other members had used
    when it asked. Members that are on at once do not count for each other, so they may overdraw it.
    """
    members = UNKNOWN
    for each in delegation.requests(wanted.folder):
        members += delegation.used(deps.runs, each.run)
    usd = (wanted.request.usd or 0.0) + (members.usd or 0.0)
    tokens = (wanted.request.tokens or 0) + (members.usage.total if members.usage else 0)
    left = Left(
        usd=None if above.usd is None else max(0.0, round(above.usd - usd, 9)),
        tokens=None if above.tokens is None else max(0, above.tokens - tokens),
    ) & budget.left(profile.budget, Total())
    if left.nothing:
        raise _Refused("The budget of the run that delegates is used up.")
    return left


def _told(parent: Run, request: Request) -> str:
    """The prompt says whose words these are: not a person's."""
    about = f"{parent.task} in {parent.id}" if parent.task else parent.id
    return (
        f"The agent {parent.agent}, which works on {about}, asks you to do this part of its work. "
        f"These are its words, not a person's:\n\n{prompts.quoted(request.prompt)}"
    )


def _report(deps: Deps, request: Request, run: Run) -> dict[str, Any]:
    try:
        result = RunFolder(deps.runs / run.id).read_result()
    except (UserError, OSError):
        result = None
    changed = bool(run.head) and run.head != run.start
    return {
        "agent": run.agent,
        "group": request.group,
        "run": run.id,
        "outcome": run.outcome,
        "message": run.message,
        "questions": list(result.questions) if result is not None else [],
        "said": run.said,
        "start": run.start,
        "commit": run.head if changed else None,
        "files": [f"{change.status} {change.path}" for change in run.files],
        "take": f"git cherry-pick {run.start}..{run.head}" if changed else None,
    }
