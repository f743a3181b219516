"""The loop's one step: look at what is wanted and what is so, decide, record, then act.

The daemon calls it with ``start=True``; every command that writes calls it first with
``start=False``. It may be called at any time, by several processes at once, and after a crash at
any line: it reads everything anew.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from gitcmat.engine import alone, branches, budgets, claims, members, pauses, results, room, views
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Intake, Wants
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import NotFound, UserError
from gitcmat.model import schedule
from gitcmat.model.entry import Entry
from gitcmat.model.events import UsedUp
from gitcmat.model.machine import Shortage
from gitcmat.model.schedule import Decisions, Take, World
from gitcmat.model.state import OPEN, State
from gitcmat.store.facts import Facts
from gitcmat.store.state import Change
from gitcmat.system import proc

_ROUNDS = 8
"""How often one thing may lead to another within a tick (edited, then approved, then …)."""


@dataclass(slots=True, kw_only=True)
class Report:
    """What one step did, for the daemon's output and for commands."""

    started: list[str] = field(default_factory=list)
    """Runs that were started."""
    changed: list[str] = field(default_factory=list)
    """Lines about entries that moved."""
    cannot_start: dict[str, NotFound] = field(default_factory=dict)
    """Entries that are ready but whose agent, gate or target does not exist."""
    untrusted: set[str] = field(default_factory=set)
    """Entries that are ready but whose plan nobody here trusts."""
    no_room: Shortage | None = None
    """Why what is ready was not started: a pause, or the machine has too little to spare."""
    look_again: float | None = None
    """Seconds after which an edit of the view will have been left alone for long enough, or there
    may be room for what an agent has delegated.
    """
    world: World | None = None
    wants: Wants | None = None


class Reconciler:
    """Reconciles one repository; keeps nothing between calls but what saves reading."""

    def __init__(self, deps: Deps) -> None:
        self.deps = deps
        self.intake = Intake(deps)

    def __call__(
        self,
        *,
        start: bool,
        only: str | None = None,
        delegated: bool = False,
        approved: Collection[str] = (),
        on_line: Callable[[str], None] | None = None,
        launch: Callable[[claims.Claim], None] = claims.start,
    ) -> Report:
        """Do one step. `only` starts at most this one entry, whatever holds, waits and the limit of
        parallel runs say; `delegated` starts what agents delegate, as `start` does too. `launch`
        starts the runner of a claim. What starts by name, and what is queued of `approved`, is by
        the person whose command this is.
        """
        deps = self.deps
        report = Report()
        after = After()
        report.look_again = views.absorb(deps, after)
        facts = deps.store.read()
        found = results.gather(deps, facts.entries(State.ACTIVE))
        found |= alone.left_over(deps, facts)
        self._warm(facts)
        made: list[claims.Claim] = []
        try:
            with deps.store.change("reconcile", by=deps.daemon) as change:
                # Inside the lock: an older look at the tips would withdraw what was taken in since.
                wants = self.intake.wants(change.facts)
                results.take_in(deps, change, found, wants, after)
                if approved:
                    change.because_of(deps.me, *approved)
                world = self._decide(change, wants, after)
                self._publish(change, wants, world)
                if start:
                    self._claim(change, wants, world, report, after, only, made)
                if start or delegated:
                    self._claim_members(change, wants, report, made)
                after.stop += members.orphans(deps, change)
                after.stop += [e.run for e in world.entries.values() if e.cancelling and e.run]
                report.changed = list(change.notes)
        except BaseException:
            for claim in made:
                claims.abandon(deps, claim)
            raise
        report.world, report.wants = world, wants
        try:
            self._start(made, report, launch)
        finally:
            self._act(after)
        members.answer(deps, facts)
        views.write(deps, shown=self._shows(wants))
        deps.store.rest()
        proc.bury()
        for line in report.changed:
            if on_line is not None:
                on_line(line)
        return report

    def _claim_members(
        self, change: Change, wants: Wants, report: Report, made: list[claims.Claim]
    ) -> None:
        if members.claim(self.deps, change, wants, made) is not None:
            again = report.look_again
            report.look_again = room.PAUSE if again is None else min(room.PAUSE, again)

    def _warm(self, facts: Facts) -> None:
        """Look at what takes long (where tasks come from) before the lock is held."""
        wants = self.intake.wants(facts)
        self.intake.world(facts, wants, facts.entries(*OPEN), self.deps.clock.now(), free=0)

    def _start(
        self, made: list[claims.Claim], report: Report, launch: Callable[[claims.Claim], None]
    ) -> None:
        """Start what is recorded. A run that cannot be started is found dead in the next step."""
        errors: list[Exception] = []
        for claim in made:
            try:
                launch(claim)
            except (OSError, UserError) as error:  # the others' locks are ours until they start
                errors.append(error)
            else:
                report.started.append(claim.folder.path.name)
        if errors:
            raise errors[0]

    def _decide(self, change: Change, wants: Wants, after: After) -> World:
        now = self.deps.clock.now()
        for _ in range(_ROUNDS):
            world = self._world(change, wants)
            decided = schedule.plan(wants.plan_intent, world)
            if decided == Decisions():
                return world
            for take in decided.take:
                change.put(self._new(take), f"{take.id}: new, {take.state}")
            for one in decided.happened:
                happen(change, one.id, one.event, now, after)
        return self._world(change, wants)

    def _publish(self, change: Change, wants: Wants, world: World) -> None:
        """Put results that came to review on their branches, each once."""
        for entry in world.entries.values():
            changed = entry.head and entry.head != entry.base
            if entry.state is State.REVIEW and changed and entry.published != entry.head:
                prefix = wants.config(entry).branch.prefix
                change.put(branches.publish(self.deps, entry, prefix))

    def _world(self, change: Change, wants: Wants) -> World:
        entries = {e.id: e for e in change.facts.entries(*OPEN)} | change.entries()
        opened = [e for e in entries.values() if e.state in OPEN]
        active = sum(1 for e in opened if e.state is State.ACTIVE)
        free = self.deps.settings.parallel - active
        return self.intake.world(change.facts, wants, opened, self.deps.clock.now(), free=free)

    def _claim(
        self,
        change: Change,
        wants: Wants,
        world: World,
        report: Report,
        after: After,
        only: str | None,
        made: list[claims.Claim],
    ) -> None:
        used = {e.workspace for e in world.entries.values() if e.state is State.ACTIVE}
        used |= alone.busy(change.facts)
        for entry in self._ready(world, wants, only):
            if wants.intent(entry) is None:
                report.cannot_start[entry.id] = _gone(entry)
                continue
            if not wants.may_start(entry):
                report.untrusted.add(entry.id)
                continue
            if len(made) >= world.free and only is None:
                break
            report.no_room = self._no_room(change, by_name=only is not None)
            if report.no_room is not None:
                break
            try:
                left, why = budgets.left(self.deps, change, entry, wants, of_day=only is None)
                if why:
                    happen(change, entry.id, UsedUp(text=why), self.deps.clock.now(), after)
                    continue
                claim = claims.claim(self.deps, change, entry, wants, used, after, left)
            except NotFound as error:
                report.cannot_start[entry.id] = error
                continue
            if only is not None:
                change.because_of(self.deps.me, entry.id, claim.job.run)
            made.append(claim)
            used.add(change.entry(entry.id).workspace)

    def _no_room(self, change: Change, *, by_name: bool) -> Shortage | None:
        """Why nothing may start. Pauses and the budget of a day are for what starts by itself."""
        if not by_name:
            own = pauses.paused(self.deps.repo) or budgets.shortage(self.deps, change)
            if own is not None:
                return own
        return room.shortage(self.deps)

    def _ready(self, world: World, wants: Wants, only: str | None) -> list[Entry]:
        if only is not None:
            entry = world.entries.get(only)
            wanted = entry is not None and schedule.may_start_now(entry, world)
            return [entry] if entry is not None and wanted else []
        return [world.entries[i] for i in schedule.startable(world, gone=wants.sources.gone)]

    def _new(self, take: Take) -> Entry:
        now = self.deps.clock.now()
        return Entry(
            id=take.id,
            state=take.state,
            task=take.task,
            source=take.source,
            target=take.source.ref,
            created=now,
            updated=now,
            since=now,
            priority=take.task.priority,
            hold=take.task.hold,
        )

    def _shows(self, wants: Wants) -> bool:
        """Whether the settings of the branch that tasks come from want a view."""
        found = wants.intents.get(wants.sources.new or "")
        return found is None or found.config.view

    def _act(self, after: After) -> None:
        for run in after.stop:
            folder = RunFolder(self.deps.runs / run)
            if folder.path.is_dir():
                folder.request_stop()
        for entry in after.drop:
            branches.drop(self.deps, entry)


def _gone(entry: Entry) -> NotFound:
    ref = entry.source.ref if entry.source else entry.target
    return NotFound(
        f"{entry.id} comes from {ref}, which is gone.",
        hint=f"make that branch again, or: gitcmat queue cancel {entry.id}",
    )
