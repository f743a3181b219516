"""What it costs to move tasks on: from the call to the durable commit of the records."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from itertools import count, cycle, islice

from bench.ground import Ground, Project
from bench.measure import Arm, in_turns, timed
from bench.population import fill
from bench.row import Row, milliseconds, ratio
from bench.scale import Scale
from gitcmat.engine.deps import Deps
from gitcmat.model.state import State

_PEER = "git commit of one file"


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure one transition in a commit, and many, in a small and in a large queue."""
    small, _, large = scale.queues
    plain = ground.project("plain", 1)
    plain.git("config", "core.fsync", "all")
    # The two are not measured in turns: a large batch leaves the disk with work for its neighbours.
    one: dict[str, Arm] = {_PEER: _committing(plain)}
    many: dict[str, Arm] = {_PEER: one[_PEER]}
    with ExitStack() as stack:
        for size in (small, large):
            project = ground.project(f"moves-{size}", 1)
            project.use_gitcmat()
            deps = fill(project, size)
            stack.enter_context(closing(deps.store))
            one[str(size)] = _moving(deps, 1)
            many[str(size)] = _moving(deps, scale.batch)
        ones = in_turns(one, scale.rounds)
        batches = in_turns(many, scale.rounds)
    for size in (small, large):
        yield Row(
            what=f"one transition in a commit, {size:,} entries",
            floor=_PEER,
            floor_times=ones[_PEER],
            times=ones[str(size)],
            goal=milliseconds(15),
        )
    yield Row(
        what=f"the same in {large:,}",
        floor=f"the same in {small:,}",
        floor_times=ones[str(small)],
        times=ones[str(large)],
        goal=ratio(1.5),
    )
    for size in (small, large):
        yield Row(
            what=f"each of {scale.batch} in a commit, {size:,} entries",
            floor=_PEER,
            floor_times=batches[_PEER],
            times=batches[str(size)].each(scale.batch),
            goal=milliseconds(0.5),
        )


def _committing(project: Project) -> Arm:
    """Commit a changed file, with git alone; it is as durable as git can make it."""
    numbers = count()

    def arm() -> float:
        project.write({"record.txt": f"{next(numbers)}\n"})
        project.git("add", "record.txt")
        return project.time("git", "commit", "-q", "-m", "move", "--", "record.txt")

    return arm


def _moving(deps: Deps, moves: int) -> Arm:
    """Move `moves` waiting entries in one commit: out of the queue, or into it again."""
    waiting = cycle([entry.id for entry in deps.store.read().entries(State.PENDING)])

    def work() -> None:
        now = deps.clock.now()
        with deps.store.change("move", by=deps.actor) as change:
            for entry_id in islice(waiting, moves):
                entry = change.entry(entry_id)
                to = State.BACKLOG if entry.state is State.PENDING else State.PENDING
                change.put(entry.to(to, now), f"{entry_id}: {to}")

    def arm() -> float:
        deps.store.tidy_if_needed()  # in idle time, as the daemon does it
        return timed(work)

    return arm
