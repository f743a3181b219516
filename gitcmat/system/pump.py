"""What a program writes, as it writes it: a thread that empties a pipe."""

import contextlib
import os
import threading
from collections.abc import Callable
from typing import IO

_CHUNK = 65536


class Pump:
    """Reads `source` in a thread of its own until its end and calls `on_chunk` with what came.

    Nothing is lost when `on_chunk` raises: the pipe is emptied on, so that the program does not
    hang on a full one, and `join` raises the error.
    """

    def __init__(self, source: IO[bytes], on_chunk: Callable[[bytes], None]) -> None:
        """Start at once. `source` belongs to the pump, which closes it."""
        self._source = source
        self._on_chunk = on_chunk
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    def join(self, timeout: float | None = None) -> bool:
        """Wait at most `timeout` seconds for the end of the pipe: whether it has come.

        It does not come while any process, perhaps a forgotten one in the background, holds the
        other end.

        Raises:
            Exception: what `on_chunk` raised first.
        """
        self._thread.join(timeout)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return not self._thread.is_alive()

    def _run(self) -> None:
        with contextlib.closing(self._source):
            while chunk := os.read(self._source.fileno(), _CHUNK):
                if self._error is None:
                    self._call(chunk)

    def _call(self, chunk: bytes) -> None:
        try:
            self._on_chunk(chunk)
        except Exception as error:  # noqa: BLE001 - kept for the thread that joins
            self._error = error
