"""How large and how often: the real size, one for a quick look, and one to see that all works."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of what is measured, and numbers of rounds."""

    queues: tuple[int, int, int]
    """Entries of the small, the middle and the large queue."""
    few_files: int
    many_files: int
    tasks: int
    """Tasks of one round of the whole cycle."""
    finished: int
    """Tasks that were finished before the person's own git is timed."""
    batch: int
    """Transitions in one commit."""
    rounds: int
    """Rounds of what takes milliseconds."""
    event_rounds: int
    cycle_rounds: int


FULL = Scale(
    queues=(1_000, 10_000, 100_000),
    few_files=250,
    many_files=5_000,
    tasks=200,
    finished=1_000,
    batch=100,
    rounds=41,
    event_rounds=25,
    cycle_rounds=3,
)
QUICK = Scale(
    queues=(1_000, 10_000, 20_000),
    few_files=250,
    many_files=5_000,
    tasks=30,
    finished=1_000,
    batch=100,
    rounds=11,
    event_rounds=7,
    cycle_rounds=1,
)
TINY = Scale(
    queues=(16, 24, 32),
    few_files=5,
    many_files=10,
    tasks=2,
    finished=3,
    batch=2,
    rounds=1,
    event_rounds=1,
    cycle_rounds=1,
)
