"""Whether work is on a branch already, whoever put it there and in whatever form."""

from typing import Final

from gitcmat.store.git import Git, Repository
from gitcmat.store.landing_commits import workshop

_LOOK_AT: Final = 300
"""Commits of the branch that are compared, the latest first."""
_DIFF: Final = ("--no-ext-diff", "--no-textconv", "--full-index", "--binary", "--no-renames")


def found_landing(repo: Repository, git: Git, tip: str, work: str) -> str | None:
    """Return the commit in the history of `tip` that brought `work` there; None if none did.

    Looked for in this order: the commits of the work themselves, a commit with the same tree, one
    with the same change (by its patch id), and at last whether `tip` has all of it: then that is
    returned.
    """
    fork = git.maybe("merge-base", tip, work)
    if fork is None or fork == tip:
        return None
    if fork == work:
        return work
    tree = git.text("rev-parse", f"{work}^{{tree}}")
    if tree == git.text("rev-parse", f"{fork}^{{tree}}"):
        return None  # it changes nothing, so everything has it
    since = ("--first-parent", f"--max-count={_LOOK_AT}", f"{fork}..{tip}")
    for line in git.text("log", "--format=%H %T", *since).splitlines():
        commit, _, its = line.partition(" ")
        if its == tree:
            return commit
    wanted = _patches(git, git.run("diff-tree", "-p", *_DIFF, fork, work).out)
    made = git.run("log", "--no-merges", "--format=%H", "-p", *_DIFF, *since).out
    for patch, commit in _patches(git, made).items():
        if patch in wanted:
            return commit
    with workshop(repo) as shop:
        merged = shop.merge(tip, work)
    whole = git.text("rev-parse", f"{tip}^{{tree}}")
    return tip if merged.tree == whole and not merged.conflicts else None


def _patches(git: Git, diffs: bytes) -> dict[str, str]:
    """Patch id → commit, of what `git log -p` or `git diff-tree -p` print."""
    lines = git.run("patch-id", "--stable", input=diffs).text.splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - both ids
