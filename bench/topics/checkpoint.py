"""What it costs to save a work tree in which five files were changed and three are new."""

from collections.abc import Iterator
from contextlib import closing
from itertools import count

from bench.ground import EMPTY_START, PROGRAM, Ground, Project
from bench.measure import Arm, in_turns, timed
from bench.row import Row, ratio
from bench.scale import Scale
from gitcmat.app import open_app
from gitcmat.engine import checkpoints

_STARTS = 4
_FLOOR = "git status and four starts of git"


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure a checkpoint as a landing takes one, and the whole command."""
    project = ground.project("dirty", scale.many_files)
    project.use_gitcmat()
    deps = open_app(project.path).deps
    numbers = count()

    def floor() -> float:
        seconds = project.time("git", "status", "--porcelain")
        return seconds + sum(project.time("git", "rev-parse", "HEAD") for _ in range(_STARTS))

    def inside() -> float:
        name, about = f"inside {next(numbers)}", checkpoints.About()
        return timed(lambda: checkpoints.create(deps, name, about, lambda _new: True))

    def command() -> float:
        return project.time(PROGRAM, "checkpoint", "create", f"typed {next(numbers)}")

    arms = {"floor": floor, "inside": inside, "command": command}
    arms = {name: _changed(project, name, arm) for name, arm in arms.items()}
    arms["start"] = lambda: project.time(*EMPTY_START)
    with closing(deps.store):
        times = in_turns(arms, min(scale.rounds, 21))
    yield Row(
        what=f"a checkpoint of {scale.many_files:,} files, eight of them changed",
        floor=_FLOOR,
        floor_times=times["floor"],
        times=times["inside"],
        goal=ratio(1.5),
    )
    yield Row(
        what="the same by `gitcmat checkpoint create`, from its start to its end",
        floor=f"{_FLOOR}, one of python",
        floor_times=times["floor"].plus(times["start"]),
        times=times["command"],
    )


def _changed(project: Project, mark: str, arm: Arm) -> Arm:
    """Change the files before each round."""
    numbers = count()

    def changed() -> float:
        project.dirty(f"{mark} {next(numbers)}")
        return arm()

    return changed
