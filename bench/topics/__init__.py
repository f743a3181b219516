"""The topics of the benchmark: each measures some rows in one interleaved run."""

from collections.abc import Callable, Iterator
from typing import Final

from bench.ground import Ground
from bench.row import Row
from bench.scale import Scale
from bench.topics import (
    checkpoint,
    cycle,
    event,
    hook,
    person,
    start,
    transition,
    workspace,
)

TOPICS: Final[dict[str, Callable[[Ground, Scale], Iterator[Row]]]] = {
    "start": start.measure,
    "transition": transition.measure,
    "workspace": workspace.measure,
    "event": event.measure,
    "cycle": cycle.measure,
    "checkpoint": checkpoint.measure,
    "person": person.measure,
    "hook": hook.measure,
}
"""What can be asked for by name; the order of the table."""
