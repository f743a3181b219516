"""Whether the machine has room for another run, and since when it has not.

Nothing of it is a fact: it is true at this machine and at this moment. While a daemon waits for
room, a file of this machine says so, for commands that only read.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict, InvalidData
from gitcmat.model.machine import Shortage
from gitcmat.model.machine import shortage as shortage_of
from gitcmat.model.task import seconds
from gitcmat.store.git import Repository
from gitcmat.system.files import read_regular, write_atomic
from gitcmat.system.locks import is_locked

PAUSE: Final = 1.0
"""Seconds between two looks of somebody who waits for room."""

_LARGEST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Held:
    """Since when nothing new is started, and why."""

    shortage: Shortage
    since: datetime

    def __str__(self) -> str:
        """For people, with the time of day."""
        return f"{self.shortage.text}, since {self.since.astimezone():%H:%M}"


def shortage(deps: Deps) -> Shortage | None:
    """Measure: what keeps a new run from starting now, if anything does."""
    from gitcmat.engine.claims import workspaces_root

    spare = deps.machine.spare((deps.repo.common_dir, workspaces_root(deps)))
    return shortage_of(deps.settings.limits, spare)


def wait(
    deps: Deps,
    task: str,
    found: Shortage,
    *,
    pause: Callable[[float], None],
    say: Callable[[str], None],
) -> None:
    """Wait until there is room for a run of `task`, as long as ``limits.wait`` says.

    `pause` is given seconds to let pass, and raises what ends the wait.

    Raises:
        Conflict: there still is none; nothing was started.
    """
    most = deps.settings.limits.wait
    until = deps.clock.monotonic() + seconds(most)
    say(f"{task} waits: {found.text}; for {most} at most")
    while (now := shortage(deps)) is not None:
        if deps.clock.monotonic() >= until:
            raise Conflict(
                f"{task} was not started: {now.text}, also after {most}.",
                hint=f"try again later, or change what is enough: gitcmat config set {now.limit} …",
            )
        pause(PAUSE)


def note(deps: Deps, found: Shortage | None) -> None:
    """Write down that, why and since when nothing new is started; or that this is over."""
    file = _file(deps.repo)
    if found is None:
        file.unlink(missing_ok=True)
        return
    before = _read(file)
    if before is None or before.shortage.limit != found.limit:
        data = {"limit": found.limit, "text": found.text, "since": deps.clock.now().isoformat()}
        write_atomic(file, json.dumps(data).encode(), mode=0o600)


def noted(repo: Repository) -> Held | None:
    """What the daemon that watches this repository wrote down, if there is one and it waits."""
    held = _read(_file(repo))
    return held if held is not None and is_locked(repo.cmat / "watch.lock") else None


def _file(repo: Repository) -> Path:
    return repo.cmat / "no-room.json"


def _read(file: Path) -> Held | None:
    try:
        data = json.loads(read_regular(file, _LARGEST))
        return Held(Shortage(data["limit"], data["text"]), datetime.fromisoformat(data["since"]))
    except (OSError, InvalidData, ValueError, KeyError, TypeError):
        return None
