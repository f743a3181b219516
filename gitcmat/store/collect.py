"""Collects what an agent left in a workspace as commits on top of its start.

The result is the agent's own commits, where they come after the start, with the uncommitted rest
as one commit on top. Where they do not, it is the files alone on the start. What is unusual is
marked, never dropped: a mark says what a person must look at.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.job import FileChange, Identity
from gitcmat.store.collected import Collected, Mark
from gitcmat.store.leftovers import Leftovers, Stager
from gitcmat.store.remains import Remains, read_remains
from gitcmat.store.sweep import open_folders
from gitcmat.store.vault import Vault
from gitcmat.system.files import read_regular

MOST_NEW_FILES: Final = 1_000
MOST_NEW_BYTES: Final = 20_000_000
MOST_NAMED: Final = 20

_MARKER_LIMIT: Final = 1_000_000
_MARKERS: Final = (re.compile(rb"^<{7} ", re.MULTILINE), re.compile(rb"^>{7} ", re.MULTILINE))
_NO_TEXT: Final = frozenset({"000000", "160000", "120000"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a collection is for."""

    base: str
    """The commit that the result is compared with."""
    start: str
    """The commit that the agent began at."""
    message: str
    """Subject and body of the commit of leftovers."""
    identity: Identity
    """Author and committer of it."""
    trailers: Mapping[str, str]
    """Its last lines, ``key: value``."""
    is_known: Callable[[str], bool] = lambda _path: False
    """Whether an ignored path is no news: copied in, kept, or made by the setup."""


def collect(vault: Vault, order: Order, object_format: str) -> Collected:
    """Collect the work tree and the agent's commits into the vault.

    May be repeated, also after a broken attempt: it reads the same files again.

    Raises:
        GitError: git cannot store a file.
    """
    return _Collection(vault, order, object_format).run()


@dataclass(frozen=True, slots=True)
class _Change:
    status: str
    path: bytes
    mode: str
    old_oid: str


class _Collection:
    def __init__(self, vault: Vault, order: Order, object_format: str) -> None:
        self._vault = vault
        self._order = order
        self._object_format = object_format
        self._details: dict[Mark, tuple[str, ...]] = {}

    def run(self) -> Collected:
        order, vault = self._order, self._vault
        start_tree, base_tree = vault.trees(order.start, order.base)
        if not self._has_files(start_tree):
            self._mark(Mark.DELETED, [str(vault.tree)])
            return self._result(order.start, start_tree, 0, [], ())
        remains = self._remains()
        tip = self._take(remains)
        follows = vault.descends(order.start, tip)
        if not follows:
            self._mark(Mark.REWRITTEN, [tip])
        parent = tip if follows else order.start
        vault.point_to(tip)
        found, changes = self._stage()
        tree = vault.git.text("write-tree")
        head = parent
        if tree != (start_tree if parent == order.start else vault.trees(parent)[0]):
            head = self._commit(tree, [parent], order.message)
        self._mark(Mark.UNFINISHED, remains.half_done)
        self._mark_leftovers(found)
        self._mark_conflicts(changes)
        commits = self._count(tip) if follows else 0
        if tree == start_tree:
            head = self._look_elsewhere(remains, head, tree)
        if tree == base_tree:
            self._mark(Mark.NO_CHANGE, ["the tree is that of the base"])
        vault.note_head(head)
        return self._result(head, tree, commits + (head != parent), changes, found.ignored)

    def _has_files(self, start_tree: str) -> bool:
        tree = self._vault.tree
        if tree.is_symlink() or not tree.is_dir():
            return False
        if {entry.name for entry in tree.iterdir()} - {".git"}:
            return True
        return not self._vault.git.run("ls-tree", "--name-only", start_tree).out

    def _remains(self) -> Remains:
        if self._vault.agent.is_dir() and not self._vault.agent.is_symlink():
            open_folders(self._vault.agent)
        return read_remains(self._vault.agent, self._object_format)

    def _take(self, remains: Remains) -> str:
        """Return the commit that the agent's work goes on from, taken over into the vault."""
        start = self._order.start
        if remains.head == start:
            return start
        if remains.head is not None and self._vault.take([remains.head], [start]):
            return remains.head
        self._mark(Mark.NO_HISTORY, [remains.head or "no commit could be read from .git"])
        return start

    def _stage(self) -> tuple[Leftovers, list[_Change]]:
        stager = Stager(self._vault)
        stager.stage_all()
        changes = self._changes()
        numbers = [c.path for c in changes if c.mode == "160000" and c.status in "AT"]
        if numbers:
            stager.unfold(numbers)
            changes = self._changes()
        stager.look_into_submodules()
        return stager.found, changes

    def _changes(self) -> list[_Change]:
        """What differs between the base and the index."""
        how = ("--cached", "-r", "-z", "--raw", "--no-renames", "--ignore-submodules=none")
        parts = self._vault.git.run("diff-index", *how, self._order.base).out.split(b"\0")
        found = []
        for meta, path in zip(parts[::2], parts[1::2], strict=False):
            _, mode, old_oid, _, status = meta.decode("ascii").split(" ")
            found.append(_Change(status[0], path, mode, old_oid))
        return found

    def _commit(self, tree: str, parents: Iterable[str], message: str) -> str:
        who = self._order.identity
        env = {
            "GIT_AUTHOR_NAME": who.name,
            "GIT_AUTHOR_EMAIL": who.email,
            "GIT_COMMITTER_NAME": who.name,
            "GIT_COMMITTER_EMAIL": who.email,
        }
        lines = [f"{key}: {' '.join(text.split())}" for key, text in self._order.trailers.items()]
        text = "\n\n".join(part for part in (message.strip(), "\n".join(lines)) if part) + "\n"
        on = [word for parent in parents for word in ("-p", parent)]
        done = self._vault.git.run("commit-tree", *on, tree, input=os.fsencode(text), env=env)
        return done.text

    def _count(self, tip: str) -> int:
        """Count the agent's own commits, and mark those in other names."""
        if tip == self._order.start:
            return 0
        form = "--format=%an <%ae>%x00%cn <%ce>"
        log = self._vault.git.text("log", form, f"{self._order.start}..{tip}").splitlines()
        person = f"{self._order.identity.name} <{self._order.identity.email}>"
        others = {who for row in log for who in row.split("\0") if who != person}
        self._mark(Mark.OTHER_AUTHOR, sorted(others))
        return len(log)

    def _look_elsewhere(self, remains: Remains, head: str, tree: str) -> str:
        """Return `head`, or a commit on it that keeps what other branches and the stash hold."""
        known = [self._order.start, head]
        every = {**remains.tips, "HEAD": remains.head or head}
        tips = {name: oid for name, oid in every.items() if oid not in known}
        far = self._vault.unreached(tips.values(), known) if tips else frozenset()
        tips = {name: oid for name, oid in tips.items() if oid in far}
        if not tips:
            return head
        self._mark(Mark.ELSEWHERE, [f"{name} {oid}" for name, oid in sorted(tips.items())])
        found = sorted(set(tips.values()))
        if not self._vault.take(found, known):
            self._mark(Mark.NO_HISTORY, found)
            return head
        names = "\n".join(f"{name} {oid}" for name, oid in sorted(tips.items()))
        message = f"Keep work left elsewhere in the workspace\n\n{names}"
        return self._commit(tree, [head, *found], message)

    def _mark_leftovers(self, found: Leftovers) -> None:
        sizes = [self._size(path) for path in found.new]
        if len(sizes) > MOST_NEW_FILES or sum(sizes) > MOST_NEW_BYTES:
            self._mark(Mark.LARGE, [f"{len(sizes)} new files, {sum(sizes)} bytes"])
        self._mark(Mark.NESTED, _names(found.nested))
        self._mark(Mark.REFUSED, _names(found.refused))
        self._mark(Mark.OPENED, _names(found.opened))

    def _mark_conflicts(self, changes: list[_Change]) -> None:
        suspects = [c for c in changes if c.mode not in _NO_TEXT and self._has_markers(c.path)]
        # A file about merges may have them on purpose: then the base has them too.
        before = self._vault.git.blobs(c.old_oid for c in suspects if c.status != "A")
        marked = {c.path for c in suspects if not _has_markers(before.get(c.old_oid, b""))}
        unmerged = self._vault.unmerged()
        self._mark(Mark.CONFLICTS, sorted({*_names(marked), *unmerged}))

    def _has_markers(self, path: bytes) -> bool:
        try:
            data = read_regular(self._vault.tree / os.fsdecode(path), _MARKER_LIMIT)
        except (OSError, InvalidData):
            return False
        return _has_markers(data)

    def _size(self, path: bytes) -> int:
        try:
            return (self._vault.tree / os.fsdecode(path)).lstat().st_size
        except OSError:
            return 0

    def _mark(self, mark: Mark, about: Iterable[str]) -> None:
        named = tuple(about)
        if named:
            self._details[mark] = named[:MOST_NAMED]

    def _result(
        self, head: str, tree: str, commits: int, changes: list[_Change], ignored: Iterable[bytes]
    ) -> Collected:
        is_known = self._order.is_known
        news = [name for name in _names(ignored) if not is_known(name.rstrip("/"))]
        return Collected(
            head=head,
            tree=tree,
            commits=commits,
            files=tuple(FileChange(status=c.status, path=os.fsdecode(c.path)) for c in changes),
            details=self._details,
            ignored=tuple(news[:MOST_NAMED]),
        )


def _has_markers(data: bytes) -> bool:
    return all(marker.search(data) for marker in _MARKERS)


def _names(paths: Iterable[bytes]) -> list[str]:
    return sorted(os.fsdecode(path) for path in paths)
