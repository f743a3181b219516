"""SIGINT and SIGTERM as something to decide about, not to die of."""

import signal
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Final, Self

_WANTED: Final = (signal.SIGINT, signal.SIGTERM)


class Interrupts:
    """Counts SIGINT and SIGTERM for the time of a ``with`` block of the main thread.

    `on_signal` is called with the signal at once, whatever the main thread is doing: it may do no
    more than put something into a `queue.SimpleQueue`.
    """

    def __init__(self, on_signal: Callable[[signal.Signals], None] | None = None) -> None:
        self.seen: list[signal.Signals] = []
        self._on_signal = on_signal
        self._before: dict[signal.Signals, object] = {}

    @property
    def count(self) -> int:
        """How many came."""
        return len(self.seen)

    def __enter__(self) -> Self:
        """Take them over.

        Raises:
            ValueError: this is not the main thread.
        """
        for number in _WANTED:
            self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give them back."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _take(self, number: int, frame: FrameType | None) -> None:
        del frame
        which = signal.Signals(number)
        self.seen.append(which)
        if self._on_signal is not None:
            self._on_signal(which)
