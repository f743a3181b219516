"""``gitcmat status``: what goes on, and what to do next."""

from collections.abc import Iterator
from typing import Any

import click

from gitcmat.cli.output import Output
from gitcmat.cli.shown import ENTRY_HEAD, counts_line, entry_row, plain
from gitcmat.cli.state import State, common
from gitcmat.engine.status import Status, status


@click.command(name="status")
@common
def command(state: State) -> None:
    """What goes on, and what to do next."""
    found = status(state.app.deps)
    state.out.show(_plain(found), _lines(found, state.out))


def _plain(found: Status) -> dict[str, Any]:
    return {
        "counts": {s.value: n for s, n in found.counts.items()},
        "active": [plain(e) for e in found.active],
        "waiting": [{**plain(e), "waits": why} for e, why in found.waiting],
        "blockers": [plain(b) for b in found.blockers],
        "review": [plain(e) for e in found.review],
        "finished": [plain(e) for e in found.finished],
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
        "next": found.next,
    }


def _lines(found: Status, out: Output) -> Iterator[str]:
    yield counts_line(dict(found.counts)) + ("" if found.watching else "; no daemon is running")
    groups = {
        "active": [(e, f"{e.run}, attempt {e.attempt}") for e in found.active],
        "review": [(e, "") for e in found.review],
        "waiting": list(found.waiting),
        "finished": [(e, "") for e in found.finished],
    }
    for name, entries in groups.items():
        if entries:
            yield ""
            yield f"{name}:"
            yield from out.table(ENTRY_HEAD, (entry_row(e, why) for e, why in entries))
    if found.blockers:
        yield ""
        yield "questions:"
        yield from (f"{b.id}  {b.task}  {' '.join(b.question.split())}" for b in found.blockers)
    yield from _notices(found)
    if found.next:
        yield ""
        yield f"next: {found.next}"


def _notices(found: Status) -> Iterator[str]:
    notices = [f"new, not taken in yet: {i}" for i in found.new]
    notices += [f"saved, not committed; not used: {u.path} ({u.how})" for u in found.unsaved]
    notices += [f"{p}{f' (hint: {p.hint})' if p.hint else ''}" for p in found.problems]
    notices += [f"edit not taken in: {r.path}:{r.line}: {r.reason}" for r in found.refused]
    notices += [f"tracked by git, so not read: {t} (git rm --cached {t})" for t in found.tracked]
    if found.untrusted:
        notices.append("the plan is not trusted, so nothing starts: gitcmat trust")
    if found.why_no_new:
        notices.append(f"no new tasks are taken in: {found.why_no_new}")
    if notices:
        yield ""
        yield from notices
