"""What the person's own git pays for the traces of gitcmat in their repository."""

from collections.abc import Iterator
from functools import partial
from typing import Final

from bench.ground import Ground
from bench.measure import Arm, in_turns
from bench.population import finish
from bench.row import Row, ratio
from bench.scale import Scale

_COMMANDS: Final = {
    "git log -1": ("git", "log", "-1", "--decorate"),  # as it is in a terminal
    "git status": ("git", "status"),
}


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure git in a repository with many finished tasks, and in one that has none."""
    projects = {}
    for name in ("without", "with"):
        projects[name] = ground.project(name, scale.few_files)
        projects[name].use_gitcmat()
    finish(projects["with"], scale.finished)
    arms: dict[str, Arm] = {
        f"{command} {name}": partial(project.time, *argv)
        for command, argv in _COMMANDS.items()
        for name, project in projects.items()
    }
    times = in_turns(arms, scale.rounds)
    for command in _COMMANDS:
        yield Row(
            what=f"`{command}` with {scale.finished:,} finished tasks",
            floor="the same with none",
            floor_times=times[f"{command} without"],
            times=times[f"{command} with"],
            goal=ratio(1.2),
        )
