"""The agent's turn in a run: given the prompt, listened to, ended with all that it started."""

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gitcmat.engine import own_program, seat, status_block
from gitcmat.engine.boxing import Boxing
from gitcmat.engine.listening import Listener
from gitcmat.engine.mail import Mail
from gitcmat.engine.runfolder import Prompts
from gitcmat.engine.supervision import Cause, Ended, Limits, Supervisor
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import NotFound, UserError
from gitcmat.model import budget
from gitcmat.model.job import JobAgent, RunOutcome
from gitcmat.model.usage import NO_SESSION, UNKNOWN, Session, Spend
from gitcmat.ports import Agent, End, Turn
from gitcmat.system import clock

_ERRORS_KEPT: Final = 4_000
"""Characters at the end of standard error that a driver may look at."""

_LAST_WORD: Final = 0.25
"""Seconds for one that has used up its budget: its last word comes with all that it used, and may
be that it is done.
"""

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
    subtasks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    said: str = ""
    session: Session = NO_SESSION
    spend: Spend = UNKNOWN
    until: datetime | None = None


def take_turn(
    bench: Workbench,
    make_agent: Callable[[], Agent],
    profile: JobAgent,
    prompts: Prompts,
    meanwhile: Callable[[], None] = lambda: None,
    mail: Mail | None = None,
) -> TurnEnd:
    """Let the agent work until it ends or a limit does it; none of its processes is left.

    It goes on with the session that the job names; where that is gone, it starts afresh with the
    whole story. `meanwhile` is called about ten times a second, and `mail` is read; left out, it
    is one in which nothing can be saved.

    A question makes the outcome `ASKED`, unless the run was stopped or never began: an agent that
    waits for its answer may well run into a limit.
    """
    own_program.write(bench.folder)
    mail = mail or Mail(bench)
    seat.prepare(bench.folder, bench.job, bench.inbox, prompts.whole)
    if bench.job.session.id:
        turn = _Turn(bench, make_agent(), profile, bench.job.session, mail)
        end, gone = turn.take(prompts.more, meanwhile)
        if not gone or bench.stop.is_made():
            return end
        bench.log.note("the agent's session is gone: it starts afresh")
    turn = _Turn(bench, make_agent(), profile, NO_SESSION, mail)
    return turn.take(prompts.whole, meanwhile)[0]


_OUTCOMES: Final = {
    Cause.TIMED_OUT: RunOutcome.TIMED_OUT,
    Cause.SILENT: RunOutcome.SILENT,
    Cause.TOO_LOUD: RunOutcome.TOO_LOUD,
    Cause.TOO_LARGE: RunOutcome.TOO_LARGE,
    Cause.TOO_MANY: RunOutcome.TOO_MANY,
    Cause.OVER_BUDGET: RunOutcome.OVER_BUDGET,
    Cause.HOPELESS: RunOutcome.FAILED,
    Cause.STOPPED: RunOutcome.STOPPED,
}


class _Turn:
    """One start of the agent's program."""

    def __init__(
        self, bench: Workbench, agent: Agent, profile: JobAgent, session: Session, mail: Mail
    ) -> None:
        self._bench = bench
        self._mail = mail
        self._agent = agent
        self._profile = profile
        self._before = session
        self._listener = Listener(bench, agent, session)
        self._errors = bench.log.stream(keep=_ERRORS_KEPT)
        self._over_since = 0.0

    def take(self, prompt: str, meanwhile: Callable[[], None]) -> tuple[TurnEnd, bool]:
        """How it ended, and whether nothing was done because the session is gone."""
        bench = self._bench
        try:
            ended = self._run(prompt, meanwhile)
        except UserError as error:
            bench.log.note(error.message)
            message = bench.log.clean(error.message)
            return TurnEnd(outcome=RunOutcome.CANNOT_START, message=message), False
        except OSError as error:
            # The processes are gone; the log is not writable. The work may be fine and is
            # collected.
            said = f"the log cannot be written: {error.strerror or error}"
            judged = End(outcome=RunOutcome.FAILED, message=said)
            return self._with_questions(self._end(judged)), False
        judged = status_block.heeded(self._judge(ended), bench.job.task or bench.job.run)
        end = replace(
            self._end(judged),
            exit_code=ended.code,
            warnings=(
                *_about_processes(ended),
                *self._listener.warnings,
                *self._overdrawn(judged),
            ),
        )
        return self._with_questions(end), judged.no_session

    def _run(self, prompt: str, meanwhile: Callable[[], None]) -> Ended:
        bench, profile = self._bench, self._profile
        scratch = bench.folder.scratch
        scratch.mkdir(mode=0o700, exist_ok=True)
        launch = self._agent.launch(
            Turn(
                profile=profile,
                prompt=prompt,
                cwd=bench.tree,
                scratch=scratch,
                session=self._before.id,
                answers=bench.job.answers,
                usd=bench.job.usd,
                mail=bench.inbox.parent,
                server=seat.server(bench.folder),
            )
        )
        env = bench.environment({**profile.env, **launch.env}, pass_env=profile.pass_env)
        argv = (*launch.bridge, *bench.outside(launch.argv))
        env = own_program.on_path(env, bench.folder) | seat.environment(bench.folder, bench.job)
        bench.begin("agent", argv)
        if profile.sandbox.closed or profile.sandbox.why:
            bench.log.note(f"sandbox: {profile.sandbox.text}")
        with Boxing(bench, profile, launch, argv, env) as boxing:
            try:
                ended = Supervisor(
                    bench.folder,
                    bench.stop,
                    functools.partial(self._meanwhile, meanwhile),
                    self._enough,
                    boxing.wrapper,
                ).run(
                    boxing.argv,
                    cwd=bench.tree,
                    env=boxing.env,
                    stdin=launch.stdin,
                    limits=Limits(
                        wall=profile.timeout,
                        idle=profile.idle_timeout,
                        output=profile.max_output,
                        memory=bench.job.memory,
                        processes=bench.job.processes,
                    ),
                    on_out=self._listener.hear,
                    on_err=self._hear_errors if launch.heeds_errors else self._errors.feed,
                )
            finally:
                self._listener.end()
                self._errors.end()
            self._listener.warnings += boxing.warnings
            return self._came_out(boxing, ended)

    def _enough(self) -> Cause | None:
        if self._listener.over_budget(self._mail.spent):
            now = clock.monotonic()
            self._over_since = self._over_since or now
            if self._listener.told_all or now - self._over_since >= _LAST_WORD:
                return Cause.OVER_BUDGET
        return Cause.HOPELESS if self._listener.hopeless else None

    def _hear_errors(self, chunk: bytes) -> None:
        self._errors.feed(chunk)
        self._listener.hear_errors(chunk)

    def _meanwhile(self, meanwhile: Callable[[], None]) -> float:
        meanwhile()
        return self._mail.look(self._listener.spend)

    def _came_out(self, boxing: Boxing, ended: Ended) -> Ended:
        """`ended` as the program ended, and not what stood around it."""
        if ended.cause is not Cause.EXITED or ended.code is None:
            return ended
        if not boxing.has_begun:
            said = self._errors.tail.strip().rpartition("\n")[2]
            raise NotFound(f"The sandbox could not be made: {said}", hint="gitcmat doctor")
        return replace(ended, code=boxing.code(ended.code))

    def _judge(self, ended: Ended) -> End:
        if ended.cause in (Cause.EXITED, Cause.HOPELESS):
            code = ended.code if ended.code is not None else -1
            return self._agent.end(code, self._errors.tail)
        if ended.cause is Cause.OVER_BUDGET and self._listener.over_budget():
            done = self._agent.end(0, "")
            if done.outcome is RunOutcome.FINISHED:
                return done  # with its last word it told what it had used: nothing is to be stopped
        return End(outcome=_OUTCOMES[ended.cause], message=ended.why)

    def _overdrawn(self, judged: End) -> tuple[str, ...]:
        """What to warn of when it told only with its last words that it had used too much."""
        if judged.outcome is RunOutcome.OVER_BUDGET:
            return ()
        job = self._bench.job
        return budget.overdrawn(job.usd, job.tokens, self._listener.spend)

    def _end(self, judged: End) -> TurnEnd:
        clean = self._bench.log.clean
        return TurnEnd(
            outcome=judged.outcome,
            message=clean(judged.message),
            questions=judged.questions,
            said=clean(judged.said),
            session=self._listener.session,
            spend=self._listener.spend,
            until=judged.until,
        )

    def _with_questions(self, end: TurnEnd) -> TurnEnd:
        self._mail.end()
        heard = (*self._mail.questions, *self._listener.questions, *end.questions)
        questions = tuple(dict.fromkeys(self._bench.log.clean(text) for text in heard))
        asked = bool(questions) and end.outcome in _WAITING
        return replace(
            end,
            outcome=RunOutcome.ASKED if asked else end.outcome,
            message=questions[0].splitlines()[0] if asked else end.message,
            questions=questions,
            subtasks=self._mail.subtasks,
            warnings=(*end.warnings, *self._mail.warnings),
        )


def _about_processes(ended: Ended) -> list[str]:
    found = []
    if ended.forgotten:
        found.append(f"processes that the agent left running were ended: {ended.forgotten}")
    if ended.left:
        found.append(f"processes of the agent that could not be ended: {ended.left}")
    return found
