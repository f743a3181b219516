"""Removes packs of ours that nothing of the person's needs, when gitcmat leaves a repository."""

from collections.abc import Iterator
from pathlib import Path

from gitcmat.store.git import Git, Repository
from gitcmat.store.packs import own_packs, remove_pack


def remove_unused(repo: Repository, git: Git) -> tuple[int, int]:
    """Remove our packs that no ref, reflog or index reaches into; return (removed, left).

    Those that hold something of use, such as landed work, stay: git treats them as any other. All
    stay while a file of git's lists what is in them (a multi-pack index, a commit graph).
    """
    packs = own_packs(repo)
    if not packs or _is_listed(repo):
        return 0, len(packs)
    needed = _reachable(git)
    unused = [pack for pack in packs if needed.isdisjoint(_objects(git, pack))]
    for pack in unused:
        remove_pack(pack)
    return len(unused), len(packs) - len(unused)


def _is_listed(repo: Repository) -> bool:
    objects = repo.common_dir / "objects"
    lists = ("multi-pack-index", "multi-pack-index.d")
    graphs = ("commit-graph", "commit-graphs")
    places = [objects / "pack" / name for name in lists]
    places += [objects / "info" / name for name in graphs]
    return any(place.exists() for place in places)


def _reachable(git: Git) -> frozenset[str]:
    """All objects that refs, reflogs and indexes reach, of every work tree."""
    what = ("--all", "--reflog", "--indexed-objects")
    listed = git.run("rev-list", "--objects", "--no-object-names", *what).out
    return frozenset(listed.decode("ascii").split())


def _objects(git: Git, pack: Path) -> Iterator[str]:
    shown = git.run("show-index", input=pack.with_suffix(".idx").read_bytes()).out
    return (line.split()[1].decode("ascii") for line in shown.splitlines())
