"""The branch of a pull request on the remote: moved only from where gitcmat put it, and followed
where others have gone on from there.
"""

from typing import NoReturn

from gitcmat.engine import branches
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.errors import Conflict
from gitcmat.model.entry import Entry
from gitcmat.model.names import short
from gitcmat.store import refs
from gitcmat.store.fetching import fetch
from gitcmat.store.pushing import push, remote_tip


def push_work(deps: Deps, hub: Hub, entry: Entry, branch: str, tip: str) -> tuple[str, bool]:
    """See to it that a full branch on the remote holds the work of an entry, which is at `tip`.

    Return where it is there, and whether it was moved. What others committed there on top of what
    gitcmat had pushed is part of the work: the branch here follows it.

    Raises:
        Conflict: it is somebody else's, or went on here and there.
        UserError: the remote does not do it; see `gitcmat.store.pushing`.
    """
    git, upstream = deps.git, hub.upstream()
    at = remote_tip(git, upstream, branch)
    if at == tip:
        return tip, False
    if at is None or _is_ours(deps, entry, at, tip):
        push(git, upstream, branch, tip, was=at)
        return tip, True
    return follow(deps, hub, entry, branch, tip), False


def follow(deps: Deps, hub: Hub, entry: Entry, branch: str, tip: str) -> str:
    """Have the full branch here, which is at `tip`, take over what others pushed on top of what
    gitcmat had put on the remote; return where it is then.

    Raises:
        Conflict: it is somebody else's, or went on here, too.
        UserError: the remote does not say.
    """
    git, upstream = deps.git, hub.upstream()
    pushed = entry.pull.pushed if entry.pull else ""
    theirs = fetch(git, upstream, branch)
    if theirs is None or branches.contains(git, tip, theirs):
        return tip
    if not pushed or not branches.contains(git, theirs, pushed):
        where = f"{branch} on {hub.remote.slug}"
        raise Conflict(
            f"{where} is at {short(theirs)}, which gitcmat did not put there.",
            hint=f"if the work may replace it: git push {upstream.url} --delete {branch}",
        )
    _move_on(deps, hub, branch, theirs, tip)
    return theirs


def _is_ours(deps: Deps, entry: Entry, at: str, tip: str) -> bool:
    """Whether a commit is of this work: put there by us, a result of one of its runs, or below."""
    known = {run.head for run in deps.store.read().runs(task=entry.id)}
    known |= {entry.branch_head, entry.pull.pushed if entry.pull else ""}
    if at in known:
        return True
    return deps.git.ok("cat-file", "-e", f"{at}^{{commit}}") and branches.contains(
        deps.git, tip, at
    )


def _move_on(deps: Deps, hub: Hub, branch: str, theirs: str, tip: str) -> None:
    """Move the branch here on to what others pushed, if it has nothing of its own."""
    git = deps.git
    if not branches.contains(git, theirs, tip) or git.ref(branch) != tip:
        _refuse(hub, branch, "went on here, too", "git merge")
    if branch in branches.occupied(git):
        _refuse(hub, branch, "is checked out here", "git merge --ff-only")
    git.update_ref(branch, theirs, tip, why=f"gitcmat: from {hub.remote.slug}")


def _refuse(hub: Hub, branch: str, why: str, how: str) -> NoReturn:
    name = branch.removeprefix(refs.BRANCHES)
    raise Conflict(
        f"{name} has new commits on {hub.remote.slug}, and {why}.",
        hint=f"on {name}: {how} {refs.remote_ref(branch)}",
    )
