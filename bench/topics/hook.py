"""What every commit of a person pays for our hooks when there is nothing to do for them."""

from collections.abc import Iterator
from functools import partial

from bench.ground import Ground
from bench.measure import in_turns
from bench.row import Row, milliseconds
from bench.scale import Scale

_FLOOR = "sh -c :"


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure the hook before a commit and the one after it, with nothing of ours in the commit."""
    project = ground.project("hooks", scale.few_files)
    project.use_gitcmat()
    project.gitcmat("hooks", "install")
    project.dirty("staged")
    project.git("add", "--all")
    hooks = ("pre-commit", "post-commit")
    arms = {hook: partial(project.time, f"{project.path}/.git/hooks/{hook}") for hook in hooks}
    times = in_turns({_FLOOR: partial(project.time, "sh", "-c", ":"), **arms}, scale.rounds)
    for hook in hooks:
        yield Row(
            what=f"hook `{hook}` when idle",
            floor=_FLOOR,
            floor_times=times[_FLOOR],
            times=times[hook],
            goal=milliseconds(10),
        )
