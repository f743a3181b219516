"""Differences as git prints them for a person: byte for byte, but by no program of theirs."""

from collections.abc import Sequence
from pathlib import Path

from gitcmat.store.git import Git


def printed(git_dir: Path, old: str, new: str, *, stat: bool, paths: Sequence[str] = ()) -> bytes:
    """Return what ``git diff OLD NEW -- PATHS`` prints, as ``git apply`` takes it; `paths` are
    pathspecs from the root.
    """
    how = ["--color=never", *(["--stat"] if stat else [])]
    git = Git(git_dir, shown=True)
    plain = ("--no-ext-diff", "--no-textconv")
    return git.run("diff", *plain, *how, old, new, "--", *paths).out
