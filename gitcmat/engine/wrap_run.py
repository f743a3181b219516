"""One run of ``gitcmat wrap``: a turn of an agent in whatever folder, without a repository's state.

It is the turn of every other run (`gitcmat.engine.agent_turn`), with its own short-lived folder.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from gitcmat.engine import inbox
from gitcmat.engine.agent_turn import TurnEnd, take_turn
from gitcmat.engine.runfolder import Prompts, RunFolder
from gitcmat.engine.runlog import RunLog
from gitcmat.engine.supervision import StopRequest
from gitcmat.engine.workbench import Workbench
from gitcmat.model.job import Identity, Job, JobAgent, JobKind
from gitcmat.model.task import Budget
from gitcmat.model.usage import Session
from gitcmat.ports import (
    Agent,
    Asked,
    End,
    Heard,
    Launch,
    Login,
    Said,
    Spent,
    Started,
    Troubled,
    Turn,
    Used,
)
from gitcmat.system import environment, ids
from gitcmat.system.files import remove_tree


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapped:
    """The agent that is wrapped."""

    agent: JobAgent
    system: str = ""
    """Goes before the prompt that begins a session."""
    cwd: Path
    git_dir: Path | None = None
    """That of the repository which the profile is from."""
    work_tree: Path | None = None
    """That of the same; left out: of the repository around `cwd`."""
    budget: Budget | None = None
    allow_env: tuple[str, ...] = ()


class Place:
    """The folder of one run, as a context; it is gone with all that is in it afterwards."""

    def __init__(self) -> None:
        self.run = ids.run_id()
        """What marks the run's processes; the embedding program may know it by another name."""
        self.path = Path(tempfile.mkdtemp(prefix="gitcmat-wrap-"))
        self.folder = RunFolder(self.path / "run")

    @contextlib.contextmanager
    def made(self) -> Iterator[RunFolder]:
        """Make it for the time of the block."""
        try:
            self.folder.path.mkdir(mode=0o700)
            (self.path / "inbox").mkdir(mode=0o700)
            yield self.folder
        finally:
            remove_tree(self.path)


def perform(
    wrapped: Wrapped,
    place: Place,
    make_agent: Callable[[], "Tapped"],
    prompt: str,
    session: str,
    meanwhile: Callable[[], None],
) -> TurnEnd:
    """Let the agent work in `wrapped.cwd` until it ends, or a file `place.folder.stop` is there.

    Everything below this process has ended afterwards: it must be a subreaper and have no other
    children.
    """
    folder = place.folder
    with RunLog(folder.log, folder.events, secrets(wrapped.agent)) as log:
        bench = Workbench(
            job=_job(wrapped, place, session),
            folder=folder,
            tree=wrapped.cwd,
            inbox=place.path / "inbox" / inbox.NAME,
            log=log,
            stop=StopRequest(folder),
        )
        whole = "\n\n".join(filter(None, (wrapped.system.strip(), prompt)))
        told = Prompts(whole=whole, more=prompt)
        return take_turn(bench, make_agent, wrapped.agent, told, meanwhile)


def secrets(agent: JobAgent) -> list[str]:
    """Values that nothing we print may hold."""
    return environment.secrets({**os.environ, **agent.env}, agent.pass_env)


def root_of(folder: Path) -> Path | None:
    """The outermost repository that `folder` lies in; a program in there is no agent's."""
    around = (folder.resolve(), *folder.resolve().parents)
    return next((place for place in reversed(around) if (place / ".git").exists()), None)


def _job(wrapped: Wrapped, place: Place, session: str) -> Job:
    root = wrapped.work_tree or root_of(wrapped.cwd)
    budget = wrapped.budget
    return Job(
        kind=JobKind.WORK,
        run=place.run,
        task="",
        title="",
        attempt=1,
        git_dir=str(wrapped.git_dir or (root or wrapped.cwd) / ".git"),
        work_tree=str(root) if root else None,
        object_format="sha1",
        workspace=str(place.path / "workspace"),
        base="",
        start="",
        run_ref="",
        agent=wrapped.agent,
        gates=(),
        setup=(),
        setup_when=(),
        setup_timeout=0,
        keep=(),
        copy=(),
        paths=(),
        allow_env=wrapped.allow_env,
        session=Session(id=session),
        usd=budget.usd if budget else None,
        tokens=budget.tokens if budget else None,
        nonce=ids.token(26),
        identity=Identity(name="", email=""),
    )


class Tapped:
    """An agent that somebody else hears, too."""

    def __init__(self, agent: Agent, hear: Callable[[Heard], None]) -> None:
        self._agent = agent
        self._hear = hear
        self.session_gone = False
        """Whether nothing was done because the session to go on with is not there any more."""

    @property
    def unknown(self) -> tuple[str, ...]:
        """What such a program never tells."""
        return self._agent.unknown

    @property
    def tested(self) -> Mapping[str, str]:
        """The versions of such programs that were tested."""
        return self._agent.tested

    @property
    def login(self) -> Login | None:
        """Where its login is."""
        return self._agent.login

    def launch(self, turn: Turn) -> Launch:
        """Say how to start it."""
        return self._agent.launch(turn)

    def read(self, line: str) -> Iterable[Heard]:
        """Read a line, and pass on what it means."""
        for heard in self._agent.read(line):
            self._hear(heard)
            yield heard

    def end(self, exit_code: int, errors: str) -> End:
        """Judge its end. Nobody begins anew on his own: the embedding program is told."""
        judged = self._agent.end(exit_code, errors)
        self.session_gone = judged.no_session
        return replace(judged, no_session=False)


def plain(heard: Heard) -> dict[str, Any]:
    """What an agent said or did, as the payload of a ``stream`` event."""
    match heard:
        case Started():
            return {"type": "started", "session_id": heard.session or None, "model": heard.model}
        case Said():
            return {"type": "said", "text": heard.text}
        case Used():
            return {"type": "used", "tool": heard.tool, "about": heard.about}
        case Spent():
            return {"type": "spent", "whole": heard.whole, **asdict(heard.spend)}
        case Asked():
            return {"type": "asked", "question": heard.question}
        case Troubled():
            return {"type": "troubled", "text": heard.text}
