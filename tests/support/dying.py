"""A forge on whose way gitcmat is killed: before a call, or after it was done."""

import itertools
from collections.abc import Iterator
from typing import Any, cast

from gitcmat.forge import Forge

_PARTS = frozenset({"pulls", "reviews", "comments", "checks", "issues"})

_MAKE = frozenset({"create", "reply", "edit", "report", "merge", "close"})


class Killed(BaseException):
    """The process is gone."""


class _Death:
    """Comes at one call, counted from 0."""

    def __init__(self, at: int, *, done: bool) -> None:
        self.at = at
        self.done = done
        """Whether the call is done before."""
        self.calls = 0
        self.came = ""
        """The name of the call, once it came."""


class _Deadly:
    """The forge, or a part of it."""

    def __init__(self, whole: object, death: _Death) -> None:
        self._whole = whole
        self._death = death

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._whole, name)
        if name in _PARTS:
            return _Deadly(found, self._death)
        if not callable(found):
            return found

        def call(*args: Any, **options: Any) -> Any:
            death = self._death
            now = death.calls == death.at
            death.calls += 1
            if now:
                death.came = name
            if now and not death.done:
                raise Killed
            answer = found(*args, **options)
            if now:
                raise Killed
            return answer

        return call


class Dying:
    """Kills gitcmat at one call after the other, until it gets through."""

    def __init__(self) -> None:
        self._death = _Death(-1, done=False)

    def places(self) -> Iterator[tuple[int, bool]]:
        """Yield each call that there is: to be killed before it and, where it makes something,
        after it. Whoever takes the next has tried the one before.
        """
        for at in itertools.count():
            for done in (False, True):
                if done and self._death.came not in _MAKE:
                    break
                self._death = _Death(at, done=done)
                yield at, done
            if not self._death.came:
                return

    def forge(self, whole: Forge) -> Forge:
        """Return a forge with death on its way."""
        return cast("Forge", _Deadly(whole, self._death))
