"""Whether a task file was committed here, by the person at this machine.

A blob was made here when every commit that brings it in, reachable from any ref, is in a reflog of
this repository as a plain ``commit``, ``commit (initial)`` or ``commit (amend)``. What a merge,
pull, rebase, cherry-pick, am, fetch, reset, clone or import brought is logged under other words and
never counts. A yes is kept in the ledger (`gitcmat.store.ledger`), so that a later rebase or revert
does not take it back.

Known limits. ``merge --squash``, ``cherry-pick -n``, ``apply`` and ``checkout BRANCH -- PATH``
followed by a commit log ``commit`` too. They are told apart only as long as the foreign commit is
still reachable from a ref or from ``FETCH_HEAD``: content that a person applies from a patch file
and commits is taken for their own. Programs that write commits without a reflog (GitPython,
dulwich) always need ``task approve``.
"""

import os
from collections.abc import Collection, Iterable
from typing import Final

from gitcmat.store.git import Git, Repository

_PLAIN: Final = ("commit: ", "commit (initial): ", "commit (amend): ")
_AMEND: Final = "commit (amend): "
_RAW: Final = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-color", "--no-ext-diff")
_ENV: Final = {"GIT_NO_REPLACE_OBJECTS": "1"}


def made_here(repo: Repository, git: Git, blobs: Collection[str]) -> frozenset[str]:
    """Return those of `blobs` that were made here.

    Three processes however many blobs there are; the whole history is walked only for blobs that
    some commit made here brings.
    """
    if not blobs:
        return frozenset()
    here, amended = _made_here(repo, git)
    likely = _brought_by(git, here, blobs)
    if not likely:
        return frozenset()
    foreign = _brought_by_others(repo, git, here, amended, likely)
    return frozenset(likely - foreign)


def _made_here(repo: Repository, git: Git) -> tuple[set[str], set[str]]:
    """Commits that the reflogs name as made here, and those that an amend replaced."""
    heads = ["main-worktree/HEAD"]
    linked = repo.common_dir / "worktrees"
    if linked.is_dir():
        heads += [f"worktrees/{p.name}/HEAD" for p in linked.iterdir() if (p / "HEAD").exists()]
    done = git.asked(
        "log", "-g", "--ignore-missing", "--no-show-signature", "--no-color", "-z",
        "--format=%gD%x01%H%x01%gs", "--branches", *heads, "--", env=_ENV
    )  # fmt: skip
    here: set[str] = set()
    replaced: set[str] = set()
    waiting: set[str] = set()
    for line in done.out.decode("utf-8", "surrogateescape").split("\0"):
        name, _, rest = line.strip("\n").partition("\1")
        commit, _, said = rest.partition("\1")
        log = name.partition("@{")[0]
        if log in waiting:  # newest first: this is what the amend above stood on
            waiting.discard(log)
            replaced.add(commit)
        if said.startswith(_PLAIN):
            here.add(commit)
        if said.startswith(_AMEND):
            waiting.add(log)
    return here, replaced


def _brought_by(git: Git, commits: Collection[str], blobs: Collection[str]) -> set[str]:
    """Those of `blobs` that one of `commits` brings in."""
    if not commits or not blobs:
        return set()
    fed = "".join(f"{commit}\n" for commit in sorted(commits)).encode()
    wanted = [f"--find-object={blob}" for blob in sorted(blobs)]
    done = git.asked(
        "diff-tree", "--stdin", "--root", "-r", *_RAW, *wanted, input=fed, env=_ENV
    )  # fmt: skip
    return {blob for blob in _new_sides(done.out.split(b"\0")) if blob in blobs}


def _brought_by_others(
    repo: Repository,
    git: Git,
    here: Collection[str],
    amended: Iterable[str],
    blobs: Collection[str],
) -> set[str]:
    """Those of `blobs` that a commit brings in which was not made here, or that cannot be told."""
    tips = [*sorted(amended), *_fetched(repo)]
    wanted = [f"--find-object={blob}" for blob in sorted(blobs)]
    done = git.asked(
        "log", "--exclude=refs/cmat/*", "--exclude=refs/stash", "--all", "--stdin",
        "--ignore-missing", "--full-history", "-c", "--format=%x01%H", "--no-show-signature",
        *_RAW, *wanted,
        input="".join(f"{tip}\n" for tip in tips).encode(), env=_ENV
    )  # fmt: skip
    if done.code != 0:
        return set(blobs)
    foreign: set[str] = set()
    for part in done.out.split(b"\1")[1:]:
        commit, _, changes = part.partition(b"\0")
        if commit.decode("ascii", "replace").strip() not in here:
            foreign.update(_new_sides(changes.split(b"\0")))
    return foreign & set(blobs)


def _new_sides(fields: Iterable[bytes]) -> set[str]:
    """The blobs in raw diff lines that are there after the commit, not those that were before."""
    lines = (field.strip(b"\n") for field in fields)
    return {os.fsdecode(line.split(b" ")[-2]) for line in lines if line.startswith(b":")}


def _fetched(repo: Repository) -> list[str]:
    """What the last fetch brought, also without a ref."""
    found: list[str] = []
    for folder in {repo.common_dir, repo.git_dir}:
        try:
            text = (folder / "FETCH_HEAD").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        found += [line.split("\t")[0] for line in text.splitlines()]
    return [oid for oid in found if oid and set(oid) <= set("0123456789abcdef")]
