"""The only place that asks the machine for the time."""

import time
from datetime import UTC, datetime


def now() -> datetime:
    """The wall time, aware and in UTC. It may jump: no measure of durations."""
    return datetime.now(UTC)


def monotonic() -> float:
    """Seconds since an unspecified start, never going back; for deadlines and durations."""
    return time.monotonic()


class SystemClock:
    """The real clock, as the engine is given it (`ports.Clock`)."""

    def now(self) -> datetime:
        """The wall time, aware and in UTC."""
        return now()

    def monotonic(self) -> float:
        """Seconds since an unspecified start, never going back."""
        return monotonic()

    def sleep(self, seconds: float) -> None:
        """Do nothing for `seconds`; a negative number is no wait."""
        time.sleep(max(0.0, seconds))
