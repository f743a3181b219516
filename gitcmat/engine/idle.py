"""Whether anything is left that can happen by itself, and what waits for whom."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Final

from gitcmat.engine.pauses import PAUSED
from gitcmat.engine.reconcile import Report
from gitcmat.engine.status import waiting
from gitcmat.model import schedule
from gitcmat.model.entry import Entry
from gitcmat.model.state import State
from gitcmat.store.facts import Facts

_SOON: Final = timedelta(minutes=10)
"""A wait that ends sooner (before another attempt, say) is no reason to call it idle."""


def is_idle(report: Report, facts: Facts) -> bool:
    """Whether nothing runs, and nothing will without a person, another branch or much time.

    `facts` are those after the step that `report` is about.
    """
    world, wants = report.world, report.wants
    active = facts.entries(State.ACTIVE, limit=1) or facts.runs(only_open=True, limit=1)
    if active or report.look_again is not None:
        return False
    if world is None or wants is None:
        return True
    if report.no_room is not None and report.no_room.limit == PAUSED:
        return True
    until = report.no_room.until if report.no_room is not None else None
    if until is not None and until - world.now > _SOON:
        return True
    stuck = report.untrusted | report.cannot_start.keys()
    later = replace(world, limited={})
    for entry in facts.entries(State.PENDING):
        then = replace(entry, not_before=None)
        if entry.id in stuck or schedule.waits_for(then, later, gone=wants.sources.gone):
            continue
        times = (entry.not_before, world.limited.get(entry.id))
        if max((t - world.now for t in times if t is not None), default=_SOON) <= _SOON:
            return False
    return True


def waits(report: Report, facts: Facts) -> Iterator[tuple[Entry, str]]:
    """Yield each unfinished entry that does not run, with what it waits for."""
    if report.world is None or report.wants is None:
        return
    opened = facts.entries(State.BACKLOG, State.PENDING, State.BLOCKED, State.REVIEW)
    reasons = {e.id: why for e, why in waiting(opened, report.world, report.wants)}
    reasons |= {i: f"{e.message} ({e.hint})" for i, e in report.cannot_start.items()}
    for entry in opened:
        if entry.state is State.REVIEW:
            yield entry, f"your review: gitcmat review show {entry.id}"
        elif entry.state is State.BLOCKED:
            asked = [b.id for b in facts.blockers(task=entry.id)]
            answer = f'gitcmat blocker answer {asked[0]} "…"' if asked else "gitcmat status"
            yield entry, f"your answer: {answer}"
        else:
            paused = report.no_room.text if report.no_room else ""
            yield entry, reasons.get(entry.id) or paused or "its turn"
