"""The one way of new objects into the store: one whole pack, durable before a ref needs it.

Loose objects written beside a running ``git gc --prune=now`` get lost, even those that git reported
as written. So a pack is made under ``.git/cmat/tmp`` and renamed in with its ``.keep`` first:
whatever gc looks at the store, it finds the pack not there, kept, or reachable. The writer holds a
lock on its ``.keep`` while it lives, so one that a dead writer left is told from one in use without
trusting process ids.

Packs of ours carry ``gitcmat`` in hex at the start of their name. git needs no relation between the
name of a pack and its content, so that is the whole register: nothing to keep in step when a
person's ``git repack`` removes some. The rest of the name is random, so no two writers ever want
the same file.
"""

import os
import secrets
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gitcmat.errors import InvalidData
from gitcmat.store.git import Git, GitError, Repository
from gitcmat.store.gitdirs import quoted
from gitcmat.system import clock
from gitcmat.system.files import FileLock, fsync_dir, is_locked
from gitcmat.system.refusals import naming

STEPS: Final = (
    "written",
    "indexed",
    "kept",
    "placed",
    "visible",
    "synced",
    "checked",
    "moved",
    "durable",
    "released",
)
"""The steps of a publication, in order; each is reported when it is done."""

OnStep = Callable[[str], None]

_OURS: Final = "pack-" + b"gitcmat".hex()
_HEADER_SIZE: Final = 12
_TMP_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class RefMove:
    """A ref to be moved from `old` to the commit `new`; `why` goes to its reflog.

    `old` None means that the ref must not exist yet.
    """

    ref: str
    new: str
    old: str | None
    why: str = ""


def no_step(_step: str) -> None:
    """Watch nothing: what `on_step` is outside of tests."""


class Arrival:
    """One pack on its way into the store; a context, which ends with the ``.keep`` removed.

    Put the pack at `pack` (and its index at `index`, or let `make_index` do that), then `place`
    both.
    """

    def __init__(self, repo: Repository, on_step: OnStep = no_step) -> None:
        digits = 64 if repo.object_format == "sha256" else 40
        self._stem = _OURS + secrets.token_hex(32)[: digits - len(_OURS.removeprefix("pack-"))]
        self._tmp = repo.cmat / "tmp"
        self._store = pack_folder(repo)
        self._on_step = on_step
        self._keep = FileLock(self._tmp / f"{self._stem}.keep")
        self.pack = self._tmp / f"{self._stem}.pack"
        self.index = self._tmp / f"{self._stem}.idx"

    def __enter__(self) -> Self:
        with naming(self._tmp):
            self._keep.acquire()
            try:
                os.write(self._keep.fd, f"gitcmat {os.getpid()}\n".encode())
            except OSError:
                self.__exit__(None, None, None)
                raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(OSError):  # what a disk that fails does not let go is left to `tidy`
            for left in (self.pack, self.index, self._keep.path):
                left.unlink(missing_ok=True)
            _settle(self._store / self._stem)
        self._keep.release()

    def make_index(self, git: Git, *, foreign: bool = False) -> None:
        """Index the pack at `pack`; of a `foreign` one, check every object as ``git fsck`` does.

        Raises `GitError` for a damaged pack, or one that needs objects outside itself.
        """
        # With an empty store in view, index-pack neither reads the person's packs nor meets a gc at
        # work there. (The folder must exist, or git thinks that it is in no repository.)
        env = {"GIT_OBJECT_DIRECTORY": str(self._tmp)}
        if foreign:
            # The check wants to read each .gitattributes and .gitmodules, also one that is here.
            env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.fsdecode(quoted(self._store.parent))
        check = ("--fsck-objects",) if foreign else ()
        git.run("index-pack", *check, "-o", self.index, self.pack, env=env)
        self._on_step("indexed")

    def place(self) -> None:
        """Make the objects part of the store, kept, and durable by name."""
        with naming(self._store):
            self.pack.chmod(0o444)
            self._rename(self._keep.path, ".keep", "kept")
            self._rename(self.pack, ".pack", "placed")
            self._rename(self.index, ".idx", "visible")  # last: it is what makes git see the pack
        fsync_dir(self._store)
        self._on_step("synced")

    def _rename(self, path: Path, suffix: str, step: str) -> None:
        path.rename(self._store / f"{self._stem}{suffix}")
        self._on_step(step)


def adopt_pack(
    repo: Repository,
    git: Git,
    stream: bytes | Path,
    move: RefMove,
    *,
    known: Collection[str] = (),
    on_step: OnStep = no_step,
) -> None:
    """Bring a pack from elsewhere home and move a ref to a commit in it, or to one already here.

    `stream` is what ``git pack-objects --revs --stdout`` printed (no ``--thin``), or a file with
    it, which is moved away when it lies on the same filesystem. Nothing in it is trusted: its
    objects are checked, and everything that `move.new` needs must be there before the ref moves.

    With `known`, git has walked all that `move.new` needs beyond these commits into the pack just
    now, from the person's own files. Then it is only seen that each object is what its name says:
    what a person has saved is theirs, also where ``git fsck`` would frown.

    Raises:
        InvalidData: the pack is damaged, lacks objects, or has some that git refuses. The ref has
            not moved.
        Conflict: the ref was elsewhere. The objects are unreachable; gc will take them.
    """
    with Arrival(repo, on_step) as arrival:
        _fill(arrival.pack, stream)
        on_step("written")
        if _count(arrival.pack):
            try:
                arrival.make_index(git, foreign=not known)
            except GitError as error:
                raise _refused(move, error) from error
            arrival.place()
        if not known:
            _require_history(git, move)
        on_step("checked")
        move_ref(repo, git, move, on_step)
    on_step("released")


def publish_pack(
    repo: Repository,
    git: Git,
    stream: bytes,
    oids: Collection[str],
    move: RefMove,
    *,
    on_step: OnStep = no_step,
) -> None:
    """Bring a pack of our own making, with the objects `oids`, home and move a ref to it.

    Raises:
        Conflict: the ref was elsewhere. The objects are unreachable; gc will take them.
        GitError, NotFound: git refused the pack or does not give the objects back. The ref has not
            moved.
    """
    with Arrival(repo, on_step) as arrival:
        _fill(arrival.pack, stream)
        on_step("written")
        arrival.make_index(git)
        arrival.place()
        git.require(oids)
        on_step("checked")
        move_ref(repo, git, move, on_step)
    on_step("released")


def move_ref(repo: Repository, git: Git, move: RefMove, on_step: OnStep = no_step) -> None:
    """Move a ref by compare-and-swap, durable: git syncs the file, but never its folder.

    Raises `Conflict` when it was elsewhere.
    """
    git.update_ref(move.ref, move.new, move.old, why=move.why)
    on_step("moved")
    folder = (repo.common_dir / move.ref).parent
    new_folders = () if move.old else folder.parents
    for each in (folder, *new_folders):
        if not each.is_relative_to(repo.common_dir / "refs"):
            break
        with suppress(FileNotFoundError):  # packed by a gc meanwhile: then it is in packed-refs
            fsync_dir(each)
    on_step("durable")


def pack_folder(repo: Repository) -> Path:
    """Where the repository's packs lie."""
    return repo.common_dir / "objects" / "pack"


def own_packs(repo: Repository) -> list[Path]:
    """The ``.pack`` files that were made here and are complete and not kept, oldest name first."""
    stems = _own_stems(repo)
    return [
        stem.with_suffix(".pack")
        for stem, suffixes in sorted(stems.items())
        if {".pack", ".idx"} <= suffixes and ".keep" not in suffixes
    ]


def dead_keeps(repo: Repository) -> list[Path]:
    """The ``.keep`` files that dead writers left; changes nothing."""
    kept = [stem.with_suffix(".keep") for stem, s in _own_stems(repo).items() if ".keep" in s]
    return sorted(path for path in kept if not _has_writer(path))


def drop_dead_keeps(repo: Repository) -> int:
    """Free what dead writers left: ``.keep`` files, half placed packs, temp files. Say how many.

    Living writers are left alone. Call it under the store lock, so that only one does the work.
    """
    dropped = 0
    for stem, suffixes in _own_stems(repo).items():
        if ".keep" in suffixes or ".idx" not in suffixes:
            dropped += _settle_dead(stem)
    return dropped + _drop_temporary(repo)


def _drop_temporary(repo: Repository) -> int:
    """Remove packs that never arrived, of dead writers, and all else that is a day old."""
    dropped = 0
    oldest = clock.now().timestamp() - _TMP_SECONDS
    tmp, store = repo.cmat / "tmp", pack_folder(repo)
    for path in (*_files(tmp), *repo.cmat.glob(".*.tmp"), *repo.cmat.glob("*/.*.tmp")):
        keep = f"{path.name.partition('.')[0]}.keep"
        # A living writer's .keep goes from here to the store, so it is found in this order.
        dead = path.name.startswith(_OURS) and not (
            _has_writer(tmp / keep) or _has_writer(store / keep)
        )
        with suppress(FileNotFoundError):
            if dead or path.stat().st_mtime < oldest:
                path.unlink()
                dropped += 1
    return dropped


def remove_pack(pack: Path) -> None:
    """Remove a pack whose objects are all elsewhere; its index first, which makes git see it."""
    for suffix in (".idx", ".rev", ".bitmap", ".pack"):
        pack.with_suffix(suffix).unlink(missing_ok=True)


def _settle(stem: Path) -> None:
    """Take away the protection of a placed pack, and of a half placed one all that is there."""
    if not stem.with_suffix(".idx").exists():
        stem.with_suffix(".pack").unlink(missing_ok=True)
    stem.with_suffix(".keep").unlink(missing_ok=True)


def _settle_dead(stem: Path) -> bool:
    if _has_writer(stem.with_suffix(".keep")):
        return False
    # A living writer's .keep is the first file to come and the last to go, so this one has ended.
    _settle(stem)
    return True


def _has_writer(keep: Path) -> bool:
    try:
        return is_locked(keep)
    except PermissionError:
        return True  # of another user of a shared repository: not ours to judge


def _own_stems(repo: Repository) -> dict[Path, set[str]]:
    stems: dict[Path, set[str]] = {}
    for path in _files(pack_folder(repo)):
        if path.name.startswith(_OURS):
            stems.setdefault(path.with_suffix(""), set()).add(path.suffix)
    return stems


def _files(folder: Path) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield from folder.iterdir()


def _fill(path: Path, stream: bytes | Path) -> None:
    """Put a pack stream at `path`, on the disk."""
    with naming(path.parent):
        if isinstance(stream, Path):
            try:
                stream.rename(path)
            except OSError:
                path.write_bytes(stream.read_bytes())
            stream = b""
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with open(fd, "wb") as file:  # noqa: PTH123 - a descriptor
            file.write(stream)
            file.flush()
            os.fsync(fd)


def _count(pack: Path) -> int:
    """How many objects a pack says it has; an attempt that changed nothing brings an empty one."""
    with pack.open("rb") as file:
        return int.from_bytes(file.read(_HEADER_SIZE)[8:])


def _require_history(git: Git, move: RefMove) -> None:
    """See that all is here that the commit needs; what other refs reach is complete already.

    A ref that is broken, whoever it belongs to, must not keep work from coming home: where git
    stumbles, those that lead nowhere are passed over.
    """
    walk = ("rev-list", "--objects", "--quiet")
    new = ("--not", "--all", "--not", "--end-of-options", move.new)
    done = git.run(*walk, *new, ok=())
    if done.code != 0 and git.ok("cat-file", "-e", f"{move.new}^{{commit}}"):
        done = git.run(*walk, "--ignore-missing", *new, ok=())
    if done.code != 0:
        raise _refused(move, GitError(done))


def _refused(move: RefMove, error: GitError) -> InvalidData | GitError:
    if error.passing or error.done.code < 0:
        return error  # of the machine: the objects may be fine
    said = error.done.err.decode("utf-8", "replace").strip()
    return InvalidData(
        f"The objects for {move.ref} were not taken in, because git refuses them: {said}",
        hint="nothing was changed; look at the workspace that they come from",
    )
