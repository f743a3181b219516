"""What gitcmat remembers about the files of the view: ``.git/cmat/view/manifest.json``.

All that is about to be done to the person's files is announced here first (`Intent`), so that after
a crash in the middle every file is known for what it is: ours, or a save of a person.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.system.files import read_regular, write_atomic

SCHEMA: Final = 1
RACY_NS: Final = 2_000_000_000
_LIMIT: Final = 1 << 28

Sign = tuple[int, int, int, int]
"""mtime, size, inode, ctime; times in nanoseconds."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edit that was not taken in. `path` is the file as a person finds it."""

    path: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was said about the text that a file holds instead of its base.

    Without a reason: it says nothing new and may be replaced.
    """

    line: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One file of the view."""

    base: str
    """Blob id that its content is compared with: what we wrote last, or took in."""
    seen: str
    """Blob id of what it held when `sign` was taken."""
    sign: Sign
    at: int
    """When `sign` was taken, ns."""
    verdict: Verdict | None = None

    def still(self, sign: Sign) -> bool:
        """Whether a file with this signature surely holds `seen`.

        A file that was young when it was looked at may have been written again within one tick.
        """
        return self.sign == sign and sign[3] + RACY_NS < self.at


@dataclass(frozen=True, slots=True)
class Displaced:
    """A file that was taken out of the view at `path`, kept in case somebody still writes to it."""

    file: str
    path: str
    base: str
    """Blob id that a late save is compared with."""
    held: str
    """Blob id of what it held when it came out."""
    sign: Sign
    since: float
    """Seconds, wall time."""


@dataclass(frozen=True, slots=True)
class Intent:
    """About to happen: `oid` goes to `path` (None: nothing does), what is there now to `file`."""

    path: str
    oid: str | None
    file: str
    base: str


@dataclass(slots=True)
class Manifest:
    """All of it, as it is in memory."""

    rows: dict[str, Row] = field(default_factory=dict)
    asides: dict[str, Verdict] = field(default_factory=dict)
    """Refused edits that lie beside their record, by path."""
    displaced: list[Displaced] = field(default_factory=list)
    intents: list[Intent] = field(default_factory=list)
    folders: set[str] = field(default_factory=set)
    """Those that we made."""
    tracked: list[Any] | None = None


def read_manifest(path: Path) -> Manifest:
    """Read it. A missing or torn one is empty: the files are then strangers to us.

    Raises `InvalidData` when a newer gitcmat wrote it.
    """
    try:
        data = json.loads(read_regular(path, _LIMIT))
    except (FileNotFoundError, ValueError):
        return Manifest()
    if data["schema"] > SCHEMA:
        raise InvalidData(f"{path} was written by a newer gitcmat.", hint="upgrade gitcmat")
    return Manifest(
        rows={name: _row(*row) for name, row in data["rows"].items()},
        asides={name: Verdict(*verdict) for name, verdict in data["asides"].items()},
        displaced=[
            Displaced(file, name, base, held, _sign(sign), since)
            for file, name, base, held, sign, since in data["displaced"]
        ],
        intents=[Intent(*intent) for intent in data["intents"]],
        folders=set(data["folders"]),
        tracked=data["tracked"],
    )


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it in one step."""
    rows = {
        name: [
            r.base,
            r.seen,
            r.sign,
            r.at,
            *([[r.verdict.line, r.verdict.reason]] if r.verdict else []),
        ]
        for name, r in manifest.rows.items()
    }
    data = {
        "schema": SCHEMA,
        "rows": rows,
        "asides": {name: [v.line, v.reason] for name, v in manifest.asides.items()},
        "displaced": [
            [d.file, d.path, d.base, d.held, d.sign, d.since] for d in manifest.displaced
        ],
        "intents": [[i.path, i.oid, i.file, i.base] for i in manifest.intents],
        "folders": sorted(manifest.folders),
        "tracked": manifest.tracked,
    }
    write_atomic(path, json.dumps(data, separators=(",", ":")).encode())


def _row(base: str, seen: str, sign: list[int], at: int, verdict: list[Any] | None = None) -> Row:
    return Row(base, seen, _sign(sign), at, Verdict(*verdict) if verdict else None)


def _sign(numbers: list[int]) -> Sign:
    mtime, size, inode, ctime = numbers
    return (mtime, size, inode, ctime)
