"""``gitcmat delegate``: inside a run, another agent does a part of the work."""

import sys

import click

from gitcmat.cli.state import State, common
from gitcmat.engine.seat import Seat
from gitcmat.errors import Usage


@click.command(name="delegate")
@click.argument("agent")
@click.argument("prompt")
@click.option("--group", default="", help="What it has in common with others, for people.")
@common
def command(state: State, *, agent: str, prompt: str, group: str) -> None:
    """Have AGENT do a part of this run's work; wait, and print what became of it.

    Only for the agent of a run. PROMPT may be - for standard input. AGENT begins with the files as
    they are now, in a workspace of its own. Its commit can be picked from here. Exit code 1 when it
    did not end well. Several at once: start several, with &, and wait.
    """
    seat = Seat.here()
    if seat is None:
        raise Usage(
            "`delegate` works only inside a run.",
            hint='gitcmat run direct AGENT "…" outside of one',
        )
    text = sys.stdin.read() if prompt == "-" else prompt
    (found,) = seat.wait_for_all(seat.delegate([(agent, text)], group))
    found = found or {}
    why = found.get("error") or found.get("message") or ""
    head = (found.get("run") or agent, found.get("outcome"), why)
    lines = [": ".join(str(part) for part in head if part)]
    said = found.get("said") or ""
    lines += [part for part in ("" if why.endswith(said) else said, found.get("take")) if part]
    state.out.show(found, lines)
    if found.get("outcome") != "finished":
        raise click.exceptions.Exit(1)
