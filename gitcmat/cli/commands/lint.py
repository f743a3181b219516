"""`gitcmat lint`: check everything under .cmat/."""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gitcmat.cli.shown import plain_problem
from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.model.problem import Problem

_STOPPED: Final = "gitcmat: nothing was committed, because this is wrong below .cmat/:"
_ALL_THE_SAME: Final = (
    "gitcmat: put it right and git add it, or commit as it is: git commit --no-verify"
)


@click.command()
@click.argument("commit", required=False)
@click.option("--staged", is_flag=True, help="Only what the staged files bring in.")
@click.option("--worktree", is_flag=True, help="The saved files (this is what is done anyway).")
@click.option("--index", type=click.Path(path_type=Path), hidden=True)
@click.option("--hook", is_flag=True, hidden=True)
@common
@click.pass_context
def command(
    ctx: click.Context,
    state: State,
    *,
    commit: str | None,
    staged: bool,
    worktree: bool,
    index: Path | None,
    hook: bool,
) -> None:
    """Check tasks, agents and settings: the saved files, the staged ones, or those of COMMIT."""
    from gitcmat.engine import lint
    from gitcmat.engine.staged import lint_staged
    from gitcmat.store.sources import saved_not_committed

    if bool(commit) + staged + worktree > 1:
        raise click.UsageError("COMMIT, --staged and --worktree exclude each other.")
    deps = state.app.deps
    known = deps.store.read().states()
    notes: list[Problem] = []
    if staged:
        found = lint_staged(deps.repo, known=known, index=index and index.absolute())
    else:
        taken = lint.take(deps.repo, deps.git, commit or lint.WORK_TREE)
        found, notes = lint.lint_files(taken, known=known), lint.notes(taken)
    unsaved = () if staged or commit else saved_not_committed(deps.repo)
    data = {
        "problems": [plain_problem(problem) for problem in found],
        "notes": [plain_problem(note) for note in notes],
        "not_committed": [{"path": one.path, "how": one.how} for one in unsaved],
    }
    lines = [line for problem in found for line in _lines(problem)]
    if hook and found:  # among the words of git and of other hooks
        lines = [_STOPPED, *lines, _ALL_THE_SAME]
    lines += [f"{one.path}: {one.how}, saved, not committed; not used" for one in unsaved]
    lines += [] if state.quiet else [f"note: {note}" for note in notes]
    fine = [] if state.quiet else ["Nothing is wrong below .cmat/."]
    state.out.show(data, lines or fine)
    ctx.exit(1 if found else 0)


def _lines(problem: "Problem") -> list[str]:
    return [str(problem), f"  hint: {problem.hint}"] if problem.hint else [str(problem)]
