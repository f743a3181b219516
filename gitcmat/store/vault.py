"""The vault of a workspace: a git directory of ours over the agent's files.

An agent can write its own ``.git``: settings that name programs, an index that hides files, refs,
objects. So gitcmat never runs git with it. The vault lies outside of the work tree, has its own
settings and index, and reads the person's objects; what an agent committed is taken over once, as a
checked pack.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.store.borrowing import leads_out, lenders
from gitcmat.store.git import Git
from gitcmat.store.gitdirs import PRIVATE, GitFolder, make_empty, quoted
from gitcmat.system.files import remove_tree
from gitcmat.system.proc import Done, Timeout

_SETTINGS: Final = (
    ("core.fsync", "none"),  # nothing here must survive a power cut: what counts is brought home
    ("core.looseCompression", "1"),
    ("core.attributesFile", os.devnull),
    ("core.excludesFile", os.devnull),
    ("core.autocrlf", "false"),
    ("core.safecrlf", "false"),
    ("core.sparseCheckout", "false"),
    ("core.untrackedCache", "false"),
    ("checkout.workers", "0"),
    ("checkout.thresholdForParallelism", "10000"),
)
_FOREIGN: Final = (
    # Both are caches that git believes without a look at the objects.
    ("core.commitGraph", "false"),
    ("core.multiPackIndex", "false"),
)
_AS_BYTES: Final = b"* -text !eol !ident !working-tree-encoding !filter\n"
_TAKE_SECONDS: Final = 300.0
_EMPTY_PACK: Final = 12 + 32
_SUBMODULE: Final = b"160000"


@dataclass(frozen=True, slots=True)
class Listing:
    """The paths of a commit, as bytes from the root."""

    paths: frozenset[bytes]
    submodules: frozenset[bytes]


class Vault:
    """Our git directory `folder` over the work tree `tree`."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.folder = folder
        self.tree = tree
        self.git = Git(folder, work_tree=tree, env=PRIVATE, settings=_SETTINGS)
        self._reader = Git(folder, env=PRIVATE, settings=(*_SETTINGS, *_FOREIGN))

    @property
    def settings(self) -> tuple[tuple[str, str], ...]:
        """What its git is told beside its own configuration."""
        return _SETTINGS

    @property
    def objects(self) -> Path:
        """The folder of the vault's own objects."""
        return self.folder / "objects"

    @property
    def agent(self) -> Path:
        """The agent's git directory."""
        return self.tree / ".git"

    def renew(self, parts: GitFolder) -> None:
        """Write all parts but the index anew, and forget all objects: those of use are home."""
        remove_tree(self.objects)
        parts.write(self.folder)
        for name in ("index.lock", "info/attributes"):
            (self.folder / name).unlink(missing_ok=True)

    def listing(self, commit: str) -> Listing:
        """Return all paths of a commit.

        Raises `GitError` when it is not there.
        """
        rows = self._reader.run("ls-tree", "-r", "-z", "--full-tree", commit).out.split(b"\0")
        pairs = [row.split(b"\t", 1) for row in rows if row]
        return Listing(
            frozenset(path for _, path in pairs),
            frozenset(path for meta, path in pairs if meta.startswith(_SUBMODULE)),
        )

    def check_out(self, commit: str) -> None:
        """Make every tracked file that of `commit`, and the index too; others stay."""
        self._forget_head()
        self.git.run("read-tree", "--reset", "-u", commit)
        self.note_head(commit)

    def point_to(self, commit: str) -> None:
        """Make the index that of `commit` and leave the files alone."""
        if self.head() == commit and (self.folder / "index").exists():
            return
        self._forget_head()
        self.git.run("read-tree", "--reset", commit)
        self.note_head(commit)

    def head(self) -> str | None:
        """The commit that the index was made from, None when that was broken off."""
        text = (self.folder / "HEAD").read_text(encoding="ascii", errors="replace").strip()
        return None if text.startswith("ref:") else text

    def note_head(self, commit: str) -> None:
        """Say that the index is that of `commit`."""
        (self.folder / "HEAD").write_text(f"{commit}\n", encoding="ascii")

    def treat_files_as_bytes(self) -> None:
        """From here on convert nothing: an attribute of the agent's can make git refuse a file."""
        (self.folder / "info" / "attributes").write_bytes(_AS_BYTES)

    def trees(self, *commits: str) -> tuple[str, ...]:
        """Return the tree of each commit."""
        asked = [f"{commit}^{{tree}}" for commit in commits]
        return tuple(self._reader.text("rev-parse", *asked).splitlines())

    def descends(self, ancestor: str, commit: str) -> bool:
        """Whether `commit` is `ancestor` or comes after it."""
        return commit == ancestor or self._reader.ok(
            "merge-base", "--is-ancestor", ancestor, commit
        )

    def take(self, tips: Sequence[str], known: Iterable[str]) -> bool:
        """Take over commits that the agent made after `known`; whether they are here, whole.

        Every object is read, checked as ``git fsck`` does and stored anew, so that later nothing
        depends on files that an agent, or a process it left behind, can still write.
        """
        if not tips:
            return True
        with_agent = self._with_agent()
        if with_agent is None:
            return False
        asked = [f"{tip}^{{commit}}" for tip in tips] + [f"^{commit}" for commit in known]
        how = ("--revs", "--stdout", "--quiet", "--delta-base-offset")
        try:
            made = self._run_with_agent("pack-objects", *how, asked=asked, env=with_agent)
            if made.code != 0:
                return False
            if len(made.out) <= _EMPTY_PACK:
                return all(self._reader.rev(tip) for tip in tips)
            checked = self._reader.run(
                "index-pack", "--stdin", "--strict", input=made.out, ok=(), timeout=_TAKE_SECONDS
            )
        except Timeout:  # a pipe where a pack should be
            return False
        return checked.code == 0

    def unreached(self, tips: Iterable[str], known: Iterable[str]) -> frozenset[str]:
        """Return those of the agent's `tips` that `known` do not reach; none if unreadable."""
        with_agent = self._with_agent()
        if with_agent is None:
            return frozenset()
        asked = [*tips, *(f"^{commit}" for commit in known)]
        try:
            done = self._run_with_agent(
                "rev-list", "--ignore-missing", "--stdin", asked=asked, env=with_agent
            )
        except Timeout:
            return frozenset()
        return frozenset(done.out.decode("ascii", "replace").split())

    def pack(self, commit: str, known: Iterable[str]) -> Path:
        """Write what `commit` needs beyond `known` as a pack, and return its file."""
        folder = self.folder / "home"
        make_empty(folder)
        asked = [commit, *(f"^{each}" for each in known)]
        how = ("--revs", "--quiet", "--delta-base-offset")
        fed = "".join(f"{line}\n" for line in asked).encode()
        done = self._reader.run("pack-objects", *how, folder / "pack", input=fed)
        pack = folder / f"pack-{done.text}.pack"
        pack.chmod(0o600)  # git writes it read-only, and who takes it in syncs it to the disk
        return pack

    def unmerged(self) -> tuple[str, ...]:
        """The paths that the agent's own index calls unmerged; it is read as data."""
        index = self.agent / "index"
        if index.is_symlink() or not index.is_file():
            return ()
        try:
            done = self._reader.run(
                "ls-files", "-u", "-z", env={"GIT_INDEX_FILE": str(index)}, ok=(), timeout=30
            )
        except Timeout:
            return ()
        rows = [row.split(b"\t", 1) for row in done.out.split(b"\0") if row]
        return tuple(sorted({os.fsdecode(row[1]) for row in rows})) if done.code == 0 else ()

    def files_below(self, folder: Path) -> list[bytes]:
        """The files in a nested repository that are not ignored; a folder in it ends with ``/``."""
        git = Git(self.folder, work_tree=folder, env=PRIVATE, settings=_SETTINGS)
        none = {"GIT_INDEX_FILE": str(self.folder / "no-index")}
        done = git.run("ls-files", "--others", "--exclude-standard", "-z", env=none)
        return [name for name in done.out.split(b"\0") if name]

    def _run_with_agent(
        self, *args: str | Path, asked: Sequence[str], env: Mapping[str, str]
    ) -> Done:
        fed = "".join(f"{line}\n" for line in asked).encode()
        return self._reader.run(*args, input=fed, env=env, ok=(), timeout=_TAKE_SECONDS)

    def _with_agent(self) -> dict[str, str] | None:
        """Let git read the agent's objects too; None when they are not plain folders and files of
        its own: we may read what a sandbox has kept from the agent.
        """
        objects = self.agent / "objects"
        alternates = objects / "info" / "alternates"
        if any(path.is_symlink() for path in (self.agent, objects)):
            return None
        if not objects.is_dir() or (alternates.exists() and not alternates.is_file()):
            return None
        if leads_out(objects, (*lenders(self.objects), self.objects)):
            return None
        return {"GIT_ALTERNATE_OBJECT_DIRECTORIES": os.fsdecode(quoted(objects))}

    def _forget_head(self) -> None:
        (self.folder / "HEAD").write_text("ref: refs/heads/none\n", encoding="ascii")
