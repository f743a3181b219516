"""How long a person waits for an answer: the command as it is typed, to its end."""

from collections.abc import Iterator
from functools import partial

from bench.ground import EMPTY_START, PROGRAM, Ground
from bench.measure import Arm, in_turns
from bench.population import fill
from bench.row import Row, ratio
from bench.scale import Scale

_FLOOR = "python -c pass"


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure `--version`, `queue list` in queues of all sizes, and `status` in the middle one."""
    small, middle, large = scale.queues
    projects = {}
    for size in scale.queues:
        projects[size] = ground.project(f"queue-{size}", scale.few_files)
        projects[size].use_gitcmat()
        fill(projects[size], size, shown=size == middle).store.close()
    arms: dict[str, Arm] = {
        _FLOOR: partial(projects[middle].time, *EMPTY_START),
        "version": partial(projects[middle].time, PROGRAM, "--version"),
        "status": partial(projects[middle].time, PROGRAM, "status"),
    }
    for size, project in projects.items():
        arms[f"list {size}"] = partial(project.time, PROGRAM, "queue", "list")
    times = in_turns(arms, scale.rounds)
    floor = times[_FLOOR]
    yield Row(
        what="`gitcmat --version`",
        floor=_FLOOR,
        floor_times=floor,
        times=times["version"],
        goal=ratio(4.5),
    )
    for size in scale.queues:
        yield Row(
            what=f"`gitcmat queue list`, 50 rows of {size:,}",
            floor=_FLOOR,
            floor_times=floor,
            times=times[f"list {size}"],
            goal=ratio(4.5),
        )
    yield Row(
        what=f"the same of {large:,}",
        floor=f"the same of {small:,}",
        floor_times=times[f"list {small}"],
        times=times[f"list {large}"],
        goal=ratio(1.3),
    )
    yield Row(
        what=f"`gitcmat status`, {middle:,} entries",
        floor=_FLOOR,
        floor_times=floor,
        times=times["status"],
        goal=ratio(6),
    )
