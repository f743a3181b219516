"""The agent's side of its run: what our own programs, started by the agent, know and may say.

They see neither records nor repository, which a sandbox may hide: only the inbox, to which they
append, and the folder of the agent's settings, where the runner has put a file for them and puts
its replies.
"""

import importlib.util
import json
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from gitcmat.engine import inbox
from gitcmat.engine.own_program import PROGRAM
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model.job import Job
from gitcmat.model.message import REPLY, Delegate, Message
from gitcmat.system import clock, files, ids, orphans

VARIABLE: Final = "CMAT_SEAT"
"""Names the file, for a program of the agent."""

_LARGEST: Final = 16_000_000
_LONGEST_PROMPT: Final = 200_000
_PAUSE: Final = 0.1
_ID: Final = 16


def prepare(folder: RunFolder, job: Job, box: Path, prompt: str) -> None:
    """Write the file for the agent's side, for the owner alone: it has the nonce.

    Raises:
        OSError: the disk refuses it.
    """
    for path in (folder.scratch, folder.replies):
        path.mkdir(mode=0o700, exist_ok=True)
    known = {
        "run": job.run,
        "task": job.task,
        "title": job.title,
        "attempt": job.attempt,
        "agent": job.agent.name if job.agent is not None else "",
        "prompt": prompt[:_LONGEST_PROMPT],
        "answers": [{"question": a.question, "answer": a.text} for a in job.answers],
        "paths": list(job.paths),
        "gates": [gate.name for gate in job.gates],
        "agents": list(job.agents),
    }
    data = {"about": known, "inbox": str(box), "nonce": job.nonce}
    files.write_atomic(folder.seat, json.dumps(data).encode("ascii"), mode=0o600)


def environment(folder: RunFolder, job: Job) -> dict[str, str]:
    """What the agent's program is given beside what setup and gates have."""
    return {inbox.NONCE: job.nonce, VARIABLE: str(folder.seat)}


def server(folder: RunFolder) -> tuple[str, ...]:
    """How the agent's program starts our MCP server; empty where its package is not installed.

    Programs start such servers with an environment of their own choice, so an argument says which
    run it is; the nonce is no argument, as others can read those.
    """
    if importlib.util.find_spec("mcp") is None:
        return ()
    return (*PROGRAM, "mcp", "--run", str(folder.seat))


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where the agent of a run speaks from."""

    inbox: Path
    nonce: str
    replies: Path | None = None
    about: Mapping[str, Any]
    """The task as the agent may read it."""

    @classmethod
    def here(cls) -> Self | None:
        """What the environment says; None outside of a run.

        Raises:
            InvalidData, Conflict: as `read`.
        """
        env = os.environ
        if place := env.get(VARIABLE):
            return cls.read(Path(place))
        if inbox.VARIABLE not in env:
            return None
        about = {"run": env.get(orphans.VARIABLE, ""), "task": env.get("CMAT_TASK", "")}
        return cls(inbox=Path(env[inbox.VARIABLE]), nonce=env.get(inbox.NONCE, ""), about=about)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read the file that `prepare` wrote.

        Raises:
            NotFound: it is not there.
            InvalidData: it is damaged.
            Conflict: it is another run's than the one that the environment names.
        """
        try:
            data = json.loads(files.read_regular(path, _LARGEST))
            about, box, nonce = dict(data["about"]), str(data["inbox"]), str(data["nonce"])
        except FileNotFoundError as error:
            raise NotFound(
                f"There is no run at {path} (any more).", hint="start it from inside of a run"
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise InvalidData(f"{path} is damaged.", hint="It is gitcmat's own file.") from error
        if os.environ.get(inbox.NONCE, nonce) != nonce:
            raise Conflict(
                f"{path} belongs to {about.get('run')}, and this process to another run.",
                hint="an agent speaks for its own run alone",
            )
        return cls(inbox=Path(box), nonce=nonce, replies=path.parent / "replies", about=about)

    def send(self, message: Message) -> None:
        """Leave a message for the runner.

        Raises:
            InvalidData: something in it is empty or too long.
            OSError: the inbox cannot be written.
        """
        inbox.send(self.inbox, self.nonce, message)

    def reply(self, name: str) -> dict[str, Any] | None:
        """What was answered to the message of this id, None before."""
        if self.replies is None or not REPLY.fullmatch(name):
            return None
        try:
            found = json.loads(files.read_regular(self.replies / f"{name}.json", _LARGEST))
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise InvalidData(f"The reply {name} is damaged.", hint="ask again") from error
        return found if isinstance(found, dict) else None

    def delegate(self, members: Sequence[tuple[str, str]], group: str) -> list[str]:
        """Have other agents do parts of the work, each an agent's name and a prompt; return what
        their replies will be called. One that fails does not stop the others.

        Raises:
            NotFound: nothing answers from here.
            InvalidData: something in it is empty or too long; nothing was delegated.
        """
        if self.replies is None:
            raise NotFound("Nothing can be delegated from here.", hint="do it yourself")
        wanted = [
            Delegate(agent=agent, prompt=prompt, group=group, id=ids.token(_ID))
            for agent, prompt in members
        ]
        for each in wanted:
            inbox.check(each)
        for each in wanted:
            self.send(each)
        return [each.id for each in wanted]

    def wait_for_all(
        self,
        names: Sequence[str],
        *,
        seconds: float = math.inf,
        pause: Callable[[float], None] = time.sleep,
        tell: Callable[[int], None] = lambda _done: None,
    ) -> list[dict[str, Any] | None]:
        """Wait at most so long for the replies of these names; None for one that is not there yet.

        `tell` is given how many there are, each time that it is more.
        """
        until, told = clock.monotonic() + seconds, 0
        while True:
            found = [self.reply(name) for name in names]
            done = len(found) - found.count(None)
            if done > told:
                tell(done)
                told = done
            if done == len(found) or clock.monotonic() >= until:
                return found
            pause(_PAUSE)

    def wait(
        self, name: str, *, seconds: float, pause: Callable[[float], None] = time.sleep
    ) -> dict[str, Any] | None:
        """Wait at most so long for the reply to a message; None when there is none by then."""
        return self.wait_for_all([name], seconds=seconds, pause=pause)[0]
