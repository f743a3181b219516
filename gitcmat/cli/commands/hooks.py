"""`gitcmat hooks`: git hooks, which gitcmat does not need."""

from typing import TYPE_CHECKING

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.engine.hooks import Hooks


@click.group()
def command() -> None:
    """Git hooks, which gitcmat does not need: they make it look at once, and check .cmat/ files."""


@command.command()
@click.option("--force", is_flag=True, help="Also where a hook manager is in use.")
@common
def install(state: State, *, force: bool) -> None:
    """Put our hooks in place; yours are called first and stay as they are."""
    from gitcmat.engine import hooks

    _show(state, hooks.install(state.app.deps.repo, force=force))


@command.command()
@common
def remove(state: State) -> None:
    """Take our hooks out, and put back those that were there before."""
    from gitcmat.engine import hooks

    _show(state, hooks.remove(state.app.deps.repo))


@command.command()
@common
def status(state: State) -> None:
    """Say which hooks are in place."""
    from gitcmat.engine import hooks

    _show(state, hooks.look(state.app.deps.repo))


def _show(state: State, found: "Hooks") -> None:
    note = found.obstacle or found.manager
    data = {
        "folder": str(found.folder),
        "hooks": found.states,
        "installed": found.installed,
        "note": note,
    }
    wide = max(map(len, found.states))
    lines = [f"{name:<{wide}}  {how}" for name, how in found.states.items()]
    state.out.show(data, [*lines, f"{note}."] if note else lines)
