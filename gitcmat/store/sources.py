"""Which branches tasks are read from, and what a person has saved but not committed.

Everything here looks at the main work tree: a linked one is for looking around, and switching in it
starts nothing.
"""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gitcmat.model.settings import UserSettings
from gitcmat.store import layout, snapshot
from gitcmat.store.git import Git, Repository
from gitcmat.store.loose_refs import loose_ref
from gitcmat.store.snapshot import LINK, File

_HEADS: Final = "refs/heads/"

_UNDER_WAY: Final[tuple[tuple[str, str, str], ...]] = (
    ("rebase-merge", "a rebase", "git rebase --continue or --abort"),
    ("rebase-apply/applying", "a git am", "git am --continue or --abort"),
    ("rebase-apply", "a rebase", "git rebase --continue or --abort"),
    ("MERGE_HEAD", "a merge", "git commit, or git merge --abort"),
    ("CHERRY_PICK_HEAD", "a cherry-pick", "git cherry-pick --continue or --abort"),
    ("REVERT_HEAD", "a revert", "git revert --continue or --abort"),
    ("sequencer", "a cherry-pick or revert", "git cherry-pick --continue or --abort"),
    ("BISECT_LOG", "a bisect", "git bisect reset"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The tips to read."""

    new: str | None
    """Full ref of the branch that new tasks come from; None: from nowhere, for `why_no_new`."""
    why_no_new: str | None = None
    tips: Mapping[str, str]
    """Commit of each source that exists: of `new`, and of the entries that were asked for."""
    gone: frozenset[str] = frozenset()
    """Refs of entries that exist no more: their pending entries are to be held."""

    @property
    def not_from_here(self) -> str:
        """Why a task that was committed is not taken in."""
        return self.why_no_new or f"new tasks are read from {_short(self.new or '')}"


def sources(
    repo: Repository,
    git: Git,
    refs: Collection[str],
    settings: UserSettings,
    *,
    prefix: str = "cmat",
    ours: Collection[str] = (),
) -> Sources:
    """Find the tips to read; two processes at most.

    `refs` are the sources of unfinished entries. `prefix` is the setting ``branch.prefix`` and
    `ours` the full refs of branches that gitcmat made: none of them is ever a source, whoever has
    it checked out, because agents write them.
    """
    new, why = _branch_for_new(repo, settings)
    if new and is_for_review(new, prefix=prefix, ours=ours):
        why = f"{_short(new)} is a branch for review: tasks are not read from it"
        new = None
    asked = {ref for ref in refs if not is_for_review(ref, prefix=prefix, ours=ours)}
    tips = _tips(git, asked | ({new} if new else set()))
    if new and new not in tips:
        missing = "does not exist" if settings.trust_branch else "has no commit yet"
        why = f"{_short(new)} {missing}"
        new = None
    return Sources(new=new, why_no_new=why, tips=tips, gone=frozenset(asked - tips.keys()))


def is_for_review(ref: str, *, prefix: str = "cmat", ours: Collection[str] = ()) -> bool:
    """Whether a full ref is (or is named like) a branch of gitcmat's, or is no branch at all."""
    if not ref.startswith(_HEADS) or ref in ours:
        return True
    return any(ref.startswith(f"{_HEADS}{name}/") for name in ("cmat", prefix))


def under_way(git_dir: Path) -> tuple[str, str] | None:
    """Say what is under way in the work tree of `git_dir`, and the command that ends it."""
    for name, what, how in _UNDER_WAY:
        if (git_dir / name).exists():
            return what, how
    return None


def _branch_for_new(repo: Repository, settings: UserSettings) -> tuple[str | None, str | None]:
    if settings.trust_branch:
        return f"{_HEADS}{settings.trust_branch.removeprefix(_HEADS)}", None
    main = (
        repo.common_dir
    )  # also the git directory of the main work tree, and a bare repository itself
    if found := under_way(main):
        what, how = found
        return None, f"{what} is under way ({how})"
    head = Git(main).head()
    if head is None:
        return None, "HEAD is detached (git switch to a branch)"
    if not head.startswith(_HEADS):
        return None, f"HEAD is on {head}, which is no branch"
    return head, None


def _tips(git: Git, refs: Iterable[str]) -> dict[str, str]:
    read = {ref: loose_ref(git.git_dir, ref) for ref in refs}
    found = {ref: oid for ref, oid in read.items() if oid}
    wanted = sorted(read.keys() - found.keys())
    if not wanted:
        return found
    out = git.text("for-each-ref", "--format=%(refname) %(objecttype) %(objectname)", *wanted)
    lines = (line.split(" ") for line in out.splitlines())
    # A pattern also matches what lies below it; only whole names count.
    asked = {ref: oid for ref, kind, oid in lines if kind == "commit" and ref in wanted}
    return found | asked


def _short(ref: str) -> str:
    return ref.removeprefix(_HEADS)


class Unsaved(StrEnum):
    """How a file of the work tree differs from the commit that is checked out."""

    NEW = "new"
    CHANGED = "changed"
    DELETED = "deleted"
    LINK = "a symbolic link, which is not followed"
    """A new one; committing it would change nothing."""


@dataclass(frozen=True, slots=True, order=True)
class NotCommitted:
    """A file below ``.cmat/`` that is saved, not committed, and so not used."""

    path: str
    how: Unsaved


_FOLDERS: Final = frozenset({layout.CMAT, layout.TASKS, layout.AGENTS})


def saved_not_committed(repo: Repository) -> tuple[NotCommitted, ...]:
    """Compare the saved files below ``.cmat/`` with HEAD; empty for a bare repository.

    Not by ``git status``: that runs the filters and the fsmonitor of a configuration nobody has
    vouched for yet.
    """
    if repo.work_tree is None:
        return ()
    saved = snapshot.of_work_tree(repo.work_tree)
    git = Git(repo.git_dir)  # of this work tree, which may be a linked one with a HEAD of its own
    head = git.ref(git.head() or "HEAD")
    committed: dict[str, File] = {}
    if head is not None:
        committed = {f.path: f for f in snapshot.of_commit(git, head).files}
    contents = saved.read(f for f in saved.files if f.path in committed and f.regular)
    found = []
    for file in saved.files:
        then = committed.pop(file.path, None)
        if then is None:
            how = Unsaved.LINK if file.mode == LINK and file.path in _FOLDERS else Unsaved.NEW
            found.append(NotCommitted(file.path, how))
        elif LINK in (file.mode, then.mode):
            same = file.mode == then.mode and _link(repo.work_tree, file.path, repo) == then.blob
            found += [] if same else [NotCommitted(file.path, Unsaved.CHANGED)]
        else:
            content = contents.get(file.path)
            if not isinstance(content, bytes) or not _same(content, then.blob, repo.object_format):
                found.append(NotCommitted(file.path, Unsaved.CHANGED))
    hidden = (
        f.path for f in committed.values() if f.regular and not (repo.work_tree / f.path).exists()
    )
    found += [NotCommitted(path, Unsaved.DELETED) for path in hidden]
    return tuple(sorted(found))


def _same(content: bytes, blob: str, object_format: str) -> bool:
    """Equal to the blob, also where git turned line ends into CRLF on the way out."""
    either = (content, content.replace(b"\r\n", b"\n"))
    return any(blob_of(text, object_format) == blob for text in either)


def _link(root: Path, path: str, repo: Repository) -> str:
    target = str((root / path).readlink()).encode("utf-8", "surrogateescape")
    return blob_of(target, repo.object_format)


def blob_of(content: bytes, object_format: str) -> str:
    """Return the id that git gives to this content."""
    return hashlib.new(object_format, b"blob %d\0%b" % (len(content), content)).hexdigest()
