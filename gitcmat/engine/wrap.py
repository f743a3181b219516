"""``gitcmat wrap``: an agent for programs that embed us, by JSON lines.

Standard output is the protocol and nothing else. One run at a time; each that was started ends with
exactly one event. Whatever comes, the wrapper stays up until it is asked to end.
"""

import contextlib
import json
import traceback
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from gitcmat import __version__
from gitcmat.engine import wrap_run
from gitcmat.engine.agent_turn import TurnEnd
from gitcmat.engine.wrap_guard import Guard
from gitcmat.engine.wrap_run import Place, Tapped, Wrapped
from gitcmat.errors import NotTrusted, UserError
from gitcmat.model import wrapping
from gitcmat.model.job import Permissions, RunOutcome
from gitcmat.model.wrapping import Cancel, Options, Prompt, Request, Shutdown, Status, Wrong
from gitcmat.ports import Agent
from gitcmat.system import clock, ids, supervise
from gitcmat.system.interrupts import Interrupts
from gitcmat.system.linepipes import LineReader, LineWriter, TooLong
from gitcmat.system.logs import Redactor

_FINISH: Final = 5.0
"""Seconds that a run has to end by itself after the end of the input."""
_PATIENCE: Final = 600.0
"""Seconds that nobody may read what we print."""
_NOBODY_READS: Final = 1

_REASONS: Final = {
    RunOutcome.FINISHED: "ok",
    RunOutcome.ASKED: "question",
    RunOutcome.LIMITED: "limit_reached",
    RunOutcome.FAILED: "agent_failed",
}
_GOOD: Final = frozenset({RunOutcome.FINISHED, RunOutcome.ASKED})


@dataclass(slots=True, kw_only=True)
class _Active:
    """The run that is on."""

    prompt: Prompt
    run_id: str
    place: Place
    begun: float
    redactor: Redactor
    ends: str = ""
    """Why it was asked to end; empty while it was not."""


class Wrap:
    """One conversation with an embedding program."""

    def __init__(
        self,
        find: Callable[[], Wrapped],
        make_agent: Callable[[str], Agent],
        *,
        read_fd: int,
        write_fd: int,
        complain: Callable[[str], None],
    ) -> None:
        """`find` says what is wrapped, anew for each run: a profile may have changed. `complain`
        takes the last words, when nobody reads the output any more.
        """
        self._find = find
        self._make_agent = make_agent
        self._complain = complain
        self._lines: deque[bytes | TooLong] = deque()
        self._reader = LineReader(read_fd, wrapping.LONGEST)
        self._interrupts = Interrupts(lambda _: self._reader.wake())
        self._writer = LineWriter(write_fd, _PATIENCE, lambda: self._interrupts.count > 0)
        self._active: _Active | None = None
        self._used: set[str] = set()
        self._last_session = ""
        self._over = ""
        """Why the wrapper ends; empty while it goes on."""
        self._ended_at: float | None = None
        """When the input ended."""

    def serve(self) -> int:
        """Speak until the end; return the exit code.

        Raises `UserError` when there is nothing to wrap, after a ``fatal`` event.
        """
        try:
            wrapped = self._find()
            agent = self._make_agent(wrapped.agent.runs)
        except UserError as error:
            self._say("fatal", reason=_word(error), message=error.message, hint=error.hint)
            raise
        guard = Guard()
        supervise.become_subreaper()
        with self._interrupts:
            self._say(
                "ready",
                agent=wrapped.agent.name,
                runs=wrapped.agent.runs,
                unknown=list(agent.unknown),
                cwd=str(wrapped.cwd),
                sandbox=wrapped.agent.sandbox.text,
                gitcmat=__version__,
            )
            while not self._over and not self._writer.gone:
                self._take_in(None)
                while self._lines and not self._over:
                    prompt = self._handle(self._lines.popleft())
                    if prompt is not None:
                        self._run(prompt, guard)
                self._look_around()
            if not self._writer.gone:
                self._say("shutdown", reason=self._over)
        return _NOBODY_READS if self._writer.gone else 0

    def _take_in(self, seconds: float | None) -> None:
        if self._reader.closed and not self._active:
            return
        self._lines.extend(self._reader.read(seconds))

    def _look_around(self) -> None:
        """See what else may end us."""
        if self._interrupts.count and self._over != "signal":
            self._say("signal", reason=self._interrupts.seen[0].name)
            self._over = "signal"
        elif self._reader.closed and not self._lines and not self._over and not self._active:
            self._over = "end_of_input"

    def _handle(self, line: bytes | TooLong) -> Prompt | None:
        """Answer one line; a prompt that may be started is returned."""
        if isinstance(line, bytes) and not line.strip():
            return None
        request: Request
        if isinstance(line, TooLong):
            most = f"{wrapping.LONGEST:,}"
            request = Wrong("line_too_long", f"a line has at most {most} bytes; it was skipped")
        else:
            request = wrapping.understand(line)
        match request:
            case Prompt():
                return self._admit(request)
            case Cancel():
                self._cancel(request)
            case Status():
                self._status()
            case Shutdown():
                self._over = "requested"
            case Wrong():
                self._refuse(request.reason, request.message)
        return None

    def _admit(self, prompt: Prompt) -> Prompt | None:
        run_id = prompt.run_id or ids.run_id()
        if self._active is not None:
            said = "a run is on: cancel it, or wait for its end"
            self._refuse("busy", said, run_id=prompt.run_id or None)
        elif run_id in self._used:
            said = "there was a run with this run_id before"
            self._refuse("run_id_used", said, run_id=run_id)
        else:
            self._used.add(run_id)
            return replace(prompt, run_id=run_id)
        return None

    def _cancel(self, wanted: Cancel) -> None:
        active = self._active
        if active is None:
            self._say("cancel_ignored", run_id=wanted.run_id or None, reason="no_active_run")
        elif wanted.run_id and wanted.run_id != active.run_id:
            self._say(
                "cancel_ignored",
                run_id=wanted.run_id,
                reason="run_id_mismatch",
                active_run_id=active.run_id,
            )
        elif active.ends:
            self._say("cancel_ignored", run_id=active.run_id, reason="not_cancellable")
        else:
            self._say("cancel_requested", run_id=active.run_id)
            self._end_run("cancel")

    def _status(self) -> None:
        active = self._active
        state = "idle" if active is None else "ending" if active.ends else "running"
        seconds = round(clock.monotonic() - active.begun, 3) if active else None
        self._say(
            "status",
            run_id=active.run_id if active else None,
            state=state,
            seconds=seconds,
            last_session_id=self._last_session or None,
        )

    def _run(self, prompt: Prompt, guard: Guard) -> None:
        """Start a run, and speak until it has ended; it may turn out that it cannot start."""
        try:
            wrapped = _adjusted(self._find(), prompt.options)
            make = self._make_agent
            make(wrapped.agent.runs)
        except (UserError, OSError) as error:
            said = error.message if isinstance(error, UserError) else str(error)
            self._refuse(_word(error), said, run_id=prompt.run_id)
            return
        except ValueError as error:
            self._refuse("invalid_options", str(error), run_id=prompt.run_id)
            return
        options = prompt.options
        session = options.session or (self._last_session if options.resume_last else "")
        place = Place()
        active = self._active = _Active(
            prompt=prompt,
            run_id=prompt.run_id,
            place=place,
            begun=clock.monotonic(),
            redactor=Redactor(wrap_run.secrets(wrapped.agent)),
        )
        tapped = Tapped(make(wrapped.agent.runs), lambda heard: self._hear(wrap_run.plain(heard)))
        with place.made():
            guard.watch(place.run, place.path, place.folder.processes)
            box = wrapped.agent.sandbox.text
            cwd = str(wrapped.cwd)
            self._say_of_run("run_started", session_id=session or None, cwd=cwd, sandbox=box)
            try:
                self._meanwhile()
                end = wrap_run.perform(
                    wrapped, place, lambda: tapped, prompt.text, session, self._meanwhile
                )
            except Exception as error:  # noqa: BLE001 - exactly one event ends a run, whatever comes
                self._active = None
                self._unexpected(active, error)
            else:
                self._active = None
                self._ended(active, end, session_gone=tapped.session_gone)
            guard.rest()
        if not self._over and prompt.options.exit_on_complete:
            self._say("auto_shutdown", run_id=active.run_id, reason="exit_on_complete")
            self._over = "exit_on_complete"
        elif not self._over:
            self._say("state", state="idle", last_session_id=self._last_session or None)

    def _meanwhile(self) -> None:
        """What is to be seen to while an agent works."""
        active = self._active
        if active is None:
            return
        self._take_in(0)
        while self._lines and not self._over:
            self._handle(self._lines.popleft())
        self._look_around()
        if self._over:
            self._end_run("shutdown" if self._over == "requested" else self._over)
        if self._writer.gone:
            self._end_run(self._writer.gone)
        if self._reader.closed and not active.prompt.options.exit_on_complete:
            now = clock.monotonic()
            self._ended_at = self._ended_at or now
            if now - self._ended_at > _FINISH:
                self._end_run("end_of_input")

    def _end_run(self, why: str) -> None:
        active = self._active
        if active is not None and not active.ends:
            active.ends = why
            active.place.folder.request_stop()

    def _hear(self, payload: dict[str, Any]) -> None:
        if payload["type"] == "started" and payload["session_id"]:
            self._last_session = payload["session_id"]
        self._say_of_run("stream", payload=payload)

    def _ended(self, active: _Active, end: TurnEnd, *, session_gone: bool) -> None:
        session = "" if session_gone else end.session.id
        self._last_session = session or self._last_session
        about = {
            "message": end.message,
            "result": end.said,
            "session_id": session or None,
            "exit_code": end.exit_code,
            "seconds": round(clock.monotonic() - active.begun, 3),
            "spend": asdict(end.spend),
            "questions": list(end.questions),
            "warnings": list(end.warnings),
        }
        if self._writer.gone:
            self._terminated(active, self._writer.gone)
        elif end.outcome is RunOutcome.STOPPED:
            self._say_of(active, "run_cancelled", "cancelled", active.ends or "signal", **about)
        elif end.outcome in _GOOD:
            self._say_of(active, "run_completed", end.outcome, _REASONS[end.outcome], **about)
        else:
            until = end.until.isoformat() if end.until else None
            if end.outcome is RunOutcome.LIMITED:
                self._say_of(active, "limit_notice", None, None, message=end.message, until=until)
            usual = _REASONS.get(end.outcome, end.outcome.name.lower())
            reason = "session_gone" if session_gone else usual
            self._say_of(active, "run_failed", "failed", reason, until=until, **about)

    def _unexpected(self, active: _Active, error: Exception) -> None:
        said = f"{type(error).__name__}: {error}"
        trace = "".join(traceback.format_exception(error))
        self._say_of(active, "run_failed", "failed", "unexpected", error=said, traceback=trace)

    def _terminated(self, active: _Active, reason: str) -> None:
        """The last word of a run that nobody hears any more goes elsewhere."""
        event = _event("run_terminated", active.run_id, "terminated", reason, active.prompt.tags)
        self._complain(json.dumps(event) + "\n")

    def _refuse(self, reason: str, message: str, *, run_id: str | None = None) -> None:
        active = self._active.run_id if self._active else None
        self._say("error", run_id=run_id, reason=reason, message=message, active_run_id=active)

    def _say_of_run(self, event: str, **more: Any) -> None:
        if self._active is not None:
            self._say_of(self._active, event, None, None, **more)

    def _say_of(
        self, active: _Active, event: str, outcome: str | None, reason: str | None, **more: Any
    ) -> None:
        said = _event(event, active.run_id, outcome, reason, active.prompt.tags, **more)
        self._write(_clean(said, active.redactor))

    def _say(
        self, event: str, *, run_id: str | None = None, reason: str | None = None, **more: Any
    ) -> None:
        self._write(_event(event, run_id, None, reason, (), **more))

    def _write(self, event: dict[str, Any]) -> None:
        self._writer.write(json.dumps(event).encode() + b"\n")


def _event(
    event: str,
    run_id: str | None,
    outcome: str | None,
    reason: str | None,
    tags: tuple[str, ...],
    **more: Any,
) -> dict[str, Any]:
    return {
        "version": wrapping.VERSION,
        "event": event,
        "timestamp": clock.now().isoformat(timespec="milliseconds"),
        "run_id": run_id,
        "outcome": outcome,
        "reason": reason,
        "tags": list(tags),
        **more,
    }


def _clean(value: Any, redactor: Redactor) -> Any:
    """`value` with no secret in any of its texts."""
    match value:
        case str():
            return redactor.text(value)
        case dict():
            return {key: _clean(inner, redactor) for key, inner in value.items()}
        case list() | tuple():
            return [_clean(inner, redactor) for inner in value]
        case _:
            return value


def _adjusted(wrapped: Wrapped, options: Options) -> Wrapped:
    """What is wrapped, as one run wants it. It may want less than the wrapper was started with, and
    not more: what asks may have it from a stranger's text.

    Raises `ValueError`.
    """
    cwd = wrapped.cwd
    if options.cwd:
        cwd = (wrapped.cwd / Path(options.cwd)).resolve()
        with contextlib.suppress(OSError):
            if not cwd.is_dir():
                raise ValueError(f"cwd: there is no folder {cwd}")
    agent = wrapped.agent
    ranks = list(Permissions)
    if options.permissions is not None:
        if ranks.index(options.permissions) > ranks.index(agent.permissions):
            raise ValueError(
                f"permission_mode: the wrapper was started with {agent.permissions}, "
                f"which a run may lower and not raise to {options.permissions}"
            )
        agent = replace(agent, permissions=options.permissions)
    timeout = min(agent.timeout, options.timeout or agent.timeout)
    idle = min(agent.idle_timeout, options.idle_timeout or agent.idle_timeout)
    return replace(wrapped, cwd=cwd, agent=replace(agent, timeout=timeout, idle_timeout=idle))


def _word(error: Exception) -> str:
    return "not_trusted" if isinstance(error, NotTrusted) else "cannot_start"
