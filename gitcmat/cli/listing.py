"""What `queue list` shows; it starts without click and decodes no record (see `cli.quick`)."""

from typing import Any, Final

from gitcmat.cli import past
from gitcmat.cli.shown import ENTRY_HEAD, entry_row, plain_room, runtime, with_progress
from gitcmat.cli.state import State as CliState
from gitcmat.engine.room_note import noted
from gitcmat.model.state import State

ROWS: Final = 50
"""How many entries are shown when nobody says how many."""


def show(
    state: CliState, *, which: str | None = None, limit: int = ROWS, at: str | None = None
) -> None:
    """List the open entries, or those in the state `which` (``all``: every one)."""
    facts = past.facts(state, at)
    states = {None: tuple(s for s in State if not s.finished), "all": tuple(State)}
    chosen = states.get(which) or (State(which or ""),)
    far = facts.progress()
    found = [with_progress(e, far) for e in facts.plain_entries(*chosen, limit=limit)]
    left = facts.count(*chosen) - len(found)
    held = noted(state.app.deps.repo) if at is None else None
    lines = past.lines(facts.point)
    lines += state.out.table(ENTRY_HEAD, (entry_row(e, held=held) for e in found))
    if not found:
        lines[-1] = "nothing"
    if left:
        lines.append(f"and {left} more (--limit {len(found) + left})")
    data: dict[str, Any] = {"left_out": left, "no_room": plain_room(held)}
    if state.as_json:
        now = state.app.deps.clock.now()
        runs = {e["id"]: facts.run(e["run"]) if e["run"] else None for e in found}
        data["entries"] = [e | {"runtime_seconds": runtime(runs[e["id"]], now)} for e in found]
    state.out.show(data | past.plain(facts.point), lines)
