"""The whole way of a task whose agent does next to nothing, so that only our own part counts."""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count

from bench.daemon import Daemon, watching
from bench.floor import AGENT, GATE, Pool
from bench.ground import Ground, Project
from bench.measure import Arm, in_turns, timed
from bench.row import Row, ratio
from bench.scale import Scale

_PARALLEL = 2
_FLOOR = "the raw git steps and one python start"


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure many tasks that are committed at once, in a small and in a larger repository."""
    arms: dict[str, Arm] = {}
    with ExitStack() as stack:
        for files in (scale.few_files, scale.many_files):
            plain = ground.project(f"floor-{files}", files)
            arms[f"floor {files}"] = _raw(plain, scale.tasks)
            project = ground.project(f"cycle-{files}", files)
            project.use_gitcmat(*AGENT, gates={"check": GATE})
            daemon = stack.enter_context(watching(project))
            arms[f"ours {files}"] = _ours(project, daemon, scale.tasks)
        times = in_turns(arms, scale.cycle_rounds)
    for files in (scale.few_files, scale.many_files):
        yield Row(
            what=f"whole cycle of a task, {_PARALLEL} of {scale.tasks} at once, {files:,} files",
            floor=_FLOOR,
            floor_times=times[f"floor {files}"].each(scale.tasks),
            times=times[f"ours {files}"].each(scale.tasks),
            goal=ratio(1.5),
        )


def _raw(project: Project, tasks: int) -> Arm:
    pool = Pool(project, _PARALLEL)
    rounds = count()

    def arm() -> float:
        number = next(rounds)
        wanted = [f"task-{number}-{n:03}" for n in range(tasks if number else _PARALLEL)]
        return timed(lambda: pool.work(wanted))

    return arm


def _ours(project: Project, daemon: Daemon, tasks: int) -> Arm:
    """Commit task files, and wait until the daemon has said that the last is in review.

    The first round is small: it makes the workspaces.
    """
    rounds = count()

    def arm() -> float:
        number = next(rounds)
        wanted = tasks if number else _PARALLEL
        names = [f".cmat/tasks/task-{number}-{n:03}.yaml" for n in range(wanted)]
        project.commit("Work", dict.fromkeys(names, "title: Next to nothing\n"))
        return timed(lambda: daemon.says("→ review", wanted))

    return arm
