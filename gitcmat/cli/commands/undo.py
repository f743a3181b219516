"""``gitcmat undo``: take back the last command."""

import click

from gitcmat.cli.state import State, common
from gitcmat.engine.undo import undo


@click.command(name="undo")
@click.option("-n", "--dry-run", is_flag=True, help="Only say what would be taken back.")
@common
def command(state: State, *, dry_run: bool) -> None:
    """Take back your last command that moved tasks, questions or subtasks; again: the one before.

    That is: cancel, hold, release, priority, rerun, add, of queue; answer, reject, block, subtask,
    and edits of files in .cmat/queue and .cmat/blockers. What has moved on since stays as it is.
    What a command has committed on your branch (task add, land) is git's to take back.
    """
    state.app.settle()
    done = undo(state.app.deps, dry_run=dry_run)
    if not dry_run:
        state.app.settle()
    head = f"{'would take' if dry_run else 'took'} back: {done.did}"
    when = f"{done.at.astimezone():%Y-%m-%d %H:%M:%S}"
    data = {"did": done.did, "commit": done.commit, "changes": list(done.changes)}
    lines = [f"{head}, of {when}", *(f"  {line}" for line in done.changes)]
    state.out.show({**data, "dry_run": dry_run}, lines)
