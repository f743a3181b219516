"""What it costs to give an agent a clean folder to work in, where another has worked before."""

from collections.abc import Iterator
from itertools import count

from bench.ground import Ground, Project, file_name, text
from bench.measure import Arm, in_turns, timed
from bench.row import Row, ratio
from bench.scale import Scale
from gitcmat.model.job import Identity
from gitcmat.store.git import discover
from gitcmat.store.workspaces import Workspace

_PEER = "git worktree add"
_PAT = Identity(name="Pat Person", email="pat@example.org")


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure the reuse of a workspace in which an agent has changed and added files."""
    project = ground.project("host", scale.many_files)
    times = in_turns(
        {_PEER: _adding(project), "reuse": _reusing(project, ground)}, min(scale.rounds, 15)
    )
    yield Row(
        what=f"reuse of a workspace, {scale.many_files:,} files",
        floor=_PEER,
        floor_times=times[_PEER],
        times=times["reuse"],
        goal=ratio(0.2),
    )


def _adding(project: Project) -> Arm:
    """Add a new work tree each time; they stay (see `ground`)."""
    numbers = count()

    def arm() -> float:
        place = project.path.with_name(f"tree-{next(numbers)}")
        return project.time("git", "worktree", "add", "-q", "--detach", str(place))

    return arm


def _reusing(project: Project, ground: Ground) -> Arm:
    workspace = Workspace(discover(project.path), ground.root / "workspace")
    start = project.git("rev-parse", "HEAD")
    numbers = count()

    def prepare() -> None:
        workspace.prepare(start, base=start, identity=_PAT)

    def arm() -> float:
        seconds = timed(prepare)
        agent = Project(workspace.tree)
        agent.dirty(str(next(numbers)))
        agent.git("add", file_name(0), "new-0.txt")
        agent.git("commit", "-q", "-m", "Work of an agent")
        agent.write({"new-3.txt": text(3)})
        return seconds

    return arm
