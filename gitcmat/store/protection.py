"""Puts protected paths of the base over an agent's result, so that a gate judges by the base's."""

import os
from collections.abc import Sequence

from gitcmat.errors import NotFound
from gitcmat.store.vault import Vault
from gitcmat.system.files import remove_tree

_ABSENT = b"000000"


def overlay(vault: Vault, base: str, paths: Sequence[str]) -> tuple[str, ...]:
    """Make the paths that match these pathspecs (globs) what they are in `base`.

    Returns those that differ between `base` and what is checked out. The index is not changed.

    Raises:
        NotFound: nothing is checked out.
    """
    commit = vault.head()
    if commit is None:
        raise NotFound(f"Nothing is checked out in {vault.tree}.", hint="gitcmat doctor")
    if not paths or commit == base:
        return ()
    differ = _differing(vault, base, commit, paths)
    back = [path for path, mode in differ.items() if mode != _ABSENT]
    for path in differ.keys() - set(back):
        remove_tree(vault.tree / os.fsdecode(path))
    if back:
        private = {"GIT_INDEX_FILE": str(vault.folder / "overlay-index")}
        vault.git.run("read-tree", base, env=private)
        fed = b"".join(path + b"\0" for path in back)
        vault.git.run("checkout-index", "-f", "-q", "-z", "--stdin", input=fed, env=private)
        (vault.folder / "overlay-index").unlink()
    return tuple(sorted(os.fsdecode(path) for path in differ))


def _differing(vault: Vault, base: str, commit: str, paths: Sequence[str]) -> dict[bytes, bytes]:
    """Return the paths that differ, with their mode in `base`."""
    how = ("diff-tree", "-r", "-z", "--raw", "--no-renames")
    globs = {"GIT_GLOB_PATHSPECS": "1"}
    done = vault.git.run(*how, base, commit, "--", *paths, env=globs)
    parts = done.out.split(b"\0")
    return {path: meta[1:7] for meta, path in zip(parts[::2], parts[1::2], strict=False)}
