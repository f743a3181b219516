"""Makes `gitcmat` callable for the agent of a run, also where the person has it on no PATH."""

import os
import shlex
import sys
from collections.abc import Mapping
from typing import Final

from gitcmat.engine.runfolder import RunFolder
from gitcmat.system import files

PROGRAM: Final = (sys.executable, "-I", "-m", "gitcmat")
"""How this very version is started."""

_SCRIPT: Final = '#!/bin/sh\nexec {program} "$@"\n'


def write(folder: RunFolder) -> None:
    """Put a `gitcmat` of this very version into the run's folder.

    Raises:
        OSError: it cannot be written.
    """
    folder.programs.mkdir(mode=0o700, exist_ok=True)
    text = _SCRIPT.format(program=shlex.join(PROGRAM))
    files.write_atomic(folder.programs / "gitcmat", os.fsencode(text), mode=0o700)


def on_path(env: Mapping[str, str], folder: RunFolder) -> dict[str, str]:
    """`env`, with that program last on its PATH: one that the person installed goes before it."""
    path = os.pathsep.join(filter(None, (env.get("PATH", ""), str(folder.programs))))
    return {**env, "PATH": path}
