"""The facts of this node: one ref, one writer, one step.

``refs/cmat/state/<node>`` is a commit whose tree holds every record as a YAML file. `State.change`
is the only way to write: it takes the lock, reads the tip inside it, applies the change to the
records as they are there, and moves the ref from that tip to one new commit. A crash leaves
unreachable objects and nothing else.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from gitcmat.errors import Conflict, NotFound
from gitcmat.model.blocker import Blocker
from gitcmat.model.checkpoint import Checkpoint
from gitcmat.model.entry import Entry, Version
from gitcmat.model.job import Identity
from gitcmat.model.names import NodeId, Ref, Sha
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.model.subtask import Progress, Subtask, SubtaskStatus
from gitcmat.ports import Clock
from gitcmat.store import records, refs
from gitcmat.store.cache import Cache
from gitcmat.store.chronicle import message
from gitcmat.store.git import Git, Repository
from gitcmat.store.layout import Kind
from gitcmat.store.node import copied_node, known_node, node_id
from gitcmat.store.objects import ObjectWriter, signature
from gitcmat.store.packjoin import join_packs
from gitcmat.store.packs import drop_dead_keeps, own_packs
from gitcmat.store.past import Point, find_point
from gitcmat.store.record_tree import write_tree
from gitcmat.store.records import Record
from gitcmat.system.locks import FileLock

MANY_PACKS: Final = 50
"""From how many packs of ours on they are joined."""

SHOWN_DAYS: Final = 7
"""How long what has finished stays in the view."""

_ID_PART: Final = re.compile(r"[a-z0-9-]+")
_TRIES: Final = 100


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: a person by name and e-mail, or gitcmat itself."""

    name: str
    email: str

    @classmethod
    def of(cls, identity: Identity) -> "Actor":
        """A person, as git knows them."""
        return cls(identity.name, identity.email)


class Facts:
    """The records at one commit of the state, for reading."""

    def __init__(self, cache: Cache, tip: Sha | None, point: Point | None = None) -> None:
        self.tip = tip
        self.point = point
        """Which state of the past they are; None for now."""
        self._cache = cache

    def entry(self, entry_id: str) -> Entry | None:
        """Return an entry by its whole id."""
        found = self._cache.one(Kind.QUEUE, entry_id)
        return found if isinstance(found, Entry) else None

    def blocker(self, blocker_id: str) -> Blocker | None:
        """Return a blocker by its whole id."""
        found = self._cache.one(Kind.BLOCKERS, blocker_id)
        return found if isinstance(found, Blocker) else None

    def run(self, run_id: str) -> Run | None:
        """Return the record of a run by its whole id."""
        found = self._cache.one(Kind.RUNS, run_id)
        return found if isinstance(found, Run) else None

    def checkpoint(self, checkpoint_id: str) -> Checkpoint | None:
        """Return the record of a checkpoint by its whole id, also of one that was deleted."""
        found = self._cache.one(Kind.CHECKPOINTS, checkpoint_id)
        return found if isinstance(found, Checkpoint) else None

    def checkpoints(self, *, only_kept: bool = True) -> list[Checkpoint]:
        """Return checkpoints, the newest first."""
        return self._cache.checkpoints(only_kept=only_kept)

    def resolve(self, kind: Kind, text: str) -> str:
        """Return the whole id that `text` is, or is a unique beginning of.

        Raises `NotFound` when there is none, or more than one.
        """
        found = self._cache.prefixed(kind, text) if _ID_PART.fullmatch(text) else []
        if text in found:
            return text
        noun = "task" if kind is Kind.QUEUE else kind.value.removesuffix("s")
        if not found:
            verb = "queue list" if kind is Kind.QUEUE else f"{noun} list"
            raise NotFound(f"There is no {noun} {text!r}.", hint=f"gitcmat {verb}")
        if len(found) > 1:
            raise NotFound(f"{text!r} may be {', '.join(found)}.", hint="write more of the id")
        return found[0]

    def entries(self, *states: State, limit: int | None = None) -> list[Entry]:
        """Return the entries in these states (none given: all), what starts first first."""
        return self._cache.entries(states or tuple(State), limit)

    def counts(self) -> dict[State, int]:
        """Return how many entries are in each state."""
        return self._cache.counts()

    def states(self) -> dict[str, State]:
        """Return the state of every entry by id."""
        return self._cache.states()

    def blockers(self, *, task: str | None = None, only_open: bool = True) -> list[Blocker]:
        """Return blockers, the oldest first."""
        return self._cache.blockers(task=task, only_open=only_open)

    def runs(
        self, *, task: str | None = None, limit: int | None = None, only_open: bool = False
    ) -> list[Run]:
        """Return runs, the newest first; with `only_open`, those that are under way."""
        return self._cache.runs(task=task, limit=limit, only_open=only_open)

    def subtask(self, subtask_id: str) -> Subtask | None:
        """Return a subtask by its whole id."""
        found = self._cache.one(Kind.SUBTASKS, subtask_id)
        return found if isinstance(found, Subtask) else None

    def subtasks(self, task: str | None = None) -> list[Subtask]:
        """Return subtasks, also closed and deleted ones, the oldest first."""
        return self._cache.subtasks(task)

    def progress(self) -> dict[str, Progress]:
        """Return how far each task is that has subtasks."""
        return self._cache.progress()

    def path(self, kind: Kind, record_id: str) -> str | None:
        """Return where a record lies in the state tree."""
        return self._cache.path(kind, record_id)

    def shown(self, now: datetime) -> dict[str, str]:
        """Return view path → blob id of what the view shows."""
        return self._cache.shown(f"{now - timedelta(days=SHOWN_DAYS):%Y-%m-%d}")


class Change:
    """What one commit of the state is going to change; made by `StateStore.change`."""

    def __init__(self, facts: Facts, node: str) -> None:
        self.facts = facts
        self._node = node
        self._put: dict[tuple[Kind, str], Record] = {}
        self.notes: list[str] = []

    def entry(self, entry_id: str) -> Entry:
        """Return an entry as it is now, with what this change did to it.

        Raises `NotFound`.
        """
        found = self.find(entry_id)
        if found is None:
            raise NotFound(f"There is no task {entry_id!r}.", hint="gitcmat queue list")
        return found

    def find(self, entry_id: str) -> Entry | None:
        """Return an entry as it is now, or None."""
        put = self._put.get((Kind.QUEUE, entry_id))
        return put if isinstance(put, Entry) else self.facts.entry(entry_id)

    def entries(self) -> dict[str, Entry]:
        """Return the entries that this change has written so far, by id."""
        return {r.id: r for r in self._put.values() if isinstance(r, Entry)}

    def blockers(self, task: str) -> list[Blocker]:
        """Return the open blockers of a task, with what this change did to them."""
        held = {b.id: b for b in self.facts.blockers(task=task)}
        held |= {r.id: r for r in self._put.values() if isinstance(r, Blocker) and r.task == task}
        return [b for b in held.values() if b.status == "open"]

    def subtasks(self, task: str) -> list[Subtask]:
        """Return the open subtasks of a task, with what this change did to them."""
        held = {s.id: s for s in self.facts.subtasks(task)}
        held |= {r.id: r for r in self._put.values() if isinstance(r, Subtask) and r.task == task}
        return [s for s in held.values() if s.status is SubtaskStatus.OPEN]

    def run(self, run_id: str) -> Run | None:
        """Return the record of a run as it is now, or None."""
        put = self._put.get((Kind.RUNS, run_id))
        return put if isinstance(put, Run) else self.facts.run(run_id)

    def put(self, record: Record, note: str = "") -> None:
        """Write a record. `note` becomes a line of the commit's message."""
        if isinstance(record, Entry):
            was = self.facts.entry(record.id)
            count = was.version.count + 1 if was else 1
            epoch = was.version.epoch if was else 0
            record = replace(record, version=Version(epoch=epoch, count=count, node=self._node))
        self._put[records.key_of(record).kind, record.id] = record
        if note:
            self.notes.append(" ".join(note.split()))

    def discard(self) -> None:
        """Forget what was put: nothing is written at the end of the block."""
        self._put.clear()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self._put

    def files(self) -> dict[str, bytes | None]:
        """Return path → new bytes, None for a path that is gone."""
        found: dict[str, bytes | None] = {}
        for (kind, record_id), record in self._put.items():
            key = records.key_of(record)
            old = self.facts.path(kind, record_id)
            if old is not None and old != key.path:
                found[old] = None
            found[key.path] = records.render(record)
        return found


class StateStore:
    """Reads and writes the state ref of one node."""

    def __init__(self, repo: Repository, git: Git, clock: Clock) -> None:
        self._repo = repo
        self._git = git
        self._clock = clock
        self._known = known_node(repo)
        self._copied = copied_node(repo)
        self._cache = Cache(repo.cmat, git)
        self._past: list[Cache] = []
        self._lock = FileLock(repo.cmat / "state.lock")

    @property
    def node(self) -> NodeId:
        """Who this machine is to the repository; made when something is first written."""
        if self._known is None:
            self._known = node_id(self._repo, self._git)
        return self._known

    @property
    def ref(self) -> Ref:
        """The ref that holds the facts of this node."""
        return refs.state_ref(self.node)

    def tip(self) -> Sha | None:
        """Return the state's commit, None before the first."""
        if self._known is None:  # another process may have made it meanwhile
            self._known = known_node(self._repo)
        node = self._known or self._copied
        found = self._git.ref(refs.state_ref(node)) if node else None
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

    def read_at(self, text: str) -> Facts:
        """Return the records as they were at a commit of the state, or at a time.

        Raises `NotFound` when there is no such state (see `past.find_point`).
        """
        point = find_point(self._git, self.read().tip, text)
        past = self._cache.past(point.commit)
        self._past.append(past)
        return Facts(past, point.commit, point)

    def rest(self) -> None:
        """Let go of the commit that was read last; for whoever waits for a long time now."""
        self._cache.rest()

    def close(self) -> None:
        """Close the cache, and those of the past."""
        for cache in (self._cache, *self._past):
            cache.close()

    @contextmanager
    def change(self, subject: str, *, by: Actor) -> Iterator[Change]:
        """Open a change; at the end of the block it is one commit, or nothing if nothing was put
        or the block raised.

        Raises `Conflict` when another process holds the lock for too long.
        """
        node = self.node
        with self._lock:
            change = Change(self.read(), node)
            yield change
            if not change.empty:
                self._commit(change, subject, by)

    def tidy_if_needed(self) -> None:
        """Join our packs when commands alone have made many: no daemon may ever run here."""
        if len(own_packs(self._repo)) > MANY_PACKS:
            self.tidy()

    def tidy(self) -> None:
        """Join our packs when there are many, and drop what dead writers left. For idle time."""
        with self._lock:
            drop_dead_keeps(self._repo)
            join_packs(self._repo, self._git)

    def _commit(self, change: Change, subject: str, by: Actor) -> None:
        old = change.facts.tip
        writer = ObjectWriter(self._repo, self._git)
        tree = write_tree(writer, self._git, old, change.files())
        now = self._clock.now()
        new = writer.commit(
            tree=tree,
            parents=[old] if old else [],
            author=signature(by.name, by.email, now),
            committer=signature("gitcmat", f"gitcmat@{self.node}", now),
            message=message(subject, change.notes),
        )
        writer.publish(self.ref, new, old, why=subject)
