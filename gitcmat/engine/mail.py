"""What the agent of a run sends while it works, carried out as it comes.

Some of it is answered by a file in the run's folder, where the agent can only read.
"""

from typing import Any

from gitcmat.engine.delegating import Delegating
from gitcmat.engine.inbox import Inbox
from gitcmat.engine.saving import Saving
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import NotFound, UserError
from gitcmat.model.message import Ask, Delegate, Message, NewSubtask, Progress, SaveNow
from gitcmat.model.usage import UNKNOWN, Spend
from gitcmat.system import clock


class Mail:
    """The messages of one run."""

    def __init__(self, bench: Workbench, saving: Saving | None = None) -> None:
        """Without `saving` nothing can be saved."""
        self._bench = bench
        self._saving = saving
        self._inbox = Inbox(bench.inbox, bench.job.nonce)
        self._delegating = Delegating(bench, saving)
        self._heard = 0.0
        self._questions: dict[str, None] = {}
        self._subtasks: dict[str, None] = {}

    @property
    def questions(self) -> tuple[str, ...]:
        """What the agent asked, each once."""
        return tuple(self._questions)

    @property
    def subtasks(self) -> tuple[str, ...]:
        """The titles of the subtasks that it wants, each once."""
        return tuple(self._subtasks)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was wrong with what it sent."""
        return tuple(self._bench.log.clean(text) for text in self._inbox.warnings)

    @property
    def spent(self) -> Spend:
        """What other agents used, to which this one has delegated, as far as they are over."""
        return self._delegating.spent

    def look(self, used: Spend = UNKNOWN) -> float:
        """Carry out what has come since; return when the agent was last heard of, by the monotonic
        clock. Asked ten times a second; the agent has `used` so much by now.
        """
        for message in self._inbox.new():
            self._heard = clock.monotonic()
            self._take(message, used)
        self._delegating.look()
        if self._delegating.waits:
            self._heard = clock.monotonic()
        return self._heard

    def end(self) -> None:
        """Take what came last; nobody reads a reply any more, so nothing that has one is done."""
        for message in self._inbox.new(final=True):
            if not isinstance(message, (SaveNow, Delegate)):
                self._take(message)

    def close(self) -> None:
        """The agent works no more, and nobody waits for what it has delegated."""
        self._delegating.close()

    def _take(self, message: Message, used: Spend = UNKNOWN) -> None:
        clean = self._bench.log.clean
        match message:
            case Ask(question=question):
                self._questions[clean(question)] = None
            case NewSubtask(title=title):
                self._subtasks[" ".join(clean(title).split())] = None
            case Progress(text=text):
                self._bench.log.note(f"progress: {text}")
                self._bench.log.event("progress", text)
            case SaveNow():
                self._save(message)
            case Delegate():
                self._delegating.take(message, used)

    def _save(self, message: SaveNow) -> None:
        try:
            if self._saving is None:
                raise NotFound("Nothing is saved here.", hint="work on without")
            saved = self._saving.save_now(self._bench.log.clean(message.name))
        except (UserError, OSError) as error:
            said = error.message if isinstance(error, UserError) else str(error)
            self._bench.log.note(f"no checkpoint {message.name!r}: {said}")
            answer: dict[str, Any] = {"error": said}
        else:
            self._bench.log.note(f"checkpoint {saved or 'of nothing new'}: {message.name}")
            answer = {"checkpoint": saved or None}
        if message.id:
            self._bench.folder.reply(message.id, answer)


def left_in(inbox: Inbox) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The questions and the subtasks in an inbox that its runner did not read to the end."""
    found = list(inbox.new(final=True))
    questions = (m.question for m in found if isinstance(m, Ask))
    titles = (" ".join(m.title.split()) for m in found if isinstance(m, NewSubtask))
    return tuple(dict.fromkeys(questions)), tuple(dict.fromkeys(titles))
