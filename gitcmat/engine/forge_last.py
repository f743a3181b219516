"""What the last pass over the forge came to: a file of this machine, for people and the daemon."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from gitcmat.errors import InvalidData, UserError
from gitcmat.model.forge_settings import ForgeSettings, PullMode
from gitcmat.store.git import Repository
from gitcmat.system.files import read_regular, write_atomic

if TYPE_CHECKING:  # a look at the status needs few of them
    from gitcmat.engine.deps import Deps
    from gitcmat.engine.synced import Synced
    from gitcmat.model.entry import Entry

_FILE: Final = "forge/last.json"
_LARGEST: Final = 1_000_000
_LONGEST_WAIT: Final = 900.0
"""Seconds to the next try, however often it failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """When a pass ended, and how."""

    at: datetime
    error: str = ""
    """Why it ended before its end; empty where it did not."""
    hint: str = ""
    failures: int = 0
    """How many passes failed in a row."""
    until: datetime | None = None
    """Before this time the forge answers nothing."""
    lines: tuple[str, ...] = ()
    """What was new, and what did not work out."""
    troubles: tuple[str, ...] = ()
    """Those that stand until somebody does something."""

    def next(self, every: float) -> datetime:
        """When to try again where one looks each so many seconds: later with each failure."""
        if self.until is not None:
            return self.until
        wait = every * 2.0 ** min(self.failures, 20)
        return self.at + timedelta(seconds=min(wait, max(_LONGEST_WAIT, every)))


@contextmanager
def noted(deps: "Deps", found: "Synced") -> Iterator[None]:
    """Write down what came of the pass in the block, which puts its news into `found`."""
    before = read(deps.repo)
    try:
        yield
    except UserError as error:
        write(deps.repo, failed(deps, before, error, found))
        raise
    news = Last(at=deps.clock.now(), lines=tuple(found.lines), troubles=tuple(found.troubles))
    write(deps.repo, news)


def failed(deps: "Deps", before: Last | None, error: UserError, found: "Synced") -> Last:
    """Return what is written down of a pass that ended with an error."""
    from gitcmat.forge import RateLimited

    return Last(
        at=deps.clock.now(),
        error=error.message,
        hint=error.hint,
        failures=(before.failures if before else 0) + 1,
        until=error.until if isinstance(error, RateLimited) else None,
        lines=tuple(found.lines),
        troubles=tuple(found.troubles),
    )


def is_wanted(own: ForgeSettings, entries: "Iterable[Entry]") -> bool:
    """Whether there is anything about a forge: for a person, or of open tasks."""
    published = own.pull is not PullMode.OFF
    return published or own.issues is not None or any(entry.pull for entry in entries)


def read(repo: Repository) -> Last | None:
    """Return what the last pass came to; None when there was none, or nobody knows."""
    try:
        data = json.loads(read_regular(repo.cmat / _FILE, _LARGEST))
        return Last(
            at=datetime.fromisoformat(data["at"]),
            error=str(data["error"]),
            hint=str(data["hint"]),
            failures=int(data["failures"]),
            until=datetime.fromisoformat(data["until"]) if data["until"] else None,
            lines=tuple(str(line) for line in data["lines"]),
            troubles=tuple(str(line) for line in data["troubles"]),
        )
    except (OSError, InvalidData, ValueError, KeyError, TypeError, AttributeError):
        return None


def write(repo: Repository, last: Last) -> None:
    """Write down what a pass came to.

    Raises:
        OSError: it cannot be written.
    """
    text = json.dumps(asdict(last), default=datetime.isoformat, indent=1)
    write_atomic(repo.cmat / _FILE, text.encode(), mode=0o600)
