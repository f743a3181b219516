"""The world a test may see: an empty home, no configuration, no tokens, no real agent."""

import os
import stat
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

REAL_AGENTS: Final = (
    "aider",
    "amp",
    "claude",
    "codex",
    "copilot",
    "cursor-agent",
    "gemini",
    "goose",
    "mini",
    "opencode",
    "qwen",
)
"""Programs that cost money or reach the network; started by a test, they fail it."""

_PASSED: Final = ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CI")
_PASSED_PREFIXES: Final = ("PYTEST_", "HYPOTHESIS_", "COV_", "COVERAGE_", "PIP_")

_TRIPWIRE: Final = """\
#!/bin/sh
# Stands where a real agent could be found.
echo "$0" >> "{log}"
echo "a test started the real agent ${{0##*/}}" >&2
exit 97
"""


def allowed(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what tests may inherit of `environ`: a list of names, so that nothing slips in."""
    return {k: v for k, v in environ.items() if k in _PASSED or k.startswith(_PASSED_PREFIXES)}


def clean(environ: Mapping[str, str], *, home: Path, tripwires: Path) -> dict[str, str]:
    """Return the whole environment of a test session.

    `tripwires` comes first in PATH (see `set_tripwires`), then the folder of this Python, so that
    `gitcmat` is the one under test.
    """
    env = allowed(environ)
    env["PATH"] = os.pathsep.join(
        [str(tripwires), str(Path(sys.executable).parent), env.get("PATH", os.defpath)]
    )
    env.update(of_home(home))
    env.update(
        COLUMNS="100",
        EDITOR="false",
        GIT_CONFIG_GLOBAL="/dev/null",
        GIT_CONFIG_NOSYSTEM="1",
        GIT_AUTHOR_NAME="Pat Person",
        GIT_AUTHOR_EMAIL="pat@example.org",
        GIT_COMMITTER_NAME="Pat Person",
        GIT_COMMITTER_EMAIL="pat@example.org",
        LANG="C.UTF-8",
        LOGNAME="pat",
        NO_COLOR="1",
        SHELL="/bin/sh",
        TERM="dumb",
        TZ="UTC",
        USER="pat",
    )
    return env


def of_home(home: Path) -> dict[str, str]:
    """Return the variables that lead to a person's own files, all of them inside `home`."""
    return {
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local/share"),
        "XDG_STATE_HOME": str(home / ".local/state"),
    }


def set_tripwires(folder: Path, log: Path) -> None:
    """Put a program for each of `REAL_AGENTS` into `folder`: exits 97, leaves a line in `log`."""
    folder.mkdir()
    for name in REAL_AGENTS:
        program = folder / name
        program.write_text(_TRIPWIRE.format(log=log), encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
