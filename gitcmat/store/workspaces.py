"""Workspaces: private repositories that agents work in, outside of the person's own, used again.

A workspace separates state: an agent in it has none of the person's refs, stashes, settings or
hooks to break. It is no security boundary, because the agent runs with the person's rights.

Its folder holds ``tree`` (the agent's files, with a ``.git`` of their own), ``vault`` (our git
directory over them, see `vault`), ``inbox`` (the agent's messages), ``slot.json`` and ``lock``.
Whoever uses a workspace holds its lock.
"""

import os
import shlex
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model.agent_config import LITTER
from gitcmat.model.job import Identity
from gitcmat.store.collect import Order, collect
from gitcmat.store.collected import Collected
from gitcmat.store.copying import copy_in
from gitcmat.store.git import Git, GitError, Repository
from gitcmat.store.gitdirs import (
    BRANCH,
    GitFolder,
    copy_index,
    filesystem_settings,
    make_empty,
    read_shallow,
    section,
)
from gitcmat.store.ignored import ignored
from gitcmat.store.packs import RefMove, adopt_pack
from gitcmat.store.protection import overlay
from gitcmat.store.slots import Slot
from gitcmat.store.sweep import Keep, sweep
from gitcmat.store.vault import Listing, Vault
from gitcmat.system.files import FileLock, remove_tree
from gitcmat.system.proc import Timeout

UNKNOWN: Final = "unknown"
"""Stands for a run where nobody can tell whose work lies in a workspace."""

_AGENT_SETTINGS: Final[Mapping[str, Mapping[str, str]]] = {
    "core": {"autocrlf": "false", "safecrlf": "false"},
    # An agent has nobody who could type a passphrase, and does not sign in the person's name.
    "commit": {"gpgSign": "false"},
    "tag": {"gpgSign": "false"},
    "gc": {"auto": "0"},
    "maintenance": {"auto": "false"},
    # Pointers stay pointers: there is no remote to fetch their files from.
    'filter "lfs"': {"clean": "", "smudge": "", "process": "", "required": "false"},
}
_PARTIAL: Final = r"^(remote\..*\.promisor|extensions\.partialclone)$"
_CLEANING: Final = "slot.json.old"
"""What ``slot.json`` is called while everything is made anew; whatever it held was home."""
_TAGS: Final = "%(objectname) %(refname)%(if)%(*objectname)%(then) %(*objectname)%(end)"


@dataclass(frozen=True, slots=True)
class _Order:
    start: str
    base: str
    identity: Identity
    keep: tuple[str, ...]
    copy: tuple[str, ...]
    work: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What a workspace is after `Workspace.prepare`."""

    fresh: bool
    """It was made anew: nothing is left of earlier work, kept paths neither."""
    set_up: str
    """The digest of the last setup that went well in it; empty for none."""
    changed: tuple[str, ...]
    """Paths that may differ from what that setup saw; empty when there was none."""
    missing: tuple[str, ...]
    """Paths of `copy` that the person's work tree does not have."""


class Workspace:
    """The workspace in `folder`, for the repository `host`."""

    def __init__(self, host: Repository, folder: Path) -> None:
        self.host = host
        self.folder = folder
        self.tree = folder / "tree"
        self.inbox = folder / "inbox"
        self.lock = FileLock(folder / "lock")
        self.vault = Vault(folder / "vault", self.tree)
        self._host_git = Git(host.common_dir)

    def prepare(
        self,
        start: str,
        *,
        base: str,
        identity: Identity,
        keep: Sequence[str] = (),
        copy: Sequence[str] = (),
        work: str = "",
    ) -> Prepared:
        """Make the tree a fresh checkout of `start` with a private repository, whatever was there.

        Work that was not brought home is gone after it: see `may_hold_work`. `base` chooses the
        tags that are shown, `identity` is the one that the agent commits with, `keep` are the globs
        of paths that stay, `copy` the ignored files to bring from the person's work tree, `work`
        the run that is going to leave work here. A damaged workspace is moved aside and made anew.

        Raises:
            NotFound: the host does not have `start`, or, as a partial clone, not all its files.
            GitError: it cannot be checked out.
        """
        order = _Order(start, base, identity, tuple(keep), tuple(copy), work)
        slot = self._slot()
        if slot is not None:
            try:
                return self._renew(slot, order, fresh=False)
            except (GitError, OSError, RecursionError, Timeout):
                slot = None
        if self._host_git.rev(start) is None:
            raise NotFound(f"{self.host.root} has no commit {start}.", hint="git fsck")
        self._move_aside()
        self.tree.mkdir(parents=True)
        config = filesystem_settings(self.folder, self.host.object_format)
        slot = Slot(host=str(self.host.common_dir), config=config)
        try:
            return self._renew(slot, order, fresh=True)
        except GitError as error:
            if not self._host_git.ok("config", "--get-regexp", _PARTIAL):
                raise
            raise NotFound(
                f"{self.host.root} is a partial clone and lacks files of {start}.",
                hint=f"git -C {shlex.quote(str(self.host.root))} archive {start} > /dev/null",
            ) from error

    def note_setup(self, digest: str) -> None:
        """Remember that the setup with this digest went well, and which ignored files it made."""
        slot = self._existing()
        how = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
        names = self.vault.git.run("ls-files", *how).out.split(b"\0")
        ignored = tuple(os.fsdecode(name).rstrip("/") for name in names if name)
        noted = replace(slot, set_up=digest, set_up_at=slot.start, touched=(), ignored=ignored)
        noted.write(self.folder)

    def collect(
        self,
        *,
        base: str,
        start: str,
        message: str,
        identity: Identity,
        trailers: Mapping[str, str],
    ) -> Collected:
        """Collect what the agent left, see `collect`. The host is not changed."""
        slot = self._existing()
        keep = Keep((*slot.keep, *LITTER))
        order = Order(
            base=base,
            start=start,
            message=message,
            identity=identity,
            trailers=trailers,
            is_known=lambda path: (
                path in slot.ignored or path in slot.copied or keep(os.fsencode(path))
            ),
        )
        collected = collect(self.vault, order, self.host.object_format)
        slot.after(tuple(change.path for change in collected.files)).write(self.folder)
        return collected

    def bring_home(
        self, head: str, *, known: Sequence[str], ref: str, old: str | None, why: str = ""
    ) -> None:
        """Bring `head` and all it needs beyond the commits `known` into the host, and move `ref`.

        `old` None means that `ref` must not exist yet.

        Raises:
            Conflict: `ref` is not at `old`.
            InvalidData: git refuses an object.
        """
        pack = self.vault.pack(head, known)
        adopt_pack(self.host, self._host_git, pack, RefMove(ref, head, old, why))

    def note_home(self) -> None:
        """Remember that what lies here is home: it may be cleaned away."""
        slot = Slot.read(self.folder, self.host)
        if slot is not None and slot.work:
            replace(slot, work="").write(self.folder)

    @property
    def may_hold_work(self) -> bool:
        """Whether a run left work here that is not home, or nobody can tell."""
        slot = Slot.read(self.folder, self.host)
        if slot is not None:
            return bool(slot.work)
        return not (self.folder / _CLEANING).exists() and _has_files(self.tree)

    def adopt(self) -> Slot | None:
        """Return what the workspace knows of itself, and a guess where that is damaged.

        Its vault is then made anew, so that `collect` works over whatever lies in the tree. None
        where nothing lies there that could be collected.
        """
        slot = Slot.read(self.folder, self.host)
        if not _has_files(self.tree):
            return None
        if slot is not None and self._host_git.rev(slot.start) and self.vault.folder.is_dir():
            return slot
        start = self._host_git.rev("HEAD")
        if start is None or (slot is not None and not slot.work):
            return None
        config = filesystem_settings(self.folder, self.host.object_format)
        slot = Slot(host=str(self.host.common_dir), config=config, start=start, work=UNKNOWN)
        remove_tree(self.vault.folder)
        exclude = ignored(slot, self.host, self._host_git)
        parts = self._parts(slot, head="ref: refs/heads/none", exclude=exclude)
        self.vault.renew(parts)
        slot.write(self.folder)
        return slot

    def put_aside(self, name: str) -> Path:
        """Move everything but the lock into a folder `name` beside this one; return that."""
        aside = self.folder.with_name(name)
        aside.mkdir()
        for path in self.folder.iterdir():
            if path != self.lock.path:
                path.rename(aside / path.name)
        return aside

    def check_out(self, commit: str) -> None:
        """Make the tree that of a collected commit, for gates; ignored files stay.

        The private repository is made anew on it. The one that the agent left is kept as
        ``agent.git`` until the next `prepare`.
        """
        slot = self._existing()
        self._check_out(commit)
        left = self.folder / "agent.git"
        if os.path.lexists(self.vault.agent):
            if left.exists():
                remove_tree(self.vault.agent)
            else:
                self.vault.agent.rename(left)
        exclude = (self.vault.folder / "info" / "exclude").read_bytes()
        # The commit may not be home yet: let the gates' git see it where it is.
        self._write_agent(slot, commit, exclude, extra=(self.vault.objects,))

    def overlay(self, base: str, paths: Sequence[str]) -> tuple[str, ...]:
        """Put these pathspecs of `base` over what is checked out; return the paths that differ.

        What the commit adds there is removed. `restore` undoes it.
        """
        return overlay(self.vault, base, paths)

    def restore(self) -> None:
        """Bring back what `check_out` made."""
        commit = self.vault.head()
        if commit is None:
            raise NotFound(f"Nothing is checked out in {self.tree}.", hint="gitcmat doctor")
        self._check_out(commit)

    def _check_out(self, commit: str) -> None:
        self.vault.check_out(commit)
        self.vault.git.run("clean", "-ffdq", ok=())

    def _renew(self, slot: Slot, order: _Order, *, fresh: bool) -> Prepared:
        """Make everything new but the kept paths. A break in the middle leaves no ``slot.json``."""
        with suppress(FileNotFoundError):
            (self.folder / "slot.json").replace(self.folder / _CLEANING)
        remove_tree(self.folder / "agent.git")
        remove_tree(self.vault.agent)
        make_empty(self.inbox)
        now = replace(
            slot,
            start=order.start,
            keep=order.keep,
            copied=order.copy,
            identity=(order.identity.name, order.identity.email),
            ignored=(),
            work=order.work,
        )
        exclude = ignored(now, self.host, self._host_git)
        self.vault.renew(self._parts(now, head="ref: refs/heads/none", exclude=exclude))
        wanted = self.vault.listing(order.start)
        sweep(self.tree, wanted, Keep(order.keep))
        self.vault.check_out(order.start)
        self._write_agent(now, order.start, exclude, packed_refs=self._tags(order.base))
        source = self.host.main_work_tree
        missing = copy_in(source, self.tree, order.copy) if source else order.copy
        now.write(self.folder)
        (self.folder / _CLEANING).unlink(missing_ok=True)
        changed = self._changed(now, wanted) if now.set_up else ()
        return Prepared(fresh=fresh, set_up=now.set_up, changed=changed, missing=missing)

    def _slot(self) -> Slot | None:
        parts = (self.folder, self.tree, self.vault.folder)
        if not all(part.is_dir() and not part.is_symlink() for part in parts):
            return None
        return Slot.read(self.folder, self.host)

    def _existing(self) -> Slot:
        slot = Slot.read(self.folder, self.host)
        if slot is None:
            raise NotFound(f"{self.folder} is not a prepared workspace.", hint="gitcmat doctor")
        return slot

    def _move_aside(self) -> None:
        """Put what cannot be used again into ``aside``, in place of what was put there before."""
        aside = self.folder / "aside"
        make_empty(aside)
        for path in (self.tree, self.vault.folder, self.folder / "agent.git"):
            if os.path.lexists(path):
                path.rename(aside / path.name)

    def _parts(
        self, slot: Slot, *, head: str, exclude: bytes, extra: Sequence[Path] = ()
    ) -> GitFolder:
        return GitFolder(
            config=slot.config,
            head=head,
            alternates=(self.host.common_dir / "objects", *extra),
            exclude=exclude,
            shallow=read_shallow(self.host.common_dir),
        )

    def _write_agent(
        self,
        slot: Slot,
        commit: str,
        exclude: bytes,
        *,
        extra: Sequence[Path] = (),
        packed_refs: bytes = b"",
    ) -> None:
        name, email = slot.identity
        settings = {"user": {"name": name, "email": email}, **_AGENT_SETTINGS}
        config = slot.config + "".join(section(*each) for each in settings.items())
        parts = self._parts(slot, head=f"ref: {BRANCH}", exclude=exclude, extra=extra)
        replace(parts, config=config, refs={BRANCH: commit}, packed_refs=packed_refs).write(
            self.vault.agent
        )
        copy_index(self.vault.folder, self.vault.agent)

    def _tags(self, base: str) -> bytes:
        """The tags that `base` reaches, as ``packed-refs``."""
        asked = (f"--format={_TAGS}", f"--merged={base}", "refs/tags")
        rows = [row.split() for row in self._host_git.text("for-each-ref", *asked).splitlines()]
        lines = ["# pack-refs with: peeled fully-peeled sorted "]
        for oid, name, *peeled in rows:
            lines += [f"{oid} {name}", *(f"^{each}" for each in peeled)]
        return os.fsencode("\n".join(lines) + "\n") if rows else b""

    def _changed(self, slot: Slot, wanted: Listing) -> tuple[str, ...]:
        """The paths that may not be as they were when the setup saw them."""
        changed = set(slot.touched)
        if slot.set_up_at != slot.start:
            how = ("diff-tree", "-r", "-z", "--name-only", "--no-renames")
            done = self.vault.git.run(*how, slot.set_up_at, slot.start, ok=())
            paths = done.out.split(b"\0") if done.code == 0 else wanted.paths
            changed |= {os.fsdecode(path) for path in paths if path}
        return tuple(sorted(changed))


def _has_files(tree: Path) -> bool:
    try:
        return not tree.is_symlink() and any(path.name != ".git" for path in tree.iterdir())
    except OSError:
        return False
