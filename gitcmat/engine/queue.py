"""Moving entries by hand, and questions about where they are."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.tasks import check_agent, check_names
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model.entry import Entry
from gitcmat.model.events import Cancelled, Rerun
from gitcmat.model.names import task_id
from gitcmat.model.state import OPEN, State
from gitcmat.model.task import Priority, Task
from gitcmat.store import codec
from gitcmat.store.intent import IntentReader
from gitcmat.store.yamlio import Document
from gitcmat.system import ids


def add(deps: Deps, fields: Mapping[str, Any], *, wanted_id: str | None, target: str) -> Entry:
    """Queue work that has no task file: a command's own order, so it may run.

    `target` is the full ref that it starts from. Raises `InvalidData`, `NotFound` for a target,
    an agent or a gate that does not exist, or `Conflict` when the id is taken.
    """
    content = {k: _plain(v) for k, v in fields.items() if v is not None}
    task = codec.decode(Task, Document(content, {}), name="queue add")
    title = ids.slug(task.name)
    chosen = task_id(wanted_id or f"{title}-{ids.token(6)}".strip("-"))
    tip = deps.git.rev(target)
    if tip is None:
        name = target.removeprefix("refs/heads/")
        raise NotFound(f"There is no branch {name}.", hint="git branch")
    intent = IntentReader(deps.repo, deps.git).read(target, tip)
    check_names(content, intent)
    check_agent(content, intent)
    unknown = [need for need in task.needs if need not in deps.store.read().states()]
    if unknown:
        raise InvalidData(f"It needs {unknown[0]}, which is not known.", hint="gitcmat queue list")
    now = deps.clock.now()
    entry = Entry(
        id=chosen,
        state=State.PENDING,
        task=task,
        source=None,
        target=target,
        created=now,
        updated=now,
        since=now,
        priority=task.priority,
        hold=task.hold,
    )
    with deps.store.change(f"queue add {chosen}", by=deps.actor) as change:
        if change.find(chosen) is not None:
            raise Conflict(f"There is a task {chosen} already.", hint="choose another --id")
        change.put(entry, f"{chosen}: new, pending")
    return entry


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def cancel(deps: Deps, wanted: Collection[str], reason: str) -> list[Entry]:
    """Cancel entries. An active one is cancelled once its run has ended: the caller waits for
    that (`runs.wait_until_over`).
    """
    now, after = deps.clock.now(), After()
    event = Cancelled(reason=reason, by=deps.me.name)
    with deps.store.change(f"cancel {' '.join(wanted)}", by=deps.actor) as change:
        done = [happen(change, entry_id, event, now, after) for entry_id in wanted]
    for run in after.stop:
        folder = RunFolder(deps.runs / run)
        if folder.path.is_dir():
            folder.request_stop()
    return done


def open_ids(deps: Deps) -> list[str]:
    """The ids of all entries that are not finished."""
    return [e.id for e in deps.store.read().entries(*OPEN)]


def rerun(deps: Deps, entry_id: str) -> Entry:
    """Start a finished task again from the beginning; the runs of before stay as records."""
    now = deps.clock.now()
    with deps.store.change(f"rerun {entry_id}", by=deps.actor) as change:
        return happen(change, entry_id, Rerun(by=deps.me.name), now, After())


def hold(deps: Deps, entry_id: str, *, on: bool) -> Entry:
    """Keep an entry from starting, or let it start again."""
    return _set(deps, entry_id, f"{'hold' if on else 'release'} {entry_id}", hold=on, reason="")


def prioritise(deps: Deps, entry_id: str, priority: Priority) -> Entry:
    """Give an unfinished entry another priority."""
    return _set(deps, entry_id, f"priority of {entry_id}: {priority}", priority=priority)


def _set(deps: Deps, entry_id: str, subject: str, **fields: Any) -> Entry:
    with deps.store.change(subject, by=deps.actor) as change:
        entry = change.entry(entry_id)
        if entry.state.finished:
            raise Conflict(f"{entry_id} is {entry.state}.", hint=f"gitcmat queue rerun {entry_id}")
        changed = replace(entry, updated=deps.clock.now(), **fields)
        change.put(changed, subject)
    return changed
