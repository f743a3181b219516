"""``gitcmat demo``: the whole way in a temporary folder, for real."""

import tempfile
from pathlib import Path
from typing import Final

import click

from gitcmat.cli.demo.screen import Screen
from gitcmat.cli.demo.stage import Stage
from gitcmat.cli.demo.story import play
from gitcmat.cli.state import State, common
from gitcmat.errors import CheckFailed
from gitcmat.system.proc import Timeout


@click.command(name="demo")
@click.option("--keep", is_flag=True, help="Leave the folder, to look at what came out.")
@common
def command(state: State, *, keep: bool) -> None:
    """Show the whole way in a temporary folder.

    Real runs of small programs make real commits in a repository of their own; nothing of yours
    is touched, and no network is needed.
    """
    screen = Screen(color=state.color, silent=state.as_json or state.quiet)
    stage = Stage(Path(tempfile.mkdtemp(prefix="gitcmat-demo-")))
    try:
        play(stage, screen)
    except (CheckFailed, Timeout) as error:
        # What went wrong can only be understood there.
        raise CheckFailed(error.message, hint=f"cd {stage.project} and look") from error
    except BaseException:
        stage.clear()
        raise
    if not keep:
        stage.clear()
        state.out.show({"project": None}, f"{_GOOD} To look around in it: gitcmat demo --keep")
        return
    state.out.show({"project": str(stage.project)}, [f"{_GOOD} It is in {stage.project}", _LOOK])


_GOOD: Final = "All tests pass now."
_LOOK: Final = (
    "Look: git log --graph --all, .cmat/queue/done/, .cmat/runs/, git log -p refs/cmat/state/*"
)
