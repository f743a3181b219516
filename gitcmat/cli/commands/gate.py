"""``gitcmat gate``: the commands that judge results."""

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import Usage
from gitcmat.model.gate import GateResult, Verdict
from gitcmat.model.landing import in_words
from gitcmat.store import codec

if TYPE_CHECKING:
    from gitcmat.engine.gating import Judged

_SHOWN = 30


@click.group(name="gate")
def command() -> None:
    """The commands that judge results."""


@command.command(name="list")
@common
def list_(state: State) -> None:
    """List the gates of the branch that is checked out."""
    from gitcmat.engine import gating

    found = gating.listed(state.app.deps)
    head = ("NAME", "RUN", "TIMEOUT", "PROTECT")
    rows = [(n, shlex.join(g.run), g.timeout, ", ".join(g.protect)) for n, g in found.items()]
    lines = state.out.table(head, rows) if rows else ["no gates are configured"]
    data = {"gates": [{"name": n, **codec.encode(g)} for n, g in found.items()]}
    state.out.show(data, lines)


@command.command()
@click.argument("names", nargs=-1, metavar="[NAME…]")
@click.option("--task", metavar="ID", help="On the work of a task.")
@click.option("--commit", "rev", metavar="REV", help="On this commit; the default is HEAD.")
@common
def run(state: State, *, names: tuple[str, ...], task: str | None, rev: str | None) -> None:
    """Run gates on a commit, in a workspace; none named: all. Exit code 1 unless all pass."""
    from gitcmat.engine import gating

    if task and rev:
        raise Usage("--task and --commit exclude each other.", hint="choose one")
    out = state.out
    found = gating.run(
        state.app.reconciler,
        names,
        task=task,
        rev=rev or "HEAD",
        on_line=out.progress,
        on_text=out.log,
    )
    out.show(_data(found), _lines(found))
    if found.verdict is not Verdict.GREEN:
        raise click.exceptions.Exit(1)


@command.command()
@click.argument("task")
@common
def results(state: State, *, task: str) -> None:
    """Show what the gates said last of TASK, or of one run."""
    from gitcmat.engine import gating

    found = gating.results(state.app.deps, task)
    state.out.show(_data(found), _lines(found))


def _data(found: "Judged") -> dict[str, Any]:
    return {
        "run": found.run,
        "task": found.task or None,
        "commit": found.commit,
        "verdict": found.verdict.value,
        "passed": found.verdict is Verdict.GREEN,
        "results": [codec.encode(gate) for gate in found.results],
    }


def _lines(found: "Judged") -> Iterator[str]:
    about = f" of {found.task}" if found.task else ""
    yield f"{in_words(found.results, found.verdict)}: {found.commit[:10]}{about}, {found.run}"
    for gate in found.results:
        yield from _gate_lines(gate)


def _gate_lines(gate: GateResult) -> Iterator[str]:
    reason = f" ({gate.reason})" if gate.reason else ""
    yield f"{gate.name}: {gate.outcome}, {gate.seconds:.1f} s{reason}"
    for place in gate.locations:
        at = ":".join(str(n) for n in (place.file, place.line, place.column) if n)
        yield f"  {at}: {place.message}" if place.message else f"  {at}"
    if gate.red:
        yield from (f"  | {line}" for line in gate.output.rstrip().splitlines()[-_SHOWN:])
