"""Questions to people, and their answers."""

from dataclasses import replace

from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, answered, happen
from gitcmat.engine.seat import Seat
from gitcmat.errors import Conflict, NotFound, Usage
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.entry import Entry
from gitcmat.model.events import Answered
from gitcmat.model.lifecycle import advance
from gitcmat.model.message import Ask
from gitcmat.model.state import State
from gitcmat.store.state import Actor, Change


def answer(deps: Deps, blocker_id: str, text: str, *, through: str = "") -> tuple[Blocker, Entry]:
    """Answer a blocker; return it and its entry as they are then.

    `through` names by what somebody else speaks for the person: that is no word of their own.

    Raises `NotFound`, `Usage` for an empty answer, `Conflict` when it is no longer open or the
    answer is not one of its words.
    """
    by = deps.actor
    if through:
        by = replace(by, name=f"{by.name} ({through})")
    with deps.store.change(f"answer {blocker_id}", by=by) as change:
        return take_answer(deps, change, blocker_id, text, by, After())


def take_answer(
    deps: Deps, change: Change, blocker_id: str, text: str, by: Actor, after: After
) -> tuple[Blocker, Entry]:
    """Let an answer happen within a change, which one that is refused leaves as it was."""
    now = deps.clock.now()
    blocker = change.facts.blocker(blocker_id)
    if blocker is None:
        raise NotFound(f"There is no blocker {blocker_id!r}.", hint="gitcmat blocker list")
    if blocker.status is not BlockerStatus.OPEN:
        raise Conflict(
            f"{blocker_id} is {blocker.status}; it cannot be answered any more.",
            hint=f"gitcmat task show {blocker.task}",
        )
    if not text.strip():
        raise Usage("An answer needs some text.", hint=f'gitcmat blocker answer {blocker_id} "…"')
    others = [b for b in change.blockers(blocker.task) if b.id != blocker_id]
    event = Answered(blocker=blocker, text=text, by=by.name, more=bool(others))
    advance(change.entry(blocker.task), event, now)  # what it refuses leaves the change as it was
    done = answered(blocker, text.strip(), by.name, now)
    change.put(done, f"{blocker_id}: answered by {by.name}")
    entry = happen(change, blocker.task, event, now, after)
    if entry.state is not State.BLOCKED:
        for other in others:
            closed = replace(other, status=BlockerStatus.CLOSED, answered=now)
            change.put(closed, f"{other.id}: closed")
    return done, entry


def ask_from_run(question: str) -> None:
    """Ask a person from inside a run: leave the question in the run's inbox.

    Raises `Usage` outside of a run.
    """
    seat = Seat.here()
    if seat is None:
        raise Usage(
            "`blocker ask` without --task works only inside a run.",
            hint='gitcmat task block ID --reason "…"',
        )
    if not question.strip():
        raise Usage("A question needs some text.", hint='gitcmat blocker ask "…"')
    seat.send(Ask(question=question))
