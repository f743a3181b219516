"""Watches few folders and rings when something in them changes; the only user of watchdog.

Reading must ring nothing, or we would wake ourselves. A watched folder that is removed takes its
watch with it, without a word: `Watcher.refresh` watches it again once it is back.
"""

import logging
import os
import stat
import warnings
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from gitcmat.engine.hints import Hint, Place

if TYPE_CHECKING:
    from watchdog.observers.api import ObservedWatch

# What watchdog would write between our own lines is nothing that a person can put right.
logging.getLogger("watchdog").addHandler(logging.NullHandler())

_CHANGES: Final[list[type[FileSystemEvent]]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileClosedEvent,
    FileMovedEvent,
    FileDeletedEvent,
    DirCreatedEvent,
    DirMovedEvent,
    DirDeletedEvent,
]
"""All but what a plain look causes (opened, closed without a write) and what others repeat."""


class Watcher:
    """Rings for changes in folders, from a thread of its own, until the end of its block."""

    def __init__(self, ring: Callable[[Hint], None]) -> None:
        self.unwatched: dict[Path, str] = {}
        """Folders that are there but cannot be watched, with the system's reason."""
        self._ring = ring
        self._observer = Observer()
        self._watched: dict[Path, _Watched] = {}

    def __enter__(self) -> Self:
        """Begin; nothing is watched before the first `refresh`."""
        # Folders made quickly inside of each other are registered twice, which does no harm; a
        # warning about it that is an error (python -W error) would end watchdog's only thread.
        warnings.filterwarnings("ignore", "Callback with id", RuntimeWarning)
        self._observer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End all watching."""
        self._observer.stop()
        self._observer.join()

    def refresh(self, places: Iterable[Place]) -> None:
        """Watch those that are there and are not watched yet, or are there anew.

        What changed before it was watched rings nothing: look after this, not before.
        """
        for place in places:
            there = _identity(place.path)
            known = self._watched.get(place.path)
            if known is not None and (known.gone or known.identity != there):
                self._forget(known)
                known = None
            if known is None and there is not None:
                self._watch(place, there)

    def _watch(self, place: Place, identity: "_Identity") -> None:
        watched = _Watched(place, identity, self._ring)
        try:
            watched.watch = self._observer.schedule(
                watched, str(place.path), recursive=place.recursive, event_filter=_CHANGES
            )
        except FileNotFoundError:
            return
        except OSError as error:  # such as: the limit on watches is reached
            self.unwatched[place.path] = error.strerror or str(error)
            return
        self._watched[place.path] = watched
        self.unwatched.pop(place.path, None)

    def _forget(self, watched: "_Watched") -> None:
        del self._watched[watched.place.path]
        if watched.watch is not None:
            self._observer.unschedule(watched.watch)


_Identity = tuple[int, int]


def _identity(folder: Path) -> _Identity | None:
    """Which folder is there; None when there is none. A symlink is none: it may lead anywhere."""
    try:
        found = folder.lstat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISDIR(found.st_mode) else None


class _Watched(FileSystemEventHandler):
    """One folder, and what its events mean."""

    def __init__(self, place: Place, identity: _Identity, ring: Callable[[Hint], None]) -> None:
        self.place = place
        self.identity = identity
        self.gone = False
        """Told by an event: another folder may get the same inode number at once."""
        self.watch: ObservedWatch | None = None
        self._root = str(place.path)
        self._ring = ring

    def dispatch(self, event: FileSystemEvent) -> None:
        for path in (event.src_path, event.dest_path):
            if not path:
                continue
            text = os.fsdecode(path)
            if text == self._root:
                self.gone |= event.event_type in {"deleted", "moved"}
                hint = self.place.others or next(iter(self.place.named.values()), None)
                if not self.gone:
                    continue
            else:
                hint = self.place.hint(text.rpartition("/")[2])
            if hint is not None:
                self._ring(hint)
                return
