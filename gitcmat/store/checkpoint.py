"""Checkpoints as commits: made once, listed, read back, deleted.

A checkpoint is a commit under ``refs/cmat/checkpoints/<id>``. Its tree is the work tree; its
parents are HEAD and a commit whose tree is the index. Its trailers name it and the commit of the
state, so that it says by itself what it is.
"""

import hashlib
import os
import re
import shlex
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model.job import Identity
from gitcmat.model.names import is_id
from gitcmat.store import refs
from gitcmat.store.checkpoint_tree import Taken
from gitcmat.store.git import Git, Repository
from gitcmat.store.objects import signature
from gitcmat.store.packs import RefMove, adopt_pack

FILES: Final = "Cmat-Files"
"""The trailer that counts: paths that differ from HEAD, those that are new, bytes in these."""

_FILES: Final = "^{commit}"
_INDEX: Final = "^2^{commit}"
_BROKEN: Final = re.compile(r"^warning: ignoring broken ref (\S+)$", re.MULTILINE)
_TRAILER: Final = re.compile(r"^([A-Za-z][A-Za-z-]*): (.*)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the commit of a checkpoint says of it."""

    id: str
    name: str
    by: Identity
    at: datetime
    trailers: Mapping[str, str]
    """Further ones beside ``Cmat-Checkpoint``; those without a value are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """The commit of a checkpoint, read back."""

    oid: str
    tree: str
    head: str
    index_tree: str
    name: str
    author: str
    at: datetime
    trailers: Mapping[str, str]

    @property
    def counts(self) -> tuple[int, int, int]:
        """What `FILES` counts; zeros where nobody did."""
        found = re.fullmatch(r"(\d+) (\d+) (\d+)", self.trailers.get(FILES, ""))
        return (int(found[1]), int(found[2]), int(found[3])) if found else (0, 0, 0)


@dataclass(frozen=True, slots=True)
class BrokenRef:
    """A ref without an id in it, as a power cut leaves it; it is in the way of git itself."""

    ref: str
    path: Path

    def repair(self, commit: str | None) -> str:
        """The command that mends it; without a known `commit` it takes the ref away."""
        gone = f"rm -- {shlex.quote(str(self.path))}"
        return f"{gone} && git update-ref {self.ref} {commit}" if commit else gone


def save(
    repo: Repository, git: Git, found: Taken, label: Label, *, after: Collection[str] = ()
) -> str:
    """Make what was taken a checkpoint; return its commit.

    What the commits `after` have is in the repository already.

    Raises:
        Conflict: there is a checkpoint of that id.
        GitError, InvalidData: git refused the objects. There is no checkpoint.
    """
    objects = found.folder / "objects"
    trees = (found.tree, found.index_tree)
    counts = f"{found.files} {found.new_files} {found.new_bytes}"
    label = replace(label, trailers={**label.trailers, FILES: counts})
    commit = write_commits(objects, repo.object_format, trees, found.head, label)
    adopt_pack(repo, git, _pack(found, commit, after), made(label, commit), known=(found.head,))
    return commit


def made(label: Label, commit: str) -> RefMove:
    """Return the move that makes a commit the checkpoint."""
    return RefMove(refs.checkpoint_ref(label.id), commit, None, f"gitcmat: checkpoint {label.id}")


def write_commits(
    objects: Path, object_format: str, trees: tuple[str, str], head: str, label: Label
) -> str:
    """Write the two commits of a checkpoint as loose objects into a folder of objects of ours.

    `trees` are those of the files and of the index. Return the commit of the files.
    """
    who = signature(label.by.name, label.by.email, label.at)
    lines = [("Cmat-Checkpoint", label.id), *label.trailers.items()]
    trailers = "".join(f"{key}: {text}\n" for key, text in lines if text)
    store = (objects, object_format, who)
    index = _commit(*store, (trees[1], (head,)), f"index of {label.id}\n\n{trailers}")
    return _commit(*store, (trees[0], (head, index)), f"{label.name}\n\n{trailers}")


def read(git: Git, commit: str) -> Commit:
    """Read the commit of a checkpoint by its id.

    Raises `NotFound` when it is not there, or is none.
    """
    found = read_all(git, [commit])
    if not found:
        raise NotFound(f"{commit} is not a checkpoint of this repository.", hint="git fsck")
    return found[commit]


def read_all(git: Git, commits: Iterable[str]) -> dict[str, Commit]:
    """Read commits of checkpoints by their ids, in one process; what is none is left out."""
    asked = list(commits)
    found = git.blobs([f"{oid}{end}" for oid in asked for end in (_FILES, _INDEX)])
    pairs = ((oid, found.get(oid + _FILES), found.get(oid + _INDEX)) for oid in asked)
    read = (_parsed(oid, one, two) for oid, one, two in pairs if one is not None and two)
    return {each.oid: each for each in read if each is not None}


def _parsed(oid: str, files: bytes, index: bytes) -> Commit | None:
    head, _, message = files.decode("utf-8", "replace").partition("\n\n")
    parents = re.findall(r"^parent (\S+)$", head, re.MULTILINE)
    index_tree = index.decode("utf-8", "replace").split("\n", 1)[0]
    author = re.search(r"^author (.*) <[^<>]*> (\d+) \S+$", head, re.MULTILINE)
    last = message.strip().split("\n\n")[-1].splitlines()
    trailers = {m[1]: m[2] for m in map(_TRAILER.fullmatch, last) if m}
    if "Cmat-Checkpoint" not in trailers:
        return None
    return Commit(
        oid=oid,
        tree=head.split("\n", 1)[0].removeprefix("tree "),
        head=parents[0],
        index_tree=index_tree.removeprefix("tree "),
        name=message.split("\n", 1)[0],
        author=author[1] if author else "",
        at=datetime.fromtimestamp(int(author[2]) if author else 0, UTC),
        trailers=trailers,
    )


def listed(repo: Repository, git: Git) -> tuple[dict[str, str], list[BrokenRef]]:
    """Return the checkpoints that are there, id → commit, and the refs that are broken."""
    done = git.run("for-each-ref", "--format=%(objectname) %(refname)", "--", refs.CHECKPOINTS)
    rows = (line.split(" ", 1) for line in done.text.splitlines())
    every = {name.removeprefix(refs.CHECKPOINTS): oid for oid, name in rows}
    found = {each: oid for each, oid in every.items() if is_id(each)}
    named = _BROKEN.findall(os.fsdecode(done.err))
    broken = [BrokenRef(ref, repo.common_dir / ref) for ref in dict.fromkeys(named)]
    return found, [each for each in broken if each.ref.startswith(refs.CHECKPOINTS)]


def delete(git: Git, checkpoint_id: str, commit: str) -> None:
    """Delete the ref of a checkpoint; one that is gone already is fine."""
    ref = refs.checkpoint_ref(checkpoint_id)
    if not git.delete_ref(ref, commit) and git.ref(ref) is not None:
        git.run("update-ref", "--no-deref", "-d", ref, commit)


def _commit(
    objects: Path, object_format: str, who: str, what: tuple[str, Iterable[str]], message: str
) -> str:
    """Write a commit of a tree and its parents, without the process that git takes for it."""
    tree, parents = what
    lines = [f"tree {tree}", *(f"parent {each}" for each in parents)]
    lines += [f"author {who}", f"committer {who}", "", message]
    data = "\n".join(lines).encode("utf-8", "replace")
    whole = b"commit %d\0" % len(data) + data
    oid = hashlib.new(object_format, whole).hexdigest()
    path = objects / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole, 1))
    return oid


def _pack(found: Taken, commit: str, known: Iterable[str]) -> Path:
    """Pack what the checkpoint has beyond HEAD and `known`, also what lies loose in the person's
    store: a gc may be about to remove that.
    """
    # No search for deltas: the next gc does that better.
    how = ("--revs", "--quiet", "--delta-base-offset", "--window=0")
    # Of a commit that is no parent git would leave out the commit alone.
    fed = "\n".join([commit, f"^{found.head}", *(f"^{each}^{{tree}}" for each in known), ""])
    done = found.git.run("pack-objects", *how, found.folder / "pack", input=fed.encode())
    pack = found.folder / f"pack-{done.text}.pack"
    pack.chmod(0o600)  # git writes it read-only, and who takes it in syncs it to the disk
    return pack
