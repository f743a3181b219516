"""Whether work is on a branch already, whoever put it there and in whatever form."""

import re
from collections.abc import Iterable
from typing import Final

from gitcmat.store.git import Git, Repository
from gitcmat.store.landing_commits import workshop

_LOOK_AT: Final = 300
"""Commits of the branch that are compared, the latest first."""
_NAMES: Final = ("--no-ext-diff", "--no-renames")
_PAIR: Final = re.compile(rb"([0-9a-f]{40,64}) [0-9a-f]{40,64}\n")
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


def may_have_landed(git: Git, was: str, tip: str, works: Iterable[str]) -> set[str]:
    """Return those of `works`, commits, that may have come into a branch which went to `tip` from
    `was`, where they were not.

    A commit that brought one changed a file in which that work differs from `was`; to see this
    takes four processes for any number of works. What is not known here may have landed.
    """
    works = dict.fromkeys(works)
    if not git.ok("cat-file", "-e", f"{was}^{{commit}}"):
        return {*works}
    log = ("log", "--first-parent", "-m", "--format=", "--name-only", "-z", *_NAMES)
    new = {name.lstrip(b"\n") for name in git.run(*log, f"{was}..{tip}").out.split(b"\0")} - {b""}
    asked = "".join(f"{commit}^{{tree}}\n" for commit in (was, *works))
    told = git.run("cat-file", "--batch-check=%(objectname)", input=asked.encode()).text
    before, *trees = told.splitlines()
    of = dict(zip(works, trees, strict=True))
    found = {work for work, tree in of.items() if " " in tree}  # it says: missing
    pairs = "".join(f"{tree} {before}\n" for tree in dict.fromkeys(of.values()) if " " not in tree)
    told_of = git.run(
        "diff-tree", "--stdin", "-r", "--name-only", "-z", *_NAMES, input=pairs.encode()
    )
    touched, tree = set(), ""
    for part in told_of.out.split(b"\0"):
        while (head := _PAIR.match(part)) is not None:  # a line of its own, before the names
            tree, part = head[1].decode(), part[head.end() :]  # noqa: PLW2901
        if part in new:
            touched.add(tree)
    return found | {work for work, tree in of.items() if tree in touched}


def _patches(git: Git, diffs: bytes) -> dict[str, str]:
    """Patch id → commit, of what `git log -p` or `git diff-tree -p` print."""
    lines = git.run("patch-id", "--stable", input=diffs).text.splitlines()
    pairs = (line.split(" ", 1) for line in lines)
    return {pair[0]: pair[1] for pair in pairs if len(pair) == 2}  # noqa: PLR2004 - both ids
