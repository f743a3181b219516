"""Takes in what happened to pull requests on the forge: merged, by whatever button or by hand;
closed; turned from draft to ready.

The forge is asked first, then everything is decided in one change of the facts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from gitcmat.engine import branches, pull_push
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.landing_record import drop_branches
from gitcmat.engine.pull_record import as_seen, record
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.synced import Synced
from gitcmat.forge import NotVisible
from gitcmat.model import pull_rules
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Landed
from gitcmat.model.forge import PullRequest
from gitcmat.model.names import short
from gitcmat.model.pull import Pull, PullState
from gitcmat.model.state import FINISHED, OPEN, State
from gitcmat.store import refs
from gitcmat.store.found_landing import found_landing, may_have_landed
from gitcmat.store.state import Change

_LATEST: Final = 500
"""Tasks that are over, the last first, whose pull requests may be open still."""
_LAND_FROM = frozenset({State.REVIEW, State.PENDING, State.BLOCKED})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    """A pull request as the forge shows it now."""

    now: PullRequest
    landed: str | None
    """The commit that brought its work onto the target; None while it is not there."""


def take_in(
    reconciler: Reconciler, hub: Hub, look: Look, found: Synced, *, merged: str = ""
) -> None:
    """Take in what became of the pull requests of all open tasks.

    `merged` is the task whose pull request the person has merged just now: that landing is theirs.
    """
    deps = reconciler.deps
    seen = _seen(deps, hub, look, found)
    after = After()
    if any(_is_news(deps.store.read().entry(task), one) for task, one in seen.items()):
        with deps.store.change("pull requests", by=deps.daemon) as change:
            for task, one in seen.items():
                by = deps.me.name if task == merged else hub.remote.host
                _take_in(deps, change, task, one, by, found, after)
        drop_branches(deps, after)
    for task, one in seen.items():
        with found.about(task):
            _follow(deps, hub, task, one.now, found)


def _seen(deps: Deps, hub: Hub, look: Look, found: Synced) -> dict[str, _Seen]:
    facts = deps.store.read()
    asked = {entry.id: (entry, pull) for entry, pull in _ours(hub, facts.entries(*OPEN))}
    found.looked = len(asked)
    nearer = _nearer(deps, look, asked.values())
    for entry, pull in _ours(hub, facts.entries(*FINISHED, limit=_LATEST)):
        if pull.open and look.changed(pull.number):  # somebody tidies up there
            asked[entry.id] = (entry, pull)
    due = {
        task: (entry, pull)
        for task, (entry, pull) in asked.items()
        # What is merged waits until that is on its target.
        if look.changed(pull.number) or task in nearer or pull.state is PullState.MERGED
    }
    look.expect(len(due))
    seen: dict[str, _Seen] = {}
    for task, (entry, pull) in due.items():
        try:
            now = look.pull(pull.number)
        except NotVisible:
            found.trouble(task, f"#{pull.number} is not there any more")
            continue
        if entry.state.finished:
            seen[task] = _Seen(now=now, landed=None)
            continue
        landed = _landing(deps, pull, now, look.tip(entry.target))
        if landed is not None and now.state is PullState.OPEN:
            # It may have been merged between the two looks: then that is how it landed.
            now = hub.forge.pulls.get(pull.number)
            landed = _landing(deps, pull, now, look.tip(entry.target))
        if landed is not None and entry.state not in _LAND_FROM:
            look.again(pull.number)
        seen[task] = _Seen(now=now, landed=landed)
    return seen


def _nearer(deps: Deps, look: Look, asked: Iterable[tuple[Entry, Pull]]) -> set[str]:
    """Return the tasks whose work may be on their target by now, which has moved."""
    found: set[str] = set()
    by_target: dict[str, dict[str, str]] = {}
    for entry, pull in asked:
        by_target.setdefault(entry.target, {})[entry.id] = pull.pushed
    for target, pushed in by_target.items():
        if not look.moved(target):
            continue
        tip, was = look.tip(target), look.was(target)
        works = (work for work in pushed.values() if work)
        landed = may_have_landed(deps.git, was, tip, works) if tip and was else set(pushed.values())
        found |= {task for task, work in pushed.items() if not work or work in landed}
    return found


def _ours(hub: Hub, entries: Iterable[Entry]) -> Iterator[tuple[Entry, Pull]]:
    """Yield those entries that have a pull request on this forge."""
    for entry in entries:
        pull = entry.pull
        if pull is not None and (pull.host, pull.repo) == (hub.remote.host, hub.remote.slug):
            yield entry, pull


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
    if entry is None or entry.pull is None:
        return False
    followed = pull_rules.followed(entry.pull, seen.now)
    return entry.pull != followed or (seen.landed is not None and entry.state in _LAND_FROM)


def _take_in(
    deps: Deps, change: Change, task: str, seen: _Seen, by: str, found: Synced, after: After
) -> None:
    entry = change.find(task)
    if entry is None or entry.pull is None or entry.pull.number != seen.now.number:
        return
    before, now = entry.pull, deps.clock.now()
    pull = pull_rules.followed(before, seen.now)
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
            found.lines.append(
                f"{where} is open, and {pull.head} stays there until it is closed: "
                f"gitcmat pr close {task}"
            )
    elif pull.state is not before.state:
        found.lines.append(f"{where} {_became(task, pull, entry)}")


def _follow(deps: Deps, hub: Hub, task: str, now: PullRequest, found: Synced) -> None:
    """Take over what others pushed to the branch of work that nobody is at."""
    entry = deps.store.read().entry(task)
    if entry is None or entry.pull is None or entry.state not in _LAND_FROM:
        return
    tip = branches.tip(deps.git, entry).commit
    if now.state is not PullState.OPEN or not entry.branch or now.head_sha in {"", tip}:
        return
    at = pull_push.follow(deps, hub, entry, entry.branch, tip)
    if at == tip:
        return
    record(deps, task, lambda known: replace(as_seen(hub, now, known), pushed=at), by=deps.daemon)
    found.lines.append(f"{task}: #{now.number} has new commits; {now.head} is at {short(at)} now")


def _became(task: str, pull: Pull, entry: Entry) -> str:
    if pull.open:
        return "is open again"
    if entry.state.finished:
        return f"was {pull.state}"
    if pull.state is PullState.CLOSED:
        return (
            f"was closed without merging; {task} is {entry.state}. "
            f"Next: gitcmat pr create {task} --again, or gitcmat queue cancel {task}"
        )
    return f"was merged into {pull.base}; {task} is done once that is on its target"
