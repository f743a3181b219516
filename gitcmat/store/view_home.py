"""In which work tree the view is: the one where it was first written, which `init` decides."""

import os
from dataclasses import dataclass
from pathlib import Path

from gitcmat.store.git import Git, Repository
from gitcmat.system.files import write_atomic


@dataclass(frozen=True, slots=True)
class Home:
    """A work tree and the git directory that holds its HEAD and index."""

    work_tree: Path
    git_dir: Path


def find_home(repo: Repository) -> Home | None:
    """Return the home of the view, None in a bare repository without work trees.

    It is remembered by the name of its git directory, so that it is found again after a move. Where
    that work tree was removed, and before the first `settle_home`, it is the main work tree.
    """
    try:
        name = _note(repo).read_bytes()
    except FileNotFoundError:
        return _default(repo)
    git_dir = Path(os.path.normpath(repo.common_dir / os.fsdecode(name.rstrip(b"\n"))))
    tree = _work_tree(repo, git_dir)
    return Home(tree, git_dir) if tree and tree.is_dir() else _default(repo)


def settle_home(repo: Repository, home: Home) -> None:
    """Remember that the view is in this work tree."""
    name = os.fsencode(os.path.relpath(home.git_dir, repo.common_dir)) + b"\n"
    note = _note(repo)
    if not note.exists() or note.read_bytes() != name:
        write_atomic(note, name)


def _note(repo: Repository) -> Path:
    return repo.cmat / "view/home"


def _work_tree(repo: Repository, git_dir: Path) -> Path | None:
    if git_dir == repo.git_dir and repo.work_tree:
        return repo.work_tree
    if git_dir == repo.common_dir:
        return repo.main_work_tree
    try:
        return Path(os.fsdecode((git_dir / "gitdir").read_bytes().rstrip(b"\n"))).parent
    except FileNotFoundError:
        return None


def _default(repo: Repository) -> Home | None:
    if repo.work_tree is None:
        return None
    own = Home(repo.work_tree, repo.git_dir)
    if repo.git_dir == repo.common_dir or repo.main_work_tree is None:
        return own
    if Git(repo.common_dir).text("rev-parse", "--is-bare-repository") == "true":
        return own
    return Home(repo.main_work_tree, repo.common_dir)
