"""What is written down of a landing, also of one that was killed before it could."""

from gitcmat.engine import branches, restores
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Landed
from gitcmat.model.state import State
from gitcmat.store import landing_journal, landing_repair
from gitcmat.store.landing_journal import Journal


def repair(deps: Deps) -> str:
    """Finish or undo a landing or restore that was killed; one look at a file for each.

    Every command that writes calls it first. Returns a line for people, empty where nothing was.
    """
    if restored := restores.repair(deps):
        return restored
    if not landing_journal.needs_repair(deps.repo):
        return ""
    journal = landing_repair.repair(deps.repo, deps.git)
    if journal is None:
        return "put back what a landing that was broken off had begun"
    record(deps, journal)
    return f"finished the landing of {journal.note.get('task', journal.target)}"


def record(deps: Deps, journal: Journal) -> None:
    """Record a landing that has happened, once, and forget its journal."""
    close(deps, journal.note["task"], of_journal(deps, journal))
    landing_journal.remove(deps.repo, journal)


def of_journal(deps: Deps, journal: Journal) -> Landing:
    """What is recorded of the landing that a journal tells of."""
    note = journal.note
    return Landing(
        commit=journal.new,
        target=journal.target,
        how=note["how"],
        at=deps.clock.now(),
        by=note["by"],
        override=note["override"],
    )


def close(deps: Deps, entry_id: str, landing: Landing) -> Entry | None:
    """Close an entry in review as landed; one that is closed already is left alone."""
    after = After()
    with deps.store.change(f"land {entry_id}", by=deps.actor) as change:
        entry = change.find(entry_id)
        if entry is not None and entry.state is State.REVIEW:
            event = Landed(landing=landing)
            entry = happen(change, entry_id, event, deps.clock.now(), after)
    drop_branches(deps, after)
    return entry


def drop_branches(deps: Deps, after: After) -> None:
    """Delete the branches of what has landed, unless they are in use."""
    for done in after.drop:
        branches.drop(deps, done)
