"""Task files, as commands write them: each writes one file on the person's branch, commits that
path alone and takes it in.
"""

import difflib
import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitcmat.engine import subtasks
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Intake
from gitcmat.engine.landing_record import repair
from gitcmat.errors import Conflict, InvalidData, NotFound, Usage
from gitcmat.model import schedule
from gitcmat.model.events import Asked
from gitcmat.model.intent import Intent, sole
from gitcmat.model.names import TaskId, task_id
from gitcmat.model.problem import Problem
from gitcmat.model.state import State
from gitcmat.model.task import Task
from gitcmat.store import codec, documents, layout, yamlio
from gitcmat.store.git import Git
from gitcmat.store.layout import Kind
from gitcmat.store.ledger import How
from gitcmat.store.sources import blob_of
from gitcmat.store.typed_commit import commit_paths
from gitcmat.system import ids
from gitcmat.system.files import FileLock, inside, write_atomic

_WAIT: Final = 120.0
"""Seconds to wait for another command with a request id: each may run the person's hooks."""

_HEADER: Final = "# yaml-language-server: $schema=../schemas/task.json\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A task file that is committed."""

    id: str
    path: str
    commit: str
    existed: bool = False
    """Whether it was there already, made by the same request."""


def add(
    deps: Deps, fields: Mapping[str, Any], *, wanted_id: str | None, request_id: str | None
) -> Added:
    """Write and commit ``.cmat/tasks/<id>.yaml``.

    `fields` are keys of the file. The same `request_id` gives the same task, however often it is
    asked. Raises `InvalidData` for a value that a task file may not have, `Conflict` when the id is
    taken or git refuses the commit.
    """
    repair(deps)
    if request_id is None:
        return _add(deps, fields, task_id(wanted_id) if wanted_id else _new_id(fields))
    notes = deps.repo.cmat / "requests"
    notes.mkdir(mode=0o700, parents=True, exist_ok=True)
    with FileLock(notes / "lock").acquire(_WAIT):
        note = notes / hashlib.sha256(request_id.encode()).hexdigest()[:32]
        if not note.exists():
            chosen = task_id(wanted_id) if wanted_id else _new_id(fields)
            write_atomic(note, chosen.encode(), durable=True)
            return _add(deps, fields, chosen)
        return _asked_before(deps, fields, task_id(note.read_text()))


def _asked_before(deps: Deps, fields: Mapping[str, Any], chosen: TaskId) -> Added:
    """The task of a request that was made before, finished if that was not."""
    path = layout.task_path(chosen)
    committed = Git(deps.repo.git_dir).ok("cat-file", "-e", f"HEAD:{path}")
    if committed or deps.store.read().entry(chosen) is not None:
        return Added(id=chosen, path=path, commit="", existed=True)
    file = inside(_work_tree(deps), path)
    if not file.is_file():
        return _add(deps, fields, chosen)
    commit = commit_paths(deps.repo, [path], f"Task {chosen}")
    return Added(id=chosen, path=path, commit=commit, existed=True)


def _add(deps: Deps, fields: Mapping[str, Any], chosen: TaskId) -> Added:
    root = _work_tree(deps)
    path = layout.task_path(chosen)
    file = inside(root, path)
    if file.exists() or deps.store.read().entry(chosen) is not None:
        raise Conflict(f"There is a task {chosen} already.", hint="choose another --id")
    content = {"schema": 1, **{k: v for k, v in fields.items() if v not in (None, ())}}
    text = yamlio.dump(content, header=_HEADER if (root / layout.SCHEMAS).is_dir() else "")
    _read(text, path)
    _check_words(deps, chosen, content, new=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(file, text.encode())
    blob = blob_of(text.encode(), deps.repo.object_format)
    deps.ledger.add(chosen, blob, How.ADDED, deps.clock.now())
    name = str(content.get("title") or content["prompt"]).strip().splitlines()[0]
    commit = _commit(deps, path, blob, f"Task {chosen}: {name}", file.unlink)
    return Added(id=chosen, path=path, commit=commit)


def _read(text: str, path: str) -> Task:
    """Read a task that is not saved yet: its path and lines would only mislead.

    Raises `InvalidData`.
    """
    try:
        return documents.task(text.encode(), name=path)[0]
    except InvalidData as error:
        wrong = "; ".join(problem.text for problem in Problem.all_of(error, path))
        raise InvalidData(wrong, hint=error.hint) from error


def _commit(deps: Deps, path: str, blob: str, message: str, undo: Callable[[], object]) -> str:
    """Commit one file; where nothing can be committed now, nothing is left saved either."""
    try:
        return commit_paths(deps.repo, [path], message)
    except Conflict:
        if Git(deps.repo.git_dir).ref(f":{path}") != blob:
            undo()
        raise


def change(deps: Deps, entry_id: str, changes: Mapping[str, Any]) -> Added:
    """Change keys of a task file, keeping its comments and order, and commit it.

    A value of None removes the key. Raises `NotFound`, `InvalidData` for a value that may not be,
    also for a cycle of needs.
    """
    root = _work_tree(deps)
    path = layout.task_path(task_id(entry_id))
    file = inside(root, path)
    if not file.is_file():
        raise NotFound(
            f"{entry_id} has no task file here ({path}).",
            hint=f"gitcmat queue hold, release or priority {entry_id}",
        )
    wanted = {k: yamlio.DELETE if v is None else v for k, v in changes.items()}
    old = file.read_text("utf-8")
    text = yamlio.edit(old, wanted, name=path)
    _check_words(deps, entry_id, codec.encode(_read(text, path)))
    write_atomic(file, text.encode())
    blob = blob_of(text.encode(), deps.repo.object_format)
    deps.ledger.add(entry_id, blob, How.ADDED, deps.clock.now())
    said = f"Task {entry_id}: change {', '.join(changes)}"
    commit = _commit(deps, path, blob, said, lambda: write_atomic(file, old.encode()))
    return Added(id=entry_id, path=path, commit=commit)


def approve(
    deps: Deps, wanted: Collection[str], *, every: bool, exclude: Collection[str]
) -> list[str]:
    """Let waiting tasks run; return their ids.

    Raises `Usage` unless exactly one of `wanted` and `every` is given, `NotFound` for an id that
    is unknown.
    """
    if bool(wanted) == every:
        raise Usage("Name the tasks, or say --all.", hint="gitcmat task approve ID…")
    if exclude and not every:
        raise Usage("--exclude goes with --all.", hint="name only the tasks that you want")
    facts = deps.store.read()
    wants = Intake(deps).wants(facts)
    waiting = {e.id: e for e in facts.entries(State.BACKLOG)}
    chosen = {facts.resolve(Kind.QUEUE, text) for text in wanted} or set(waiting)
    left_out = {facts.resolve(Kind.QUEUE, text) for text in exclude}
    pairs: dict[str, str] = {}
    for entry_id in sorted(chosen - left_out):
        entry = waiting.get(entry_id) or facts.entry(entry_id)
        if entry is None or not entry.approval:
            continue
        files = wants.plan_intent.files.get(entry.source.ref, {}) if entry.source else {}
        file = files.get(entry_id)
        pairs[entry_id] = file.source.blob if file else entry.approval
    new = {i: b for i, b in pairs.items() if not deps.ledger.has(i, b)}
    deps.ledger.add_all(new.items(), How.APPROVED, deps.clock.now())
    return sorted(new)


def block(deps: Deps, entry_id: str, reason: str) -> str:
    """Block a task with a question of a person; return the blocker's id."""
    now = deps.clock.now()
    with deps.store.change(f"block {entry_id}", by=deps.actor) as changing:
        event = Asked(question=reason, by=deps.me.name)
        happen(changing, entry_id, event, now, After())
        return changing.blockers(entry_id)[-1].id


def prune(deps: Deps) -> tuple[list[str], str]:
    """Remove the files of finished tasks in one commit; return their ids and the commit.

    Their open subtasks are closed.
    """
    root = _work_tree(deps)
    states = deps.store.read().states()
    gone = [
        path
        for path in sorted((root / layout.TASKS).glob("*.yaml"))
        if path.stem in states and states[path.stem].finished
    ]
    if not gone:
        return [], ""
    for path in gone:
        path.unlink()
    ids_ = [path.stem for path in gone]
    commit = commit_paths(
        deps.repo, [layout.task_path(i) for i in ids_], f"Prune {len(ids_)} finished tasks"
    )
    with deps.store.change("task prune", by=deps.actor) as changing:
        for entry_id in ids_:
            entry = changing.entry(entry_id)
            subtasks.close_all(changing, entry, deps.clock.now(), by=deps.me.name)
    return ids_, commit


def _work_tree(deps: Deps) -> Path:
    if deps.repo.work_tree is None:
        raise Conflict(
            "A bare repository has no work tree to write a task file in.", hint="gitcmat queue add"
        )
    if (deps.repo.work_tree / layout.CMAT).is_symlink():
        raise InvalidData(
            f"{layout.CMAT} is a symbolic link: no task is written through it.",
            hint="put the folder itself there",
        )
    return deps.repo.work_tree


def _new_id(fields: Mapping[str, Any]) -> TaskId:
    title = str(fields.get("title") or fields.get("prompt") or "task").strip().splitlines()[0]
    return task_id(f"{ids.slug(title)}-{ids.token(4)}".strip("-"))


def _check_words(
    deps: Deps, entry_id: str, content: Mapping[str, Any], *, new: bool = False
) -> None:
    """Refuse names of agents, gates and tasks that do not exist, and needs that go in a circle; of
    a new task also that no agent follows.
    """
    head = deps.git.head() if deps.repo.git_dir == deps.repo.common_dir else None
    facts = deps.store.read()
    wants = Intake(deps, remember=False).wants(facts)
    intent = wants.intents.get(head or "")
    if intent is not None:
        check_names(content, intent)
        if new:
            check_agent(content, intent)
    needs = {e.id: set(e.task.needs) for e in facts.entries()}
    files = intent.tasks if intent else {}
    root = _work_tree(deps)
    for need in content.get("needs", ()):
        known = need in needs or need in files or (root / layout.task_path(need)).is_file()
        if not known or need == entry_id:
            what = "itself" if need == entry_id else f"{need}, which is not known"
            raise InvalidData(f"{entry_id} needs {what}.", hint="gitcmat queue list")
    needs[entry_id] = set(content.get("needs", ()))
    cycle = schedule.find_cycle(needs)
    if entry_id in cycle:
        raise InvalidData(f"The needs go in a circle: {' -> '.join(cycle)}.", hint="leave one out")


def check_names(content: Mapping[str, Any], intent: Intent) -> None:
    """Raise `NotFound` for an agent or a gate that `intent` does not have."""
    agent = content.get("agent")
    if agent is not None and agent not in intent.agents:
        raise _no_such("agent", agent, intent.agents)
    for gate in content.get("gates") or ():
        if gate not in intent.config.gates:
            raise _no_such("gate", gate, intent.config.gates)


def check_agent(content: Mapping[str, Any], intent: Intent) -> None:
    """Raise `NotFound` for a new task that names no agent, where none follows from the settings."""
    named = content.get("agent") or intent.config.defaults.agent
    if named is None and sole(intent.agents) is None:
        raise NotFound(
            "No agent is named, and there is no default.",
            hint=f"--agent NAME ({_known('agent', intent.agents)}), "
            "or: gitcmat config set defaults.agent NAME",
        )


def _no_such(what: str, name: str, known: Collection[str]) -> NotFound:
    near = difflib.get_close_matches(name, known, n=1)
    guess = f" (did you mean {near[0]!r}?)" if near else ""
    return NotFound(f"There is no {what} {name!r}{guess}.", hint=_known(what, known))


def _known(what: str, known: Collection[str]) -> str:
    return f"{what}s: {', '.join(sorted(known)) or 'none is committed'}"
