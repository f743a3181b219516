"""Differences as git prints them for a person: byte for byte, but by no program of theirs."""

from collections.abc import Sequence
from pathlib import Path

from gitcmat.store.git import Git


def printed(
    git_dir: Path, old: str, new: str, *, stat: bool, color: bool, paths: Sequence[str] = ()
) -> bytes:
    """Return what ``git diff OLD NEW -- PATHS`` prints; `paths` are pathspecs from the root.

    With `color` as a terminal would show it; without, ``git apply`` takes it.
    """
    how = [f"--color={'always' if color else 'never'}", *(["--stat"] if stat else [])]
    git = Git(git_dir, shown=True)
    plain = ("--no-ext-diff", "--no-textconv")
    return git.run("diff", *plain, *how, old, new, "--", *paths).out
