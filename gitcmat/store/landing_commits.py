"""Makes the commit that lands: the work merged with the tip of its target, in no work tree.

All new objects are made in a store of their own beside the person's, where no ``git gc`` looks, and
come home together as one pack.
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, GitError, Repository
from gitcmat.store.gitdirs import quoted
from gitcmat.store.packs import RefMove, adopt_pack
from gitcmat.system import clock, ids
from gitcmat.system.files import remove_tree

LANDINGS: Final = "refs/cmat/landings/"
"""Keeps a commit alive while gates judge it; gone when it has landed or was sent back."""

_OLD_SECONDS: Final = 86_400
_CONFLICTED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Merged:
    """The work and the tip of its target in one tree."""

    tree: str
    conflicts: tuple[str, ...]
    """Paths that a person or an agent must merge; the tree then has conflict markers."""
    messages: str
    """What git says about the conflicts."""


@contextmanager
def workshop(repo: Repository) -> Iterator["Workshop"]:
    """Open a store of objects for one landing; what was not brought home is gone at the end."""
    parent = repo.cmat / "landing"
    parent.mkdir(parents=True, exist_ok=True)
    oldest = clock.now().timestamp() - _OLD_SECONDS
    for left in parent.iterdir():
        if left.stat().st_mtime < oldest:
            remove_tree(left)
    folder = parent / ids.token(16)
    folder.mkdir()
    try:
        yield Workshop(repo, folder)
    finally:
        remove_tree(folder)


class Workshop:
    """Makes commits for one landing; is opened by `workshop`."""

    def __init__(self, repo: Repository, folder: Path) -> None:
        self._repo = repo
        theirs = os.fsdecode(quoted(repo.common_dir / "objects"))
        env = {
            "GIT_OBJECT_DIRECTORY": str(folder),
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": theirs,
        }
        # With the work tree in view, its .gitattributes choose merge drivers as for `git merge`.
        self._git = Git(repo.common_dir, work_tree=repo.main_work_tree, env=env)
        self._person = Git(repo.git_dir)

    def merge(self, target: str, work: str) -> Merged:
        """Merge two commits in memory."""
        how = ("merge-tree", "--write-tree", "-z", "--name-only", "--messages")
        done = self._git.run(*how, target, work, ok=())
        if done.code not in (0, _CONFLICTED):
            said = done.err.decode("utf-8", "replace").strip()
            if "unrelated histories" in said:
                tree = self._tree(target)
                return Merged(tree=tree, conflicts=("(all)",), messages=said)
            raise GitError(done)
        head, _, told = done.out.partition(b"\0\0")
        tree, *paths = (os.fsdecode(part) for part in head.rstrip(b"\0").split(b"\0"))
        conflicts = tuple(dict.fromkeys(paths)) if done.code == _CONFLICTED else ()
        return Merged(tree=tree, conflicts=conflicts, messages=_messages(told))

    def squash(self, tree: str, target: str, message: str) -> str:
        """Make one commit on `target`, by the person."""
        return self._commit(tree, (target,), message.encode("utf-8", "replace"))

    def join(self, tree: str, target: str, work: str, message: str) -> str:
        """Make a merge commit, by the person."""
        return self._commit(tree, (target, work), message.encode("utf-8", "replace"))

    def replay(self, tree: str, target: str, work: str) -> str:
        """Make the commits of `work` anew on `target`, one by one, with their authors and words.

        Raises `Conflict` when one of them does not fit there alone, or when together they do not
        give `tree` (a merge among them that was more than a merge).
        """
        tip, tip_tree = target, self._tree(target)
        asked = ("--reverse", "--topo-order", "--no-merges", work, f"^{target}")
        for commit in self._git.text("rev-list", *asked).split():
            old = self._read(commit)
            # merge-tree takes the base from history: a commit beside the old one, with our tree.
            beside = self._commit(tip_tree, (f"{commit}^",), b"beside\n")
            merged = self.merge(beside, commit)
            if merged.conflicts:
                raise _not_one_by_one(f"{commit[:10]} conflicts in {', '.join(merged.conflicts)}")
            if merged.tree != tip_tree:
                tip = self._commit(merged.tree, (tip,), old.message, old.author, old.encoding)
                tip_tree = merged.tree
        if tip_tree != tree:
            raise _not_one_by_one("together they give another tree than a merge does")
        return tip

    def bring_home(self, commit: str, known: Sequence[str], entry_id: str) -> str:
        """Bring the objects of `commit` into the repository, kept alive by a ref; return its name.

        `known` are commits that are there already.
        """
        ref = LANDINGS + entry_id
        asked = "".join(f"{line}\n" for line in (commit, *(f"^{known}" for known in known)))
        how = ("--revs", "--stdout", "--quiet", "--delta-base-offset")
        pack = self._git.run("pack-objects", *how, input=asked.encode()).out
        git = Git(self._repo.common_dir)
        adopt_pack(self._repo, git, pack, RefMove(ref, commit, git.ref(ref), f"land {entry_id}"))
        return ref

    def _tree(self, commit: str) -> str:
        return self._git.text("rev-parse", "--verify", f"{commit}^{{tree}}")

    def _commit(
        self,
        tree: str,
        parents: Sequence[str],
        message: bytes,
        author: bytes = b"",
        encoding: bytes = b"",
    ) -> str:
        """Write a commit; without an `author` it is the person's."""
        who = author or self._person.text("var", "GIT_AUTHOR_IDENT").encode()
        hands = self._person.text("var", "GIT_COMMITTER_IDENT").encode()
        whole = [self._git.text("rev-parse", "--verify", parent) for parent in parents]
        lines = [b"tree " + tree.encode(), *(b"parent " + each.encode() for each in whole)]
        lines += [b"author " + who, b"committer " + hands]
        lines += [b"encoding " + encoding] if encoding else []
        data = b"\n".join([*lines, b"", message])
        done = self._git.run("hash-object", "-t", "commit", "-w", "--stdin", input=data)
        return done.text

    def _read(self, commit: str) -> "_Commit":
        head, _, message = self._git.run("cat-file", "commit", commit).out.partition(b"\n\n")
        found = re.search(rb"^author (.*)$", head, re.MULTILINE)
        encoding = re.search(rb"^encoding (.*)$", head, re.MULTILINE)
        return _Commit(
            author=found[1] if found else b"",
            encoding=encoding[1] if encoding else b"",
            message=message,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """What stays of a commit that is made anew."""

    author: bytes
    encoding: bytes
    message: bytes


def _messages(told: bytes) -> str:
    """The words of ``merge-tree -z``: number of paths, the paths, a kind, the words; and again."""
    parts = iter(told.split(b"\0"))
    words = []
    for number in parts:
        if not number.isdigit():
            continue
        for _ in range(int(number) + 1):
            next(parts, b"")
        words.append(next(parts, b"").decode("utf-8", "replace").strip())
    return "\n".join(word for word in words if word.startswith("CONFLICT"))


def _not_one_by_one(why: str) -> Conflict:
    return Conflict(
        f"The commits cannot land one by one: {why}.", hint="gitcmat land with --squash or --merge"
    )
