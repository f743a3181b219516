"""Takes in what happened to pull requests on the forge: merged, by whatever button or by hand;
closed; turned from draft to ready.

The forge is asked first, then everything is decided in one change of the facts.
"""

from dataclasses import dataclass, field, replace

from gitcmat.engine import branches, pulls
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.hub import Hub
from gitcmat.engine.landing_record import drop_branches
from gitcmat.engine.reconcile import Reconciler
from gitcmat.errors import Conflict
from gitcmat.forge import NotVisible, Refused
from gitcmat.model import pull_rules
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Landed
from gitcmat.model.forge import PullRequest
from gitcmat.model.forge_settings import PullMode
from gitcmat.model.names import short
from gitcmat.model.pull import Pull, PullState
from gitcmat.model.state import OPEN, State
from gitcmat.store import refs
from gitcmat.store.fetching import fetch
from gitcmat.store.found_landing import found_landing
from gitcmat.store.state import Change

_LAND_FROM = frozenset({State.REVIEW, State.PENDING, State.BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A pull request as the forge shows it now."""

    pull: Pull
    landed: str | None
    """The commit that brought its work onto the target; None while it is not there."""


@dataclass(slots=True, kw_only=True)
class Synced:
    """What came of a look at the forge."""

    looked: int = 0
    """Pull requests that were looked at."""
    lines: list[str] = field(default_factory=list)
    """What is new, for people."""
    landed: list[str] = field(default_factory=list)
    """Tasks that are done by it."""


def sync(reconciler: Reconciler, hub: Hub, *, merged: str = "") -> Synced:
    """Look at the pull requests of all open tasks, and take in what became of them.

    It may be repeated, and killed anywhere. `merged` is the task whose pull request the person has
    merged just now: that landing is theirs.

    Raises `UserError` when the forge does not answer; see `gitcmat.forge`.
    """
    deps = reconciler.deps
    reconciler(start=False)
    found = Synced()
    seen = _look(deps, hub, found)
    after = After()
    if any(_is_news(deps.store.read().entry(task), one) for task, one in seen.items()):
        with deps.store.change("pull requests", by=deps.daemon) as change:
            for task, one in seen.items():
                by = deps.me.name if task == merged else one.pull.host
                _take_in(deps, change, task, one, by, found, after)
        drop_branches(deps, after)
    _retarget(deps, hub, found)
    _publish(reconciler, hub, found)
    reconciler(start=False)
    return found


def _look(deps: Deps, hub: Hub, found: Synced) -> dict[str, _Seen]:
    mine = (hub.remote.host, hub.remote.slug)
    asked = {
        entry.id: (entry, entry.pull)
        for entry in deps.store.read().entries(*OPEN)
        if entry.pull is not None and (entry.pull.host, entry.pull.repo) == mine
    }
    found.looked = len(asked)
    if not asked:
        return {}
    opened = {pull.number: pull for pull in hub.forge.pulls.open()}
    targets = {entry.target for entry, _ in asked.values()}
    tips = {target: fetch(deps.git, hub.upstream(), target) for target in targets}
    seen: dict[str, _Seen] = {}
    for task, (entry, pull) in asked.items():
        try:
            now = opened.get(pull.number) or hub.forge.pulls.get(pull.number)
        except NotVisible:
            found.lines.append(f"{task}: #{pull.number} is not there any more")
            continue
        landed = _landing(deps, pull, now, tips[entry.target])
        if landed is not None and now.state is PullState.OPEN:
            # It may have been merged between the two looks: then that is how it landed.
            now = hub.forge.pulls.get(pull.number)
            landed = _landing(deps, pull, now, tips[entry.target])
        seen[task] = _Seen(pull=pull_rules.followed(pull, now), landed=landed)
    return seen


def _landing(deps: Deps, pull: Pull, seen: PullRequest, tip: str | None) -> str | None:
    """Return the commit in `tip` that has the work: what the forge says, or what is found."""
    git = deps.git
    if tip is None:
        return None
    merged = seen.merge_commit if seen.state is PullState.MERGED else ""
    if merged and git.ok("merge-base", "--is-ancestor", merged, tip):
        return merged
    here = [c for c in (seen.head_sha, pull.pushed) if c and git.rev(c)]
    return found_landing(deps.repo, git, tip, here[0]) if here else None


def _is_news(entry: Entry | None, seen: _Seen) -> bool:
    if entry is None:
        return False
    return entry.pull != seen.pull or (seen.landed is not None and entry.state in _LAND_FROM)


def _take_in(
    deps: Deps, change: Change, task: str, seen: _Seen, by: str, found: Synced, after: After
) -> None:
    entry = change.find(task)
    if entry is None or entry.pull is None or entry.pull.number != seen.pull.number:
        return
    before, now = entry.pull, deps.clock.now()
    pull = replace(seen.pull, pushed=before.pushed, override=before.override)
    where = f"{task}: #{pull.number}"
    if pull != before:
        change.put(replace(entry, pull=pull), f"{where} is {pull.state}")
    if seen.landed is not None and entry.state in _LAND_FROM:
        landing = Landing(
            commit=seen.landed,
            target=entry.target,
            how="pull request" if pull.state is PullState.MERGED else "by hand",
            at=now,
            by=by,
            override=pull.override,
        )
        happen(change, task, Landed(landing=landing), now, after)
        found.landed.append(task)
        onto = entry.target.removeprefix(refs.BRANCHES)
        how = "was merged" if pull.state is PullState.MERGED else "has landed by hand"
        found.lines.append(f"{where} {how}, as {short(seen.landed)} on {onto}; {task} is done")
        if pull.open:
            found.lines.append(f"{where} is open still: gitcmat pr close {task}")
    elif pull.state is not before.state:
        found.lines.append(f"{where} {_became(task, pull, entry)}")


def _became(task: str, pull: Pull, entry: Entry) -> str:
    if pull.state is PullState.CLOSED:
        return (
            f"was closed without merging; {task} is {entry.state}. "
            f"Next: gitcmat pr create {task} --again, or gitcmat queue cancel {task}"
        )
    if pull.state is PullState.MERGED:
        return f"was merged into {pull.base}; {task} is done once that is on its target"
    return "is open again"


def _publish(reconciler: Reconciler, hub: Hub, found: Synced) -> None:
    """Open and push what the person's settings want there; a closed one is not opened again."""
    deps = reconciler.deps
    mode = deps.settings.forge.pull
    for entry in deps.store.read().entries(State.REVIEW) if mode is not PullMode.OFF else ():
        pull, work = entry.pull, branches.tip(deps.git, entry).commit
        if work in ("", entry.base) or (pull and (not pull.open or pull.pushed == work)):
            continue
        draft = pull is not None or mode is PullMode.DRAFT  # what they made of it stays so
        try:
            done = pulls.publish(reconciler, hub, entry.id, draft=draft)
        except Conflict as error:
            found.lines.append(f"{entry.id}: {error.message}")
            continue
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
            try:
                seen = hub.forge.pulls.edit(pull.number, base=target)
            except Refused as error:
                found.lines.append(f"{entry.id}: {error.message}")
                continue
            with deps.store.change("pull requests", by=deps.daemon) as change:
                now = change.entry(entry.id)
                if now.pull is not None and now.pull.number == pull.number:
                    change.put(replace(now, pull=pull_rules.followed(now.pull, seen)))
            found.lines.append(f"{entry.id}: #{pull.number} goes onto {target} now")
