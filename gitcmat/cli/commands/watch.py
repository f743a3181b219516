"""``gitcmat watch``: the daemon, in the foreground."""

import os
import sys
from collections.abc import Iterator
from typing import Any

import click

from gitcmat.cli.state import State, common
from gitcmat.engine.daemon import EVERY, Daemon, Ending
from gitcmat.engine.unit import unit_text


@click.command(name="watch")
@click.option("--until-idle", is_flag=True, help="End when nothing is left that can start.")
@click.option(
    "--every",
    default=EVERY,
    show_default=True,
    type=click.FloatRange(0.1),
    metavar="SECONDS",
    help="Look this often even when nothing tells of a change.",
)
@click.option("--print-unit", is_flag=True, help="Print a unit for systemd, and do nothing else.")
@common
def command(state: State, *, until_idle: bool, every: float, print_unit: bool) -> None:
    """Start what is committed, take in what ends, until Ctrl-C; runs go on without it.

    A second Ctrl-C stops the runs, too.
    """
    app, out = state.app, state.out
    if print_unit:
        program = [sys.executable, "-m", "gitcmat"]
        unit = unit_text(program, app.deps.repo.root, os.environ)
        out.show({"unit": unit}, unit)
        return
    daemon = Daemon(app.reconciler, out.progress, ring=out.bell, every=every, until_idle=until_idle)
    ending = daemon.run()
    out.show(_plain(ending), _lines(ending))


def _plain(ending: Ending) -> dict[str, Any]:
    return {
        "idle": ending.idle,
        "going_on": [{"run": e.run, "task": e.id} for e in ending.going_on],
        "stopped": [{"run": e.run, "task": e.id} for e in ending.stopped],
        "waits": [{"task": e.id, "state": e.state.value, "for": w} for e, w in ending.waits],
    }


def _lines(ending: Ending) -> Iterator[str]:
    if ending.going_on:
        yield "These runs go on:"
        yield from (f"  {e.run}  {e.id}" for e in ending.going_on)
        yield "gitcmat run stop --all ends them; gitcmat watch takes their results in."
    elif ending.stopped:
        yield "Stopped, and on hold until gitcmat queue release, or gitcmat run now:"
        yield from (f"  {e.run}  {e.id}" for e in ending.stopped)
    elif not ending.idle:
        yield "Ended. Nothing runs."
    elif ending.waits:
        yield "Nothing more can start by itself. These wait for:"
        yield from (f"  {e.id}  {e.state}  {why}" for e, why in ending.waits)
    else:
        yield "Nothing is left to do."
