"""One task in the foreground, for each command that can start one."""

import click

from gitcmat.cli.shown import plain
from gitcmat.cli.state import State
from gitcmat.engine.foreground import Foreground
from gitcmat.model.entry import Entry
from gitcmat.model.state import State as TaskState
from gitcmat.system.interrupts import Interrupts


def run_now(state: State, task: str) -> None:
    """Run a task until it needs a person; say where it is then, and what to do.

    Exits with 1 when it did not get to review, and as interrupted after a Ctrl-C.
    """
    out, app = state.out, state.app
    with Interrupts() as interrupts:
        foreground = Foreground(app.reconciler, interrupts, on_text=out.log, on_line=out.progress)
        entry = foreground.run(task)
    out.show({"entry": plain(entry), "next": _next(entry)}, _where(entry))
    if interrupts.count:
        raise KeyboardInterrupt
    if entry.state is not TaskState.REVIEW:
        raise click.exceptions.Exit(1)


def run_in_background(state: State, task: str) -> None:
    """Start one attempt at a task and print the id of its run."""
    out, app = state.out, state.app
    foreground = Foreground(app.reconciler, Interrupts(), on_text=out.log, on_line=out.progress)
    entry = foreground.start(task)
    follow = f"gitcmat run follow {entry.run}"
    out.progress(f"{entry.id} runs, attempt {entry.attempt}: {follow}")
    out.show({"run": entry.run, "entry": plain(entry), "next": follow}, entry.run or "")


def _where(entry: Entry) -> list[str]:
    why = entry.reason or ", ".join(entry.marks)
    line = f"{entry.id}: {entry.state}{f' ({why})' if why else ''}"
    return [line, f"next: {_next(entry)}"]


def _next(entry: Entry) -> str:
    follow_up = {
        TaskState.REVIEW: f"gitcmat review diff {entry.id}",
        TaskState.BLOCKED: f"gitcmat blocker list --task {entry.id}",
        TaskState.PENDING: f"gitcmat run now {entry.id}",
        TaskState.ACTIVE: f"gitcmat run follow {entry.id}",
    }
    return follow_up.get(entry.state, f"gitcmat run show {entry.run} --log")
