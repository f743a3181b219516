"""Records as commands show them: plain data for programs, lines for people."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gitcmat.model.marks import one_line
from gitcmat.model.names import heading
from gitcmat.model.state import State

if TYPE_CHECKING:
    from gitcmat.engine.room_note import Held
    from gitcmat.model.blocker import Blocker
    from gitcmat.model.entry import Entry
    from gitcmat.model.problem import Problem
    from gitcmat.model.run import Run
    from gitcmat.model.subtask import Progress, Subtask
    from gitcmat.store.records import Record


def plain(record: "Record") -> dict[str, Any]:
    """A record as plain data, its state and computed times included."""
    import json

    from gitcmat.store import codec

    found: dict[str, Any] = json.loads(codec.json_encode(record))
    return found


def plain_problem(problem: "Problem") -> dict[str, Any]:
    """What is wrong with a file, as plain data."""
    return {
        "path": problem.path,
        "line": problem.line,
        "text": problem.text,
        "hint": problem.hint,
    }


def plain_entry(entry: "Entry", progress: "Mapping[str, Progress]") -> dict[str, Any]:
    """An entry as plain data, with how far its subtasks are where it has any."""
    return with_progress(plain(entry), progress)


def with_progress(entry: dict[str, Any], progress: "Mapping[str, Progress]") -> dict[str, Any]:
    """Plain data of an entry, with how far its subtasks are where it has any."""
    far = progress.get(entry["id"])
    return entry | ({"subtasks": {"done": far.done, "of": far.of}} if far else {})


def runtime(run: "Run | None", now: datetime) -> float | None:
    """How many seconds a run has taken so far, None where there is none."""
    return ((run.ended or now) - run.started).total_seconds() if run else None


def plain_room(held: "Held | None") -> dict[str, Any] | None:
    """Why and since when nothing new is started, as plain data."""
    since = held.since.isoformat() if held is not None and held.since else None
    return held and {"limit": held.limit, "text": held.text, "since": since}


def entry_row(
    entry: Mapping[str, Any], why: str = "", held: "Held | None" = None
) -> tuple[str, ...]:
    """Plain data of an entry as a row of a table; `held` says that the machine has no room for
    what is ready.
    """
    note = why or entry["reason"] or ", ".join(entry["marks"])
    if not note and entry["state"] == State.ACTIVE:
        since = datetime.fromisoformat(entry["since"]).astimezone()
        note = f"{entry['run']} since {since:%H:%M}"
    elif not note and entry["hold"] and entry["state"] in (State.PENDING, State.BACKLOG):
        note = "on hold"
    elif not note and entry["state"] == State.PENDING and held:
        note = f"waits: {held}"
    task, far = entry["task"], entry.get("subtasks")
    title = heading(task["title"], task["prompt"])
    if issue := entry.get("issue"):
        title = f"#{issue['number']}: {title}"
    return (
        entry["id"],
        entry["state"],
        entry["priority"],
        task["agent"] or "",
        note,
        f"{title} ({far['done']}/{far['of']})" if far else title,
    )


ENTRY_HEAD = ("ID", "STATE", "PRIORITY", "AGENT", "NOTE", "TITLE")


def counts_line(counts: dict[State, int]) -> str:
    """Counts in one line, without the states that are empty."""
    shown = [f"{counts[s]} {s}" for s in State if counts.get(s)]
    return ", ".join(shown) or "no tasks"


def open_subtasks(found: "Sequence[Subtask]") -> str:
    """Name what of a task is not ticked off; empty where there is nothing."""
    names = ", ".join(f"{s.id} {one_line(s.title)}" for s in found)
    return f"{len(found)} still open: {names}" if found else ""


def blocker_lines(blocker: "Blocker") -> Iterable[str]:
    """A blocker for people."""
    from gitcmat.model import permission  # not on the way of a list

    yield f"{blocker.id}  {blocker.status}  about {blocker.task}  asked by {blocker.by}"
    yield from (f"  {line}" for line in blocker.question.splitlines())
    if blocker.detail:
        yield from (f"  | {line}" for line in blocker.detail.splitlines())
    if blocker.status == "open":
        if blocker.options:
            yield f"  one of: {', '.join(blocker.options)}; other words are guidance"
        if permission.about(blocker.question):
            yield f"  {permission.RULE}"
        yield f"  answer: .cmat/blockers/{blocker.id}.yaml"
        yield f'      or: gitcmat blocker answer {blocker.id} "…"'
    elif blocker.answer:
        yield f"  answered by {blocker.answered_by}:"
        yield from (f"  > {line}" for line in blocker.answer.splitlines())
        if taken := permission.taken_for(blocker.question, blocker.answer):
            yield f"  taken for {taken}"


def run_seconds(run: "Run") -> float | None:
    """How long a run took, None while it is under way."""
    return (run.ended - run.started).total_seconds() if run.ended else None
