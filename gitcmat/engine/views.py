"""The view as a way in and a way to see: takes edits of people in, and shows the records as they
are.
"""

from collections.abc import Mapping
from dataclasses import replace

from gitcmat.engine.blockers import take_answer
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After
from gitcmat.errors import InvalidData, UserError
from gitcmat.model.blocker import Blocker
from gitcmat.model.edits import Accepted, Refused, merge_edit
from gitcmat.model.entry import Entry
from gitcmat.model.problem import Problem
from gitcmat.model.task import Priority
from gitcmat.store import records, yamlio
from gitcmat.store.state import Change
from gitcmat.store.view import Edit, Report


def absorb(deps: Deps, after: After) -> float | None:
    """Take in what people wrote into the view; each edit is a commit of the state with them as
    author.

    An edit counts once its file has been left alone for a while, because editors save while people
    type. Returns the seconds after which to look again, None when there is nothing to wait for.
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
    try:
        with deps.store.change(f"edit {edit.id}", by=deps.actor) as change:
            # Merged inside the lock: the record may have moved on since the file was read.
            merged = _merge(change, edit, base, edited)
            if isinstance(merged, Accepted):
                _apply(deps, change, edit, merged.changes, after)
    except UserError as error:
        line = edited.lines.get(("answer",), 1)
        deps.view.refuse(edit, line=line, reason=f"{error.message} ({error.hint})")
        return
    if isinstance(merged, Refused):
        deps.view.refuse(edit, line=merged.line, reason=merged.reason)
    elif merged.changes:
        deps.view.accept(edit)
    else:
        deps.view.leave(edit)


def _merge(
    change: Change, edit: Edit, base: yamlio.Document, edited: yamlio.Document
) -> Accepted | Refused:
    record = _record(change, edit)
    if record is None:
        return Refused("only queue entries and blockers take edits", "")
    current = yamlio.load(records.render(record), name=edit.path)
    if not isinstance(current.data, dict):
        raise TypeError(f"the record of {edit.path} is not a mapping")
    state = record.state if isinstance(record, Entry) else None
    return merge_edit(
        edit.kind, base.data, edited.data, current.data, state=state, lines=edited.lines
    )


def _record(change: Change, edit: Edit) -> Entry | Blocker | None:
    if edit.kind == "queue":
        return change.find(edit.id)
    return change.facts.blocker(edit.id) if edit.kind == "blockers" else None


def _apply(
    deps: Deps, change: Change, edit: Edit, changes: Mapping[str, object], after: After
) -> None:
    if "answer" in changes:
        take_answer(deps, change, edit.id, str(changes["answer"]), deps.actor, after)
    elif changes:
        entry = change.entry(edit.id)
        entry = replace(
            entry,
            priority=Priority(str(changes.get("priority", entry.priority))),
            hold=bool(changes.get("hold", entry.hold)),
            updated=deps.clock.now(),
        )
        change.put(entry, f"{entry.id}: {', '.join(changes)} edited in its file")


def write(deps: Deps, *, shown: bool = True) -> Report | None:
    """Show the records; `shown` False (``view: false``) takes the view away. None where there is
    nothing to show yet.
    """
    if not deps.repo.cmat.is_dir():
        return None
    while True:
        now = deps.clock.now()
        facts = deps.store.read()
        wanted = facts.shown(now) if shown else {}
        report = deps.view.write(wanted, now.timestamp(), known=deps.store.written)
        # Somebody may have written a newer view meanwhile, which ours has just replaced.
        if deps.store.tip() == facts.tip:
            return report
