"""Listens to an agent: its output goes to the log as it comes and to its driver line by line."""

import codecs
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from gitcmat.engine.workbench import Workbench
from gitcmat.model import budget
from gitcmat.model.prices import worked_out
from gitcmat.model.usage import UNKNOWN, Session, Spend
from gitcmat.ports import Agent, Asked, Said, Spent, Started, Troubled, Used
from gitcmat.system import clock

_LONGEST_LINE: Final = 16_000_000


class Listener:
    """What one turn of an agent says."""

    def __init__(self, bench: Workbench, agent: Agent, before: Session) -> None:
        """`before` is the session that the turn goes on with, or one without an id."""
        self._bench = bench
        self._log = bench.log
        self._agent = agent
        self._before = before
        self._day = f"{clock.now():%Y-%m-%d}"
        self._model = bench.job.agent.model if bench.job.agent else ""
        self._stream = bench.log.stream()
        self._out = _Lines(self._read)
        self._err = _Lines(self._read)
        self._session = before.id
        self._added = Spend()
        self._whole: Spend | None = None
        self.questions: list[str] = []
        self.warnings: list[str] = []
        self.hopeless = False
        """Whether the agent goes on and nothing can come of it."""

    @property
    def session(self) -> Session:
        """The agent's session as it is now, for a later run."""
        # One that was ended in the middle has told no sum: the next one's holds what it used, too.
        known = self._before.spend if self._session == self._before.id else Spend()
        return Session(id=self._session, spend=(self._whole or known) + self._added)

    @property
    def spend(self) -> Spend:
        """What this turn used so far, its cost too where the program tells only tokens."""
        if self._whole is None:
            return self._added
        whole = self._whole.since(self._before.spend) if self._before.id else self._whole
        return self._priced(whole) + self._added

    @property
    def told_all(self) -> bool:
        """Whether it has told the sum of what it used, and nothing since."""
        return self._whole is not None and self._added == Spend()

    def over_budget(self, others: Spend = UNKNOWN) -> bool:
        """Whether the turn used what it may, as far as anybody can tell, with what `others` used
        to which the agent has delegated.
        """
        job, spend = self._bench.job, self.spend + others
        if job.usd is not None and spend.usd is not None and spend.usd >= job.usd:
            return True
        return (
            job.tokens is not None and spend.usage is not None and (spend.usage.total >= job.tokens)
        )

    def hear(self, chunk: bytes) -> None:
        """Take in a piece of standard output."""
        self._stream.feed(chunk)
        self._out.feed(chunk)

    def hear_errors(self, chunk: bytes) -> None:
        """Take in a piece of standard error, for a driver that reads that, too; it is logged
        already.
        """
        self._err.feed(chunk)

    def end(self) -> None:
        """Take in what is left of an unfinished last line."""
        self._stream.end()
        self._out.end()
        self._err.end()
        self.warnings += budget.not_checked(self._bench.job.usd, self._bench.job.tokens, self.spend)

    def _priced(self, spend: Spend) -> Spend:
        named = replace(spend, model=spend.model or self._model)
        return worked_out(named, self._day, self._bench.job.prices)

    def _read(self, line: str | None) -> None:
        """Let the driver read a line; one without end, None, is only in the log."""
        if line is None:
            self.warnings.append("a line of the agent's output was too long to be read")
            return
        for heard in self._agent.read(line):
            match heard:
                case Said():
                    self._log.event("said", heard.text)
                case Asked():
                    self.questions.append(heard.question)
                    self._log.event("asked", heard.question)
                case Used():
                    self._log.event("tool", " ".join(filter(None, (heard.tool, heard.about))))
                case Started():
                    self._session = heard.session or self._session
                    self._model = heard.model or self._model
                    self._added = replace(self._added, model=heard.model or self._added.model)
                    self._log.event("session", " ".join(filter(None, (heard.session, heard.model))))
                case Spent():
                    if heard.whole:
                        self._whole, self._added = heard.spend, Spend()
                    else:
                        self._added += self._priced(heard.spend)
                case Troubled():
                    self._log.event("trouble", heard.text)
                    self.hopeless = self.hopeless or heard.hopeless


class _Lines:
    """Cuts what comes in pieces into lines; one that is too long is None."""

    def __init__(self, take: Callable[[str | None], None]) -> None:
        self._take = take
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._line: list[str] = []
        self._length = 0

    def feed(self, chunk: bytes) -> None:
        """Take in a piece."""
        self._split(self._decoder.decode(chunk))

    def end(self) -> None:
        """Take what is left for a line."""
        self._split(self._decoder.decode(b"", final=True))
        if self._length:
            self._whole()

    def _split(self, text: str) -> None:
        *whole, rest = text.split("\n")
        for part in whole:
            self._keep(part)
            self._whole()
        self._keep(rest)

    def _keep(self, part: str) -> None:
        self._length += len(part)
        if self._length <= _LONGEST_LINE:
            self._line.append(part)

    def _whole(self) -> None:
        too_long, line = self._length > _LONGEST_LINE, "".join(self._line)
        self._line, self._length = [], 0
        self._take(None if too_long else line.removesuffix("\r"))
