"""Tells a forge what the gates said of the commits that are there: a check for each gate.

Only of what they judged exactly. The run and the gate name a check, so the same is never there
twice; the next work on a branch is another commit and gets its own.
"""

import shlex
from collections.abc import Iterator
from dataclasses import replace

from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.synced import Synced
from gitcmat.errors import InvalidData
from gitcmat.forge import NotAllowed
from gitcmat.model import gate_report
from gitcmat.model.entry import Entry
from gitcmat.model.forge import CheckReport
from gitcmat.model.job import RunOutcome
from gitcmat.model.pull import Pull
from gitcmat.model.run import Run
from gitcmat.model.state import OPEN
from gitcmat.store.facts import Facts
from gitcmat.system.logs import Redactor


def take_in(deps: Deps, hub: Hub, found: Synced) -> None:
    """Report what the gates said of each commit that was pushed and not reported yet.

    Raises `UserError` as the forge does; what was reported until then is recorded.
    """
    told: dict[str, str] = {}
    try:
        for entry, pull in _due(deps, hub):
            reports = _reports(deps, deps.store.read(), entry, pull)
            if reports is None:
                continue
            with found.about(entry.id):
                try:
                    for report in reports:
                        hub.forge.checks.report(report)
                except NotAllowed as error:
                    found.trouble(entry.id, error.message)
                    return  # it is the token that may not, of whatever task
                told[entry.id] = pull.pushed
    finally:
        _record(deps, told)


def _due(deps: Deps, hub: Hub) -> Iterator[tuple[Entry, Pull]]:
    mine = (hub.remote.host, hub.remote.slug)
    for entry in deps.store.read().entries(*OPEN) if deps.settings.forge.checks else ():
        pull = entry.pull
        if pull is None or (pull.host, pull.repo) != mine or not pull.open:
            continue
        if pull.pushed and pull.told != pull.pushed:
            yield entry, pull


def _reports(deps: Deps, facts: Facts, entry: Entry, pull: Pull) -> tuple[CheckReport, ...] | None:
    """Return what is to be told of the pushed commit; None where no run has judged it."""
    tree = deps.git.maybe("rev-parse", "--verify", "--quiet", f"{pull.pushed}^{{tree}}")
    judged = (
        run
        for run in facts.runs(task=entry.id)
        if tree and run.tree == tree and run.outcome is RunOutcome.FINISHED
    )
    run = next(judged, None)
    if run is None:
        return None
    commands = _commands(deps, run)
    return tuple(
        gate_report.report(run, gate, pull.pushed, commands.get(gate.name, ""))
        for gate in run.gates
    )


def _commands(deps: Deps, run: Run) -> dict[str, str]:
    """Return what each gate ran; empty where the run's folder is not on this machine."""
    try:
        job = RunFolder(deps.runs / run.id).read_job()
    except (FileNotFoundError, InvalidData):
        return {}
    without_secrets = Redactor(()).text
    return {gate.name: without_secrets(shlex.join(gate.run)) for gate in job.gates}


def _record(deps: Deps, told: dict[str, str]) -> None:
    if not told:
        return
    with deps.store.change("gates reported", by=deps.daemon) as change:
        for task, commit in told.items():
            entry = change.find(task)
            if entry is not None and entry.pull is not None and entry.pull.pushed == commit:
                change.put(replace(entry, pull=replace(entry.pull, told=commit)))
