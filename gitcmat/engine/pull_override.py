"""Has the reason by which a pull request was merged stand below it, where the others see it.

It is in the facts before the merge, and is said after it: what the forge refused was not merged.
Whoever is killed in between leaves it to the next pass.
"""

import hashlib
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.said_once import say_once
from gitcmat.engine.synced import Synced
from gitcmat.model import pull_body
from gitcmat.model.entry import Entry
from gitcmat.model.forge import mark
from gitcmat.model.pull import Pull, PullState
from gitcmat.model.state import OPEN, State

_LATEST: Final = 500
"""Tasks that are done, the last first, among which those are whose reason may not be said yet."""


def take_in(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Say below each pull request that was merged by a reason, and is told to be new, which."""
    facts, here = deps.store.read(), (hub.remote.host, hub.remote.slug)
    for entry in (*facts.entries(State.DONE, limit=_LATEST), *facts.entries(*OPEN)):
        pull = entry.pull
        if (
            pull is not None
            and pull.override
            and pull.state is PullState.MERGED
            and (pull.host, pull.repo) == here
            and look.changed(pull.number)
        ):
            with found.about(entry.id):
                say_once(hub, look, pull.number, _tag(pull), _text(hub, entry, pull))


def _tag(pull: Pull) -> str:
    reason = hashlib.sha256(pull.override.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return mark("override", f"{pull.pushed or 'unknown'}-{reason}")


def _text(hub: Hub, entry: Entry, pull: Pull) -> str:
    by = entry.landing.by if entry.landing else hub.remote.host
    # A pass after a crash knows only that it was merged there.
    who = "This was merged" if by == hub.remote.host else f"{pull_body.part(by)} merged this"
    why = pull_body.part(pull.override)
    return f"{_tag(pull)}\n{who} although not everything was green:\n\n{why}\n"
