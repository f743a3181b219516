"""``gitcmat status``: what goes on, and what to do next."""

import click

from gitcmat.cli import overview, past
from gitcmat.cli.state import State, common


@click.command(name="status")
@past.at_option
@common
def command(state: State, *, at: str | None) -> None:
    """What goes on, and what to do next; of the past, what was recorded."""
    overview.show(state, at=at)
