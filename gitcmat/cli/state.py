"""What every command is given: where it works, how it prints, and the parts, joined when first
asked for.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from gitcmat.cli.output import Output

if TYPE_CHECKING:
    from gitcmat.app import App

F = TypeVar("F", bound=Callable[..., object])


@dataclass
class State:
    """Options that stand before the command, and what follows from them."""

    start: Path
    as_json: bool
    quiet: bool
    no_input: bool
    color: bool

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
    """Give a command the state, and let it take --json and --quiet behind its name too."""

    @click.option("--json", "json_here", is_flag=True, help="Print one JSON object.")
    @click.option("-q", "--quiet", "quiet_here", is_flag=True, help="Print no progress.")
    @click.pass_obj
    @functools.wraps(function)
    def wrapped(
        state: State, /, *args: Any, json_here: bool, quiet_here: bool, **kwargs: Any
    ) -> object:
        state.as_json = state.as_json or json_here
        state.quiet = state.quiet or quiet_here
        return function(state, *args, **kwargs)

    return cast("F", wrapped)
