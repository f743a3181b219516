"""Times pieces of work in turns, so that whatever else the machine does falls on all of them."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Arm = Callable[[], float]
"""One round of something: it prepares what it needs, and returns the seconds of what counts."""


@dataclass(frozen=True, slots=True)
class Times:
    """The seconds of all rounds of one arm."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """What it usually takes, in seconds."""
        return statistics.median(self.seconds)

    @property
    def best(self) -> float:
        """What it takes when nothing else goes on, in seconds."""
        return min(self.seconds)

    def each(self, count: int) -> "Times":
        """Return the time of one of `count` things that were done in each round."""
        return Times(tuple(s / count for s in self.seconds))

    def plus(self, other: "Times") -> "Times":
        """Return the time of both, one after the other."""
        return Times(tuple(a + b for a, b in zip(self.seconds, other.seconds, strict=True)))


def timed(work: Callable[[], object]) -> float:
    """Do it, and return the seconds that it took."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(arms: Mapping[str, Arm], rounds: int, *, warm_up: int = 1) -> dict[str, Times]:
    """Run all arms in turns, and return the times of each by its name.

    The first `warm_up` rounds do not count. Each round begins with another arm, so that none
    always follows the same one.
    """
    found: dict[str, list[float]] = {name: [] for name in arms}
    names = list(arms)
    for number in range(warm_up + rounds):
        first = number % len(names)
        for name in (*names[first:], *names[:first]):
            seconds = arms[name]()
            if number >= warm_up:
                found[name].append(seconds)
    return {name: Times(tuple(seconds)) for name, seconds in found.items()}
