"""Commands that can also answer as they would have at a moment of the past."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from gitcmat.cli.state import State

if TYPE_CHECKING:
    from gitcmat.store.facts import Facts
    from gitcmat.store.past import Point

F = TypeVar("F", bound=Callable[..., object])


def at_option(function: F) -> F:
    """Give a command the option ``--at``."""
    import click  # not on the way of a list, which starts without it

    return click.option(
        "--at",
        metavar="REV|DATE",
        help="As it was recorded then: a commit of the state, ~3, yesterday, 2026-11-20T09:00.",
    )(function)


def facts(state: State, at: str | None) -> "Facts":
    """Return the records as they are now, or as they were.

    Raises `NotFound` where there was no state then.
    """
    deps = state.app.deps
    return deps.reader.read() if at is None else deps.store.read_at(at)


def plain(point: "Point | None") -> dict[str, Any]:
    """Return what to add to the JSON of a command: the state that it tells of."""
    if point is None:
        return {}
    return {"at": {"commit": point.commit, "time": f"{point.at:%Y-%m-%dT%H:%M:%SZ}"}}


def lines(point: "Point | None") -> list[str]:
    """Return the line that says which state a command tells of."""
    return [] if point is None else [f"as of {point}", ""]
