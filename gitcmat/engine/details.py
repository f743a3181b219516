"""Everything about one task, for questions: its record, why it waits, its runs, its history, its
next prompt.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from gitcmat.engine import costs, prompts
from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Intake
from gitcmat.engine.status import why_waiting
from gitcmat.errors import NotFound
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.marks import one_line
from gitcmat.model.names import short
from gitcmat.model.run import Run
from gitcmat.model.spending import Total
from gitcmat.model.state import OPEN, State
from gitcmat.model.subtask import Progress, Subtask, SubtaskStatus
from gitcmat.store import chronicle, layout
from gitcmat.store.facts import Facts
from gitcmat.store.git import history
from gitcmat.store.layout import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """One task, whole."""

    entry: Entry
    why: str
    """Why it does not start, empty when it may or when it is not waiting."""
    runs: tuple[Run, ...]
    blockers: tuple[Blocker, ...]
    subtasks: tuple[Subtask, ...]
    """Also closed and deleted ones."""
    progress: Progress | None
    """None when it has no subtasks."""
    used: Total
    """What all its runs used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One change of a record, from the history of the state."""

    at: str
    by: str
    what: str
    commit: str

    def plain(self) -> dict[str, str]:
        """As plain data."""
        return {"at": self.at, "by": self.by, "what": self.what, "commit": self.commit}


def details_at(deps: Deps, facts: Facts, text: str) -> Details:
    """Gather what was recorded about a task at a moment of the past.

    Raises `NotFound` when it was not there then, saying when it came.
    """
    try:
        entry_id = facts.resolve(Kind.QUEUE, text)
    except NotFound:
        later = deps.store.read().entry(text)
        if later is None:
            raise
        raise NotFound(
            f"{text} did not exist yet at {facts.point}; "
            f"it came at {later.created.astimezone():%Y-%m-%d %H:%M:%S}.",
            hint=f"gitcmat task show {text}, or a later --at",
        ) from None
    entry = facts.entry(entry_id)
    if entry is None:
        raise NotFound(f"There was no task {text!r}.", hint="gitcmat queue list --at …")
    return _details(deps, facts, entry, "")


def details(deps: Deps, text: str) -> Details:
    """Gather everything about a task, named by a unique prefix of its id.

    Raises `NotFound`; a task file that is committed but not taken in yet is found too.
    """
    facts = deps.store.read()
    intake = Intake(deps, remember=False)
    wants = intake.wants(facts)
    entry_id = _or_new(deps, text)
    entry = facts.entry(entry_id)
    if entry is None:
        raise NotFound(
            f"{entry_id} is committed but not taken in yet.",
            hint=f"gitcmat watch, or gitcmat run now {entry_id}",
        )
    world = intake.world(facts, wants, facts.entries(*OPEN), deps.clock.now(), free=0)
    why = ""
    if entry.state in (State.BACKLOG, State.PENDING):
        why = why_waiting(entry, world, wants)
    return _details(deps, facts, entry, why)


def _details(deps: Deps, facts: Facts, entry: Entry, why: str) -> Details:
    return Details(
        entry=entry,
        why=why,
        runs=tuple(facts.runs(task=entry.id)),
        blockers=tuple(facts.blockers(task=entry.id, only_open=False)),
        subtasks=tuple(facts.subtasks(entry.id)),
        progress=facts.progress().get(entry.id),
        used=costs.of_task(deps, facts, entry.id),
    )


def _or_new(deps: Deps, text: str) -> str:
    facts = deps.store.read()
    try:
        return facts.resolve(Kind.QUEUE, text)
    except NotFound:
        wants = Intake(deps, remember=False).wants(facts)
        files = wants.plan_intent.files.get(wants.sources.new or "", {})
        if text in files:
            return text
        raise


def lines(found: Details) -> Iterator[str]:
    """A task for people."""
    entry = found.entry
    yield f"{entry.id}  {entry.state}  {entry.task.name}"
    if found.why:
        yield f"  not started: {found.why}"
    elif entry.reason:
        yield f"  {entry.reason}"
    yield f"  priority {entry.priority}, agent {entry.task.agent or '(default)'}"
    if entry.source:
        source = entry.source
        yield f"  from {source.path} on {_short(source.ref)} at {short(source.commit)}"
    if entry.issue:
        yield f"  from {entry.issue} of {entry.issue.repo} by {entry.issue.who}: {entry.issue.url}"
        if entry.issue.gone:
            yield f"  {entry.issue.gone}"
        elif entry.issue.seen != entry.issue.text:
            yield "  its issue was edited since: what was done is by the text of before"
    if entry.task.needs:
        yield f"  needs {', '.join(entry.task.needs)}"
    if entry.edited_since:
        runs = entry.state is State.ACTIVE
        told = "current run started: the run goes on with what it was given"
        yield f"  edited since the {told if runs else 'last run: the next one is told anew'}"
    if entry.branch and not entry.state.finished:
        yield f"  branch {_short(entry.branch)}"
    if entry.verdict:
        gates = ", ".join(f"{g.name} {g.outcome}" for g in entry.gates)
        yield f"  {entry.verdict}{f': {gates}' if gates else ''}"
    if found.used.told:
        yield f"  cost {found.used}"
    yield from _after(found)


def _after(found: Details) -> Iterator[str]:
    """What came of a task, its prompt and its runs."""
    entry = found.entry
    for mark in entry.marks:
        yield f"  ! {mark}"
    if entry.landing:
        yield f"  {_landed(entry.landing)}"
    if entry.task.prompt:
        yield ""
        yield from (f"  | {line}" for line in entry.task.prompt.strip().splitlines())
    if found.runs:
        yield ""
        for run in found.runs:
            outcome = run.outcome or "active"
            what = f"{run.agent} for {run.parent}" if run.parent else f"attempt {run.attempt}"
            yield f"  run {run.id}  {what}  {outcome}  {run.message}".rstrip()
    if found.progress is not None:
        yield ""
        yield f"  subtasks {found.progress}"
        shown = [s for s in found.subtasks if s.status is not SubtaskStatus.DELETED]
        yield from (f"  {s.id}  {s.status:<6}  {s.title}" for s in shown)
    for blocker in found.blockers:
        yield f"  blocker {blocker.id}  {blocker.status}  {' '.join(blocker.question.split())}"


def prompt(deps: Deps, text: str) -> str:
    """Return the prompt of the next attempt, as the agent would get it."""
    facts = deps.store.read()
    entry = facts.entry(facts.resolve(Kind.QUEUE, text))
    if entry is None:
        raise NotFound(f"There is no task {text!r}.", hint="gitcmat queue list")
    wants = Intake(deps, remember=False).wants(facts)
    _, system = wants.agent(entry)
    return prompts.build(entry, system=system, gates=wants.gates(entry))


def log(deps: Deps, entry_id: str) -> list[Step]:
    """Return the history of an entry's record, the newest first."""
    tip = deps.store.tip()
    if tip is None:
        return []
    name = f"{layout.fan(entry_id)}/{entry_id}.yaml"
    spec = f":(glob){layout.CMAT}/{Kind.QUEUE}/**/{name}"
    with history(deps.git.git_dir) as repo:
        return [
            Step(
                at=datetime.fromtimestamp(c.committed_date, UTC).strftime("%Y-%m-%d %H:%M:%S"),
                by=_by(str(c.message), entry_id) or str(c.author.name),
                what=_what(str(c.message), entry_id),
                commit=c.hexsha,
            )
            for c in repo.iter_commits(tip, paths=[spec])
        ]


def _by(message: str, entry_id: str) -> str:
    """The person whose command changed an entry, where gitcmat wrote it; empty for nobody."""
    who = chronicle.causers(message).get(entry_id)
    return who.name if who else ""


def _what(message: str, entry_id: str) -> str:
    """The lines of a state commit's message that are about an entry."""
    subject, _, body = message.partition("\n\n")
    ours = (chronicle.BY, chronicle.TRAILER)
    notes = [line for line in body.splitlines() if not line.startswith(ours)]
    said = [line for line in notes if line] or [subject]
    own = [line.removeprefix(f"{entry_id}: ") for line in said if line.startswith(f"{entry_id}: ")]
    return "; ".join(own) or chronicle.done(message)


def tree(deps: Deps) -> list[tuple[int, Entry]]:
    """Return open entries as (depth, entry), each below one that needs it, roots by priority."""
    entries = {e.id: e for e in deps.store.read().entries(*OPEN)}
    needed = {n for e in entries.values() for n in e.task.needs}
    roots = [e for e in entries.values() if e.id not in needed]
    found: list[tuple[int, Entry]] = []
    seen: set[str] = set()
    # What is left after the roots stands in a circle of needs.
    for root in [*roots, *entries.values()]:
        if root.id in seen:
            continue
        trail = [(0, root)]
        while trail:
            depth, entry = trail.pop()
            found.append((depth, entry))
            if entry.id not in seen:
                seen.add(entry.id)
                inner = [entries[n] for n in reversed(entry.task.needs) if n in entries]
                trail += [(depth + 1, e) for e in inner]
    return found


def _landed(landing: Landing) -> str:
    if landing.commit is None:
        return "closed without a change"
    why = f", by an override: {one_line(landing.override)}" if landing.override else ""
    return f"landed as {short(landing.commit)} on {_short(landing.target)}{why}"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")
