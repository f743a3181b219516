"""``gitcmat subtask``: parts of a task, ticked off one by one."""

import click

from gitcmat.cli.shown import plain
from gitcmat.cli.state import State, common
from gitcmat.engine import subtasks
from gitcmat.model.subtask import SubtaskStatus


@click.group(name="subtask")
def command() -> None:
    """Parts of a task, ticked off one by one.

    They are for people and agents to see how far it is; none keeps a task from landing. A landing
    leaves those that are open as they are, and names them. A task that is cancelled, or whose file
    is pruned, closes them; reopen brings one back, but not below a cancelled task.
    """


@command.command()
@click.argument("task")
@click.argument("title")
@common
def create(state: State, *, task: str, title: str) -> None:
    """Add a subtask to TASK; print its id."""
    state.app.settle()
    made = subtasks.create(state.app.deps, task, title)
    state.app.settle()
    state.out.show({"subtask": plain(made)}, made.id)


@command.command(name="list")
@click.argument("task")
@click.option("--all", "every", is_flag=True, help="Deleted ones too.")
@common
def list_(state: State, *, task: str, every: bool) -> None:
    """List the subtasks of TASK, the oldest first."""
    parent, found = subtasks.listed(state.app.deps, task, every=every)
    rows = [(s.id, s.status, s.by, s.title) for s in found]
    far = state.app.deps.store.read().progress().get(parent)
    lines = state.out.table(("ID", "STATUS", "BY", "TITLE"), rows) if rows else ["no subtasks"]
    counts = {"done": far.done if far else 0, "of": far.of if far else 0}
    data = {"task": parent, "subtasks": [plain(s) for s in found], **counts}
    state.out.show(data, [*lines, f"{far} done"] if far else lines)


@command.command()
@click.argument("subtask")
@common
def complete(state: State, *, subtask: str) -> None:
    """Tick SUBTASK off; once more does no harm."""
    _become(state, subtask, SubtaskStatus.DONE)


@command.command()
@click.argument("subtask")
@common
def reopen(state: State, *, subtask: str) -> None:
    """Open SUBTASK again, also one that was closed or deleted."""
    _become(state, subtask, SubtaskStatus.OPEN)


@command.command()
@click.argument("subtask")
@common
def delete(state: State, *, subtask: str) -> None:
    """Take SUBTASK back; it no longer counts, and its record stays."""
    _become(state, subtask, SubtaskStatus.DELETED)


def _become(state: State, subtask: str, status: SubtaskStatus) -> None:
    state.app.settle()
    done = subtasks.change_status(state.app.deps, subtask, status)
    state.app.settle()
    state.out.show({"subtask": plain(done)}, f"{done.id}: {done.status}")
