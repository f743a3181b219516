"""Where everything lies: the one module that knows paths of ``.cmat/``, in the state tree and in
the view.

In the state tree every folder of records fans out by two hex digits of the id's hash, so that the
cost of a commit does not grow with the queue. In the view the same folders are flat.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from gitcmat.model.names import is_id
from gitcmat.model.state import FINISHED, State

CMAT: Final = ".cmat"
CONFIG: Final = ".cmat/config.yaml"
TASKS: Final = ".cmat/tasks"
AGENTS: Final = ".cmat/agents"
SCHEMAS: Final = ".cmat/schemas"
FACTS: Final = (
    "queue",
    "blockers",
    "checkpoints",
    "runs",
    "subtasks",
    "memory",
    "sessions",
    "batches",
)
"""The folders below ``.cmat/`` that only gitcmat writes; ignored on code branches."""

_DAY: Final = r"\d{4}-\d{2}-\d{2}"
_FAN: Final = r"[0-9a-f]{2}"


class Kind(StrEnum):
    """Kinds of records, named as their folders."""

    QUEUE = "queue"
    BLOCKERS = "blockers"
    RUNS = "runs"
    SUBTASKS = "subtasks"
    CHECKPOINTS = "checkpoints"


class Key(NamedTuple):
    """What a path in the state tree says of its record."""

    kind: Kind
    id: str
    state: State | None = None
    day: str | None = None

    @property
    def path(self) -> str:
        """The path in the state tree."""
        return "/".join((*self._folders, fan(self.id), f"{self.id}.yaml"))

    @property
    def view(self) -> str:
        """The path in the view, from the root of the work tree."""
        return "/".join((*self._folders, f"{self.id}.yaml"))

    @property
    def _folders(self) -> tuple[str, ...]:
        parts = (CMAT, self.kind.value, self.state and self.state.value, self.day)
        return tuple(p for p in parts if p)


def fan(record_id: str) -> str:
    """Two hex digits of the id's hash: the folder between a kind and its records."""
    import hashlib  # what only reads never asks

    return hashlib.sha256(record_id.encode()).hexdigest()[:2]


def entry_key(entry_id: str, state: State, since: datetime) -> Key:
    """The place of a queue entry; finished ones lie in the folder of the UTC day they finished."""
    day = f"{since:%Y-%m-%d}" if state in FINISHED else None
    return Key(Kind.QUEUE, entry_id, state, day)


def blocker_key(blocker_id: str) -> Key:
    """The place of a blocker."""
    return Key(Kind.BLOCKERS, blocker_id)


def run_key(run_id: str, day: str) -> Key:
    """The place of a run's record: the folder of the UTC day it started."""
    return Key(Kind.RUNS, run_id, None, day)


def checkpoint_key(checkpoint_id: str) -> Key:
    """The place of a checkpoint's record."""
    return Key(Kind.CHECKPOINTS, checkpoint_id)


def subtask_key(subtask_id: str) -> Key:
    """The place of a subtask."""
    return Key(Kind.SUBTASKS, subtask_id)


def parse(path: str) -> Key | None:
    """Read a path of the state tree; None for anything that is not a record's place."""
    parts = path.split("/")
    if len(parts) < 4 or parts[0] != CMAT or not parts[-1].endswith(".yaml"):  # noqa: PLR2004 - the shortest: .cmat/blockers/3f/x.yaml
        return None
    record, fanned, folders = parts[-1].removesuffix(".yaml"), parts[-2], parts[2:-2]
    try:
        kind = Kind(parts[1])
        state = State(folders.pop(0)) if kind is Kind.QUEUE else None
    except (ValueError, IndexError):
        return None
    dated = kind is Kind.RUNS or state in FINISHED
    day = folders.pop(0) if dated and folders and re.fullmatch(_DAY, folders[0]) else None
    wrong = folders or not re.fullmatch(_FAN, fanned) or not is_id(record) or dated != bool(day)
    return None if wrong else Key(kind, record, state, day)


def task_path(task_id: str) -> str:
    """The path of a task file."""
    return f"{TASKS}/{task_id}.yaml"


def is_fact(path: str) -> bool:
    """Whether a path belongs to gitcmat's own folders, which no branch may track."""
    parts = path.split("/")
    return len(parts) > 1 and parts[0] == CMAT and parts[1] in FACTS
