"""Deletes the branches on a remote whose pull requests were merged: only where they still are at
what was merged, and nothing goes onto them.
"""

from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.synced import Synced
from gitcmat.model.entry import Entry
from gitcmat.model.forge import PullRequest
from gitcmat.model.names import short
from gitcmat.model.pull import Pull, PullState
from gitcmat.model.state import OPEN, State
from gitcmat.store import refs
from gitcmat.store.pushing import push, remote_tips

_LATEST: Final = 500
"""Tasks that are done, the last first, among which those are whose branch may be there still."""


def drop_branches(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Delete the branches of what was merged since the last pass, as git here does after a landing.

    Raises `UserError` when the remote does not answer: the next pass does it again.
    """
    merged = _merged(deps, hub, look)
    there = remote_tips(deps.git, hub.upstream(), [_ref(pull) for _, pull in merged])
    for entry, pull in merged:
        if (at := there.get(_ref(pull))) is not None:
            with found.about(entry.id):
                _drop(deps, hub, look.pull(pull.number), at, entry, found)


def _merged(deps: Deps, hub: Hub, look: Look) -> list[tuple[Entry, Pull]]:
    """Return what is done and was merged from a branch of ours, and is told to be new."""
    here = (hub.remote.host, hub.remote.slug)
    return [
        (entry, entry.pull)
        for entry in deps.store.read().entries(State.DONE, limit=_LATEST)
        if entry.pull is not None
        and entry.pull.state is PullState.MERGED
        and (entry.pull.host, entry.pull.repo) == here
        and look.changed(entry.pull.number)
        and entry.pull.head.endswith(f"/{entry.id}")  # as gitcmat names them, and nobody else
    ]


def _drop(deps: Deps, hub: Hub, seen: PullRequest, at: str, entry: Entry, found: Synced) -> None:
    where = f"{seen.head} on {hub.remote.slug}"
    if onto := _onto(deps, hub, seen.head):
        numbers = ", ".join(f"#{number}" for number in onto)
        found.lines.append(f"{entry.id}: {where} stays: {numbers} goes onto it")
        return
    if at != seen.head_sha:
        was = short(seen.head_sha)
        found.lines.append(f"{entry.id}: {where} stays: it is at {short(at)}, and {was} was merged")
        return
    ref = f"{refs.BRANCHES}{seen.head}"
    push(deps.git, hub.upstream(), ref, None, was=at)
    if fetched := deps.git.ref(refs.remote_ref(ref)):
        deps.git.delete_ref(refs.remote_ref(ref), fetched)
    found.lines.append(f"{entry.id}: {where} was deleted")


def _onto(deps: Deps, hub: Hub, branch: str) -> list[int]:
    """Return the open pull requests, of whomever, that would lose their base."""
    known = {e.pull.number: e.pull for e in deps.store.read().entries(*OPEN) if e.pull is not None}
    found = []
    for pull in hub.forge.pulls.open():
        mine = known.get(pull.number)
        if pull.base == branch and (mine is None or mine.base == branch):
            found.append(pull.number)
    return found


def _ref(pull: Pull) -> str:
    return f"{refs.BRANCHES}{pull.head}"
