"""Whether the machine has room for another run, and since when it has not.

Nothing of it is a fact: it is true at this machine and at this moment. While a daemon waits for
room, a file of this machine says so, for commands that only read.
"""

from collections.abc import Callable
from typing import Final

from gitcmat.engine import room_note
from gitcmat.engine.deps import Deps
from gitcmat.engine.room_note import Held
from gitcmat.errors import Conflict
from gitcmat.model.machine import Shortage
from gitcmat.model.machine import shortage as shortage_of
from gitcmat.model.task import seconds

PAUSE: Final = 1.0
"""Seconds between two looks of somebody who waits for room."""


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
    if found is None:
        room_note.drop(deps.repo)
    else:
        room_note.write(deps.repo, Held(found.limit, found.text, deps.clock.now()))
