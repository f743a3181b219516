"""What `status` shows; it starts without click (see `cli.quick`)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from gitcmat.cli import past
from gitcmat.cli.output import Output
from gitcmat.cli.shown import ENTRY_HEAD, counts_line, entry_row, plain, plain_entry, plain_room
from gitcmat.cli.state import State
from gitcmat.engine.forge_last import Last
from gitcmat.engine.status import Recorded, Status, recorded, status
from gitcmat.model.entry import Entry
from gitcmat.model.marks import one_line
from gitcmat.model.pull import WAITING, counted, in_words
from gitcmat.model.run import Run

_MOST: Final = 20
"""Entries of a group that are shown to people; --json has them all."""
_ALONE_HEAD: Final = ("RUN", "AGENT", "FOR", "TASK", "NOTE")


def show(state: State, *, at: str | None = None) -> None:
    """Show what goes on and what to do next; of the past, what was recorded."""
    if at is None:
        found = status(state.app.deps)
        state.out.show(_plain(found) if state.as_json else {}, _lines(found, state.out))
        return
    facts = past.facts(state, at)
    then = recorded(facts)
    lines = [*past.lines(facts.point), counts_line(dict(then.counts))]
    lines += _groups(then, {}, {}, state.out)
    state.out.show(past.plain(facts.point) | _recorded(then), lines)


def _recorded(found: Recorded) -> dict[str, Any]:
    groups = {
        "active": found.active,
        "waiting": found.waiting,
        "review": found.review,
        "finished": found.finished,
    }
    data: dict[str, Any] = {"counts": {s.value: n for s, n in found.counts.items()}}
    data |= {n: [plain_entry(e, found.progress) for e in held] for n, held in groups.items()}
    data["also_at_work"] = [plain(run) for run in found.alone]
    data["sandboxes"] = dict(found.sandboxes)
    data["pulls"] = counted(found.pulls)
    return data | {"blockers": [plain(b) for b in found.blockers]}


def _plain(found: Status) -> dict[str, Any]:
    data = _recorded(found.recorded)
    for entry in data["waiting"]:
        entry["waits"] = found.why[entry["id"]]
    return data | {
        "new": list(found.new),
        "not_committed": [{"path": u.path, "how": u.how.value} for u in found.unsaved],
        "problems": [str(p) for p in found.problems],
        "refused_edits": [
            {"path": r.path, "line": r.line, "reason": r.reason} for r in found.refused
        ],
        "tracked_facts": list(found.tracked),
        "trusted": not found.untrusted,
        "no_new_tasks": found.why_no_new,
        "watching": found.watching,
        "over": dict(found.over),
        "no_room": plain_room(found.no_room),
        "today": found.today.plain(),
        "accounts_on_hold": {
            name: {"until": limit.until.isoformat(), "text": limit.text}
            for name, limit in found.limits.items()
        },
        "no_sandbox": found.no_sandbox or None,
        "forge": _forge(found.forge) if found.forge else None,
        "next": found.next,
    }


def _forge(last: Last) -> dict[str, Any]:
    return {
        "at": last.at.isoformat(),
        "error": last.error or None,
        "hint": last.hint or None,
        "troubles": list(last.troubles),
    }


def _lines(found: Status, out: Output) -> Iterator[str]:
    counts = counts_line(dict(found.recorded.counts))
    yield counts + ("" if found.watching else "; no daemon is running")
    if found.today.told:
        yield f"today: {found.today}"
    yield from _pulls(found)
    yield from _groups(found.recorded, _why(found), found.over, out)
    yield from _notices(found)
    if found.next:
        yield ""
        yield f"next: {found.next}"


def _pulls(found: Status) -> Iterator[str]:
    """How the pull requests stand, by what they wait for, as they were seen last."""
    if found.recorded.pulls:
        counts = counted(found.recorded.pulls).items()
        said = ", ".join(f"{number} {WAITING[what]}" for what, number in counts if number)
        seen = f"; seen at {found.forge.at.astimezone():%H:%M}" if found.forge else ""
        yield f"pull requests: {said}{seen}"


def _why(found: Status) -> dict[str, str]:
    held = f"waits: {found.no_room}" if found.no_room else ""
    return {entry_id: why or held for entry_id, why in found.why.items()}


def _groups(
    found: Recorded, why: Mapping[str, str], over: Mapping[str, str], out: Output
) -> Iterator[str]:
    groups = {
        "active": [(e, _attempt(e, found, over.get(e.id, ""))) for e in found.active],
        "review": [(e, in_words(e.pull) if e.pull else "") for e in found.review],
        "waiting": [(e, why.get(e.id, "")) for e in found.waiting],
        "finished": [(e, "") for e in found.finished],
    }
    for name, entries in groups.items():
        if entries:
            yield ""
            yield f"{name}:"
            rows = [entry_row(plain_entry(e, found.progress), note) for e, note in entries[:_MOST]]
            yield from out.table(ENTRY_HEAD, rows)
        if len(entries) > _MOST:
            yield f"and {len(entries) - _MOST} more: gitcmat queue list"
        if name == "active" and found.alone:
            yield ""
            yield "also at work:"
            yield from out.table(_ALONE_HEAD, (_alone(r, found, over) for r in found.alone[:_MOST]))
            if len(found.alone) > _MOST:
                yield f"and {len(found.alone) - _MOST} more: gitcmat run list"
    if found.blockers:
        yield ""
        yield "questions:"
        yield from (f"{b.id}  {b.task}  {' '.join(b.question.split())}" for b in found.blockers)


def _attempt(entry: Entry, found: Recorded, over: str) -> str:
    note = f"{entry.run}, attempt {entry.attempt}{_kept_in(entry.run or '', found)}"
    return f"{note}, {over}" if over else note


def _alone(run: Run, found: Recorded, over: Mapping[str, str]) -> tuple[str, ...]:
    note = over.get(run.id) or f"since {run.started.astimezone():%H:%M}"
    group = f", {one_line(run.group)}" if run.group else ""
    note += _kept_in(run.id, found)
    return (run.id, run.agent, f"{run.parent}{group}", run.task, note)


def _kept_in(run: str, found: Recorded) -> str:
    """What keeps the agent of a run in, behind other words; that there is nothing is said once."""
    text = found.sandboxes.get(run, "")
    return "" if text.startswith("off") or not text else f", sandbox: {text}"


def _notices(found: Status) -> Iterator[str]:
    notices = [f"new, not taken in yet: {i}" for i in found.new]
    notices += [
        f"saved, not committed; not used: {one_line(u.path)} ({u.how})" for u in found.unsaved
    ]
    notices += [f"{p}{f' (hint: {p.hint})' if p.hint else ''}" for p in found.problems]
    notices += [f"edit not taken in: {r.path}:{r.line}: {r.reason}" for r in found.refused]
    notices += [f"tracked by git, so not read: {t} (git rm --cached {t})" for t in found.tracked]
    if found.untrusted:
        notices.append("the plan is not trusted, so nothing starts: gitcmat trust")
    at_work = found.recorded.active or found.recorded.alone or found.recorded.waiting
    if found.no_sandbox and at_work:
        notices.append(f"agents work without a sandbox here: {found.no_sandbox} (gitcmat doctor)")
    if found.no_room:
        notices.append(f"nothing new is started for now: {found.no_room}")
    for name, limit in found.limits.items():
        said = f": {one_line(limit.text)}" if limit.text else ""
        until = f"{limit.until.astimezone():%Y-%m-%d %H:%M:%S}"
        notices.append(
            f"the account {name} is on hold until {until}{said}"
            f" (gitcmat queue resume --account {name})"
        )
    if found.forge is not None:
        notices += [f"on the forge: {one_line(line)}" for line in found.forge.troubles]
        if found.forge.error:
            at, hint = f"{found.forge.at.astimezone():%H:%M}", found.forge.hint
            said = f"{one_line(found.forge.error)}{f' ({one_line(hint)})' if hint else ''}"
            notices.append(f"the look at the forge at {at} failed: {said}")
    if found.why_no_new:
        notices.append(f"no new tasks are taken in: {found.why_no_new}")
    if notices:
        yield ""
        yield from notices
