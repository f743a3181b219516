"""Takes in what runners report. Idempotent: a result is taken in once, by the entry whose current
run it is.
"""

from dataclasses import replace
from datetime import datetime
from pathlib import Path

from gitcmat.engine import budgets, subtasks
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Wants
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.runner import salvage
from gitcmat.errors import Conflict, UserError
from gitcmat.model import budget, limits
from gitcmat.model.entry import Entry
from gitcmat.model.events import Ended
from gitcmat.model.job import Result, RunOutcome
from gitcmat.model.prices import worked_out
from gitcmat.model.run import GATES, Run
from gitcmat.model.state import State
from gitcmat.model.task import seconds
from gitcmat.model.usage import Spend
from gitcmat.store import accounts
from gitcmat.store.git import Repository
from gitcmat.store.node import known_node
from gitcmat.store.state import Change
from gitcmat.system.locks import is_locked
from gitcmat.system.refusals import passes, told


def gather(deps: Deps, active: list[Entry]) -> dict[str, Result]:
    """Return the results that are there, by run. A run whose runner died is salvaged first, which
    may take seconds.
    """
    found: dict[str, Result] = {}
    for entry in active:
        if entry.run is None:
            continue
        try:
            result, damage = reported(deps, entry.run, entry.version.node)
        except Conflict:
            continue
        found[entry.run] = result or _lost(entry, deps.clock.now(), damage)
    return found


def reported(deps: Deps, run: str, node: str) -> tuple[Result | None, str]:
    """Return the result of a run that `node` has recorded; None, and why, when there will be none.

    Raises:
        Conflict: it goes on, or somebody else salvages it just now.
        UserError, OSError: the disk is full; that says nothing about the run.
    """
    folder = RunFolder(deps.runs / run)
    if is_locked(folder.lock):
        raise Conflict(f"{run} is under way.", hint=f"gitcmat run follow {run}")
    try:
        result = folder.read_result()
        if result is None and _is_ours(deps, folder, node):
            salvage(folder.path, moved_to=_moved_to(deps, folder))
            result = folder.read_result()
    except Conflict:
        raise
    except (UserError, OSError) as error:
        if passes(error):
            raise  # a full disk says nothing about the run: its work is still there
        # One damaged run must not keep all the others from going on.
        return None, told(error)
    return result, "what it was doing is not on this machine"


def _is_ours(deps: Deps, folder: RunFolder, node: str) -> bool:
    """Whether the run is this repository's own. The folder may have come with a copy of another,
    where the run goes on: its processes and its workspace are not ours to end.
    """
    if not folder.job.exists():
        return False
    if _moved_to(deps, folder) is not None:
        return node == known_node(deps.repo)  # a copy is another node
    return Path(folder.read_job().git_dir).samefile(deps.repo.common_dir)


def _moved_to(deps: Deps, folder: RunFolder) -> Repository | None:
    """This repository, if there is none any more where the run was claimed."""
    there = Path(folder.read_job().git_dir) / "HEAD"
    return None if there.exists() else deps.repo


def take_in(
    deps: Deps, change: Change, results: dict[str, Result], wants: Wants, after: After
) -> list[Entry]:
    """Let each result happen to its entry; return the entries as they are then."""
    now = deps.clock.now()
    taken: list[Entry] = []
    for run_id, whole in results.items():
        result = limits.small(whole)
        record = change.run(run_id)
        if record is None or record.outcome is not None:
            continue
        spend = worked_out(result.spend, record.day, deps.settings.prices)
        change.put(
            replace(
                record,
                ended=result.ended,
                outcome=result.outcome,
                message=result.message,
                exit_code=result.exit_code,
                head=result.head,
                tree=result.tree,
                commits=result.commits,
                files=result.files,
                more_files=result.more_files,
                gates=result.gates,
                marks=result.marks,
                warnings=(*result.warnings, *_not_counted(deps, record, result, spend)),
                ignored=result.ignored,
                said=result.said,
                session=result.session,
                spend=spend,
            ),
            f"{run_id}: {result.outcome}",
        )
        result = _limited(result, record.account, now)
        entry = change.find(record.task) if record.task else None
        if entry is not None:
            subtasks.take_in(change, entry, result.subtasks, now, by=record.agent)
        if entry is None or entry.run != run_id or entry.state is not State.ACTIVE:
            continue
        defaults = wants.config(entry).defaults
        event = Ended(
            result=_for_now(deps, change, result, entry, wants),
            attempts=entry.task.attempts or defaults.attempts,
            backoff=seconds(defaults.backoff),
            wanted_gates=len(wants.gates(entry)),
        )
        taken.append(happen(change, entry.id, event, now, after))
    return taken


def _not_counted(deps: Deps, record: Run, result: Result, spend: Spend) -> tuple[str, ...]:
    """What to warn of when the person's budget for a day misses what a run used; one that it
    limited says that itself.
    """
    wanted = deps.settings.budget
    if wanted is None or record.agent == GATES or result.outcome is RunOutcome.CANNOT_START:
        return ()
    try:
        job = RunFolder(deps.runs / record.id).read_job()
    except (OSError, UserError):
        return ()
    usd, tokens = job.usd is None and wanted.usd, job.tokens is None and wanted.tokens
    return budget.not_counted(spend, usd=bool(usd), tokens=bool(tokens))


def _limited(result: Result, account: str, now: datetime) -> Result:
    """`result`; where a provider's limit ended it, its account waits, and not the task: a person
    may lift that.
    """
    if result.outcome is not RunOutcome.LIMITED:
        return result
    if account:  # an older record of a run without a task has none
        accounts.hold(account, result.until, result.message, now)
    return replace(result, until=None)


def _for_now(deps: Deps, change: Change, result: Result, entry: Entry, wants: Wants) -> Result:
    """`result`; where the budget of the day ended it, nobody is asked: tomorrow it goes on."""
    over = result.outcome is RunOutcome.OVER_BUDGET
    if not over or not budgets.ended_by_day(deps, change, entry, wants):
        return result
    until = budgets.tomorrow(deps.clock.now())
    message = "used what was left of the budget of the day"
    return replace(result, outcome=RunOutcome.LIMITED, message=message, until=until)


def _lost(entry: Entry, now: datetime, why: str) -> Result:
    """The result of a run of which nothing is left: its work up to the last run is still there."""
    return Result(
        run=entry.run or "",
        outcome=RunOutcome.INTERRUPTED,
        message=f"interrupted: {why}",
        head=entry.head,
        tree=entry.tree,
        started=entry.since,
        ended=now,
    )
