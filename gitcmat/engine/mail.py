"""What the agent of a run sends while it works, carried out as it comes.

Some of it is answered by a file in the run's folder, where the agent can only read.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from gitcmat.engine.inbox import Inbox
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.saving import Saving
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import NotFound, UserError
from gitcmat.model.message import Ask, Delegate, Message, NewSubtask, Progress, SaveNow
from gitcmat.system import clock, files

SCHEMA: Final = 1


class Mail:
    """The messages of one run."""

    def __init__(self, bench: Workbench, saving: Saving | None = None) -> None:
        """Without `saving` nothing can be saved."""
        self._bench = bench
        self._saving = saving
        self._inbox = Inbox(bench.inbox, bench.job.nonce)
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

    def look(self) -> float:
        """Carry out what has come since; return when the agent was last heard of, by the monotonic
        clock. Asked ten times a second.
        """
        for message in self._inbox.new():
            self._heard = clock.monotonic()
            self._take(message)
        return self._heard

    def end(self) -> None:
        """Take what came last; nobody reads a reply any more, so nothing that has one is done."""
        for message in self._inbox.new(final=True):
            if not isinstance(message, (SaveNow, Delegate)):
                self._take(message)

    def _take(self, message: Message) -> None:
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
                reply(self._bench.folder, message.id, {"error": "nobody takes this on"})

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
            reply(self._bench.folder, message.id, answer)


def reply(folder: RunFolder, name: str, data: Mapping[str, Any]) -> Path:
    """Answer what an agent has sent, in a file that it can only read; return where."""
    path = folder.replies / f"{name}.json"
    text = json.dumps({"schema": SCHEMA, "id": name, **data})
    files.write_atomic(path, text.encode(), mode=0o600)
    return path


def left_in(inbox: Inbox) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The questions and the subtasks in an inbox that its runner did not read to the end."""
    found = list(inbox.new(final=True))
    questions = (m.question for m in found if isinstance(m, Ask))
    titles = (" ".join(m.title.split()) for m in found if isinstance(m, NewSubtask))
    return tuple(dict.fromkeys(questions)), tuple(dict.fromkeys(titles))
