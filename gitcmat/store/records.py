"""Records as the bytes of their files, and back."""

from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.checkpoint import Checkpoint
from gitcmat.model.entry import Entry
from gitcmat.model.run import Run
from gitcmat.model.subtask import Subtask
from gitcmat.store import codec, layout, yamlio
from gitcmat.store.layout import Key, Kind

Record = Entry | Blocker | Run | Checkpoint | Subtask

_TYPES: Final[dict[Kind, type[Record]]] = {
    Kind.QUEUE: Entry,
    Kind.BLOCKERS: Blocker,
    Kind.RUNS: Run,
    Kind.CHECKPOINTS: Checkpoint,
    Kind.SUBTASKS: Subtask,
}
_SCHEMA: Final = 1

_ENTRY_HEAD: Final = (
    "# Written by gitcmat. You may change priority and hold here; the rest follows from the work.\n"
)
_OPEN_HEAD: Final = (
    "# A question for you. Write the answer under `answer: |`, two spaces in, and save the file.\n"
)
_OPTIONS: Final = "# One of these words, or guidance for the next attempt: {}\n"
_TAKEN: Final = "# The answer was taken for {}.\n"
_ANSWER: Final = "answer: |\n  \n"


def key_of(record: Record) -> Key:
    """The place of a record."""
    match record:
        case Entry():
            return layout.entry_key(record.id, record.state, record.since)
        case Blocker():
            return layout.blocker_key(record.id)
        case Run():
            return layout.run_key(record.id, record.day)
        case Checkpoint():
            return layout.checkpoint_key(record.id)
        case Subtask():
            return layout.subtask_key(record.id)


def render(record: Record) -> bytes:
    """Write a record as the bytes of its file."""
    match record:
        case Entry():
            return _entry(record).encode()
        case Blocker():
            return _blocker(record).encode()
        case Run() | Checkpoint() | Subtask():
            return yamlio.dump(_plain(record)).encode()


def read(key: Key, data: bytes) -> Record:
    """Read the bytes of a record that lies at `key`.

    Raises `InvalidData` when they do not parse, or when the file is another record's.
    """
    return from_document(key, yamlio.load(data, name=key.path))


def from_document(key: Key, document: yamlio.Document) -> Record:
    """Read a record from a document that was loaded already."""
    cls = _TYPES[key.kind]
    if key.state is not None and isinstance(document.data, dict):
        document.data["state"] = key.state.value
    record: Record = codec.decode(cls, document, name=key.path, schema=_SCHEMA)
    if record.id != key.id:
        raise InvalidData(f"{key.path}: holds the record {record.id}.", hint="gitcmat doctor")
    return record


def _plain(record: Record) -> dict[str, Any]:
    plain = codec.encode(record)
    return {"schema": record.schema, **plain}


def _entry(entry: Entry) -> str:
    plain = _plain(entry)
    del plain["state"]
    first = ("schema", "id", "priority", "hold", "reason")
    shown = {**plain, "priority": entry.priority.value, "hold": entry.hold}
    ordered = {k: shown[k] for k in first if k in shown} | shown
    return yamlio.dump(ordered, header=_ENTRY_HEAD)


def _blocker(blocker: Blocker) -> str:
    from gitcmat.model import permission  # not on the way of those who only read

    plain = _plain(blocker)
    if blocker.status is not BlockerStatus.OPEN:
        taken = permission.taken_for(blocker.question, blocker.answer) if blocker.answer else ""
        return yamlio.dump(plain, header=_TAKEN.format(taken) if taken else "")
    plain.pop("answer", None)
    options = _OPTIONS.format(", ".join(blocker.options)) if blocker.options else ""
    rule = f"# Here {permission.RULE}.\n" if permission.about(blocker.question) else ""
    return yamlio.dump(plain, header=_OPEN_HEAD + options + rule) + _ANSWER
