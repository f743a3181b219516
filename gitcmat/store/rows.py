"""Records as rows of the cache, and back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, assert_never

from gitcmat.errors import InvalidData
from gitcmat.model.blocker import Blocker
from gitcmat.model.checkpoint import Checkpoint
from gitcmat.model.entry import Entry
from gitcmat.model.run import Run
from gitcmat.model.subtask import Subtask
from gitcmat.store import codec, records
from gitcmat.store.layout import Key
from gitcmat.store.records import Record

SET_ASIDE: Final = "set aside"
"""The kind of rows of damaged records; `state` is then their kind, `json` what is wrong."""

TYPES: Final[dict[str, type[Record]]] = {
    "queue": Entry,
    "blockers": Blocker,
    "runs": Run,
    "checkpoints": Checkpoint,
    "subtasks": Subtask,
}


Files = Mapping[str, tuple[str, bytes | None] | None]
"""Path → (blob id, content or None where git cannot give it), None where the file is gone."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a commit of the state has changed, known to whoever made it."""

    old: str
    """The commit before it; empty for none."""
    new: str
    files: Files


def record_of(kind: str, data: bytes) -> Record:
    """Return the record of a row."""
    return codec.json_decode(TYPES[kind], data)


def row_of(place: Key, path: str, oid: str, text: bytes | None) -> tuple[object, ...]:
    """Return the row of the record that lies at `place`, whose file at `path` is `text`.

    One that cannot be read is set aside: no question about records finds its row.
    """
    if text is None:
        why = f"{path}: its object {oid[:12]} is missing or damaged"
    else:
        try:
            return _row(records.read(place, text), path, oid)
        except InvalidData as error:
            why = "; ".join(part for part in (error.message, error.hint) if part)
    return (path, SET_ASIDE, place.id, place.kind.value, None, "", False, "", oid, why)


def _row(record: Record, path: str, oid: str) -> tuple[object, ...]:
    key = records.key_of(record)
    state, day = key.state and key.state.value, key.day
    match record:
        case Entry():
            task, is_open = record.id, not record.state.finished
            since = record.since.timestamp()
            rank = (
                f"{record.priority.rank}{record.created.isoformat()}{record.id}"
                if is_open
                else f"{10**12 - since:020.6f}"
            )
        case Blocker():
            task, is_open = record.task, record.status == "open"
            rank, day = record.asked.isoformat() + record.id, f"{record.asked:%Y-%m-%d}"
        case Run():
            task, is_open = record.task, record.outcome is None
            rank = record.started.isoformat() + record.id
        case Checkpoint():
            task, is_open = record.task or "", record.deleted is None
            rank = record.created.isoformat() + record.id
        case Subtask():
            task, is_open = record.task, record.status == "open"
            rank = record.created.isoformat() + record.id
            state, day = record.status.value, f"{record.changed or record.created:%Y-%m-%d}"
        case _:
            assert_never(record)
    data = codec.json_encode(record)
    return (path, key.kind.value, record.id, state, day, task, is_open, rank, oid, data)
