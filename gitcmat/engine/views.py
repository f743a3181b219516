"""The view as a way in and a way to see: takes edits of people in, and shows the records as they
are.
"""

from dataclasses import replace

from gitcmat.engine.blockers import take_answer
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After
from gitcmat.errors import InvalidData, UserError
from gitcmat.model.blocker import Blocker
from gitcmat.model.edits import Refused, merge_edit
from gitcmat.model.entry import Entry
from gitcmat.model.problem import Problem
from gitcmat.model.task import Priority
from gitcmat.store import records, yamlio
from gitcmat.store.state import Facts
from gitcmat.store.view import Edit, Report


def absorb(deps: Deps, after: After) -> float | None:
    """Take in what people wrote into the view; each edit is a commit of the state with them as
    author.

    An edit counts once its file has been left alone for a while, because editors save while
    people type. Returns the seconds
    after which to look again, None when there is nothing to wait for.
    """
    if not deps.repo.cmat.is_dir():
        return None
    scan = deps.view.scan(deps.clock.now().timestamp())
    waits = [1.0] if scan.waits else []
    for edit in scan.edits:
        if edit.age < deps.settings.quiet:
            waits.append(deps.settings.quiet - edit.age)
            continue
        _take_in(deps, edit, after)
    return min(waits, default=None)


def _take_in(deps: Deps, edit: Edit, after: After) -> None:
    try:
        edited = yamlio.load(edit.text, name=edit.path)
        base = yamlio.load(edit.base, name=edit.path)
    except InvalidData as error:
        problem = Problem.of(error, edit.path)
        deps.view.refuse(edit, line=problem.line, reason=problem.text)
        return
    record = _record(deps.store.read(), edit)
    if record is None:
        deps.view.refuse(edit, line=1, reason="only queue entries and blockers take edits")
        return
    current = yamlio.load(records.render(record), name=edit.path)
    state = record.state if isinstance(record, Entry) else None
    merged = merge_edit(
        edit.kind, base.data, edited.data, current.data, state=state, lines=edited.lines
    )
    if isinstance(merged, Refused):
        deps.view.refuse(edit, line=merged.line, reason=merged.reason)
        return
    if not merged.changes:
        deps.view.leave(edit)
        return
    try:
        if isinstance(record, Entry):
            _change_entry(deps, record, merged.changes)
        else:
            _answer(deps, record, str(merged.changes["answer"]), after)
    except UserError as error:
        line = edited.lines.get((next(iter(merged.changes)),), 1)
        deps.view.refuse(edit, line=line, reason=f"{error.message} ({error.hint})")
        return
    deps.view.accept(edit)


def _record(facts: Facts, edit: Edit) -> Entry | Blocker | None:
    if edit.kind == "queue":
        return facts.entry(edit.id)
    return facts.blocker(edit.id) if edit.kind == "blockers" else None


def _change_entry(deps: Deps, record: Entry, changes: dict[str, object]) -> None:
    with deps.store.change(f"edit {record.id}: {', '.join(changes)}", by=deps.actor) as change:
        entry = change.entry(record.id)
        if "priority" in changes:
            entry = replace(entry, priority=Priority(str(changes["priority"])))
        if "hold" in changes:
            entry = replace(entry, hold=bool(changes["hold"]))
        change.put(replace(entry, updated=deps.clock.now()), f"{entry.id}: edited in its file")


def _answer(deps: Deps, blocker: Blocker, text: str, after: After) -> None:
    with deps.store.change(f"answer {blocker.id}", by=deps.actor) as change:
        take_answer(deps, change, blocker.id, text, deps.actor, after)


def write(deps: Deps, *, shown: bool = True) -> Report | None:
    """Show the records; `shown` False (``view: false``) takes the view away. None where there is
    nothing to show yet.
    """
    if not deps.repo.cmat.is_dir():
        return None
    now = deps.clock.now()
    wanted = deps.store.read().shown(now) if shown else {}
    return deps.view.write(wanted, now.timestamp())
