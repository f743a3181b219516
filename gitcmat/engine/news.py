"""What the daemon says: each move of a task, and once what keeps work from starting."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.engine.reconcile import Report
from gitcmat.errors import UserError
from gitcmat.model.entry import Entry
from gitcmat.model.gate import Verdict
from gitcmat.model.machine import Shortage
from gitcmat.model.marks import one_line
from gitcmat.model.state import State
from gitcmat.store import accounts
from gitcmat.store.facts import Facts
from gitcmat.store.sources import saved_not_committed
from gitcmat.system.refusals import passes, refusal, told

if TYPE_CHECKING:
    from gitcmat.engine.forge_last import Last


class News:
    """Says what is new since it was last told; remembers what stands."""

    def __init__(self, deps: Deps, say: Callable[[str], None]) -> None:
        """`say` is given whole lines."""
        self._deps = deps
        self._say = say
        self._standing: dict[str, set[str]] = {}
        self._tip: str | None = None
        self._states: Mapping[str, State] = {}
        self._runs: dict[str, str | None] = {}
        self._no_room = ""

    def line(self, text: str) -> None:
        """Say one line, with the time of day."""
        self._say(f"{self._deps.clock.now().astimezone():%H:%M:%S} {text}")

    def start(self, facts: Facts) -> None:
        """Take what is there now as known."""
        self._remember(facts)

    def moves(self, facts: Facts) -> bool:
        """Say which tasks moved; whether anything in the records is new."""
        if facts.tip == self._tip:
            return False
        states = facts.states()
        active = {e.id: e.run for e in facts.entries(State.ACTIVE)}
        for entry_id, state in states.items():
            before = self._states.get(entry_id)
            old, new = self._runs.get(entry_id), active.get(entry_id)
            if before is state and old == new:
                continue
            entry = facts.entry(entry_id)
            if entry is None:
                continue
            if before is state is State.ACTIVE:  # a whole attempt went by between two looks
                run = facts.run(old) if old else None
                self._move(entry_id, before, State.PENDING, run.message if run else "")
                before = State.PENDING
            self._move(entry_id, before, state, _about(entry, facts))
        self._remember(facts)
        return True

    def conditions(self, report: Report) -> None:
        """Say what is in the way of work, each thing once for as long as it stands."""
        self._room(report.no_room)
        wants = report.wants
        if wants is None:
            return
        problems = [f"{p}{f' ({p.hint})' if p.hint else ''}" for p in wants.problems]
        for intent in wants.intents.values():
            if intent.settings_from is None:
                problems.append(f"{_short(intent.ref)} has no good settings yet: nothing starts")
            elif intent.settings_from != intent.commit and intent.problems:
                commit = intent.settings_from[:10]
                problems.append(f"{_short(intent.ref)}: the settings of {commit} stay in use")
        self._stands("problems", problems)
        no_new = wants.sources.why_no_new
        self._stands("sources", [f"no new tasks are taken in: {no_new}"] if no_new else [])
        self._stands("accounts", _on_hold(wants, self._deps.clock.now()))
        errors = report.cannot_start.values()
        self._stands("cannot", [f"{e.message} ({e.hint})" if e.hint else e.message for e in errors])
        digests = {
            f"{_short(ref)} ({plan.digest[:12]})"
            for ref, plan in wants.plans.items()
            if ref not in wants.trusted
        }
        untrusted = sorted(digests) if report.untrusted else []
        self._stands(
            "trust",
            [
                f"the plan of {name} is not trusted here, so nothing of it starts: gitcmat trust"
                for name in untrusted
            ],
        )

    def _room(self, shortage: Shortage | None) -> None:
        """By the limit, not by the text: its numbers are new each time."""
        limit = shortage.limit if shortage else ""
        if shortage and limit != self._no_room:
            self.line(f"nothing new is started for now: {shortage.text}")
        elif self._no_room and not limit:
            self.line("what is ready is started again")
        self._no_room = limit

    def files(self) -> None:
        """Say what is saved below ``.cmat/`` and not committed."""
        found = saved_not_committed(self._deps.repo)
        texts = (f"{f.path}: saved, not committed; not used ({f.how})" for f in found)
        self._stands("files", texts)

    def unwatched(self, reasons: Iterable[str]) -> None:
        """Say what can be looked at from time to time only."""
        self._stands("unwatched", reasons)

    def forge(self, last: "Last", again: datetime) -> None:
        """Say what a look at the forge came to; `again` is when the next one begins."""
        for text in last.lines:
            if text not in last.troubles:
                self.line(text)
        self._stands("troubles on the forge", last.troubles)
        before = self._standing.pop("forge", None)
        if last.error:
            self._standing["forge"] = {last.error}
            if before != {last.error}:
                hint = f" ({last.hint})" if last.hint else ""
                self.line(
                    f"the forge: {last.error}{hint}; the next look is at"
                    f" {again.astimezone():%H:%M:%S}"
                )
        elif before:
            self.line("the forge answers again")

    def failed(self, error: Exception, wait: float) -> None:
        """Say that a look failed, and when the next comes."""
        known = refusal(error) or error if isinstance(error, OSError) else error
        hint = f" ({known.hint})" if isinstance(known, UserError) and known.hint else ""
        text = " ".join(told(known).split())
        # A full disk is met at a different step each time, and is one and the same.
        same = hint if passes(error) else text
        if same not in self._standing.get("failed", set()):
            self.line(f"error: {text}{hint}; the next try is in {wait:.0f} s, and so on")
        self._standing["failed"] = {same}

    def recovered(self) -> None:
        """Say that a look worked again."""
        if self._standing.pop("failed", None):
            self.line("it works again")

    def _stands(self, topic: str, texts: Iterable[str]) -> None:
        now = list(dict.fromkeys(texts))
        before = self._standing.get(topic, set())
        for text in now:
            if text not in before:
                self.line(text)
        self._standing[topic] = set(now)

    def _move(self, entry_id: str, before: State | None, state: State, about: str) -> None:
        move = f"{entry_id}  {before or 'new'} → {state}"
        self.line(f"{move}  {about}" if about else move)

    def _remember(self, facts: Facts) -> None:
        self._tip = facts.tip
        self._states = facts.states()
        self._runs = {e.id: e.run for e in facts.entries(State.ACTIVE)}


def _about(entry: Entry, facts: Facts) -> str:
    match entry.state:
        case State.ACTIVE:
            run = facts.run(entry.run) if entry.run else None
            agent = f"{run.agent}, " if run else ""
            return f"{entry.run} ({agent}attempt {entry.attempt})"
        case State.REVIEW:
            return _judged(entry)
        case State.BLOCKED:
            asked = [b.id for b in facts.blockers(task=entry.id)]
            where = f"answer .cmat/blockers/{asked[0]}.yaml" if asked else ""
            return "; ".join(t for t in (entry.reason, where) if t)
        case State.DONE if entry.landing:
            commit = entry.landing.commit
            return f"landed as {commit[:10]}" if commit else "closed, there was nothing to land"
        case _:
            return entry.reason


def _judged(entry: Entry) -> str:
    passed = f"gates passed: {', '.join(g.name for g in entry.gates)}"
    judged = passed if entry.verdict is Verdict.GREEN else str(entry.verdict or "")
    said = (entry.reason, judged, *entry.marks)
    return "; ".join(dict.fromkeys(text for text in said if text))


def _on_hold(wants: Wants, now: datetime) -> Iterator[str]:
    """The accounts of agents here that their providers do not serve for now."""
    used = {a.profile.limited_as for i in wants.intents.values() for a in i.agents.values()}
    for name, limit in accounts.limits(now).items():
        if name in used:
            until = f"{limit.until.astimezone():%Y-%m-%d %H:%M:%S}"
            said = f": {one_line(limit.text)}" if limit.text else ""
            yield (
                f"the account {name} is on hold until {until}{said}; its tasks wait and go on by"
                f" themselves (now: gitcmat queue resume --account {name})"
            )


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
