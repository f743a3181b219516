"""The facts of this node: one ref, one writer, one step.

``refs/cmat/state/<node>`` is a commit whose tree holds every record as a YAML file. `State.change`
is the only way to write: it takes the lock, reads the tip inside it, applies the change to the
records as they are there, and moves the ref from that tip to one new commit. A crash leaves
unreachable objects and nothing else.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from gitcmat.errors import NotFound
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry, Version
from gitcmat.model.job import Identity
from gitcmat.model.names import NodeId, Ref
from gitcmat.model.run import GATES, Run
from gitcmat.model.spending import Part
from gitcmat.model.subtask import Subtask, SubtaskStatus
from gitcmat.ports import Clock
from gitcmat.store import records, refs
from gitcmat.store.chronicle import message
from gitcmat.store.facts import Facts, StateReader
from gitcmat.store.git import Git, Repository
from gitcmat.store.layout import Kind
from gitcmat.store.node import node_id
from gitcmat.store.objects import ObjectWriter, signature
from gitcmat.store.packedrefs import pack_many_refs
from gitcmat.store.packjoin import join_packs
from gitcmat.store.packs import drop_dead_keeps, own_packs
from gitcmat.store.past import find_point
from gitcmat.store.record_tree import write_tree
from gitcmat.store.records import Record
from gitcmat.store.rows import Step
from gitcmat.system.locks import FileLock

if TYPE_CHECKING:
    from gitcmat.store.cache import Cache

PATIENCE: Final = 120.0
"""Seconds that another process may hold the records: one that was stopped does so for ever."""

MANY: Final = 50
"""More packs of ours than this, or loose refs, are put together even while there is work."""
FEW: Final = 3
"""More than this are put together in idle time: each costs every git of the person's."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who changes something: a person by name and e-mail, or gitcmat itself."""

    name: str
    email: str

    @classmethod
    def of(cls, identity: Identity) -> "Actor":
        """A person, as git knows them."""
        return cls(identity.name, identity.email)


class Change:
    """What one commit of the state is going to change; made by `StateStore.change`."""

    def __init__(self, facts: Facts, node: str) -> None:
        self.facts = facts
        self._node = node
        self._put: dict[tuple[Kind, str], Record] = {}
        self._mended: list[str] = []
        self._by: dict[Identity, dict[str, None]] = {}
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

    def spent(self, *, task: str | None = None, since: datetime | None = None) -> list[Part]:
        """Return what agents used (see `Facts.spent`), with the runs that this change wrote."""
        held = {part.id: part for part in self.facts.spent(task=task, since=since)}
        for run in self._put.values():
            if isinstance(run, Run) and (run.id in held or run.agent != GATES):
                mine = task is None or run.task == task
                if mine and (since is None or run.started >= since):
                    held[run.id] = Part.of(run)
        return list(held.values())

    def put(self, record: Record, note: str = "") -> None:
        """Write a record. `note` becomes a line of the commit's message.

        Raises `InvalidData` when there is one already that cannot be read.
        """
        kind = records.key_of(record).kind
        if self.facts.path(kind, record.id) is None:
            self.facts.refuse_damaged(kind, record.id)
        if isinstance(record, Entry):
            was = self.facts.entry(record.id)
            count = was.version.count + 1 if was else 1
            epoch = was.version.epoch if was else 0
            record = replace(record, version=Version(epoch=epoch, count=count, node=self._node))
        self._put[kind, record.id] = record
        if note:
            self.notes.append(" ".join(note.split()))

    def because_of(self, who: Identity, *record_ids: str) -> None:
        """Say whose command it is that changes these records, where gitcmat writes the change."""
        self._by.setdefault(who, {}).update(dict.fromkeys(record_ids))

    @property
    def causers(self) -> Mapping[Identity, tuple[str, ...]]:
        """The persons whose commands change records, with the ids of what is really written."""
        put = {record_id for _, record_id in self._put}
        found = {who: tuple(i for i in ids if i in put) for who, ids in self._by.items()}
        return {who: ids for who, ids in found.items() if ids}

    def mend(self, path: str, record: Record, note: str) -> None:
        """Write a record in place of the damaged one that lies at `path`."""
        self._mended.append(path)
        self._put[records.key_of(record).kind, record.id] = record
        self.notes.append(note)

    def discard(self) -> None:
        """Forget what was put: nothing is written at the end of the block."""
        self._put.clear()

    @property
    def empty(self) -> bool:
        """Whether nothing is to be written."""
        return not self._put

    def files(self) -> dict[str, bytes | None]:
        """Return path → new bytes, None for a path that is gone."""
        found: dict[str, bytes | None] = dict.fromkeys(self._mended)
        for (kind, record_id), record in self._put.items():
            key = records.key_of(record)
            old = self.facts.path(kind, record_id)
            if old is not None and old != key.path:
                found[old] = None
            found[key.path] = records.render(record)
        return found


class StateStore(StateReader):
    """Reads and writes the state ref of one node."""

    def __init__(
        self, repo: Repository, git: Git, clock: Clock, *, patience: float = PATIENCE
    ) -> None:
        """`patience` is how many seconds another process may hold the records."""
        super().__init__(repo, git)
        self._clock = clock
        self._past: list[Cache] = []
        self._lock = FileLock(repo.cmat / "state.lock")
        self._patience = patience
        self.written: Mapping[str, bytes] = {}
        """What the last change has written, by blob id: nobody needs to ask git for it."""

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

    def read_at(self, text: str) -> Facts:
        """Return the records as they were at a commit of the state, or at a time.

        Raises `NotFound` when there is no such state (see `past.find_point`).
        """
        point = find_point(self._git, self.read().tip, text)
        past = self._cache.past(point.commit)
        self._past.append(past)
        return Facts(past, point.commit, point)

    def close(self) -> None:
        """Close the cache, and those of the past."""
        super().close()
        for cache in self._past:
            cache.close()

    @contextmanager
    def change(self, subject: str, *, by: Actor) -> Iterator[Change]:
        """Open a change; at the end of the block it is one commit, or nothing if nothing was put
        or the block raised.

        Raises `Conflict` when another process holds the lock for too long.
        """
        node = self.node
        with self._lock.acquire(self._patience):
            change = Change(self.read(), node)
            yield change
            if not change.empty:
                self._commit(change, subject, by)

    def tidy_if_needed(self) -> None:
        """Join our packs when commands alone have made many: no daemon may ever run here."""
        if len(own_packs(self._repo)) > MANY:
            self.tidy()

    def tidy(self, *, more_than: int = MANY) -> None:
        """Join our packs and pack our refs where there are more than `more_than`, and drop what
        dead writers left.
        """
        with self._lock.acquire(self._patience):
            drop_dead_keeps(self._repo)
            join_packs(self._repo, self._git, more_than=more_than)
        pack_many_refs(self._repo, self._git, more_than=more_than)

    def _commit(self, change: Change, subject: str, by: Actor) -> None:
        old = change.facts.tip
        writer = ObjectWriter(self._repo, self._git)
        files = change.files()
        tree = write_tree(writer, self._git, old, files)
        held = {p: (writer.blob(data), data) if data else None for p, data in files.items()}
        now = self._clock.now()
        new = writer.commit(
            tree=tree,
            parents=[old] if old else [],
            author=signature(by.name, by.email, now),
            committer=signature("gitcmat", f"gitcmat@{self.node}", now),
            message=message(subject, change.notes, change.causers),
        )
        writer.publish(self.ref, new, old, why=subject)
        self._cache.know(Step(old or "", new, held))
        self.written = dict(blob for blob in held.values() if blob)
