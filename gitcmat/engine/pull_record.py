"""Writes down what is known of a task's pull request: whoever does changes only what they know."""

from collections.abc import Callable
from dataclasses import replace

from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.model import pull_rules
from gitcmat.model.entry import Entry
from gitcmat.model.forge import PullRequest
from gitcmat.model.pull import Pull
from gitcmat.store.state import Actor


def record(
    deps: Deps,
    task: str,
    now: Callable[[Pull | None], Pull],
    *,
    by: Actor | None = None,
    what: str = "",
) -> Entry:
    """Have the record of a task's pull request be what `now` makes of it, if that is news.

    It is made of the record as it is by then: somebody else may have noted other things meanwhile.
    `what` says of the pull request what is new; left out, in which state it is.
    """
    known = deps.store.read().entry(task)
    if known is not None and known.pull is not None and now(known.pull) == known.pull:
        return known
    with deps.store.change(f"pr {task}", by=by or deps.actor) as change:
        entry = change.entry(task)
        pull = now(entry.pull)
        entry = replace(entry, pull=pull)
        change.put(entry, f"{task}: pull request #{pull.number} {what or f'is {pull.state}'}")
    return entry


def as_seen(hub: Hub, seen: PullRequest, known: Pull | None) -> Pull:
    """Return the record of a pull request as the forge shows it now; of one and the same, what was
    known beside stays so.
    """
    place = (hub.remote.host, hub.remote.slug, seen.number)
    if known is not None and (known.host, known.repo, known.number) == place:
        return pull_rules.followed(known, seen)
    return Pull(
        host=hub.remote.host,
        repo=hub.remote.slug,
        number=seen.number,
        url=seen.url,
        head=seen.head,
        base=seen.base,
        draft=seen.draft,
        state=seen.state,
    )
