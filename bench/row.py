"""A row of the table: something of ours, what it is measured by, and what it is to reach."""

from dataclasses import dataclass
from enum import StrEnum

from bench.measure import Times


class Unit(StrEnum):
    """What a goal limits."""

    RATIO = "x"
    """Our median as a multiple of the floor's."""
    MILLISECONDS = "ms"
    """Our median itself."""


@dataclass(frozen=True, slots=True)
class Goal:
    """The most that a row may reach."""

    most: float
    unit: Unit

    def __str__(self) -> str:
        return f"≤ {self.most:g}{' ms' if self.unit is Unit.MILLISECONDS else ' x'}"


def ratio(most: float) -> Goal:
    """A goal for the ratio of ours to the floor."""
    return Goal(most, Unit.RATIO)


def milliseconds(most: float) -> Goal:
    """A goal for our own time."""
    return Goal(most, Unit.MILLISECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement."""

    what: str
    floor: str
    """What it is measured by: the least that is needed, or a peer."""
    floor_times: Times
    times: Times
    goal: Goal | None = None
    """None for what is shown for comparison alone."""

    @property
    def ratio(self) -> float:
        """Our median as a multiple of the floor's."""
        return self.times.median / self.floor_times.median

    @property
    def best_ratio(self) -> float:
        """The same of the best rounds, which noise does not reach."""
        return self.times.best / self.floor_times.best

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        match self.goal:
            case None:
                return None
            case Goal(most=most, unit=Unit.RATIO):
                return self.ratio <= most
            case Goal(most=most):
                return self.times.median * 1000 <= most
