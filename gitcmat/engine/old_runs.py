"""Keeps the folders of ended runs, with their logs, from filling the disk: the oldest go first."""

from gitcmat.engine.delegation import family
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.machine import size
from gitcmat.model.state import OPEN
from gitcmat.store.facts import Facts
from gitcmat.system import usage
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import is_locked


def prune(deps: Deps) -> list[str]:
    """Remove what goes beyond ``limits.logs``; return the ids of the runs whose logs went.

    The records stay, and so does what belongs to a task that is not finished, or to a run that is
    not: a reviewer wants to read it, an agent waits for those to which it delegated, and a result
    that was not taken in is nowhere else.
    """
    room = size(deps.settings.limits.logs)
    found = {path: usage.size(path) for path in deps.runs.glob("r-*") if path.is_dir()}
    over = sum(found.values()) - room
    if over <= 0:
        return []
    facts = deps.store.read()
    needed = {entry.run for entry in facts.entries(*OPEN) if entry.run}
    needed |= {run.id for run in facts.runs(only_open=True)}
    needed |= {member for run in needed for member in family(deps.runs, run)}
    gone: list[str] = []
    for path in sorted(found, key=lambda path: path.stat().st_mtime):
        if over > 0 and path.name not in needed and _has_ended(facts, RunFolder(path)):
            remove_tree(path)
            over -= found[path]
            gone.append(path.name)
    return gone


def _has_ended(facts: Facts, folder: RunFolder) -> bool:
    record = facts.run(folder.path.name)
    return record is not None and record.outcome is not None and not is_locked(folder.lock)
