"""Who brought a file: the author of the last commit that changed it, as git knows them."""

from collections.abc import Collection, Iterable, Mapping

from gitcmat.model.audit import Brought
from gitcmat.model.job import Identity
from gitcmat.store.git import Git


def authors(git: Git, asked: Iterable[Brought]) -> dict[Brought, Identity]:
    """Return who brought each file, or deleted it; without those of which git knows nothing (any
    more).

    What one commit brought is answered by one process, however many files that are.
    """
    files: dict[tuple[str, bool], set[str]] = {}
    for commit, path, gone in asked:
        files.setdefault((commit, gone), set()).add(path)
    return {
        Brought(commit, path, gone): author
        for (commit, gone), paths in files.items()
        for path, author in _of_commit(git, commit, paths, gone=gone).items()
    }


def _of_commit(
    git: Git, commit: str, paths: Collection[str], *, gone: bool
) -> Mapping[str, Identity]:
    found: dict[str, Identity] = {}
    left = sorted(paths)
    while left:
        last = _last(git, commit, left, gone=gone)
        if last is None:
            break
        author, changed = last
        named = [path for path in left if path in changed]
        if not named and len(left) > 1:  # a merge, which names no file: one by one
            for path in left:
                found |= _of_commit(git, commit, [path], gone=gone)
            break
        found |= dict.fromkeys(named or left, author)
        left = [path for path in left if path not in found]
    return found


def _last(
    git: Git, commit: str, paths: Collection[str], *, gone: bool
) -> tuple[Identity, frozenset[str]] | None:
    """The author of the last commit that changed one of `paths`, and which it changed."""
    what = ("--full-history", "--diff-filter=D") if gone else ()
    how = ("-1", "-z", "--name-only", "--no-renames", "--no-show-signature", "--no-color")
    literal = [f":(top,literal){path}" for path in paths]
    form = "--format=%an%x00%ae%x00"
    out = git.maybe("log", *how, *what, form, "--end-of-options", commit, "--", *literal)
    if not out:
        return None
    name, email, *names = out.split("\0")
    return Identity(name=name, email=email), frozenset(text.strip("\n") for text in names)
