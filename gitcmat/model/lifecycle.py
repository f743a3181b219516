"""What becomes of an entry when something happens: one pure function.

A run that ended reports; `advance` decides. Chaining, asking, blocking and cleaning up are effects
that it returns and that the engine carries out after the new entry is recorded.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from gitcmat.errors import Conflict
from gitcmat.model import lifecycle_wishes as wishes
from gitcmat.model.blocker import BlockerKind
from gitcmat.model.entry import Entry, Note, Said
from gitcmat.model.events import (
    FILE_DELETED,
    Answered,
    Approved,
    Ask,
    Asked,
    Cancelled,
    ChecksRed,
    Claimed,
    CloseBlockers,
    DropBranch,
    Edited,
    Effect,
    Ended,
    Event,
    IssueEdited,
    Landed,
    LandingFailed,
    NeedFailed,
    Rejected,
    Rerun,
    RerunNeed,
    StopRun,
    Unapproved,
    UsedUp,
    WantedAgain,
    Withdrawn,
)
from gitcmat.model.gate import GateResult, Verdict, verdict
from gitcmat.model.job import RunOutcome
from gitcmat.model.state import FINISHED, State

MAX_INTERRUPTIONS: Final = 5
"""How often in a row a run may die before a person is asked: a machine that was switched off, not
an agent that kills.
"""


def advance(  # noqa: C901, PLR0911, PLR0912 - one case an event
    entry: Entry, event: Event, now: datetime
) -> tuple[Entry, tuple[Effect, ...]]:
    """Say what becomes of `entry`, and what must be done about it.

    Raises `Conflict`, naming what is allowed, when the event does not fit the entry's state. An
    event that does nothing returns the entry itself.
    """
    match event:
        case Edited():
            return wishes.edited(entry, event, now)
        case Withdrawn():
            return wishes.withdrawn(entry, event, now)
        case IssueEdited():
            return wishes.issue_edited(entry, event, now)
        case WantedAgain():
            return wishes.wanted_again(entry, now)
        case Approved():
            return entry.to(State.PENDING, now), ()
        case Unapproved():
            return entry.to(State.BACKLOG, now, reason="the new version waits for approval"), ()
        case Claimed():
            claimed = replace(
                entry.to(State.ACTIVE, now),
                run=event.run,
                attempt=entry.attempt + 1,
                base=event.base,
                workspace=event.workspace,
                edited_since=False,
                not_before=None,
                hold=False,
            )
            return claimed, ()
        case Ended():
            return _ended(entry, event, now)
        case Answered():
            return _answered(entry, event, now)
        case Asked():
            _only(entry, State.PENDING, State.BLOCKED, State.REVIEW, what="be blocked")
            asked = Ask(kind=BlockerKind.QUESTION, question=event.question, by=event.by)
            if entry.state is State.BLOCKED:
                return entry, (asked,)
            return entry.to(State.BLOCKED, now, reason="asked by a person"), (asked,)
        case NeedFailed():
            question = f"{entry.id} needs {event.need}, which is {event.state}. What now?"
            blocked = entry.to(State.BLOCKED, now, reason=f"{event.need} is {event.state}")
            return blocked, (Ask(kind=BlockerKind.NEED, question=question, about=event.need),)
        case UsedUp():
            return _over_budget(entry, event.text, now)
        case Rejected():
            _only(entry, State.REVIEW, what="be sent back")
            note = Note(kind=Said.REJECT, text=event.text, at=now, by=event.by)
            return _again(entry, now, note, reason=event.reason), ()
        case ChecksRed():
            _only(entry, State.REVIEW, what="be sent back by its checks")
            return _checks_red(entry, event, now)
        case LandingFailed():
            _only(entry, State.REVIEW, what="be landed")
            return _landing_failed(entry, event, now)
        case Landed():
            done = replace(entry.to(State.DONE, now), landing=event.landing)
            return done, (CloseBlockers(), DropBranch())
        case Cancelled():
            if entry.state.finished:
                raise Conflict(
                    f"{entry.id} is {entry.state}: there is nothing to cancel.",
                    hint=f"gitcmat task show {entry.id}",
                )
            reason = event.reason or f"cancelled by {event.by}"
            if entry.state is State.ACTIVE and entry.run:
                ending = replace(entry, cancelling=reason, updated=now)
                return ending, (CloseBlockers(), StopRun(run=entry.run))
            return entry.to(State.CANCELLED, now, reason=reason), (CloseBlockers(),)
        case Rerun():
            _only(entry, *FINISHED, what="be started again")
            fresh = entry.to(State.PENDING, now, reason=f"started again by {event.by}")
            talk = replace(entry.talk, held=(), handed=())
            return replace(fresh, talk=talk, **wishes.CLEARED), ()
        case _:
            assert_never(event)


def _ended(  # noqa: C901, PLR0911, PLR0912 - one case an outcome
    entry: Entry, event: Ended, now: datetime
) -> tuple[Entry, tuple[Effect, ...]]:
    result = event.result
    if entry.state is not State.ACTIVE or entry.run != result.run:
        return entry, ()
    kept = replace(
        entry,
        head=result.head or entry.head,
        tree=result.tree or entry.tree,
        gates=result.gates,
        marks=result.marks,
        checked_tree=result.tree if result.gates else "",
        verdict=verdict(result.gates),
        interruptions=entry.interruptions if result.outcome is RunOutcome.INTERRUPTED else 0,
    )
    if kept.verdict is Verdict.NO_GATES and event.wanted_gates:
        kept = replace(kept, verdict=Verdict.NOT_CHECKED)
    if entry.cancelling:
        gone = kept.to(State.CANCELLED, now, reason=entry.cancelling)
        return replace(gone, cancelling=""), (CloseBlockers(),)
    last = entry.attempt >= event.attempts
    match result.outcome:
        case RunOutcome.FINISHED:
            return _judged(kept, event, now, last=last)
        case RunOutcome.ASKED:
            asks = tuple(
                Ask(kind=BlockerKind.QUESTION, question=q, by="agent") for q in result.questions
            )
            return kept.to(State.BLOCKED, now, reason="asked a question"), asks
        case RunOutcome.UNCLEAR:
            question = f"The result of {entry.id} needs a look: {result.message}"
            blocked = kept.to(State.BLOCKED, now, reason=result.message)
            return blocked, (Ask(kind=BlockerKind.RESULT, question=question),)
        case RunOutcome.INTERRUPTED:
            return _interrupted(kept, event, now)
        case RunOutcome.LIMITED:
            again = kept.to(State.PENDING, now, reason=result.message)
            again = replace(again, attempt=max(0, entry.attempt - 1), not_before=result.until)
            return again, ()
        case RunOutcome.OVER_BUDGET:
            return _over_budget(kept, result.message, now)
        case RunOutcome.STOPPED:
            held = kept.to(State.PENDING, now, reason="stopped by a person")
            return replace(held, hold=True, attempt=max(0, entry.attempt - 1)), ()
        case (
            RunOutcome.FAILED
            | RunOutcome.CANNOT_START
            | RunOutcome.TIMED_OUT
            | RunOutcome.SILENT
            | RunOutcome.TOO_LOUD
            | RunOutcome.TOO_LARGE
            | RunOutcome.TOO_MANY
        ):
            if last:
                failed = kept.to(State.FAILED, now, reason=result.message)
                return failed, (CloseBlockers(),)
            note = Note(kind=Said.RED, text=result.message, at=now, by="gitcmat")
            return _later(kept, event, now, note, result.message), ()
        case _:
            assert_never(result.outcome)


def _interrupted(kept: Entry, event: Ended, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    """Queue it again without counting the attempt, but not for ever: something may kill it."""
    message = event.result.message or "interrupted"
    count = kept.interruptions + 1
    kept = replace(kept, attempt=max(0, kept.attempt - 1), interruptions=count)
    if count >= MAX_INTERRUPTIONS:
        question = f"The runs of {kept.id} were interrupted {count} times in a row: {message}"
        blocked = kept.to(State.BLOCKED, now, reason=message)
        return blocked, (Ask(kind=BlockerKind.RESULT, question=question),)
    wait = timedelta(seconds=event.backoff * (2 ** (count - 1) - 1))
    return replace(kept.to(State.PENDING, now, reason=message), not_before=now + wait), ()


def _over_budget(entry: Entry, why: str, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    question = f"{entry.id} {why}. Go on with as much again, or cancel?"
    blocked = entry.to(State.BLOCKED, now, reason=why)
    return blocked, (Ask(kind=BlockerKind.BUDGET, question=question),)


def _only(entry: Entry, *states: State, what: str) -> None:
    """Raise `Conflict` unless the entry is in one of `states`: a legal move is not enough."""
    if entry.state in states:
        return
    allowed = ", ".join(state for state in State if state in states)
    hint = f"gitcmat run stop {entry.run}" if entry.state is State.ACTIVE else ""
    raise Conflict(
        f"{entry.id} is {entry.state}; only what is {allowed} can {what}.",
        hint=hint or f"gitcmat task show {entry.id}",
    )


def _judged(
    kept: Entry, event: Ended, now: datetime, *, last: bool
) -> tuple[Entry, tuple[Effect, ...]]:
    if kept.verdict is not Verdict.RED:
        return kept.to(State.REVIEW, now), ()
    red = ", ".join(g.name for g in kept.gates if g.red)
    if not last:
        note = Note(kind=Said.RED, text=red_output(kept.gates), at=now, by="gitcmat")
        return _later(kept, event, now, note, f"red: {red}"), ()
    tried = "one attempt" if kept.attempt == 1 else f"{kept.attempt} attempts"
    question = f"{kept.id} is still red after {tried}: {red}. What now?"
    ask = Ask(kind=BlockerKind.GATES, question=question, detail=red_output(kept.gates))
    return kept.to(State.BLOCKED, now, reason=f"red: {red}"), (ask,)


def _checks_red(entry: Entry, event: ChecksRed, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    """Another attempt as after red gates, counted with them; then a person is asked."""
    names = ", ".join(event.names)
    reason = f"red on the forge: {names}"
    if not event.again and entry.attempt < event.attempts:
        note = Note(kind=Said.RED, text=event.text, at=now, by="gitcmat")
        notes = (*(n for n in entry.notes if n.kind is not Said.RED), note)
        again = entry.to(State.PENDING, now, reason=reason)
        return replace(again, not_before=None, notes=notes), ()
    tried = "one attempt" if entry.attempt == 1 else f"{entry.attempt} attempts"
    why = "and the agent changed nothing" if event.again else f"after {tried}"
    question = f"The pull request of {entry.id} is red {why}: {names}. What now?"
    ask = Ask(kind=BlockerKind.GATES, question=question, detail=event.text)
    return entry.to(State.BLOCKED, now, reason=reason), (ask,)


def red_output(gates: tuple[GateResult, ...]) -> str:
    """What the red gates said, for the next prompt and for people."""
    parts = [
        f"{g.name}: {g.outcome}{f' ({g.reason})' if g.reason else ''}\n{g.output}".rstrip()
        for g in gates
        if g.red
    ]
    return "\n\n".join(parts)


def _later(kept: Entry, event: Ended, now: datetime, note: Note, reason: str) -> Entry:
    """Queue another attempt after a wait that doubles with each."""
    wait = timedelta(seconds=event.backoff * 2 ** (max(kept.attempt, 1) - 1))
    again = kept.to(State.PENDING, now, reason=reason)
    notes = (*(n for n in kept.notes if n.kind is not Said.RED), note)
    return replace(again, not_before=now + wait, notes=notes)


def _again(entry: Entry, now: datetime, note: Note | None, *, reason: str) -> Entry:
    """Queue the entry because a person said something: attempts count anew."""
    again = entry.to(State.PENDING, now, reason=reason)
    notes = (*entry.notes, note) if note else entry.notes
    return replace(again, attempt=0, interruptions=0, not_before=None, notes=notes)


def _answered(entry: Entry, event: Answered, now: datetime) -> tuple[Entry, tuple[Effect, ...]]:
    blocker, text = event.blocker, event.text.strip()
    word = text.casefold().rstrip(".!")
    if blocker.kind is BlockerKind.WITHDRAWN:
        return _kept_or_not(entry, event, now, word)
    if entry.state is not State.BLOCKED:
        return entry, ()
    if word == "cancel" and "cancel" in blocker.options:
        return advance(entry, Cancelled(reason="", by=event.by), now)
    if blocker.kind is BlockerKind.NEED:
        about = blocker.about or ""
        if word == "retry it":
            again = _again(entry, now, None, reason=f"waits for {about}")
            return again, (RerunNeed(id=about),)
        if word == "go on":
            on = _again(entry, now, None, reason=f"goes on without {about}")
            return replace(on, go_on_without=(*entry.go_on_without, about)), ()
        raise _no_answer(event)
    if word == "go on" and blocker.kind is BlockerKind.BUDGET:
        on = _again(entry, now, None, reason=f"{event.by} said: go on")
        return replace(on, budgets=entry.budgets + 1), ()
    if word == "review anyway" and "review anyway" in blocker.options:
        return entry.to(State.REVIEW, now, reason=f"{event.by} said: review anyway"), ()
    if blocker.kind is BlockerKind.CONFLICT:
        entry = replace(entry, base="", head="", tree="", checked_tree="")
    if word == "retry" and "retry" in blocker.options:
        return _again(entry, now, None, reason=f"{event.by} said: retry"), ()
    said = Said.ANSWER if blocker.kind is BlockerKind.QUESTION else Said.GUIDANCE
    note = Note(kind=said, text=text, question=blocker.question, at=now, by=event.by)
    if event.more and blocker.kind is BlockerKind.QUESTION:
        return replace(entry, notes=(*entry.notes, note), updated=now), ()
    return _again(entry, now, note, reason=f"answered by {event.by}"), ()


def _kept_or_not(
    entry: Entry, event: Answered, now: datetime, word: str
) -> tuple[Entry, tuple[Effect, ...]]:
    if word == "cancel":
        gone = entry.issue.gone if entry.issue else ""
        return advance(entry, Cancelled(reason=gone or FILE_DELETED, by=event.by), now)
    if word != "keep":
        raise _no_answer(event)
    return replace(entry, withdrawn=False, without_file=True, updated=now), ()


def _no_answer(event: Answered) -> Conflict:
    said, asked = event.text.strip(), event.blocker
    options = ", ".join(asked.options)
    return Conflict(f"{said!r} is no answer to {asked.id}.", hint=f"one of: {options}")


def _landing_failed(
    entry: Entry, event: LandingFailed, now: datetime
) -> tuple[Entry, tuple[Effect, ...]]:
    if event.conflict:
        target = entry.target.removeprefix("refs/heads/")
        question = f"{entry.id} conflicts with {target}. Retry starts it over on the new tip."
        blocked = entry.to(State.BLOCKED, now, reason="conflicts with its target")
        return blocked, (Ask(kind=BlockerKind.CONFLICT, question=question, detail=event.text),)
    note = Note(kind=Said.RED, text=event.text, at=now, by="gitcmat")
    again = _again(entry, now, note, reason="red on top of its target")
    tip = event.tip or entry.branch_head
    again = replace(again, gates=event.gates, base=event.base, head=event.head, branch_head=tip)
    return again, ()
