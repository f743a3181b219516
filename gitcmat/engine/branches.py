"""The branch that a person reviews, ``cmat/<id>``: moved only from where gitcmat put it, and only
when nobody stands on it.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from gitcmat.engine.deps import Deps
from gitcmat.errors import Conflict
from gitcmat.model.entry import Entry
from gitcmat.model.names import short
from gitcmat.store import refs
from gitcmat.store.fetching import fetched
from gitcmat.store.git import Git


@dataclass(frozen=True, slots=True, kw_only=True)
class Tip:
    """Where the work of an entry is now."""

    commit: str
    """The branch's tip where it holds the work, else what the last run brought home."""
    by_person: bool
    """Whether a person committed on top of what gitcmat put there."""


def publish(deps: Deps, entry: Entry, prefix: str) -> Entry:
    """Put the entry's result on its branch; return the entry with branch, or with a mark that
    says how to take the result.
    """
    branch = entry.branch or refs.branch_ref(prefix, entry.id)
    git = deps.git
    at = git.ref(branch) if entry.branch_head else None
    done = replace(entry, published=entry.head)
    # One that a person deleted is made again: nothing of theirs is lost by it.
    if at is None or (at == entry.branch_head != entry.head and branch not in occupied(git)):
        try:
            git.update_ref(branch, entry.head, at, why=f"gitcmat: result of {entry.run}")
        except Conflict:
            at = git.ref(branch)
        else:
            at = entry.head
    if at == entry.head:
        return replace(done, branch=branch, branch_head=entry.head)
    kept = refs.run_ref(entry.run or "")
    mark = f"{_why_not(git, entry, branch, at)}; take the result with: git merge {kept}"
    return replace(done, marks=(*entry.marks, mark))


def _why_not(git: Git, entry: Entry, branch: str, at: str | None) -> str:
    name = branch.removeprefix(refs.BRANCHES)
    if at is None:
        return f"{name} cannot be made ({_in_the_way(git, name)})"
    if not entry.branch_head:
        return f"{name} was there before and was left alone"
    why = "is checked out" if at == entry.branch_head else "was moved by a person"
    return f"{name} {why} and was left alone"


def _in_the_way(git: Git, name: str) -> str:
    """What keeps a branch from being made: git cannot have both ``cmat`` and ``cmat/a``."""
    parts = name.split("/")
    above = ["/".join(parts[:n]) for n in range(1, len(parts))]
    below = git.text("for-each-ref", "--format=%(refname:lstrip=2)", f"{refs.BRANCHES}{name}/")
    for taken in [n for n in above if git.ref(refs.BRANCHES + n)] + below.splitlines():
        return f"there is a branch {taken}"
    return "another git process is at work on it"


def tip(git: Git, entry: Entry) -> Tip:
    """Return where the work of an entry is: a person's commits on the branch are part of it."""
    at = git.ref(entry.branch) if entry.branch else None
    if at is None or at == entry.head or not entry.branch_head:
        return Tip(commit=entry.head, by_person=False)
    if at == entry.branch_head or not contains(git, at, entry.branch_head):
        # Not moved since, while the result lies elsewhere; or rewound: the result is the work.
        return Tip(commit=entry.head, by_person=False)
    if entry.head != entry.branch_head and not contains(git, at, entry.head):
        return Tip(commit=entry.head, by_person=False)
    return Tip(commit=at, by_person=True)


def contains(git: Git, commit: str, ancestor: str) -> bool:
    """Whether `ancestor` is `commit` or in its history."""
    return git.ok("merge-base", "--is-ancestor", ancestor, commit)


def target_tip(git: Git, target: str) -> str | None:
    """Return what work for a full branch starts from; None where that branch is gone.

    That is its tip here, or that on the forge, as fetched last, where ours only lags behind: what
    a pull request merged is there, and the person may not have pulled yet.
    """
    here = git.ref(target)
    there = fetched(git, target) if here else None
    return there if there and here and contains(git, there, here) else here


def occupied(git: Git) -> frozenset[str]:
    """Full names of branches that are checked out somewhere, or being rebased or bisected."""
    found: set[str] = set()
    worktrees = git.run("worktree", "list", "--porcelain", "-z").out
    for line in worktrees.split(b"\0"):
        if line.startswith(b"branch "):
            found.add(line.removeprefix(b"branch ").decode("utf-8", "surrogateescape"))
    for name in ("rebase-merge/head-name", "rebase-apply/head-name", "BISECT_START"):
        for folder in (git.git_dir, *_linked(git)):
            found |= _named(folder / name)
    return frozenset(found)


def _linked(git: Git) -> list[Path]:
    folder = git.git_dir / "worktrees"
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _named(file: Path) -> set[str]:
    try:
        text = file.read_text("utf-8", "surrogateescape").strip()
    except OSError:
        return set()
    return {text if text.startswith("refs/") else refs.BRANCHES + text}


def drop(deps: Deps, entry: Entry) -> bool:
    """Delete the branch of a landed entry, unless it is checked out, or would take commits of a
    person with it that are nowhere else.
    """
    at = deps.git.ref(entry.branch) if entry.branch else None
    if at is None or not _is_kept(deps.git, entry, at) or entry.branch in occupied(deps.git):
        return False
    return deps.git.delete_ref(entry.branch, at)


def _is_kept(git: Git, entry: Entry, at: str) -> bool:
    """Whether a commit stays when the branch goes: the runs' refs have what gitcmat put there."""
    landed = entry.landing.commit if entry.landing else None
    return at == entry.branch_head or (landed is not None and contains(git, landed, at))


def why_left(git: Git, entry: Entry) -> str:
    """Say why the branch of a landed entry is still there, and how to delete it; empty when it is
    not.
    """
    at = git.ref(entry.branch) if entry.branch else None
    if at is None:
        return ""
    name = entry.branch.removeprefix(refs.BRANCHES)
    if entry.branch in occupied(git):
        return f"{name} is left: it is checked out; once it is not: git branch -D {name}"
    moved = not contains(git, at, entry.branch_head)
    why = "you moved it" if moved else "you committed on it, and only it has those commits"
    return f"{name} is left: {why}; to delete it: git branch -D {name}"


def shown(entry: Entry) -> str:
    """The branch as a person names it, or the commit where there is none."""
    return entry.branch.removeprefix(refs.BRANCHES) if entry.branch else short(entry.head)
