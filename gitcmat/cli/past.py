"""Commands that can also answer as they would have at a moment of the past."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from gitcmat.cli.state import State
from gitcmat.store.facts import Facts
from gitcmat.store.past import Point

F = TypeVar("F", bound=Callable[..., object])

_OPTION: Final = click.option(
    "--at",
    metavar="REV|DATE",
    help="As it was recorded then: a commit of the state, ~3, yesterday, 2026-11-20T09:00.",
)


def at_option(function: F) -> F:
    """Give a command the option ``--at``."""
    return _OPTION(function)


def facts(state: State, at: str | None) -> Facts:
    """Return the records as they are now, or as they were.

    Raises `NotFound` where there was no state then.
    """
    store = state.app.deps.store
    return store.read() if at is None else store.read_at(at)


def plain(point: Point | None) -> dict[str, Any]:
    """Return what to add to the JSON of a command: the state that it tells of."""
    if point is None:
        return {}
    return {"at": {"commit": point.commit, "time": f"{point.at:%Y-%m-%dT%H:%M:%SZ}"}}


def lines(point: Point | None) -> list[str]:
    """Return the line that says which state a command tells of."""
    return [] if point is None else [f"as of {point}", ""]
