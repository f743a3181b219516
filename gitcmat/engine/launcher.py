"""The daemon's way of starting runners: it asks a process that forks (`gitcmat.engine.forks`)."""

import os
import socket
from pathlib import Path
from types import TracebackType
from typing import Self

from gitcmat.engine import claims
from gitcmat.engine.claims import Claim
from gitcmat.engine.own_program import PROGRAM
from gitcmat.system import proc


class Launcher:
    """Starts runners until the end of its block; those that are under way go on.

    Where the forking process cannot be had, or has been killed, it starts them as commands do.
    """

    def __init__(self, runs: Path) -> None:
        """`runs` is the folder that holds those of the runs."""
        self._runs = runs
        self._requests: socket.socket | None = None

    def __enter__(self) -> Self:
        """Start the forking process, which takes requests from now on."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:  # a system that does not have them
            return self
        self._runs.mkdir(mode=0o700, parents=True, exist_ok=True)
        with theirs:
            argv = [*PROGRAM, "run", "launch"]
            proc.start(argv, cwd=self._runs, env=os.environ, stdin=theirs.fileno())
        self._requests = ours
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the forking process end."""
        if self._requests is not None:
            self._requests.close()

    def start(self, claim: Claim) -> None:
        """Start the runner of a claim. A request that was sent is never made in another way: two
        runners would hold one lock. What is lost with the forking process is found dead.

        Raises:
            OSError: it cannot be started.
        """
        if self._requests is not None:
            try:
                folder = os.fsencode(claim.folder.path)
                socket.send_fds(self._requests, [folder], [claim.lock.fd])
            except OSError:
                self._requests.close()
                self._requests = None
            else:
                claim.lock.hand_over()
                return
        claims.start(claim)
