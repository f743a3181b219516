"""Delegation as the runner sees it: what its agent delegates becomes requests to the loop."""

import contextlib
from pathlib import Path
from typing import Final

from gitcmat.engine import delegation
from gitcmat.engine.hints import wake
from gitcmat.engine.homecoming import repository
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.saving import Saving
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model.delegation import Request, refusal
from gitcmat.model.message import Delegate
from gitcmat.model.usage import UNKNOWN, Spend
from gitcmat.system import clock, files, ids

_LOOK_UP: Final = 1.0
"""Seconds between two looks at whether the parent still works."""


class Delegating:
    """What the agent of one run delegates, and whose member that run is itself."""

    def __init__(self, bench: Workbench, saving: Saving | None) -> None:
        """Without `saving` each member begins where the run began."""
        self._bench = bench
        self._saving = saving
        self._asked: dict[str, Request] = {}
        self._waiting: dict[str, Request] = {}
        self._looked_up = 0.0
        self.spent = UNKNOWN
        """What members used that are over."""

    @property
    def waits(self) -> bool:
        """Whether the agent waits for a member, which has limits of its own."""
        return bool(self._waiting)

    def take(self, message: Delegate, used: Spend) -> None:
        """Pass on what the agent delegates, once, or answer why not; it has `used` so much."""
        bench = self._bench
        if message.id in self._asked:
            return
        why = refusal(bench.job, message, len(self._asked))
        if not why and not delegation.is_attended(bench.job, bench.folder):
            why = "nothing watches that could start it: gitcmat watch"
        if why:
            self._refuse(message, why)
            return
        request = Request(
            id=message.id,
            run=ids.run_id(),
            agent=message.agent,
            prompt=bench.log.clean(message.prompt),
            group=" ".join(bench.log.clean(message.group).split()),
            start=self._start(message),
            usd=used.usd,
            tokens=used.usage.total if used.usage is not None else None,
        )
        try:
            delegation.write(bench.folder, len(self._asked), request)
        except OSError as error:
            self._refuse(message, f"it could not be passed on: {error.strerror or error}")
            return
        self._asked[message.id] = self._waiting[message.id] = request
        wake(repository(bench.job))
        bench.log.note(f"delegated to {message.agent}: {request.run}")
        bench.log.event("delegated", f"{request.run} {message.agent}")

    def look(self) -> None:
        """See what has been answered; end with the parent, whether a loop watches or not."""
        for name, request in list(self._waiting.items()):
            if delegation.is_answered(self._bench.folder, name):
                del self._waiting[name]
                self.spent += delegation.used(self._runs, request.run)
        job, now = self._bench.job, clock.monotonic()
        if job.parent and now - self._looked_up >= _LOOK_UP:
            self._looked_up = now
            if delegation.is_over(RunFolder(self._runs / job.parent)):
                self._bench.folder.request_stop()

    def close(self) -> None:
        """The agent works no more: what it delegated ends too."""
        with contextlib.suppress(OSError):  # our lock falls soon, and says the same
            if self._asked:
                files.write_atomic(self._bench.folder.turn_over, b"", mode=0o600)

    @property
    def _runs(self) -> Path:
        return self._bench.folder.path.parent

    def _refuse(self, message: Delegate, why: str) -> None:
        log = self._bench.log
        log.note(f"not delegated to {message.agent}: {why}")
        about = {"agent": message.agent, "group": message.group, "error": log.clean(why)}
        self._bench.folder.reply(message.id, about)

    def _start(self, message: Delegate) -> str:
        """A commit with the files as they are; where none can be made, that of the run's start."""
        start = self._bench.job.start
        if self._saving is None:
            return start
        try:
            return self._saving.snapshot()
        except (UserError, OSError) as error:
            said = error.message if isinstance(error, UserError) else str(error)
            self._bench.log.note(f"{message.agent} begins where this run began: {said}")
            return start
