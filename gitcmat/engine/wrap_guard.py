"""A process that outlives ``gitcmat wrap`` for a moment: it ends what a killed one has left.

It is no child of the wrapper's, which ends all of these, and in a session of its own; so it takes
more than one blow to end both. All it does is to read from a pipe that ends with the wrapper.
"""

import json
import os
import signal
from pathlib import Path

from gitcmat.system import orphans
from gitcmat.system.files import remove_tree


class Guard:
    """Knows which run is on, if any. Make it before this process becomes a subreaper, and while
    it has one thread.
    """

    def __init__(self) -> None:
        read, self._fd = os.pipe()
        between = os.fork()
        if between == 0:
            code = 1
            try:
                os.setsid()
                if os.fork() == 0:
                    os.close(self._fd)
                    _guard(read)
                code = 0
            finally:
                os._exit(code)
        os.close(read)
        os.waitpid(between, 0)

    def watch(self, run: str, folder: Path, processes: Path) -> None:
        """From now on this run is on: its mark, its folder, and where its processes stand."""
        self._tell([run, str(folder), str(processes)])

    def rest(self) -> None:
        """Nothing is on any more."""
        self._tell(None)

    def _tell(self, what: list[str] | None) -> None:
        try:
            os.write(self._fd, json.dumps(what).encode() + b"\n")
        except BrokenPipeError:  # somebody has ended the guard: then there is none
            return


def _guard(fd: int) -> None:
    """Wait for the end of the pipe; be silent and hold nothing meanwhile."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for place in (0, 1, 2):
        os.dup2(nothing, place)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    os.chdir("/")
    last = b"null"
    with os.fdopen(fd, "rb") as told:
        for line in told:
            last = line
    said = json.loads(last)
    if said is not None:
        run, folder, processes = said
        orphans.sweep_marked(run, [], record=Path(processes))
        remove_tree(Path(folder))
