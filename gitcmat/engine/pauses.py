"""A pause: the daemon that watches now starts nothing new until it is taken back.

It belongs to that daemon. Starting one is the permission to work, so it begins without a pause,
and where none watches nothing starts by itself anyway. It is no fact but a file of this machine.
"""

from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.room_note import WATCH_LOCK
from gitcmat.errors import NoWork
from gitcmat.model.machine import Shortage
from gitcmat.model.run import Run
from gitcmat.store import accounts
from gitcmat.store.git import Repository
from gitcmat.system.files import read_regular, write_atomic
from gitcmat.system.locks import is_locked

PAUSED: Final = "pause"
"""Stands where otherwise a limit is named."""

_FILE: Final = "paused"
_LARGEST: Final = 10_000


def pause(deps: Deps) -> bool:
    """Have the daemon start nothing new; False where none watches.

    What it is about to start is recorded when this returns.
    """
    if not is_locked(deps.repo.cmat / WATCH_LOCK):
        return False
    text = f"paused by {deps.me.name} (gitcmat queue resume)"
    with deps.store.change("pause", by=deps.actor):  # a look that has not seen the pause is over
        write_atomic(deps.repo.cmat / _FILE, text.encode(), mode=0o600)
    return True


def pause_what_runs(deps: Deps) -> tuple[list[Run], bool]:
    """Return what runs, and whether a daemon was told to put nothing in its place.

    What is just being claimed counts. Raises `NoWork` when nothing runs; a daemon goes on then.
    """
    before = paused(deps.repo)
    now = pause(deps)
    if not now:
        with deps.store.change("stop", by=deps.actor):  # whoever claims at this moment has done so
            pass
    found = deps.store.read().runs(only_open=True)
    if not found:
        if now and before is None:
            resume(deps.repo)
        raise NoWork("Nothing runs.", hint="gitcmat run list")
    return found, now


def resume(repo: Repository) -> bool:
    """Take a pause back; whether there was one."""
    try:
        (repo.cmat / _FILE).unlink()
    except FileNotFoundError:
        return False
    return True


def release_account(account: str) -> bool:
    """Wait no more until the provider of models serves an account again, in any repository; whether
    it was waited for.
    """
    return accounts.release(account)


def paused(repo: Repository) -> Shortage | None:
    """Who paused the daemon, as a reason not to start anything."""
    try:
        text = read_regular(repo.cmat / _FILE, _LARGEST).decode("utf-8", "backslashreplace")
    except FileNotFoundError:
        return None
    return Shortage(PAUSED, text)
