"""What goes on, as one value: read from the records and the tips, writing nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gitcmat.engine import budgets, costs, forge_last, room_note
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Intake, Wants
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import NotFound
from gitcmat.model import schedule
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry
from gitcmat.model.problem import Problem
from gitcmat.model.pull import Pull
from gitcmat.model.run import GATES, Run
from gitcmat.model.sandbox import SandboxMode
from gitcmat.model.schedule import World
from gitcmat.model.spending import Total
from gitcmat.model.state import OPEN, State
from gitcmat.model.subtask import Progress
from gitcmat.store import accounts
from gitcmat.store.facts import Facts
from gitcmat.store.sources import NotCommitted, Unsaved, saved_not_committed
from gitcmat.store.view_manifest import Refusal
from gitcmat.system.locks import is_locked

ENDED: Final = "has ended"
DIED: Final = "has died"
_NEWEST: Final = 5
"""Records that are looked at for one of an agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """What the records say, now or at a moment of the past."""

    counts: Mapping[State, int]
    active: tuple[Entry, ...]
    alone: tuple[Run, ...]
    """Runs under way that belong to no entry, the oldest first: run directly or by other agents,
    or checks.
    """
    waiting: tuple[Entry, ...]
    """Pending and backlog entries."""
    sandboxes: Mapping[str, str]
    """What keeps the agents of the runs under way in, by the run's id, as their records say it."""
    blockers: tuple[Blocker, ...]
    review: tuple[Entry, ...]
    pulls: tuple[Pull, ...]
    """The pull requests of tasks that are not over."""
    finished: tuple[Entry, ...]
    """The last three that ended."""
    progress: Mapping[str, Progress]
    """How far the tasks are that have subtasks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A picture of this moment: the records, and what is computed from all the rest."""

    recorded: Recorded
    why: Mapping[str, str]
    """Why waiting entries do not start, by id; empty when only a runner is missing."""
    now: datetime
    ready: bool
    """Whether the repository has a ``.cmat/`` at all."""
    new: tuple[str, ...]
    """Committed task files that are not taken in yet."""
    unsaved: tuple[NotCommitted, ...]
    problems: tuple[Problem, ...]
    refused: tuple[Refusal, ...]
    tracked: tuple[str, ...]
    """Fact paths that a branch tracks, which are therefore not read."""
    untrusted: bool
    why_no_new: str | None
    watching: bool
    over: Mapping[str, str]
    """Of active entries whose run lives no more, and of other runs that do not, what became of it,
    by id: `ENDED` or `DIED`. The next step takes it in."""
    bare: bool
    """Whether there is no work tree, and so no file to save."""
    no_room: room_note.Held | None
    """Why nothing new starts for now, whatever is ready: what the daemon that watches noted, or
    else the budget of the day.
    """
    today: Total
    """What the runs used that started today, where the person is."""
    limits: Mapping[str, accounts.Limit]
    """Accounts that the provider does not serve for now."""
    no_sandbox: str
    """Why agents work without a sandbox here, unless their profiles say otherwise: the person's
    settings, or what the newest run found. Empty when they do not, or none has run yet.
    """

    forge: forge_last.Last | None
    """What the last look at the forge came to; None where nothing is wanted of one."""

    @property
    def next(self) -> str:
        """The command to type next; empty when there is nothing to do."""
        return _next(self)


def status(deps: Deps) -> Status:
    """Look at everything once."""
    facts = deps.reader.read()
    intake = Intake(deps, remember=False)
    wants = intake.wants(facts)
    opened = facts.entries(*OPEN)
    world = intake.world(facts, wants, opened, deps.clock.now(), free=0)
    new_from = wants.sources.new
    committed = wants.plan_intent.files.get(new_from, {}) if new_from else {}
    known = recorded(facts)
    today = costs.of_today(deps, facts)
    return Status(
        recorded=known,
        why={e.id: why for e, why in waiting(opened, world, wants)},
        now=world.now,
        ready=bool(opened or world.known or any(i.tree for i in wants.intents.values()))
        or (deps.repo.work_tree is not None and (deps.repo.work_tree / ".cmat").is_dir()),
        new=tuple(sorted(i for i, w in committed.items() if i not in world.known and not w.broken)),
        unsaved=saved_not_committed(deps.repo),
        problems=wants.problems,
        refused=deps.view.refusals(),
        tracked=deps.view.tracked(),
        untrusted=any(ref not in wants.trusted for ref in wants.intents),
        why_no_new=wants.sources.why_no_new,
        watching=is_locked(deps.repo.cmat / room_note.WATCH_LOCK),
        over=_over(deps, known),
        bare=deps.repo.work_tree is None,
        no_room=room_note.noted(deps.repo) or _day_is_over(deps, today),
        today=today,
        limits=accounts.limits(world.now),
        no_sandbox=_no_sandbox(deps, facts),
        forge=forge_last.read(deps.repo)
        if forge_last.is_wanted(deps.settings.forge, opened)
        else None,
    )


def _day_is_over(deps: Deps, used: Total) -> room_note.Held | None:
    short = budgets.day_used_up(deps, used)
    return room_note.Held(short.limit, short.text, None) if short is not None else None


def _no_sandbox(deps: Deps, facts: Facts) -> str:
    """The machine is not asked, which would take a process: the newest record knows."""
    if deps.settings.sandbox is SandboxMode.OFF:
        return "your settings say sandbox: off"
    newest = next((run for run in facts.runs(limit=_NEWEST) if run.agent != GATES), None)
    return newest.sandbox.partition(", ")[2] if newest and newest.sandbox.startswith("off") else ""


def _over(deps: Deps, known: Recorded) -> dict[str, str]:
    found = {}
    runs = {entry.id: entry.run for entry in known.active if entry.run}
    for name, run in (runs | {run.id: run.id for run in known.alone}).items():
        folder = RunFolder(deps.runs / run)
        if not is_locked(folder.lock):  # looked at first: it goes after the result
            found[name] = ENDED if folder.result.exists() else DIED
    return found


def recorded(facts: Facts) -> Recorded:
    """Look at the records alone: all that can be told of the past."""
    opened = facts.entries(*OPEN)
    runs = facts.runs(only_open=True)
    return Recorded(
        counts=facts.counts(),
        active=tuple(e for e in opened if e.state is State.ACTIVE),
        alone=tuple(run for run in reversed(runs) if run.alone),
        waiting=tuple(e for e in opened if e.state in (State.BACKLOG, State.PENDING)),
        sandboxes={run.id: run.sandbox for run in runs if run.agent != GATES},
        blockers=tuple(facts.blockers()),
        review=tuple(e for e in opened if e.state is State.REVIEW),
        pulls=tuple(e.pull for e in opened if e.pull is not None),
        finished=tuple(facts.entries(State.DONE, State.FAILED, State.CANCELLED, limit=3)),
        progress=facts.progress(),
    )


def waiting(entries: list[Entry], world: World, wants: Wants) -> list[tuple[Entry, str]]:
    """Pair backlog and pending entries with the reason why they do not start; empty when only a
    runner is missing.
    """
    waits = (State.BACKLOG, State.PENDING)
    return [(e, why_waiting(e, world, wants)) for e in entries if e.state in waits]


def why_waiting(entry: Entry, world: World, wants: Wants) -> str:
    """Say why a backlog or pending entry does not start; empty when only a runner is missing."""
    why = schedule.waits_for(entry, world, gone=wants.sources.gone)
    if why:
        return why
    found = wants.intent(entry)
    if found is not None and found.settings_from is None:
        return "the settings under .cmat/ are wrong: gitcmat lint"
    if not wants.may_start(entry):
        return "the plan is not trusted: gitcmat trust"
    try:
        wants.agent(entry)
    except NotFound as error:
        return f"{error.message} ({error.hint})"
    return ""


def _how_to_save(unsaved: tuple[NotCommitted, ...]) -> str:
    if any(one.how is Unsaved.LINK for one in unsaved):
        return "gitcmat lint"
    return f"git add {unsaved[0].path if len(unsaved) == 1 else '.cmat'}, then git commit"


def _next(status: Status) -> str:
    if not status.ready:
        return "gitcmat init"
    held = status.recorded
    if held.blockers:
        return f'gitcmat blocker answer {held.blockers[0].id} "…"'
    if held.review:
        return f"gitcmat review show {held.review[0].id}"
    if ids := [i for i, why in status.why.items() if why.startswith(schedule.FOR_APPROVAL)]:
        return f"gitcmat task approve {' '.join(ids[:3])}"
    if status.untrusted and (held.waiting or status.new):
        return "gitcmat trust"
    if status.unsaved:
        return _how_to_save(status.unsaved)
    on_hold = [i for i, why in status.why.items() if why.startswith("on hold")]
    moves = len(held.waiting) > len(on_hold) or held.active or status.new
    if moves and not status.watching:
        return "gitcmat watch"
    if on_hold and not moves:
        return f"gitcmat queue release {on_hold[0]}"
    if not any(held.counts.values()):
        return f'gitcmat {"queue" if status.bare else "task"} add "…" --agent NAME'
    return ""
