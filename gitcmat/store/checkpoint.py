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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gitcmat.errors import NotFound
from gitcmat.model.names import is_id
from gitcmat.store import refs
from gitcmat.store.checkpoint_tree import CheckSize, Place, Taken, taken
from gitcmat.store.git import Git, Repository
from gitcmat.store.gitdirs import PRIVATE
from gitcmat.store.objects import signature
from gitcmat.store.packs import RefMove, adopt_pack
from gitcmat.store.state import Actor
from gitcmat.store.workspaces import Workspace

_BROKEN: Final = re.compile(r"^warning: ignoring broken ref (\S+)$", re.MULTILINE)
_TRAILER: Final = re.compile(r"^([A-Za-z][A-Za-z-]*): (.*)$")
_WORKSPACE_SECONDS: Final = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What the commit of a checkpoint says of it."""

    id: str
    name: str
    by: Actor
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


@dataclass(frozen=True, slots=True)
class BrokenRef:
    """A ref without an id in it, as a power cut leaves it; it is in the way of git itself."""

    ref: str
    path: Path

    def repair(self, commit: str | None) -> str:
        """The command that mends it; without a known `commit` it takes the ref away."""
        gone = f"rm -- {shlex.quote(str(self.path))}"
        return f"{gone} && git update-ref {self.ref} {commit}" if commit else gone


def save(repo: Repository, git: Git, found: Taken, label: Label) -> str:
    """Make what was taken a checkpoint; return its commit.

    Raises:
        Conflict: there is a checkpoint of that id.
        GitError, InvalidData: git refused the objects. There is no checkpoint.
    """
    who = signature(label.by.name, label.by.email, label.at)
    lines = [("Cmat-Checkpoint", label.id), *label.trailers.items()]
    trailers = "".join(f"{key}: {text}\n" for key, text in lines if text)
    index = _commit(
        repo, found, (found.index_tree, (found.head,)), who, f"index of {label.id}\n\n{trailers}"
    )
    commit = _commit(
        repo, found, (found.tree, (found.head, index)), who, f"{label.name}\n\n{trailers}"
    )
    pack = _pack(found, commit)
    move = RefMove(refs.checkpoint_ref(label.id), commit, None, f"gitcmat: checkpoint {label.id}")
    adopt_pack(repo, git, pack, move, known=(found.head,))
    return commit


def checkpoint_of_workspace(
    repo: Repository, workspace: Workspace, start: str, label: Label, check_size: CheckSize
) -> str:
    """Save the files of a run's workspace, on top of the commit that it started at.

    The run may go on meanwhile: nothing in the workspace is changed, and its own git is not used.

    Raises:
        Conflict, GitError, InvalidData: as for `save`.
        Timeout: something stops git from reading the files.
    """
    vault = workspace.vault
    place = Place(
        work_tree=workspace.tree,
        git_dir=vault.folder,
        objects=vault.objects,
        index=vault.folder / "index",
        base=start,
        env=PRIVATE,
        timeout=_WORKSPACE_SECONDS,
    )
    with taken(repo, place, check_size) as found:
        return save(repo, Git(repo.common_dir), found, label)


def read(git: Git, name: str) -> Commit:
    """Read the commit of a checkpoint by ref or id.

    Raises `NotFound` when it is not there, or is none.
    """
    asked = (f"{name}^{{commit}}", f"{name}^2^{{commit}}")
    found = git.blobs(asked)
    none = NotFound(f"{name} is not a checkpoint of this repository.", hint="git fsck")
    if len(found) != len(asked):
        raise none
    head, _, message = found[asked[0]].decode("utf-8", "replace").partition("\n\n")
    parents = re.findall(r"^parent (\S+)$", head, re.MULTILINE)
    index_tree = found[asked[1]].decode("utf-8", "replace").split("\n", 1)[0]
    author = re.search(r"^author (.*) <[^<>]*> (\d+) \S+$", head, re.MULTILINE)
    last = message.strip().split("\n\n")[-1].splitlines()
    trailers = {m[1]: m[2] for m in map(_TRAILER.fullmatch, last) if m}
    if "Cmat-Checkpoint" not in trailers:
        raise none
    return Commit(
        oid=git.rev(name) or "",
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
    repo: Repository, found: Taken, what: tuple[str, Iterable[str]], who: str, message: str
) -> str:
    """Write a commit into the objects that were taken; two processes less than by git."""
    tree, parents = what
    lines = [f"tree {tree}", *(f"parent {each}" for each in parents)]
    lines += [f"author {who}", f"committer {who}", "", message]
    data = "\n".join(lines).encode("utf-8", "replace")
    whole = b"commit %d\0" % len(data) + data
    oid = hashlib.new(repo.object_format, whole).hexdigest()
    path = found.folder / "objects" / oid[:2] / oid[2:]
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(zlib.compress(whole, 1))
    return oid


def _pack(found: Taken, commit: str) -> Path:
    """Pack what the checkpoint has beyond HEAD, also what lies loose in the person's store: a gc
    may be about to remove that.
    """
    # No search for deltas: the next gc does that better.
    how = ("--revs", "--quiet", "--delta-base-offset", "--window=0")
    fed = f"{commit}\n^{found.head}\n".encode()
    done = found.git.run("pack-objects", *how, found.folder / "pack", input=fed)
    pack = found.folder / f"pack-{done.text}.pack"
    pack.chmod(0o600)  # git writes it read-only, and who takes it in syncs it to the disk
    return pack
