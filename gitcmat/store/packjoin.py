"""Joining many small packs of ours into one, in idle time.

A commit of ours is one pack, and git opens every pack to look for an object it has not found yet:
hundreds of them make the person's own git slow. Joining copies the objects and removes the small
packs afterwards, as ``git repack`` does, so readers at work find them in the new place.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from gitcmat.store.git import Git, Repository
from gitcmat.store.packs import Arrival, OnStep, no_step, own_packs, pack_folder, remove_pack
from gitcmat.system import clock

MANY: Final = 50
"""More packs of ours than this are joined."""

_BIG: Final = 16 * 1024 * 1024
_MUCH_LARGER: Final = 16
_GC_SECONDS: Final = 12 * 3600
_INDEX_HEAD: Final = 8
_FANOUT: Final = 1024


def join_packs(
    repo: Repository, git: Git, *, more_than: int = MANY, on_step: OnStep = no_step
) -> int:
    """Join our packs if there are more than `more_than`; return how many became one, 0 for none.

    Big ones (16 MiB, or much larger than all smaller ones together) stay as they are, so that the
    work does not grow with the history. While a gc is at work, or when one takes a pack away
    meanwhile, nothing is done: try again later. Safe beside readers, writers and other joins; call
    it under the store lock so that two do not do the same work.

    Raises:
        RuntimeError: git left an object out of the new pack. The small ones stay.
    """
    small = _worth_it(_joinable(repo))
    if len(small) <= more_than or gc_runs(repo):
        return 0
    with Arrival(repo, on_step) as arrival:
        if not _pack_all(git, small, arrival):
            return 0
        on_step("joined")
        arrival.place()
    if gc_runs(repo):
        return 0  # it may be reading the small ones; it removes them itself, or the next join does
    for pack in small:
        remove_pack(pack)
    on_step("removed")
    return len(small)


def _pack_all(git: Git, packs: Iterable[Path], arrival: Arrival) -> bool:
    """Put the objects of all `packs` into the arriving one; False when a gc took one of them away.

    No history is walked: what nothing reaches comes along, and is left to gc.
    """
    names = "".join(f"{pack.name}\n" for pack in packs).encode()
    made = arrival.pack.with_suffix(".joined")
    options = ("--stdin-packs", "--delta-base-offset", "-q")
    done = git.run("pack-objects", *options, made, input=names, ok=())
    if done.code != 0:
        return False
    Path(f"{made}-{done.text}.pack").rename(arrival.pack)
    Path(f"{made}-{done.text}.idx").rename(arrival.index)
    # Newer gits write one; git can do without.
    Path(f"{made}-{done.text}.rev").unlink(missing_ok=True)
    size = len(git.null) // 2
    try:
        wanted = set[bytes]().union(*(_ids(pack.with_suffix(".idx"), size) for pack in packs))
    except FileNotFoundError:
        return False
    left_out = wanted - _ids(arrival.index, size)
    if left_out:
        raise RuntimeError(f"{len(left_out)} objects did not come into the joined pack")
    return True


def _worth_it(packs: Mapping[Path, int]) -> list[Path]:
    """Leave out the packs (path → bytes) that hold nearly everything by themselves: to copy them
    again and again would cost more than one pack less is worth.
    """
    chosen = sorted(packs, key=lambda pack: packs[pack])
    while chosen and packs[chosen[-1]] > _MUCH_LARGER * sum(packs[p] for p in chosen[:-1]) > 0:
        chosen.pop()
    return chosen


def _joinable(repo: Repository) -> dict[Path, int]:
    """Our small packs with their sizes, but for those that an index over many packs names: it
    would then lie.
    """
    folder = pack_folder(repo)
    named = b""
    for index in (folder / "multi-pack-index", *folder.glob("multi-pack-index.d/*.midx")):
        with suppress(FileNotFoundError):
            named += index.read_bytes()
    found = {}
    for pack in own_packs(repo):
        with suppress(FileNotFoundError):
            size = pack.stat().st_size
            if size < _BIG and pack.stem.encode() not in named:
                found[pack] = size
    return found


def gc_runs(repo: Repository) -> bool:
    """Whether a gc says that it is at work; one older than 12 hours is dead, as git sees it too."""
    try:
        since = (repo.common_dir / "gc.pid").stat().st_mtime
    except FileNotFoundError:
        return False
    return clock.now().timestamp() - since < _GC_SECONDS


def _ids(index: Path, size: int) -> set[bytes]:
    """The ids, `size` bytes each, that an index (version 2) lists: after the fan-out, in a row."""
    data = index.read_bytes()
    start = _INDEX_HEAD + _FANOUT
    count = int.from_bytes(data[start - 4 : start])
    return {data[at : at + size] for at in range(start, start + count * size, size)}
