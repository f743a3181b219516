"""One look at the view under its lock: what was remembered, and what the files hold now."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from gitcmat.store.view_files import ObstacleError, ViewFiles
from gitcmat.store.view_manifest import RACY_NS, Manifest, Row, Verdict
from gitcmat.store.view_tracked import Tracked

_NS: Final = 1_000_000_000


@dataclass(slots=True)
class Session:
    """All that one operation works with."""

    manifest: Manifest
    files: ViewFiles
    tracked: Tracked
    now: float
    """Wall time in seconds."""
    save: Callable[[], None]
    """Writes the manifest."""
    problems: dict[str, str] = field(default_factory=dict)
    """Path → why nothing is read or written there."""
    changed: bool = False

    @property
    def at(self) -> int:
        """Now in nanoseconds."""
        return int(self.now * _NS)

    def look(self, path: str) -> Row | None:
        """Return what is known of a file that has a row, reading it only if it changed.

        None when it is missing. Raises `ObstacleError`.
        """
        row = self.manifest.rows[path]
        sign = self.files.sign(path)
        if sign is None or row.still(sign):
            return row if sign else None
        try:
            seen = self.files.oid(self.files.read(path))
        except FileNotFoundError:
            return None
        keep = row.verdict if seen == row.seen else None
        row = replace(row, seen=seen, sign=sign, at=self.at, verdict=keep)
        self.set_row(path, row)
        return row

    def check_untracked(self, path: str) -> None:
        """Raise `ObstacleError` where the file is a branch's own."""
        if self.tracked.covers(path):
            raise ObstacleError(path, "is tracked by git")

    def set_row(self, path: str, row: Row) -> None:
        """Remember a file."""
        self.manifest.rows[path] = row
        self.changed = True

    def drop_row(self, path: str) -> None:
        """Forget a file: from now on it is nobody's."""
        self.changed |= self.manifest.rows.pop(path, None) is not None

    def record(self, path: str, oid: str, *, base: str | None = None) -> None:
        """Remember that `path` holds `oid` now, to be compared with `base` (None: with that)."""
        sign = self.files.sign(path)
        if sign is not None:  # a person may have deleted it at once
            self.set_row(path, Row(base or oid, oid, sign, self.at))

    def ours(self, row: Row) -> bool:
        """Whether what a file holds may be replaced.

        An empty one may after a moment: it is what a power cut or a save that never came left.
        """
        if row.seen == row.base or (row.verdict is not None and not row.verdict.reason):
            return True
        return not row.sign[1] and abs(self.at - row.sign[3]) > RACY_NS

    def set_aside(self, source: Path, path: str, verdict: Verdict) -> str | None:
        """Move a refused file that came out of the view beside `path`; return where it is then.

        Raises `ObstacleError`.
        """
        self.manifest.folders.update(self.files.make_folders(path))
        number = 1
        while True:
            name = f"{path}.refused" if number == 1 else f"{path}.refused-{number}"
            target = self.files.root / name
            if not target.is_symlink() and not target.exists():
                break
            number += 1
        try:
            target.hardlink_to(source)
            source.unlink()
        except FileNotFoundError:
            return None
        except OSError:  # another filesystem, or one without links
            source.rename(target)
        self.manifest.asides[name] = verdict
        self.changed = True
        return name
