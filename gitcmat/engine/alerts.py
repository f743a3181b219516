"""What a person is told unasked: a question for them, a result to review, a failure."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.notify import Notifier
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry
from gitcmat.model.state import State
from gitcmat.store.facts import Facts

if TYPE_CHECKING:
    from datetime import datetime

SCHEMA: Final = 1
_LONGEST: Final = 200


class AlertKind(StrEnum):
    """Why a person is wanted."""

    QUESTION = "question"
    REVIEW = "review"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One thing that a person should know of; this is what their program is given, too."""

    event: AlertKind
    task: str
    title: str
    what: str
    """The question, or why it is there."""
    next: str
    """What to type."""
    blocker: str | None = None
    run: str | None = None

    def plain(self, deps: Deps) -> dict[str, Any]:
        """Return it as plain data for a program of the person's."""
        at = f"{deps.clock.now():%Y-%m-%dT%H:%M:%SZ}"
        return {"schema": SCHEMA, **asdict(self), "at": at, "repository": str(deps.repo.root)}


class Alerts:
    """Tells what is new since it was last asked; what was there at the start is known."""

    def __init__(
        self, deps: Deps, say: Callable[[str], None], ring: Callable[[], None] = lambda: None
    ) -> None:
        """`say` is given whole lines, `ring` is called for each alert."""
        self._deps = deps
        self._say = say
        self._ring = ring
        self._notifier = Notifier(deps, say)
        self._tip: str | None = None
        self._asked: set[str] = set()
        self._review: set[tuple[str, datetime]] = set()
        self._failed: set[str] = set()

    def start(self, facts: Facts) -> None:
        """Take what is there now as known."""
        self._remember(facts)

    def tell(self, facts: Facts) -> list[Alert]:
        """Tell of everything that is new in the records; return it."""
        found = self._new(facts) if facts.tip != self._tip else []
        for alert in found:
            if alert.event is AlertKind.QUESTION:  # the others are moves, which are said anyway
                self._say(f"{alert.task} asks: {_short(alert.what)}  ({alert.next})")
            self._ring()
            self._notifier.send(alert.plain(self._deps))
        return found

    def close(self) -> None:
        """Wait, not for long, until the person's program has been told everything."""
        self._notifier.close()

    def _new(self, facts: Facts) -> list[Alert]:
        blockers = facts.blockers()
        review = facts.entries(State.REVIEW)
        failed = _failures(facts)
        fresh = [_asked(b, facts.entry(b.task)) for b in blockers if b.id not in self._asked]
        fresh += [_review(e) for e in review if (e.id, e.since) not in self._review]
        ended = [facts.entry(entry_id) for entry_id in sorted(failed - self._failed)]
        fresh += [_failed(entry) for entry in ended if entry is not None]
        self._remember(facts)
        return fresh

    def _remember(self, facts: Facts) -> None:
        self._asked = {b.id for b in facts.blockers()}
        self._review = {(e.id, e.since) for e in facts.entries(State.REVIEW)}
        self._failed = _failures(facts)
        self._tip = facts.tip


def _failures(facts: Facts) -> set[str]:
    return {entry_id for entry_id, state in facts.states().items() if state is State.FAILED}


def _asked(blocker: Blocker, entry: Entry | None) -> Alert:
    return Alert(
        event=AlertKind.QUESTION,
        task=blocker.task,
        title=entry.task.name if entry else "",
        what=blocker.question,
        next=f'gitcmat blocker answer {blocker.id} "…"',
        blocker=blocker.id,
        run=blocker.run,
    )


def _review(entry: Entry) -> Alert:
    said = (entry.reason, str(entry.verdict or ""), *entry.marks)
    return Alert(
        event=AlertKind.REVIEW,
        task=entry.id,
        title=entry.task.name,
        what="; ".join(dict.fromkeys(text for text in said if text)),
        next=f"gitcmat review show {entry.id}",
        run=entry.run,
    )


def _failed(entry: Entry) -> Alert:
    return Alert(
        event=AlertKind.FAILED,
        task=entry.id,
        title=entry.task.name,
        what=entry.reason,
        next=f"gitcmat task show {entry.id}",
        run=entry.run,
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
