"""Brings the forge up to date with what is here: retargets, opens, pushes."""

from gitcmat.engine import branches, pulls
from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_record import as_seen, record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.model.forge import PullRequest
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.names import short
from gitcmat.model.state import OPEN, State
from gitcmat.store import refs


def bring_up_to_date(reconciler: Reconciler, hub: Hub, found: Synced) -> None:
    """Have the pull requests there be as the work here wants them."""
    _retarget(reconciler.deps, hub, found)
    _publish(reconciler, hub, found)


def _publish(reconciler: Reconciler, hub: Hub, found: Synced) -> None:
    """Open and push what the person's settings want there; a closed one is not opened again."""
    deps = reconciler.deps
    mode = deps.settings.forge.pull
    for entry in deps.store.read().entries(State.REVIEW) if mode is not PullMode.OFF else ():
        pull, work = entry.pull, branches.tip(deps.git, entry).commit
        if work in ("", entry.base) or (pull and (not pull.open or pull.pushed == work)):
            continue
        draft = pull is not None or mode is PullMode.DRAFT  # what they made of it stays so
        with found.about(entry.id):
            done = pulls.publish(reconciler, hub, entry.id, draft=draft)
            what = "was opened" if done.made else f"is at {short(done.pull.pushed)} now"
            found.lines.append(f"{entry.id}: #{done.pull.number} {what}: {done.pull.url}")


def _retarget(deps: Deps, hub: Hub, found: Synced) -> None:
    """Point pull requests at their target whose need was merged: that one's branch goes."""
    facts = deps.store.read()
    for entry in facts.entries(*OPEN):
        pull, target = entry.pull, entry.target.removeprefix(refs.BRANCHES)
        if pull is None or not pull.open or pull.base == target:
            continue
        needs = [facts.entry(need) for need in entry.task.needs]
        done = (n for n in needs if n is not None and n.state is State.DONE and n.pull)
        if any(need.pull is not None and need.pull.head == pull.base for need in done):
            with found.about(entry.id):
                seen = hub.forge.pulls.edit(pull.number, base=target)
                _follow(deps, hub, entry.id, seen)
                found.lines.append(f"{entry.id}: #{pull.number} goes onto {target} now")


def _follow(deps: Deps, hub: Hub, task: str, seen: PullRequest) -> None:
    record(deps, task, lambda known: as_seen(hub, seen, known), by=deps.daemon)
