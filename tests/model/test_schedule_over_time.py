"""Any history of ticks, people and runs: nothing that may start is forgotten, or overtaken.

The machine plays the engine with `plan`, `advance` and `startable`. What is ready is worked out
here a second time, from plain facts, and compared after every tick.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry, Landing, Source
from gitcmat.model.events import Answered, Ask, Claimed, Ended, Event, Landed, Rerun, RerunNeed
from gitcmat.model.gate import GateOutcome, GateResult
from gitcmat.model.job import Result, RunOutcome
from gitcmat.model.lifecycle import advance
from gitcmat.model.schedule import Decisions, Intent, Wanted, World, plan, startable, waits_for
from gitcmat.model.state import OPEN, State
from gitcmat.model.task import Priority, Task

MAIN: Final = "refs/heads/main"
IDS: Final = "abcde"
LIMIT: Final = 2
ROUNDS: Final = 8
"""As many as a tick of the engine has."""

KIND_WORDS: Final = ("keep", "go on", "retry")
"""Answers that let a task go on, where they are among the words of its question."""

task_ids = st.sampled_from(IDS)
texts = st.builds(
    lambda needs, priority: Task(title="t", needs=tuple(sorted(needs)), priority=priority),
    st.sets(st.sampled_from(IDS + "x"), max_size=2),
    st.sampled_from(list(Priority)),
)


class Machine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.now = datetime(2026, 11, 21, tzinfo=UTC)
        self.files: dict[str, tuple[str, Task]] = {}
        self.entries: dict[str, Entry] = {}
        self.allowed: set[tuple[str, str]] = set()
        self.asked: dict[str, Blocker] = {}
        self.count = 0
        self.here = True

    # --- what people do -------------------------------------------------------------------------

    @rule(task=task_ids, text=texts, mine=st.booleans())
    def commit_a_file(self, task: str, text: Task, mine: bool) -> None:  # noqa: FBT001 - hypothesis
        blob = self._next("blob")
        self.files[task] = (blob, text)
        if mine:
            self.allowed.add((task, blob))

    @rule(task=task_ids)
    def approve(self, task: str) -> None:
        if task in self.files:
            self.allowed.add((task, self.files[task][0]))

    @rule(task=task_ids)
    def delete_a_file(self, task: str) -> None:
        self.files.pop(task, None)

    @rule(task=task_ids, hold=st.booleans())
    def hold_or_release(self, task: str, hold: bool) -> None:  # noqa: FBT001 - hypothesis
        if task in self.entries and not self.entries[task].state.finished:
            self.entries[task] = replace(self.entries[task], hold=hold)

    @rule(task=task_ids, word=st.sampled_from(["retry it", "go on", "cancel", "keep"]))
    def answer(self, task: str, word: str) -> None:
        blocker = self.asked.get(task)
        if blocker is not None and (not blocker.options or word in blocker.options):
            del self.asked[task]
            self._happen(task, Answered(blocker=blocker, text=word, by="Ann"))

    @rule(task=task_ids)
    def rerun(self, task: str) -> None:
        if task in self.entries and self.entries[task].state.finished:
            self._happen(task, Rerun(by="Ann"))

    @rule(task=task_ids)
    def land(self, task: str) -> None:
        entry = self.entries.get(task)
        if entry is not None and entry.state is State.REVIEW:
            landing = Landing(commit=None, target=MAIN, how="squash", at=self.now, by="Ann")
            self._happen(task, Landed(landing=landing))

    @rule()
    def switch_away_and_back(self) -> None:
        self.here = not self.here

    # --- what runs and time do ------------------------------------------------------------------

    @rule(
        task=task_ids,
        outcome=st.sampled_from(
            [RunOutcome.FINISHED, RunOutcome.FAILED, RunOutcome.INTERRUPTED, RunOutcome.ASKED]
        ),
        red=st.booleans(),
    )
    def end_a_run(self, task: str, outcome: RunOutcome, red: bool) -> None:  # noqa: FBT001
        self._end(task, outcome, red=red)

    def _end(self, task: str, outcome: RunOutcome, *, red: bool) -> None:
        entry = self.entries.get(task)
        if entry is None or entry.state is not State.ACTIVE:
            return
        gate = GateResult(name="g", outcome=GateOutcome.FAILED if red else GateOutcome.PASSED)
        result = Result(
            run=entry.run or "",
            outcome=outcome,
            gates=(gate,),
            questions=("why?",),
            started=self.now,
            ended=self.now,
        )
        self._happen(task, Ended(result=result, attempts=2, backoff=10, wanted_gates=1))

    @rule(seconds=st.integers(1, 60))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    # --- the engine -----------------------------------------------------------------------------

    @rule()
    def tick(self) -> None:
        for _ in range(ROUNDS):
            decided = plan(self._intent(), self._world())
            if decided == Decisions():
                break
            for take in decided.take:
                assert take.id not in self.entries
                self.entries[take.id] = self._new(take.id, take.task, take.source, take.state)
            for one in decided.happened:
                self._happen(one.id, one.event)
        assert plan(self._intent(), self._world()) == Decisions(), "a tick leaves nothing undone"
        ready = self._ready()
        order = startable(self._world())
        assert set(order) == ready
        started = order[: max(0, self._world().free)]
        for task in started:
            self._happen(task, Claimed(run=self._next("run"), base="0", workspace="1"))
        self._nothing_is_forgotten(started)

    def _nothing_is_forgotten(self, started: tuple[str, ...]) -> None:
        left = self._ready()
        assert not left or self._world().free == 0
        for waiting in left:
            assert all(self.entries[s].rank < self.entries[waiting].rank for s in started)
        for entry in self.entries.values():
            if entry.state in (State.PENDING, State.BACKLOG) and entry.id not in left:
                assert waits_for(entry, self._world())

    @invariant()
    def never_more_than_the_limit(self) -> None:
        assert sum(e.state is State.ACTIVE for e in self.entries.values()) <= LIMIT

    @invariant()
    def blocked_means_that_a_question_is_open(self) -> None:
        blocked = {e.id for e in self.entries.values() if e.state is State.BLOCKED}
        assert blocked <= self.asked.keys()

    @precondition(lambda self: self.entries)
    @rule()
    def when_everybody_helps_all_that_can_be_done_is_done(self) -> None:
        """No starvation: with answers, approvals and landings everything without a circle ends."""
        self.here = True
        for task, (blob, _) in self.files.items():
            self.allowed.add((task, blob))
        for _ in range(12 * len(IDS)):
            self.now += timedelta(hours=1)
            for task, entry in list(self.entries.items()):
                if entry.state in OPEN:
                    self.entries[task] = replace(self.entries[task], hold=False)
            for task, blocker in list(self.asked.items()):
                self.answer(task, next((w for w in KIND_WORDS if w in blocker.options), "text"))
            self.tick()
            for task in list(self.entries):
                self._end(task, RunOutcome.FINISHED, red=False)
                self.land(task)
        for entry in self.entries.values():
            assert entry.state.finished or self._stuck(entry, ()), (entry.id, entry.state)

    def _stuck(self, entry: Entry, seen: tuple[str, ...]) -> bool:
        """Whether it waits, through others, for itself or for what does not exist."""
        for need in entry.task.needs:
            if need in seen or need == entry.id or need not in self.entries:
                return True
            other = self.entries[need]
            if not other.state.finished and self._stuck(other, (*seen, entry.id)):
                return True
        return False

    # --- the parts ------------------------------------------------------------------------------

    def _ready(self) -> set[str]:
        done = {e.id for e in self.entries.values() if e.state is State.DONE}
        return {
            e.id
            for e in self.entries.values()
            if e.state is State.PENDING
            and not e.hold
            and (e.not_before is None or e.not_before <= self.now)
            and set(e.task.needs) <= done | set(e.go_on_without)
        }

    def _intent(self) -> Intent:
        wanted = {
            task: Wanted(id=task, source=self._source(task, blob), task=text)
            for task, (blob, text) in self.files.items()
        }
        return Intent(new_from=MAIN if self.here else None, files={MAIN: wanted})

    def _world(self) -> World:
        active = sum(e.state is State.ACTIVE for e in self.entries.values())
        return World(
            now=self.now,
            entries=self.entries,
            known=frozenset(self.entries),
            allowed=self.allowed,
            landed={(MAIN, e.id) for e in self.entries.values() if e.state is State.DONE},
            free=LIMIT - active,
        )

    def _happen(self, task: str, event: Event) -> None:
        entry, effects = advance(self.entries[task], event, self.now)
        self.entries[task] = entry
        for effect in effects:
            if isinstance(effect, Ask):
                fields: dict[str, Any] = {"kind": effect.kind, "about": effect.about}
                self.asked[task] = Blocker(
                    id="b", task=task, question=effect.question, asked=self.now, **fields
                )
            elif isinstance(effect, RerunNeed) and self.entries[effect.id].state.finished:
                self._happen(effect.id, Rerun(by=task))
        if entry.state is not State.BLOCKED and entry.state is not State.ACTIVE:
            self.asked.pop(task, None)

    def _new(self, task: str, text: Task, source: Source, state: State) -> Entry:
        return Entry(
            id=task,
            state=state,
            task=text,
            source=source,
            target=MAIN,
            created=self.now,
            updated=self.now,
            since=self.now,
            priority=text.priority,
        )

    def _source(self, task: str, blob: str) -> Source:
        return Source(ref=MAIN, commit="c", path=f".cmat/tasks/{task}.yaml", blob=blob)

    def _next(self, word: str) -> str:
        self.count += 1
        return f"{word}-{self.count}"


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestScheduleOverTime = Machine.TestCase
