"""``gitcmat mcp``: tools for agents."""

import importlib.util
import os
from pathlib import Path

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import NotFound
from gitcmat.system import orphans


@click.command(name="mcp")
@click.option("--run", "seat_file", hidden=True, type=click.Path(path_type=Path))
@common
def command(state: State, *, seat_file: Path | None) -> None:
    """Serve tools to an agent, by the Model Context Protocol on standard input and output.

    The agent of a run gets it by itself: it can ask, tell how far it is, save, read its task and
    delegate. Your own agent, outside of a run, can look, add a task and answer; landing, approving
    and trusting are yours. It needs the package `mcp`: pip install 'gitcmat[mcp]'.
    """
    if importlib.util.find_spec("mcp") is None:
        raise NotFound(
            "`gitcmat mcp` needs the package mcp, which is not installed.",
            hint="pip install 'gitcmat[mcp]'",
        )
    from gitcmat.cli.serving import for_person, in_run, protocol
    from gitcmat.engine.seat import Seat

    seat = Seat.read(seat_file) if seat_file else Seat.here()
    if seat is not None:
        protocol.serve(in_run.tools(seat), in_run.ABOUT)
    elif orphans.VARIABLE in os.environ:
        raise NotFound(
            "This is inside of a run whose place is not known.",
            hint="start it with the environment that the run's agent was given",
        )
    else:
        _ = state.app  # outside of a repository it says so at once
        protocol.serve(for_person.tools(state.start), for_person.ABOUT, at_once=1)
