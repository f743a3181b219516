"""Brings the forge up to date with what is here: retargets, opens, pushes, tidies up."""

from gitcmat.engine import branches, pull_override, pull_text, pulls
from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_branches import drop_branches
from gitcmat.engine.pull_record import as_seen, record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.model import pull_rules
from gitcmat.model.entry import Entry
from gitcmat.model.forge import PullRequest
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.names import short
from gitcmat.model.pull import Pull
from gitcmat.model.state import OPEN, State
from gitcmat.store import refs


def take_in(reconciler: Reconciler, hub: Hub, look: Look, found: Synced) -> None:
    """Have the pull requests there be as the work here wants them."""
    _retarget(reconciler.deps, hub, found)
    _publish(reconciler, hub, found)
    pull_override.take_in(reconciler.deps, hub, look, found)
    drop_branches(reconciler.deps, hub, look, found)


def _publish(reconciler: Reconciler, hub: Hub, found: Synced) -> None:
    """Open and push what the person's settings want there; a closed one is not opened again."""
    deps = reconciler.deps
    mode = deps.settings.forge.pull
    entries = deps.store.read().entries(State.REVIEW) if mode is not PullMode.OFF else []
    tips = _tips(deps) if entries else {}
    for entry in entries:
        pull = entry.pull
        if pull is not None and (not pull.open or _is_shown(deps, hub, entry, pull, tips)):
            continue
        if pull is None and branches.tip(deps.git, entry).commit in ("", entry.base):
            continue
        draft = pull is not None or mode is PullMode.DRAFT  # what they made of it stays so
        with found.about(entry.id):
            done = pulls.publish(reconciler, hub, entry.id, draft=draft)
            if done.made or done.pushed:
                what = "was opened" if done.made else f"is at {short(done.pull.pushed)} now"
                found.lines.append(f"{entry.id}: #{done.pull.number} {what}: {done.pull.url}")


def _tips(deps: Deps) -> dict[str, str]:
    """Return the commits of all branches here, by one question to git."""
    lines = deps.git.text("for-each-ref", "--format=%(refname) %(objectname)", refs.BRANCHES)
    pairs = (line.partition(" ") for line in lines.splitlines())
    return {ref: commit for ref, _, commit in pairs}


def _is_shown(deps: Deps, hub: Hub, entry: Entry, pull: Pull, tips: dict[str, str]) -> bool:
    """Whether a pull request shows the work as it is, and says what is true of it."""
    at = tips.get(entry.branch, entry.head)
    work = at if at == entry.head else branches.tip(deps.git, entry).commit
    facts = deps.store.read()
    needs = [need for need in map(facts.entry, entry.task.needs) if need is not None]
    numbers = pull_rules.depends_on(needs, hub.remote.host, hub.remote.slug)
    return pull.pushed == work and pull.shown == pull_text.digest(entry, numbers)


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
