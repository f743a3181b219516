"""Examines runs: dead ones, what they left running, and folders that nothing tells of."""

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

from gitcmat.engine import claims, landing_record
from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import Case, Patient, case
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.runner import salvage
from gitcmat.engine.workspaces import list_spaces, remove_unused
from gitcmat.errors import UserError
from gitcmat.model.health import Severity
from gitcmat.model.state import State
from gitcmat.system import clock, orphans, processes
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import is_locked
from gitcmat.system.usage import size

OLD: Final = 3600.0
"""Seconds after which nobody is at work any more on something that is not recorded."""

_RUN: Final = "r-" + 8 * "[a-z2-7]"


def examine(patient: Patient) -> Iterator[Case]:
    """Look at runs, at their processes, and at workspaces."""
    dead = _dead(patient)
    for run, task in dead.items():
        yield case(
            "run-dead",
            Severity.SERIOUS,
            f"{f'{task} is active, but its' if task else 'The'} run {run} has no runner any more",
            where=run,
            mend=partial(reconcile, patient.deps),
        )
    yield from _processes(patient.deps)
    yield from _folders(patient)
    yield from _workspaces(patient)
    yield from _disk(patient.deps)


def reconcile(deps: Deps) -> None:
    """Take in what happened and bring the view up to date, as every command that writes does."""
    landing_record.repair(deps)
    Reconciler(deps)(start=False)


def _dead(patient: Patient) -> dict[str, str]:
    """Return run → task of what is recorded as under way, and neither lives nor has a result."""
    deps, facts = patient.deps, patient.facts
    open_runs = {e.run: e.id for e in facts.entries(State.ACTIVE) if e.run}
    open_runs |= {r.id: r.task for r in facts.runs(only_open=True) if r.alone}
    return {run: task for run, task in open_runs.items() if _is_dead(RunFolder(deps.runs / run))}


def _is_dead(folder: RunFolder) -> bool:
    # In this order: a runner writes its result, then lets go of its lock.
    return not is_locked(folder.lock) and not folder.result.exists()


def _processes(deps: Deps) -> Iterator[Case]:
    """What carries the mark of a run of this repository whose runner does not live."""
    own = {processes.identity(pid) for pid in _above_us()}
    marked: dict[str, int] = {}
    for row in processes.each():
        run = "" if row.zombie else processes.environment(row.pid).get(orphans.VARIABLE, "")
        if run and row.identity not in own and _is_ours(deps, run):
            marked[run] = marked.get(run, 0) + 1
    for run in marked:
        folder = RunFolder(deps.runs / run)
        # Looked at last: a run that ends now takes its processes with it before it lets go.
        if is_locked(folder.lock):
            continue
        left = orphans.find_marked(run, [], record=folder.processes)
        if not left:
            continue
        pids = ", ".join(str(who.pid) for who in left)
        yield case(
            "process-orphaned",
            Severity.SERIOUS,
            f"The run {run} has ended, but processes of it live: {pids}",
            where=run,
            mend=partial(_end, run, folder.processes),
        )


def _end(run: str, record: Path) -> None:
    orphans.sweep_marked(run, [], record=record, grace=1.0)


def _above_us() -> list[int]:
    return [os.getpid(), *processes.ancestors(os.getpid(), processes.table())]


def _is_ours(deps: Deps, run: str) -> bool:
    """Whether a run is this repository's, and not one that a copied folder tells of."""
    folder = RunFolder(deps.runs / run)
    if "/" in run or not folder.job.exists():
        return False
    try:
        home = Path(folder.read_job().git_dir)
        return home.exists() and home.samefile(deps.repo.common_dir)
    except (UserError, OSError):
        return False


def _folders(patient: Patient) -> Iterator[Case]:
    deps, facts = patient.deps, patient.facts
    oldest = clock.now().timestamp() - OLD
    for path in sorted(deps.runs.glob(_RUN)):
        folder = RunFolder(path)
        try:
            young = path.stat().st_mtime > oldest
        except FileNotFoundError:
            continue
        if young or is_locked(folder.lock) or facts.run(path.name) is not None:
            continue
        yield case(
            "run-folder-orphaned",
            Severity.MINOR,
            f"No record tells of the run {path.name}, whose folder is here",
            where=str(path),
            mend=partial(_drop, deps, path),
        )


def _drop(deps: Deps, path: Path) -> None:
    """Undo a claim that was never recorded; of anything more, bring the work home first."""
    claims.sweep(deps)
    if path.exists():
        if _is_ours(deps, path.name):
            salvage(path)
        remove_tree(path)


def _workspaces(patient: Patient) -> Iterator[Case]:
    oldest = clock.now().timestamp() - OLD
    for space in list_spaces(patient.deps, patient.facts):
        if not space.usable and not space.used_by and space.touched < oldest:
            yield case(
                "workspace-orphaned",
                Severity.MINOR,
                f"The workspace {space.name} cannot be used again, and nothing uses it",
                where=str(space.path),
                mend=partial(remove_unused, patient.deps, [space.name]),
            )


def _disk(deps: Deps) -> Iterator[Case]:
    if deps.runs.is_dir():
        held = f"{size(deps.runs) / (1 << 20):.1f} MB"
        what = f"The folders of runs take {held}"
        yield case("runs-size", Severity.INFO, what, where=str(deps.runs))
