"""Deletes the branches on a remote whose pull requests are over, by a merge or because the work was
landed by hand: only where they still are at what landed, and nothing goes onto them.
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
from gitcmat.store.found_landing import found_landing
from gitcmat.store.pushing import push, remote_tips

_LATEST: Final = 500
"""Tasks that are done, the last first, among which those are whose branch may be there still."""


def drop_branches(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Delete the branches of what landed and was closed since the last pass, as git here does after
    a landing.

    Raises `UserError` when the remote does not answer: the next pass does it again.
    """
    over = _over(deps, hub, look)
    there = remote_tips(deps.git, hub.upstream(), [_ref(pull) for _, pull in over])
    for entry, pull in over:
        if (at := there.get(_ref(pull))) is not None:
            with found.about(entry.id):
                _drop(deps, hub, look, pull, at, entry, found)


def _over(deps: Deps, hub: Hub, look: Look) -> list[tuple[Entry, Pull]]:
    """Return what is done, whose pull request from a branch of ours is over and told to be new."""
    here = (hub.remote.host, hub.remote.slug)
    return [
        (entry, entry.pull)
        for entry in deps.store.read().entries(State.DONE, limit=_LATEST)
        if entry.pull is not None
        and not entry.pull.open
        and (entry.pull.host, entry.pull.repo) == here
        and look.changed(entry.pull.number)
        and entry.pull.head.endswith(f"/{entry.id}")  # as gitcmat names them, and nobody else
    ]


def _drop(
    deps: Deps, hub: Hub, look: Look, pull: Pull, at: str, entry: Entry, found: Synced
) -> None:
    seen = look.pull(pull.number)
    if seen.state is PullState.OPEN:
        return  # somebody has reopened it
    where = f"{seen.head} on {hub.remote.slug}"
    if why := _why_it_stays(deps, hub, look, seen, at, entry):
        found.lines.append(f"{entry.id}: {where} stays: {why}")
        return
    ref = f"{refs.BRANCHES}{seen.head}"
    push(deps.git, hub.upstream(), ref, None, was=at)
    if fetched := deps.git.ref(refs.remote_ref(ref)):
        deps.git.delete_ref(refs.remote_ref(ref), fetched)
    found.lines.append(f"{entry.id}: {where} was deleted")


def _why_it_stays(
    deps: Deps, hub: Hub, look: Look, seen: PullRequest, at: str, entry: Entry
) -> str:
    """Say why a branch that is at the commit `at` is not deleted; empty where it is."""
    if onto := _onto(deps, hub, seen.head):
        return f"{', '.join(f'#{number}' for number in onto)} goes onto it"
    if seen.state is PullState.CLOSED:
        return _not_landed(deps, look, at, entry)
    if at != seen.head_sha:
        return f"it is at {short(at)}, and {short(seen.head_sha)} was merged"
    return ""


def _not_landed(deps: Deps, look: Look, at: str, entry: Entry) -> str:
    """Say that a commit is not on the target there; empty where it is, in whatever form.

    What is not known here was put there by somebody else, after the landing.
    """
    tip = look.tip(entry.target)
    if tip and deps.git.rev(at) and found_landing(deps.repo, deps.git, tip, at):
        return ""
    return f"it is at {short(at)}, which is not on {entry.target.removeprefix(refs.BRANCHES)} there"


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
