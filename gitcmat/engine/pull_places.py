"""Where people talk about tasks on a forge: which task a number there belongs to."""

from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.hub import Hub
from gitcmat.model.entry import Entry
from gitcmat.model.pull import Pull
from gitcmat.model.state import OPEN, State

_TALKED_OF: Final = (*OPEN, State.FAILED, State.CANCELLED)


def open_pull(hub: Hub, entry: Entry) -> Pull | None:
    """Return the pull request of an entry if it is open, and on this forge."""
    pull = entry.pull
    here = pull is not None and (pull.host, pull.repo) == (hub.remote.host, hub.remote.slug)
    return pull if pull is not None and here and pull.open else None


def question_place(hub: Hub, entry: Entry) -> int | None:
    """Return where questions about a task are put: its open pull request, or else its issue."""
    if (pull := open_pull(hub, entry)) is not None:
        return pull.number
    link = entry.issue
    here = link is not None and (link.host, link.repo) == (hub.remote.host, hub.remote.slug)
    return link.number if link is not None and here and not link.gone else None


def talked_of(deps: Deps) -> list[Entry]:
    """Return the entries that people may talk about: all that are not done."""
    return deps.store.read().entries(*_TALKED_OF)


def pulls_by_number(deps: Deps, hub: Hub) -> dict[int, str]:
    """Return the tasks by the numbers of their open pull requests."""
    found = ((open_pull(hub, entry), entry.id) for entry in talked_of(deps))
    return {pull.number: task for pull, task in found if pull is not None}


def issues_by_number(deps: Deps, hub: Hub) -> dict[int, str]:
    """Return the tasks by the numbers of the issues that they came from."""
    found = ((entry.issue, entry.id) for entry in talked_of(deps))
    return {
        link.number: task
        for link, task in found
        if link is not None and (link.host, link.repo) == (hub.remote.host, hub.remote.slug)
    }
