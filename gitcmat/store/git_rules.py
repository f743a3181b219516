"""What every git process of gitcmat is told (SAFETY 4c), carried by the environment.

So it holds for git, for what git starts, and for GitPython alike: every inherited ``GIT_*`` name is
dropped, then ours are set.
"""

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData, NotFound
from gitcmat.store.borrowing import linked_trees
from gitcmat.system.files import read_regular

MINIMUM: Final = (2, 38)
"""The oldest git that works: ``merge-tree --write-tree`` came with 2.38."""

_LARGEST: Final = 100_000
"""Bytes of a ``.git`` that is a file."""

_SETTINGS: Final[tuple[tuple[str, str], ...]] = (
    ("core.fsmonitor", "false"),
    ("core.fsync", "committed"),
    ("core.pager", "cat"),
    ("core.logAllRefUpdates", "true"),
    ("core.filesRefLockTimeout", "2000"),  # a gc that packs refs holds each for a moment
    ("core.packedRefsTimeout", "5000"),
    ("safe.bareRepository", "explicit"),
    ("protocol.ext.allow", "never"),
    ("protocol.file.allow", "user"),
    ("submodule.recurse", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("advice.detachedHead", "false"),
)

_READ_BY_US: Final = (("core.quotePath", "false"),)
"""What makes output easier to read for a program, and different from what the person's git says."""

_SILENT: Final[tuple[tuple[str, str], ...]] = (
    ("core.hooksPath", os.devnull),
    ("commit.gpgSign", "false"),
)


_ours: Final[set[Path]] = set()
"""Work trees of repositories that this process works in: nothing in one is ever taken for git."""


def program_at(start: Path) -> str:
    """Return `program`, which from now on is none in the repository around `start` either."""
    trees = _trees_around(start)
    if not trees <= _ours:
        _ours.update(trees)
        program.cache_clear()
    return program()


@functools.cache
def program() -> str:
    """Return the absolute path of git, found on PATH: no relative entry, and nothing that lies in
    the repository around the current folder or in one that is worked in (`program_at`).
    """
    ours = _ours | _trees_around(Path())
    # Not by shutil.which: its import costs as much as git itself, for every command.
    for folder in os.get_exec_path():
        for name in ("git", "git.exe"):
            path = Path(folder, name)
            if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
                places = (Path(os.path.normpath(path)), path.resolve())
                if all(ours.isdisjoint(place.parents) for place in places):
                    return str(path)
    hint = "install git 2.38 or newer, outside of this repository"
    raise NotFound("git is not installed", hint=hint)


def _trees_around(place: Path) -> set[Path]:
    """All work trees of the repository that a folder lies in, by looking alone: no git is known
    yet that could be asked.
    """
    try:
        whole = place.resolve()
    except FileNotFoundError:  # the current folder is gone
        return set()
    top = next((p for p in (whole, *whole.parents) if os.path.lexists(p / ".git")), None)
    if top is None:
        return set()
    common = _common_dir(top / ".git")
    main = {common.parent} if common.name == ".git" else set()
    return {top, *main, *(tree.resolve() for tree in linked_trees(common))}


def _common_dir(found: Path) -> Path:
    """The git directory that all work trees share, from the ``.git`` of one."""
    if found.is_dir():
        return found
    try:
        text = read_regular(found, _LARGEST).decode("utf-8", "surrogateescape")
    except (OSError, InvalidData):
        return found
    own = found.parent / text.removeprefix("gitdir:").strip()
    return own.parent.parent.resolve() if own.parent.name == "worktrees" else own


def environment(
    extra: Mapping[str, str] | None = None,
    *,
    silent: bool = True,
    shown: bool = False,
    settings: Iterable[tuple[str, str]] = (),
) -> dict[str, str]:
    """Return the environment of a git process.

    `silent` switches the person's hooks and commit signing off; it is False only for commits that
    a person typed. `shown` is for output that a person is given as git prints it: paths are quoted
    as they have set it. `settings` are further ``-c`` values.
    """
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k in _KEPT}
    ours = () if shown else _READ_BY_US
    chosen = [*_SETTINGS, *ours, *(_SILENT if silent else ()), *settings]
    env["GIT_CONFIG_COUNT"] = str(len(chosen))
    for i, (key, value) in enumerate(chosen):
        env[f"GIT_CONFIG_KEY_{i}"] = key
        env[f"GIT_CONFIG_VALUE_{i}"] = value
    env.update(GIT_TERMINAL_PROMPT="0", GIT_OPTIONAL_LOCKS="0", GIT_NO_LAZY_FETCH="1")
    env.update(LC_ALL="C", GIT_EDITOR="true", GIT_PAGER="cat")
    env.update(extra or {})
    return env


_KEPT: Final = frozenset(
    {
        "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM",
        "GIT_AUTHOR_NAME",
        "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME",
        "GIT_COMMITTER_EMAIL",
        "GIT_CEILING_DIRECTORIES",
        "GIT_SSL_CAINFO",
    }
)
"""The person's own set-up: who they are, where settings lie; not which repository to use."""
