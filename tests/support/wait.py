"""The only place in the tests that waits, and always for a condition."""

import time
from collections.abc import Callable
from typing import Final, TypeVar

T = TypeVar("T")

_PAUSE: Final = 0.02


def until(condition: Callable[[], T], timeout: float = 20.0, what: str = "") -> T:
    """Return the first true value of `condition`, asked about fifty times a second.

    Raises AssertionError after `timeout` seconds; `what` names in words what did not come.
    """
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            wish = what or repr(condition)
            msg = f"waited {timeout:g} s in vain for {wish}; last value: {value!r}"
            raise AssertionError(msg)
        time.sleep(_PAUSE)
