"""When the daemon looks at the forge: from time to time, and at once when work comes to review.

A child process does it, `gitcmat pr sync`: tokens and network stay out of the daemon. Where nothing
is configured there is no process, no file that is read, and no timer.
"""

import math
import os
import threading
from collections.abc import Callable
from signal import SIGTERM
from typing import Final

from gitcmat.engine import forge_last
from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_last import Last
from gitcmat.engine.news import News
from gitcmat.engine.own_program import PROGRAM
from gitcmat.engine.synced import Synced
from gitcmat.errors import UserError
from gitcmat.model.forge_settings import ForgeSettings, PullMode
from gitcmat.model.state import OPEN
from gitcmat.store.facts import Facts
from gitcmat.system import clock, proc, processes

_LONGEST: Final = 1800.0
"""Seconds that a pass may take."""
_GRACE: Final = 5.0
"""Seconds to end when the daemon ends."""


class ForgeTimer:
    """Has the forge looked at for as long as the daemon lives; one pass at a time."""

    def __init__(self, deps: Deps, news: News, ring: Callable[[], None]) -> None:
        """`ring` is called, in another thread, when a pass has ended."""
        self._deps = deps
        self._news = news
        self._ring = ring
        self._child: proc.Child | None = None
        self._before: Last | None = None
        self._seen: tuple[str | None, ForgeSettings] | None = None
        self._again = False
        self.at = math.inf
        """When the next pass begins, by the monotonic clock."""

    @property
    def busy(self) -> bool:
        """Whether a pass is under way."""
        return self._child is not None

    def look(self, facts: Facts, *, came_up: bool) -> None:
        """See what is configured, and how a pass ended; `came_up` is whether work came to review.

        Raises:
            OSError, UserError: a pass that is due cannot be started.
        """
        own = self._deps.settings.forge
        seen = (facts.tip, own)
        if seen != self._seen:
            self._seen = seen
            if not own.seconds or not forge_last.is_wanted(own, facts.entries(*OPEN)):
                self.at = math.inf
            elif self.at == math.inf and self._child is None:
                self._before = forge_last.read(self._deps.repo)
                self.at = self._after(self._before) if self._failing else clock.monotonic()
        self._again |= came_up and own.pull is not PullMode.OFF
        if self._child is not None and (code := self._child.poll()) is not None:
            self._ended(code)
        if self._again and not self._failing and self._child is None and own.seconds:
            self.at, self._again = clock.monotonic(), False
        self.start_if_due()

    def start_if_due(self) -> None:
        """Begin a pass if it is time.

        Raises:
            OSError, UserError: it cannot be started.
        """
        if self._child is not None or clock.monotonic() < self.at:
            return
        self._before = forge_last.read(self._deps.repo)
        argv = [*PROGRAM, "pr", "sync", "--json"]
        self._child = proc.start(argv, cwd=self._deps.repo.root, env=os.environ)
        self.at = math.inf
        threading.Thread(target=self._await, args=(self._child,), daemon=True).start()

    def close(self) -> None:
        """End a pass that is under way: it may be ended anywhere."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        family = processes.descendants(child.pid)
        child.send(SIGTERM)
        for one in family:
            processes.send(one.identity, SIGTERM)
        if child.wait(_GRACE) is None:
            child.kill()

    @property
    def _failing(self) -> bool:
        return self._before is not None and self._before.failures > 0

    def _await(self, child: proc.Child) -> None:
        if child.wait(_LONGEST) is None:
            child.kill()
        self._ring()

    def _ended(self, code: int) -> None:
        """Say what came of a pass; what ended without a word is written down here."""
        self._child = None
        last = forge_last.read(self._deps.repo)
        if last is None or last == self._before:
            why = UserError(
                f"gitcmat pr sync ended with {code} and without a word.", hint="gitcmat pr sync"
            )
            last = forge_last.failed(self._deps, self._before, why, Synced())
            forge_last.write(self._deps.repo, last)
        self._before = last
        every = self._deps.settings.forge.seconds
        self.at = self._after(last) if every else math.inf
        self._news.forge(last, last.next(every))

    def _after(self, last: Last | None) -> float:
        """When to look again, by the monotonic clock."""
        every = self._deps.settings.forge.seconds
        if last is None:
            return clock.monotonic()
        wait = (last.next(every) - self._deps.clock.now()).total_seconds()
        return clock.monotonic() + max(0.0, wait)
