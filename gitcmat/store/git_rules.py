"""What every git process of gitcmat is told (SAFETY 4c), carried by the environment.

So it holds for git, for what git starts, and for GitPython alike: every inherited ``GIT_*`` name is
dropped, then ours are set.
"""

import functools
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gitcmat.errors import NotFound

MINIMUM: Final = (2, 38)
"""The oldest git that works: ``merge-tree --write-tree`` came with 2.38."""

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


@functools.cache
def program() -> str:
    """Return the absolute path of git, found on PATH without relative entries."""
    # Not by shutil.which: its import costs as much as git itself, for every command.
    for folder in os.get_exec_path():
        for name in ("git", "git.exe"):
            path = Path(folder, name)
            if path.is_absolute() and path.is_file() and os.access(path, os.X_OK):
                return str(path)
    raise NotFound("git is not installed", hint="install git 2.38 or newer")


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
