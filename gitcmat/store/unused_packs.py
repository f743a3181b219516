"""Takes our packs out of the store when gitcmat leaves a repository.

What the person's branches need of them, as landed work is, goes into a pack of git's own first. A
pack of ours may have been joined from many, so it holds much that nothing needs beside it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gitcmat.store.git import Git, Repository
from gitcmat.store.packjoin import gc_runs
from gitcmat.store.packs import own_packs, pack_folder, remove_pack
from gitcmat.system.files import fsync_dir

_STEPS: Final = ("rebase-merge", "rebase-apply", "sequencer")
"""Folders in which git keeps what is under way."""
_ID: Final = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_ID_LIMIT: Final = 1 << 20


def remove_unused(repo: Repository, git: Git) -> tuple[int, int]:
    """Remove our packs, and pack anew what anything of the person's reaches of them.

    Returns how many were removed and how many are left: all stay while a file of git's lists what
    is in them (a multi-pack index, a commit graph), and while a gc is at work. Then the next gc
    takes what nothing needs.
    """
    packs = own_packs(repo)
    if not packs or _is_listed(repo) or gc_runs(repo):
        return 0, len(packs)
    inside = {oid for pack in packs for oid in _objects(git, pack)}
    needed = inside & _reachable(repo, git)
    if needed:
        _pack(repo, git, needed)
    for pack in packs:
        remove_pack(pack)
    return len(packs), 0


def _pack(repo: Repository, git: Git, oids: set[str]) -> None:
    """Make a pack, named as git names its own, and see that it is whole and on the disk."""
    folder = pack_folder(repo)
    fed = "".join(f"{oid}\n" for oid in sorted(oids)).encode()
    sync = ("-c", "core.fsync=pack,pack-metadata", "-c", "core.fsyncMethod=fsync")
    made = git.run(*sync, "pack-objects", "-q", folder / "pack", input=fed).text
    left_out = oids - set(_objects(git, folder / f"pack-{made}.pack"))
    if left_out:
        raise RuntimeError(f"{len(left_out)} objects did not come into the new pack")
    fsync_dir(folder)


def _is_listed(repo: Repository) -> bool:
    objects = repo.common_dir / "objects"
    lists = ("multi-pack-index", "multi-pack-index.d")
    graphs = ("commit-graph", "commit-graphs")
    places = [objects / "pack" / name for name in lists]
    places += [objects / "info" / name for name in graphs]
    return any(place.exists() for place in places)


def _reachable(repo: Repository, git: Git) -> frozenset[str]:
    """All objects that refs, reflogs, indexes and what is under way reach, of every work tree."""
    what = ("--all", "--reflog", "--indexed-objects", "--ignore-missing", "--stdin")
    fed = "".join(f"{oid}\n" for oid in sorted(set(_under_way(repo)))).encode()
    listed = git.run("rev-list", "--objects", "--no-object-names", *what, input=fed).out
    return frozenset(listed.decode("ascii").split())


def _under_way(repo: Repository) -> Iterator[str]:
    """The ids in ``MERGE_HEAD`` and the like, which no ref has where nothing is logged."""
    for git_dir in (repo.common_dir, *repo.common_dir.glob("worktrees/*")):
        folders = (git_dir / name for name in _STEPS)
        files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
        for path in (*git_dir.glob("*_HEAD"), *files):
            with path.open(encoding="utf-8", errors="replace") as file:
                yield from _ID.findall(file.read(_ID_LIMIT))


def _objects(git: Git, pack: Path) -> Iterator[str]:
    shown = git.run("show-index", input=pack.with_suffix(".idx").read_bytes()).out
    return (line.split()[1].decode("ascii") for line in shown.splitlines())
