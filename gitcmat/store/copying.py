"""Copies the ignored files that a project needs to run (``.env``) from the person's work tree."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from gitcmat.system.files import inside


def copy_in(source: Path, tree: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Copy files and folders by their paths from `source` into `tree`; return those not found.

    What is there already is left: a tracked file wins. Only regular files and folders are copied,
    and links inside a copied folder that stay inside it.

    Raises:
        InvalidData: a path leads out of either tree.
        OSError: a file cannot be read.
    """
    missing = []
    for name in names:
        origin, target = inside(source, name), inside(tree, name)
        if origin.is_symlink() or not (origin.is_file() or origin.is_dir()):
            missing.append(name)
        else:
            _copy(origin, target, root=origin)
    return tuple(missing)


def _copy(origin: Path, target: Path, *, root: Path) -> None:
    if origin.is_symlink():
        link = origin.readlink()
        if not link.is_absolute() and origin.resolve().is_relative_to(root.resolve()):
            target.symlink_to(link)
    elif origin.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        for child in sorted(origin.iterdir()):
            if child.name.lower() != ".git" and not (target / child.name).is_symlink():
                _copy(child, target / child.name, root=root)
    elif origin.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(origin, target, follow_symlinks=False)
