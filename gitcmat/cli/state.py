"""What every command is given: where it works, how it prints, and the parts, joined when first
asked for.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from gitcmat.cli.output import Output

if TYPE_CHECKING:
    from gitcmat.app import App

F = TypeVar("F", bound=Callable[..., object])


class State:
    """Options that stand before the command, and what follows from them."""

    def __init__(
        self,
        start: Path,
        *,
        as_json: bool = False,
        quiet: bool = False,
        no_input: bool = False,
        color: bool = True,
        through: str = "",
    ) -> None:
        self.start = start
        self.as_json = as_json
        self.quiet = quiet
        self.no_input = no_input
        self.color = color
        self.through = through
        """By what somebody else speaks for the person; empty when they typed it themselves."""

    @functools.cached_property
    def app(self) -> "App":
        """The repository that the command works in.

        Raises `NotFound` outside of one.
        """
        from gitcmat.app import open_app

        return open_app(self.start)

    @functools.cached_property
    def out(self) -> Output:
        """Where the command prints."""
        return Output(as_json=self.as_json, quiet=self.quiet, color=self.color)


def common(function: F) -> F:
    """Give a command the state, and let it take the options of `gitcmat` behind its name too."""
    import click  # not on the way of a list, which starts without it

    @click.option("-C", "start_here", metavar="DIR", hidden=True)
    @click.option("--json", "json_here", is_flag=True, help="Print one JSON object.")
    @click.option("-q", "--quiet", "quiet_here", is_flag=True, help="Print no progress.")
    @click.option("--no-input", "no_input_here", is_flag=True, hidden=True)
    @click.option("--no-color", "no_color_here", is_flag=True, hidden=True)
    @click.pass_obj
    @functools.wraps(function)
    def wrapped(
        state: State,
        /,
        *args: Any,
        start_here: str | None,
        json_here: bool,
        quiet_here: bool,
        no_input_here: bool,
        no_color_here: bool,
        **kwargs: Any,
    ) -> object:
        state.start = state.start / (start_here or "")
        state.as_json = state.as_json or json_here
        state.quiet = state.quiet or quiet_here
        state.no_input = state.no_input or no_input_here
        state.color = state.color and not no_color_here
        return function(state, *args, **kwargs)

    return cast("F", wrapped)
