"""The one pass over a forge: takes in what happened there, then has it show what happened here.

Each part asks the forge first, decides in one change of the facts, and carries out what is wanted
one by one, looking before it makes anything. So it may be killed anywhere, and repeated.
"""

from typing import Final

from gitcmat.engine import (
    gate_reports,
    issue_sync,
    pull_checks,
    pull_replies,
    pull_standing,
    pull_sync,
    pull_talk,
    pull_upkeep,
)
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.errors import Conflict
from gitcmat.store.bookmarks import FOLDER
from gitcmat.store.git import Repository
from gitcmat.system.locks import FileLock

_SECONDS: Final = 600.0
"""How long another pass of this machine is waited for."""


def sync(
    reconciler: Reconciler, hub: Hub, *, merged: str = "", into: Synced | None = None
) -> Synced:
    """Make one pass; return what came of it.

    `merged` is the task whose pull request the person has merged just now. What is told is put into
    `into`, where it stands also when the pass ends with an error.

    Raises `UserError` when the forge does not answer (see `gitcmat.forge`): what was taken in until
    then is recorded, and the next pass goes on from there.
    """
    found = into if into is not None else Synced()
    with _alone(reconciler.deps.repo):
        reconciler(start=False)
        look = Look(reconciler.deps, hub)
        issue_sync.take_in(reconciler.deps, hub, look, found)
        pull_sync.take_in(reconciler, hub, look, found, merged=merged)
        pull_standing.take_in(reconciler.deps, hub, look, found)
        pull_talk.take_in(reconciler, hub, look, found)
        pull_checks.take_in(reconciler, hub, look, found)
        pull_upkeep.take_in(reconciler, hub, look, found)
        pull_replies.take_in(reconciler.deps, hub, look, found)
        gate_reports.take_in(reconciler.deps, hub, found)
        reconciler(start=False)
        _look_again(reconciler, look, found)
        look.done()
    return found


def _look_again(reconciler: Reconciler, look: Look, found: Synced) -> None:
    """Have the next pass look at what did not work out, although nothing new is told of it."""
    facts = reconciler.deps.store.read()
    for task in found.failed:
        entry = facts.entry(task)
        if entry is not None and entry.pull is not None:
            look.again(entry.pull.number)
        if entry is not None and entry.issue is not None:
            look.again(entry.issue.number)


def _alone(repo: Repository) -> FileLock:
    """Return the lock of the pass, taken: two at once would say everything twice."""
    try:
        return FileLock(repo.cmat / FOLDER / "lock").acquire(timeout=_SECONDS)
    except Conflict as error:
        raise Conflict(
            "Another process has been looking at the forge for ten minutes.",
            hint="gitcmat status, then try again",
        ) from error
