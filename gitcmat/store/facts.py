"""The facts of this node as they are read: the records at one commit of the state.

It is imported where starting must be quick, so what decodes records is imported by those who ask
for records.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.model.names import NodeId, Sha
from gitcmat.model.state import State
from gitcmat.store import refs
from gitcmat.store.cache import Cache
from gitcmat.store.git import Git, Repository
from gitcmat.store.layout import Kind
from gitcmat.store.node import copied_node, known_node

if TYPE_CHECKING:
    from gitcmat.model.blocker import Blocker
    from gitcmat.model.checkpoint import Checkpoint
    from gitcmat.model.entry import Entry
    from gitcmat.model.run import Run
    from gitcmat.model.spending import Part
    from gitcmat.model.subtask import Progress, Subtask
    from gitcmat.store.past import Point

SHOWN_DAYS: Final = 7
"""How long what has finished stays in the view."""

_ID_PART: Final = r"[a-z0-9-]+"
_TRIES: Final = 100


class Damaged(NamedTuple):
    """A record that cannot be read."""

    kind: Kind
    id: str
    why: str


class Facts:
    """The records at one commit of the state, for reading."""

    def __init__(self, cache: Cache, tip: Sha | None, point: "Point | None" = None) -> None:
        self.tip = tip
        self.point = point
        """Which state of the past they are; None for now."""
        self._cache = cache
        self._entries: dict[tuple[frozenset[State], int | None], list[Entry]] = {}
        self._states: dict[str, State] | None = None

    def entry(self, entry_id: str) -> "Entry | None":
        """Return an entry by its whole id."""
        found = self._cache.one(Kind.QUEUE, entry_id)
        return cast("Entry | None", found)

    def blocker(self, blocker_id: str) -> "Blocker | None":
        """Return a blocker by its whole id."""
        found = self._cache.one(Kind.BLOCKERS, blocker_id)
        return cast("Blocker | None", found)

    def run(self, run_id: str) -> "Run | None":
        """Return the record of a run by its whole id."""
        found = self._cache.one(Kind.RUNS, run_id)
        return cast("Run | None", found)

    def checkpoint(self, checkpoint_id: str) -> "Checkpoint | None":
        """Return the record of a checkpoint by its whole id, also of one that was deleted."""
        found = self._cache.one(Kind.CHECKPOINTS, checkpoint_id)
        return cast("Checkpoint | None", found)

    def checkpoints(self, *, only_kept: bool = True) -> "list[Checkpoint]":
        """Return checkpoints, the newest first."""
        return self._cache.checkpoints(only_kept=only_kept)

    def refuse_damaged(self, kind: Kind, record_id: str) -> None:
        """Raise `InvalidData` when the record is there and cannot be read."""
        for damaged in self.set_aside().values():
            if (damaged.kind, damaged.id) == (kind, record_id):
                raise InvalidData(
                    f"The record of {record_id} is damaged: {damaged.why}",
                    hint="gitcmat doctor --fix",
                )

    def resolve(self, kind: Kind, text: str) -> str:
        """Return the whole id that `text` is, or is a unique beginning of.

        Raises `NotFound` when there is none, or more than one.
        """
        found = self._cache.prefixed(kind, text) if re.fullmatch(_ID_PART, text) else []
        if text in found:
            return text
        noun = "task" if kind is Kind.QUEUE else kind.value.removesuffix("s")
        if not found:
            self.refuse_damaged(kind, text)
            verb = "queue list" if kind is Kind.QUEUE else f"{noun} list"
            raise NotFound(f"There is no {noun} {text!r}.", hint=f"gitcmat {verb}")
        if len(found) > 1:
            raise NotFound(f"{text!r} may be {', '.join(found)}.", hint="write more of the id")
        return found[0]

    def set_aside(self) -> dict[str, "Damaged"]:
        """Return the records that cannot be read, by their path in the state tree.

        Nothing else finds them: what they are about neither starts nor changes until they are
        mended.
        """
        found = self._cache.set_aside().items()
        return {path: Damaged(Kind(kind), name, why) for path, (kind, name, why) in found}

    def entries(self, *states: State, limit: int | None = None) -> "list[Entry]":
        """Return the entries in these states (none given: all), what starts first first."""
        asked = frozenset(states or State), limit
        if asked not in self._entries:
            self._entries[asked] = self._cache.entries(asked[0], limit)
        return list(self._entries[asked])

    def plain_entries(self, *states: State, limit: int | None = None) -> list[dict[str, Any]]:
        """Return what `entries` returns as plain data: for what only shows it."""
        return self._cache.plain_entries(states or tuple(State), limit)

    def counts(self) -> dict[State, int]:
        """Return how many entries are in each state."""
        return self._cache.counts()

    def count(self, *states: State) -> int:
        """Return how many entries are in these states."""
        return self._cache.count(states)

    def states(self) -> Mapping[str, State]:
        """Return the state of every entry by id."""
        if self._states is None:
            self._states = self._cache.states()
        return self._states

    def blockers(self, *, task: str | None = None, only_open: bool = True) -> "list[Blocker]":
        """Return blockers, the oldest first."""
        return self._cache.blockers(task=task, only_open=only_open)

    def runs(
        self, *, task: str | None = None, limit: int | None = None, only_open: bool = False
    ) -> "list[Run]":
        """Return runs, the newest first; with `only_open`, those that are under way."""
        return self._cache.runs(task=task, limit=limit, only_open=only_open)

    def spent(self, *, task: str | None = None, since: datetime | None = None) -> "list[Part]":
        """Return what agents used, the newest first: for one task or for all, in runs that started
        at `since` or later.
        """
        from gitcmat.model.run import GATES

        found = self._cache.spent(task, f"{since.astimezone(UTC):%Y-%m-%d}" if since else "")
        return [p for p in found if p.agent != GATES and (since is None or p.started >= since)]

    def subtask(self, subtask_id: str) -> "Subtask | None":
        """Return a subtask by its whole id."""
        found = self._cache.one(Kind.SUBTASKS, subtask_id)
        return cast("Subtask | None", found)

    def subtasks(self, task: str | None = None) -> "list[Subtask]":
        """Return subtasks, also closed and deleted ones, the oldest first."""
        return self._cache.subtasks(task)

    def progress(self) -> "dict[str, Progress]":
        """Return how far each task is that has subtasks."""
        return self._cache.progress()

    def path(self, kind: Kind, record_id: str) -> str | None:
        """Return where a record lies in the state tree."""
        return self._cache.path(kind, record_id)

    def shown(self, now: datetime) -> dict[str, str]:
        """Return view path → blob id of what the view shows."""
        return self._cache.shown(f"{now - timedelta(days=SHOWN_DAYS):%Y-%m-%d}")


class StateReader:
    """Reads the state ref of one node; makes nothing."""

    def __init__(self, repo: Repository, git: Git) -> None:
        self._repo = repo
        self._git = git
        self._known: NodeId | None = known_node(repo)
        self._copied = copied_node(repo)
        self._cache = Cache(repo.cmat, git)

    def tip(self) -> Sha | None:
        """Return the state's commit, None before the first.

        Raises `InvalidData` when its ref is damaged: that is not the same as no records.
        """
        if self._known is None:  # another process may have made it meanwhile
            self._known = known_node(self._repo)
        node = self._known or self._copied
        ref = refs.state_ref(node) if node else ""
        found = self._git.ref(ref) if ref else None
        if ref and found is None and (self._repo.common_dir / ref).is_file():
            found = self._git.ref(ref)  # it may just have been made
            if found is None:
                raise InvalidData(
                    f"{ref} is damaged, so no records are found.", hint="gitcmat doctor --fix"
                )
        return Sha(found) if found else None

    def read(self) -> Facts:
        """Return the records at the tip, which answer as at that commit until the next `read`.

        Raises `Conflict` when the state moves faster than it can be read.
        """
        before: Sha | None = None
        for _ in range(_TRIES):
            tip = self.tip()
            # Seen twice, an older commit is the state: somebody moved the ref back.
            if self._cache.at(tip, back=tip == before):
                return Facts(self._cache, tip)
            before = tip
        raise Conflict("The state moves faster than it can be read.", hint="try again")

    def rest(self) -> None:
        """Let go of the commit that was read last; for whoever waits for a long time now."""
        self._cache.rest()

    def close(self) -> None:
        """Close the cache."""
        self._cache.close()
