"""What a report claims of its runs, held against what is known without it: where they began, what
they changed, which gates were asked for. What can be worked out here is not taken from it.
"""

import re
from dataclasses import replace
from typing import Final, NoReturn

from gitcmat.engine import claims
from gitcmat.engine.ci_node import Node
from gitcmat.engine.intake import Wants
from gitcmat.errors import Conflict, InvalidData
from gitcmat.model import ci_text
from gitcmat.model.ci import Attempt, Offer, Report
from gitcmat.model.entry import Entry
from gitcmat.model.gate import GateOutcome, GateResult
from gitcmat.model.job import FileChange, Result
from gitcmat.model.marks import path_marks
from gitcmat.model.names import is_id
from gitcmat.model.state import State
from gitcmat.store import refs
from gitcmat.store.bundles import REFUSED
from gitcmat.store.git import Git

_RUN: Final = re.compile(r"r-[a-z2-7]{8}")
_SHA: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_MOST_FILES: Final = 500
_LONGEST_NAME: Final = 200


class Stale(Conflict):
    """The task has moved on since its run began: what came of that is not taken."""


def check_report(report: Report, offer: Offer) -> None:
    """See that a report is about what was offered, and tells one story.

    Raises `InvalidData`, which says where it does not.
    """
    told = Offer(task=report.task, sha=report.sha, state=report.state, lease=report.lease)
    for name in ("task", "sha", "state", "lease"):
        if getattr(told, name) != getattr(offer, name):
            _wrong(f"its {name} is {getattr(told, name)[:80]!r}, not {getattr(offer, name)!r}")
    seen: set[str] = set()
    at, base = report.runs[0].start, report.runs[0].base
    for one in report.runs:
        if not _RUN.fullmatch(one.run) or one.run in seen or one.result.run != one.run:
            _wrong(f"{one.run[:80]!r} is no run of its own")
        seen.add(one.run)
        if not is_id(one.agent):
            _wrong(f"{one.agent[:80]!r} is no agent")
        if not _DIGEST.fullmatch(one.plan):
            _wrong(f"{one.plan[:80]!r} is no digest of a plan")
        if any(len(text) > _LONGEST_NAME or "\n" in text for text in (one.account, one.sandbox)):
            _wrong(f"the account or sandbox of {one.run} is no name")
        for commit in (one.base, one.start, one.result.head):
            if not _SHA.fullmatch(commit):
                _wrong(f"{commit[:80]!r} is no commit")
        if (one.start, one.base) != (at, base):
            _wrong(f"{one.run} begins at {one.start[:10]}, where the run before it did not end")
        at = one.result.head
        names = [gate.name for gate in one.result.gates]
        if len(set(names)) != len(names):
            _wrong(f"{one.run} has a gate twice")


def still_there(node: Node, report: Report) -> Entry:
    """Return the entry that a report is about, if it is what it was when its run began.

    Raises:
        Stale: it has moved on.
        InvalidData: its run did not begin where it had to.
    """
    entry = node.deps.store.read().entry(report.task)
    if entry is None:
        raise _stale(report, "there is no such task any more")
    if entry.state is not State.PENDING:
        raise _stale(report, f"it is {entry.state} by now")
    if entry.version != report.version or entry.approval != report.blob:
        raise _stale(report, "something has happened to it since")
    facts = node.deps.store.read()
    for one in report.runs:
        # Work of a run may be there without its record: another node's, or one that is forgotten.
        if facts.run(one.run) is not None or refs.run_ref(one.run) in node.seen.refs:
            raise _stale(report, "its run was taken in before")
    first = report.runs[0]
    base, start = claims.starting_point(node.deps, entry)
    if base == start == node.tip and node.deps.git.ok(
        "merge-base", "--is-ancestor", report.sha, node.tip
    ):
        base = start = report.sha
    if (first.base, first.start) != (base, start):
        _wrong(f"{first.run} begins at {first.start[:10]}, not at {start[:10]}")
    return entry


def believed(git: Git, entry: Entry, wants: Wants, attempt: Attempt) -> Result:
    """Return the result of a run with what can be worked out here in place of what it says."""
    claimed = attempt.result
    wanted = wants.gates(entry)
    if unasked := [gate.name for gate in claimed.gates if gate.name not in wanted]:
        _wrong(f"{attempt.run} tells of the gate {unasked[0][:80]!r}, which was not asked for")
    told = {gate.name for gate in claimed.gates}
    silent = tuple(
        GateResult(name=name, outcome=GateOutcome.SKIPPED, reason="the report says nothing of it")
        for name in wanted
        if name not in told and claimed.gates
    )
    files = _files(git, attempt.base, claimed.head)
    paths = [file.path for file in files]
    gates = wants.config(entry).gates
    protected = [glob for name in wanted if name in gates for glob in gates[name].protect]
    marks = path_marks(paths, allowed=entry.task.paths, protected=protected)
    return replace(
        claimed,
        tree=git.text("rev-parse", f"{claimed.head}^{{tree}}"),
        commits=int(git.text("rev-list", "--count", claimed.head, f"^{attempt.start}", "--")),
        files=files[:_MOST_FILES],
        more_files=max(0, len(files) - _MOST_FILES),
        gates=(*claimed.gates, *silent),
        marks=tuple(dict.fromkeys((*claimed.marks, *marks))),
    )


def _files(git: Git, base: str, head: str) -> tuple[FileChange, ...]:
    how = ("-r", "--name-status", "-z", "--no-renames", base, head)
    fields = git.run("diff-tree", *how).out.decode("utf-8").split("\0")
    return tuple(
        FileChange(status=status[:1], path=path)
        for status, path in zip(fields[::2], fields[1::2], strict=False)
    )


def _stale(report: Report, why: str) -> Stale:
    return Stale(
        f"What came of {report.task} is not published: {why}.",
        hint="its commits are in the artifact; start the workflow again for what is left to do",
    )


def _wrong(why: str) -> NoReturn:
    raise InvalidData(f"report.json is refused: {ci_text.harmless(why)}.", hint=REFUSED)
