"""The agent's turn in a run: given the prompt, listened to, ended with all that it started."""

import codecs
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gitcmat.engine import inbox, own_program
from gitcmat.engine.supervision import Cause, Ended, Limits, Supervisor
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model.job import JobAgent, RunOutcome
from gitcmat.ports import Agent, Asked, Turn

_LONGEST_LINE: Final = 16_000_000
_WAITING: Final = frozenset(
    {RunOutcome.FINISHED, RunOutcome.FAILED, RunOutcome.TIMED_OUT, RunOutcome.SILENT}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnEnd:
    """How the turn ended; what the agent changed is in the work tree."""

    outcome: RunOutcome
    message: str = ""
    exit_code: int | None = None
    questions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def take_turn(
    bench: Workbench,
    agent: Agent,
    profile: JobAgent,
    prompt: str,
    meanwhile: Callable[[], None] = lambda: None,
) -> TurnEnd:
    """Let the agent work until it ends or a limit does it; none of its processes is left.

    `meanwhile` is called about ten times a second.

    A question makes the outcome `ASKED`, unless the run was stopped or never began: an agent that
    waits for its answer may well run into a limit.
    """
    own_program.write(bench.folder)
    listener = _Listener(bench, agent)
    try:
        ended = _run(bench, agent, profile, prompt, listener, meanwhile)
    except UserError as error:
        bench.log.note(error.message)
        return TurnEnd(outcome=RunOutcome.CANNOT_START, message=bench.log.clean(error.message))
    except OSError as error:
        # The processes are gone; the log is not writable. The work may be fine and is collected.
        said = f"the log cannot be written: {error.strerror or error}"
        end = TurnEnd(outcome=RunOutcome.FAILED, message=said)
    else:
        outcome, message = _judged(agent, ended)
        end = TurnEnd(
            outcome=outcome,
            message=message,
            exit_code=ended.code,
            warnings=(*_about_processes(ended), *listener.warnings),
        )
    return _with_questions(bench, end, listener.questions)


def _run(
    bench: Workbench,
    agent: Agent,
    profile: JobAgent,
    prompt: str,
    listener: "_Listener",
    meanwhile: Callable[[], None],
) -> Ended:
    launch = agent.launch(Turn(profile=profile, prompt=prompt, cwd=bench.tree))
    env = bench.environment({**profile.env, **launch.env}, pass_env=profile.pass_env)
    bench.begin("agent", launch.argv)
    errors = bench.log.stream()
    try:
        return Supervisor(bench.folder, bench.stop, meanwhile).run(
            launch.argv,
            cwd=bench.tree,
            env=own_program.on_path(env, bench.folder),
            stdin=launch.stdin,
            limits=Limits(
                wall=profile.timeout,
                idle=profile.idle_timeout,
                output=profile.max_output,
                memory=bench.job.memory,
                processes=bench.job.processes,
            ),
            on_out=listener.hear,
            on_err=errors.feed,
        )
    finally:
        listener.end()
        errors.end()


_OUTCOMES: Final = {
    Cause.TIMED_OUT: RunOutcome.TIMED_OUT,
    Cause.SILENT: RunOutcome.SILENT,
    Cause.TOO_LOUD: RunOutcome.TOO_LOUD,
    Cause.TOO_LARGE: RunOutcome.TOO_LARGE,
    Cause.TOO_MANY: RunOutcome.TOO_MANY,
    Cause.STOPPED: RunOutcome.STOPPED,
}


def _judged(agent: Agent, ended: Ended) -> tuple[RunOutcome, str]:
    if ended.cause is Cause.EXITED:
        return agent.outcome(ended.code if ended.code is not None else -1)
    return _OUTCOMES[ended.cause], ended.why


def _about_processes(ended: Ended) -> list[str]:
    found = []
    if ended.forgotten:
        found.append(f"processes that the agent left running were ended: {ended.forgotten}")
    if ended.left:
        found.append(f"processes of the agent that could not be ended: {ended.left}")
    return found


def _with_questions(bench: Workbench, end: TurnEnd, heard: list[str]) -> TurnEnd:
    box = inbox.read(bench.inbox)
    questions = tuple(dict.fromkeys(bench.log.clean(text) for text in (*box.questions, *heard)))
    asked = bool(questions) and end.outcome in _WAITING
    return TurnEnd(
        outcome=RunOutcome.ASKED if asked else end.outcome,
        message=questions[0].splitlines()[0] if asked else bench.log.clean(end.message),
        exit_code=end.exit_code,
        questions=questions,
        warnings=(*end.warnings, *box.warnings),
    )


class _Listener:
    """Hands standard output to the log as it comes, and to the agent's driver line by line."""

    def __init__(self, bench: Workbench, agent: Agent) -> None:
        self._log = bench.log
        self._agent = agent
        self._stream = bench.log.stream()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._length = 0
        self.questions: list[str] = []
        self.warnings: list[str] = []

    def hear(self, chunk: bytes) -> None:
        self._stream.feed(chunk)
        self._split(self._decoder.decode(chunk))

    def end(self) -> None:
        self._stream.end()
        self._split(self._decoder.decode(b"", final=True))
        if self._length:
            self._read()

    def _split(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for part in whole:
            self._keep(part)
            self._read()
        self._keep(rest)

    def _keep(self, part: str) -> None:
        self._length += len(part)
        if self._length <= _LONGEST_LINE:
            self._line.append(part)

    def _read(self) -> None:
        """Let the driver read the line that is complete; one without end is only in the log."""
        too_long, line = self._length > _LONGEST_LINE, "".join(self._line)
        self._line, self._length = [], 0
        if too_long:
            self.warnings.append("a line of the agent's output was too long to be read")
            return
        for said in self._agent.read(line.removesuffix("\r")):
            if isinstance(said, Asked):
                self.questions.append(said.question)
                self._log.event("asked", said.question)
            else:
                self._log.event("said", said.text)
