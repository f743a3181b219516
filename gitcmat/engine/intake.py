"""Gathers what people want and what is so, for the pure decisions of `gitcmat.model.schedule`."""

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gitcmat.engine import branches
from gitcmat.engine.deps import Deps
from gitcmat.errors import NotFound
from gitcmat.model import schedule
from gitcmat.model.agent import AgentProfile
from gitcmat.model.entry import Entry, Source
from gitcmat.model.intent import Intent, TaskFile, sole
from gitcmat.model.problem import Problem
from gitcmat.model.schedule import Wanted, World
from gitcmat.model.settings import Config, TaskTrust
from gitcmat.model.state import OPEN, State
from gitcmat.model.trust import Plan
from gitcmat.store import accounts, layout
from gitcmat.store.facts import Facts
from gitcmat.store.fetching import fetched
from gitcmat.store.intent import IntentReader
from gitcmat.store.layout import Kind
from gitcmat.store.ledger import How
from gitcmat.store.provenance import made_here
from gitcmat.store.sources import Sources, sources
from gitcmat.store.trust import read_plan

if TYPE_CHECKING:
    from gitcmat.model.task import Task


@dataclass(frozen=True, slots=True, kw_only=True)
class Wants:
    """What people want in this tick: intents by source ref, ready for decisions and for claims."""

    sources: Sources
    intents: Mapping[str, Intent]
    """Full ref → what its tip says."""
    plan_intent: schedule.Intent
    plans: Mapping[str, Plan] = field(default_factory=dict)
    """Full ref → what gitcmat may start there."""
    trusted: frozenset[str] = frozenset()
    """Full refs whose plan this person trusts."""
    problems: tuple[Problem, ...] = ()

    def intent(self, entry: Entry) -> Intent | None:
        """What holds for an entry: the tip of its source, or of its target where it has no
        source.
        """
        return self.intents.get(entry.source.ref if entry.source else entry.target)

    def config(self, entry: Entry) -> Config:
        """The repository's settings for an entry; defaults where its source is gone."""
        found = self.intent(entry)
        return found.config if found else Config()

    def may_start(self, entry: Entry) -> bool:
        """Whether the plan that the entry would run under is trusted."""
        found = self.intent(entry)
        return found is not None and found.settings_from is not None and found.ref in self.trusted

    def digest(self, entry: Entry) -> str:
        """The digest of the plan that holds for an entry."""
        found = self.intent(entry)
        return self.plans[found.ref].digest if found else ""

    def agents(self, entry: Entry) -> tuple[str, ...]:
        """The names of all agents that there are for an entry."""
        found = self.intent(entry)
        return tuple(found.agents) if found else ()

    def gates(self, entry: Entry) -> tuple[str, ...]:
        """The names of the gates that judge an entry: its own, the defaults, or all."""
        config = self.config(entry)
        if entry.task.gates is not None:
            return entry.task.gates
        if config.defaults.gates is not None:
            return config.defaults.gates
        return tuple(config.gates)

    def agent(self, entry: Entry) -> tuple[AgentProfile, str]:
        """The profile and system prompt of the agent that works on an entry.

        Raises `NotFound`, also for a gate that does not exist: such an entry cannot start.
        """
        found = self.intent(entry)
        if found is None:
            raise NotFound(
                f"The source of {entry.id} is gone.", hint=f"gitcmat task show {entry.id}"
            )
        name = entry.task.agent or found.config.defaults.agent
        name = name or sole(found.agents)
        if name is None:
            raise NotFound(
                f"{entry.id} names no agent.",
                hint="agent: in the task, or defaults: agent: in .cmat/config.yaml",
            )
        if name not in found.agents:
            raise NotFound(
                f"{entry.id} wants the agent {name!r}, which does not exist.",
                hint=f"write .cmat/agents/{name}.md and commit it",
            )
        missing = [g for g in self.gates(entry) if g not in found.config.gates]
        if missing:
            raise NotFound(
                f"{entry.id} wants the gate {missing[0]!r}, which does not exist.",
                hint="gates: in .cmat/config.yaml",
            )
        agent = found.agents[name]
        return agent.profile, agent.system


_MEND: Final = "gitcmat doctor --fix"


class Intake:
    """Gathers, and remembers between ticks what did not change."""

    def __init__(self, deps: Deps, *, remember: bool = True) -> None:
        """`remember` is False for commands that only read: they add nothing to the ledger."""
        self._deps = deps
        self._remember = remember
        self._reader = IntentReader(deps.repo, deps.git, remember=remember)
        self._parsed: dict[str, Task | Problem] = {}
        self._plans: dict[str, Plan] = {}
        self._denied: dict[tuple[str, str], tuple[tuple[str, str], ...]] = {}
        """Pairs that were not made here, with the tips at which that was found out."""
        self._contained: dict[tuple[str, str], bool] = {}
        self._intents: dict[tuple[str, str], Intent] = {}
        self._prefix = "cmat"

    def wants(self, facts: Facts) -> Wants:
        """Read the tips of all sources; parse only task files that the entries do not know yet."""
        deps = self._deps
        entries = {e.id: e for e in facts.entries(*OPEN)}
        states = facts.states()
        refs = {e.source.ref if e.source else e.target for e in entries.values()}
        made = {e.branch for e in entries.values() if e.branch}
        found, intents = self._look(refs, made)
        if found.new is not None and intents[found.new].config.branch.prefix != self._prefix:
            # What the settings call a branch for review may be the very one that was looked at.
            self._prefix = intents[found.new].config.branch.prefix
            found, intents = self._look(refs, made)
        problems = [
            Problem(path, 1, f"set aside, as it cannot be read: {damaged.why}", _MEND)
            for path, damaged in facts.set_aside().items()
        ]
        deps.ledger.has("", "")
        if deps.ledger.problem:
            hint = "move that file away, then: gitcmat task approve --all"
            problems.append(Problem(str(deps.ledger.path), 1, deps.ledger.problem, hint))
        files: dict[str, dict[str, Wanted]] = {}
        for ref, intent in intents.items():
            problems += intent.problems
            if any(problem.path == layout.CMAT for problem in intent.problems):
                continue  # a .cmat that is no folder says nothing: it withdraws nothing either
            files[ref] = self._files(intent, entries, states, problems, new=ref == found.new)
        plans = {ref: self._plan(intent) for ref, intent in intents.items()}
        wants = Wants(
            sources=found,
            intents=intents,
            plan_intent=schedule.Intent(new_from=found.new, files=files),
            plans=plans,
            trusted=frozenset(ref for ref, p in plans.items() if deps.trust.trusted(p)),
            problems=tuple(dict.fromkeys(problems)),
        )
        self._forget(wants)
        return wants

    def _look(
        self, refs: Collection[str], ours: Collection[str]
    ) -> tuple[Sources, dict[str, Intent]]:
        deps = self._deps
        found = sources(deps.repo, deps.git, refs, deps.settings, prefix=self._prefix, ours=ours)
        old, self._intents = self._intents, {}
        for ref, commit in found.tips.items():
            known = old.get((ref, commit))
            self._intents[ref, commit] = known or self._reader.read(ref, commit)
        return found, {ref: intent for (ref, _), intent in self._intents.items()}

    def _forget(self, wants: Wants) -> None:
        """Drop what no tip has any more: a daemon lives for months."""
        tips = set(wants.sources.tips.values())
        blobs = {f.blob for intent in wants.intents.values() for f in intent.tasks.values()}
        self._plans = {c: p for c, p in self._plans.items() if c in tips}
        self._parsed = {b: t for b, t in self._parsed.items() if b in blobs}
        self._denied = {p: t for p, t in self._denied.items() if p[1] in blobs}
        self._contained = {k: v for k, v in self._contained.items() if k[0] in tips}

    def world(
        self, facts: Facts, wants: Wants, entries: Iterable[Entry], now: datetime, *, free: int
    ) -> World:
        """Say what is so, for decisions on `entries`: all open ones, as a change has them."""
        held = {e.id: e for e in entries}
        states = facts.states()
        damaged = [d for d in facts.set_aside().values() if d.kind is Kind.QUEUE]
        for need in {n for e in held.values() for n in e.task.needs}:
            found = held.get(need) or facts.entry(need)
            if found is not None:
                held[need] = found
        return World(
            now=now,
            entries=held,
            # What cannot be read is there all the same: it must not be taken in anew.
            known=frozenset(states) | frozenset(held) | {d.id for d in damaged},
            allowed=self._allowed(wants, held),
            landed=frozenset(self._landed(wants, held)),
            broken=dict(_broken(wants, held)),
            limited=_limited(wants, held, now),
            free=free,
        )

    def _files(
        self,
        intent: Intent,
        entries: Mapping[str, Entry],
        states: Mapping[str, State],
        problems: list[Problem],
        *,
        new: bool,
    ) -> dict[str, Wanted]:
        unread: list[TaskFile] = []
        for file in intent.tasks.values():
            entry = entries.get(file.id)
            own = entry is not None and entry.source is not None and entry.source.ref == intent.ref
            fresh = new and file.id not in states
            changed = own and entry is not None and entry.source and entry.source.blob != file.blob
            if (fresh or changed) and file.blob not in self._parsed:
                unread.append(file)
        for task_id, read in self._reader.tasks(unread).items():
            self._parsed[intent.tasks[task_id].blob] = read
        found: dict[str, Wanted] = {}
        for file in intent.tasks.values():
            read_task = self._parsed.get(file.blob)
            source = Source(ref=intent.ref, commit=intent.commit, path=file.path, blob=file.blob)
            if isinstance(read_task, Problem):
                problems.append(read_task)
                found[file.id] = Wanted(id=file.id, source=source, broken=str(read_task))
            else:
                found[file.id] = Wanted(id=file.id, source=source, task=read_task)
        return found

    def _allowed(self, wants: Wants, entries: Mapping[str, Entry]) -> frozenset[tuple[str, str]]:
        """Which pairs of id and approval may run; what was made here enters the ledger now."""
        deps = self._deps
        pairs = {(e.id, e.source.blob): e.source for e in entries.values() if e.source}
        for files in wants.plan_intent.files.values():
            pairs |= {(w.id, w.source.blob): w.source for w in files.values() if w.task is not None}
        branch = self._branch_of_tasks()
        allowed = {p for p, source in pairs.items() if branch and source.ref == branch}
        asked = {(e.id, e.approval): e.issue for e in entries.values() if e.issue}
        # Whoever may write to that branch may run tasks: so may their word in a comment.
        allowed |= {p for p, link in asked.items() if branch and link.approved == link.approval}
        allowed |= deps.ledger.among({*pairs, *asked})
        tips = tuple(sorted(wants.sources.tips.items()))
        unsure = {p for p in pairs if p not in allowed and self._denied.get(p) != tips}
        if unsure:
            here = made_here(deps.repo, deps.git, {blob for _, blob in unsure})
            ours = {p for p in unsure if p[1] in here}
            if self._remember:
                deps.ledger.add_all(sorted(ours), How.COMMITTED, deps.clock.now())
            self._denied |= dict.fromkeys(unsure - ours, tips)
            allowed |= ours
        return frozenset(allowed)

    def _branch_of_tasks(self) -> str:
        """The full ref on which the person allows every task; empty for none."""
        settings = self._deps.settings
        pinned = (settings.trust_branch or "").removeprefix("refs/heads/")
        return f"refs/heads/{pinned}" if settings.tasks is TaskTrust.BRANCH else ""

    def _landed(self, wants: Wants, entries: Mapping[str, Entry]) -> Iterable[tuple[str, str]]:
        """(target, need) pairs that are met."""
        for entry in entries.values():
            for need in entry.task.needs:
                found = entries.get(need)
                if found is None or found.state is not State.DONE or found.landing is None:
                    continue
                commit = found.landing.commit
                if commit is None or self._contains(wants, entry.target, commit):
                    yield entry.target, need

    def _contains(self, wants: Wants, target: str, commit: str) -> bool:
        """Whether a landing is on its target still: a person may have rewound it."""
        tip = wants.sources.tips.get(target) or self._deps.git.ref(target) or ""
        if self._holds(tip, commit):
            return True
        there = fetched(self._deps.git, target)
        return bool(there and tip) and self._holds(there or "", tip, commit)

    def _holds(self, tip: str, *commits: str) -> bool:
        return all(self._holds_one(tip, commit) for commit in commits)

    def _holds_one(self, tip: str, commit: str) -> bool:
        if (tip, commit) not in self._contained:
            self._contained[tip, commit] = bool(tip) and branches.contains(
                self._deps.git, tip, commit
            )
        return self._contained[tip, commit]

    def _plan(self, intent: Intent) -> Plan:
        # The plan names files outside of .cmat/ too, so equal trees of .cmat/ are not enough.
        if intent.commit not in self._plans:
            self._plans[intent.commit] = read_plan(self._deps.git, intent)
        return self._plans[intent.commit]


def _limited(wants: Wants, entries: Mapping[str, Entry], now: datetime) -> dict[str, datetime]:
    """Which pending entries would work under an account whose usage limit holds, until when."""
    limits = accounts.limits(now)
    found: dict[str, datetime] = {}
    for entry in entries.values() if limits else ():
        if entry.state is State.PENDING:
            with contextlib.suppress(NotFound):
                account = wants.agent(entry)[0].limited_as
                if account in limits:
                    found[entry.id] = limits[account].until
    return found


def _broken(wants: Wants, entries: Mapping[str, Entry]) -> Iterator[tuple[str, str]]:
    """Pair each entry whose file at the tip of its source does not parse with why."""
    for ref, files in wants.plan_intent.files.items():
        for wanted in files.values():
            entry = entries.get(wanted.id) if wanted.broken else None
            if entry is not None and entry.source is not None and entry.source.ref == ref:
                yield wanted.id, wanted.broken
