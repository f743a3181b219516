"""How soon after a commit the agent works, where a daemon waits for it."""

import os
import select
import time
from collections.abc import Iterator
from itertools import count

from bench.daemon import watching
from bench.ground import EMPTY_START, Ground
from bench.measure import in_turns
from bench.row import Row, ratio
from bench.scale import Scale
from gitcmat.engine.hints import QUIET

_PATIENCE = 60.0
_NS = 1_000_000_000


def measure(ground: Ground, scale: Scale) -> Iterator[Row]:
    """Measure from the last event of a commit, which is our hook's, to the agent's first act.

    The daemon lets git be quiet for a moment before it looks, so that it does not meet the middle
    of a rebase; that moment is left out.
    """
    project = ground.project("events", scale.few_files)
    fifo = project.path.with_name("started")
    os.mkfifo(fifo)
    project.use_gitcmat("sh", "-c", f"echo > {fifo}")
    wake = project.path / ".git/cmat/wake"
    numbers = count()
    # Open for writing too, or it would be at its end whenever no agent holds it.
    with watching(project) as daemon, fifo.open("r+b", buffering=0) as started:
        signs = select.poll()
        signs.register(started, select.POLLIN)

        def arm() -> float:
            task = f"event-{next(numbers)}"
            project.commit("Work", {f".cmat/tasks/{task}.yaml": "title: Say that you started\n"})
            if not signs.poll(_PATIENCE * 1000):
                raise RuntimeError(f"no agent was started for {task}")
            seconds = (time.time_ns() - wake.stat().st_mtime_ns) / _NS - QUIET
            started.read(1)
            daemon.says(f"{task}  active → review")
            return seconds

        floor = "python -c pass"
        arms = {floor: lambda: project.time(*EMPTY_START), "event": arm}
        times = in_turns(arms, scale.event_rounds, warm_up=2)
    yield Row(
        what=f"from a commit to the agent's start, quiet time of {QUIET * 1000:g} ms apart",
        floor=floor,
        floor_times=times[floor],
        times=times["event"],
        goal=ratio(5),
    )
