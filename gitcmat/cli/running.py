"""One task in the foreground, for each command that can start one."""

import click

from gitcmat.cli.shown import plain
from gitcmat.cli.state import State
from gitcmat.engine.foreground import Foreground, attended
from gitcmat.model.entry import Entry
from gitcmat.model.job import RunOutcome
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


def run_direct(state: State, agent: str, prompt: str, *, background: bool) -> None:
    """Run an agent without a task; say where its work is."""
    from gitcmat.engine import direct, runs

    out, app = state.out, state.app
    run = direct.start(app.reconciler, agent, prompt, on_line=out.progress)
    if background:
        follow = f"gitcmat run follow {run.id}"
        out.progress(f"{agent} runs: {follow}")
        out.show({"run": run.id, "next": follow}, run.id)
        return
    with Interrupts() as interrupts:
        for text in attended(app.reconciler, run):
            out.log(text)
            if interrupts.count:
                runs.stop(app.deps, [run], app.settle)
    app.settle()
    done = app.deps.store.read().run(run.id) or run
    changed = bool(done.head) and done.head != done.start
    follow = f"git merge {done.ref}" if changed else f"gitcmat run show {done.id} --log"
    said = f" ({done.message})" if done.message else ""
    lines = [f"{done.id}: {done.outcome}{said}{'' if changed else '; no change'}"]
    out.show({"run": plain(done), "next": follow}, [*lines, f"next: {follow}"])
    if interrupts.count:
        raise KeyboardInterrupt
    if done.outcome is not RunOutcome.FINISHED:
        raise click.exceptions.Exit(1)


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
