"""Queues of many entries, as months of work leave them behind."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from bench.ground import Project
from gitcmat.app import open_app
from gitcmat.engine import views
from gitcmat.model.entry import Entry, Landing, Source
from gitcmat.model.gate import Verdict
from gitcmat.model.job import RunOutcome
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.model.task import Task
from gitcmat.store import refs
from gitcmat.store.ledger import How
from gitcmat.store.state import FEW

if TYPE_CHECKING:
    from gitcmat.engine.deps import Deps

_CYCLE: Final = (
    *(State.PENDING,) * 4,
    State.REVIEW,
    *(State.DONE,) * 33,
    State.CANCELLED,
    State.FAILED,
)
"""The states of each forty entries: an eighth is open."""
_DAYS: Final = 90
_AT_ONCE: Final = 10_000
"""Entries in one commit, where only what comes of it counts."""
_TOGETHER: Final = 10
"""Tasks that are recorded in one commit, where it counts how many commits there were."""
_UNTIDY: Final = FEW
"""Tasks, in a commit each, that idle time has not tidied up after: as many as it leaves."""


@dataclass(frozen=True, slots=True)
class _Seed:
    """What all entries of a queue have in common."""

    commit: str
    tree: str
    blobs: dict[str, str]
    """Task → blob of its file."""
    now: datetime

    def blob(self, entry_id: str) -> str:
        """The blob of a task's file, any id where it was deleted long ago."""
        return self.blobs.get(entry_id, self.tree)


def fill(project: Project, count: int, *, shown: bool = False) -> "Deps":
    """Give `project` a queue of `count` entries, those that are open with their task files.

    The records are written through the store, the ledger knows every task, the step that the daemon
    does has been done once, the questions' cache is warm, and with `shown` the view is in the work
    tree. Returns the opened repository.
    """
    ids = [(f"task-{number:06}", _CYCLE[number % len(_CYCLE)]) for number in range(count)]
    opened = [entry_id for entry_id, state in ids if not state.finished]
    project.commit("Tasks", {_path(i): f"title: Do {i}\nprompt: As it says.\n" for i in opened})
    app = open_app(project.path)
    deps = app.deps
    seed = _seed(project, deps)
    ledger: list[tuple[str, str]] = []
    for first in range(0, count, _AT_ONCE):
        with deps.store.change("months of work", by=deps.actor) as change:
            for number, (entry_id, state) in enumerate(ids[first : first + _AT_ONCE], first):
                change.put(_entry(seed, number, entry_id, state))
                ledger.append((entry_id, seed.blob(entry_id)))
    deps.ledger.add_all(ledger, How.COMMITTED, seed.now)
    app.settle()
    if shown:
        views.write(deps)
    deps.store.read()
    return deps


def finish(project: Project, count: int) -> None:
    """Leave in `project` what `count` tasks leave that were landed in the last days: records of
    tasks and runs, the view, and a ref for each result. The last of them were not tidied up yet.
    """
    deps = open_app(project.path).deps
    seed = _seed(project, deps)
    entries = [_entry(seed, n, f"task-{n:06}", State.DONE) for n in range(count)]
    entries = [replace(e, since=seed.now - timedelta(minutes=n)) for n, e in enumerate(entries)]
    for first in range(0, count - _UNTIDY, _TOGETHER):
        _record(project, deps, seed, entries[first : min(first + _TOGETHER, count - _UNTIDY)])
    deps.store.tidy(more_than=FEW)  # as the daemon does it in idle time
    for entry in entries[-_UNTIDY:]:
        _record(project, deps, seed, [entry])
    views.write(deps)
    deps.store.close()


def _record(project: Project, deps: "Deps", seed: _Seed, entries: list[Entry]) -> None:
    """Write the records of entries and their runs in one commit, and make the refs of the runs."""
    project.git("fast-import", "--quiet", input="".join(_result(seed, e) for e in entries))
    with deps.store.change("work", by=deps.actor) as change:
        for entry in entries:
            change.put(entry)
            change.put(_run(seed, entry))


def _path(entry_id: str) -> str:
    return f".cmat/tasks/{entry_id}.yaml"


def _seed(project: Project, deps: "Deps") -> _Seed:
    return _Seed(
        commit=project.git("rev-parse", "HEAD"),
        tree=project.git("rev-parse", "HEAD^{tree}"),
        blobs=dict(_blobs(project)),
        now=deps.clock.now(),
    )


def _blobs(project: Project) -> Iterator[tuple[str, str]]:
    for line in project.git("ls-tree", "HEAD:.cmat/tasks").splitlines():
        meta, name = line.split("\t")
        yield name.removesuffix(".yaml"), meta.split()[2]


def _entry(seed: _Seed, number: int, entry_id: str, state: State) -> Entry:
    since = seed.now - timedelta(days=number % _DAYS, minutes=number % 1440)
    ran = state is not State.PENDING
    branch, target = f"refs/heads/cmat/{entry_id}", "refs/heads/main"
    landing = Landing(commit=seed.commit, target=target, how="squash", at=since, by="Pat Person")
    return Entry(
        id=entry_id,
        state=state,
        task=Task(title=f"Do {entry_id}", prompt="As it says."),
        source=Source(
            ref=target,
            commit=seed.commit,
            path=_path(entry_id),
            blob=seed.blob(entry_id),
        ),
        target=target,
        created=since - timedelta(hours=2),
        updated=since,
        since=since,
        attempt=int(ran),
        run=f"r-{_letters(number)}" if ran else None,
        base=seed.commit if ran else "",
        head=seed.commit if ran else "",
        tree=seed.tree if ran else "",
        branch=branch if ran else "",
        branch_head=seed.commit if ran else "",
        published=seed.commit if ran else "",
        workspace="1" if ran else "",
        checked_tree=seed.tree if ran else "",
        verdict=Verdict.GREEN if ran else None,
        landing=landing if state is State.DONE else None,
    )


def _result(seed: _Seed, entry: Entry) -> str:
    """The commit of a run and its ref, as ``git fast-import`` reads them."""
    who = f"Pat Person <pat@example.org> {int(entry.since.timestamp())} +0000"
    text = f"work on {entry.id}\n"
    return (
        f"commit {refs.run_ref(str(entry.run))}\ncommitter {who}\ndata {len(text)}\n{text}"
        f"from {seed.commit}\nM 100644 inline {entry.id}.txt\ndata {len(text)}\n{text}\n"
    )


def _run(seed: _Seed, entry: Entry) -> Run:
    return Run(
        id=str(entry.run),
        task=entry.id,
        attempt=1,
        agent="worker",
        node="n-bench",
        base=seed.commit,
        start=seed.commit,
        ref=refs.run_ref(str(entry.run)),
        workspace="1",
        started=entry.since,
        ended=entry.since,
        outcome=RunOutcome.FINISHED,
        head=seed.commit,
        tree=seed.tree,
        commits=1,
    )


def _letters(number: int) -> str:
    """Eight letters for a number, as the ids of runs have them."""
    return "".join(chr(ord("a") + number // 10**digit % 10) for digit in range(8))
