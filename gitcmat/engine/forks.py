"""`run launch`: a process that has read the program once, and becomes a runner by forking.

Starting Python and reading the program costs more than all that a runner does itself. The daemon
executes this process once and asks it for each run over a socket, its standard input, with the
run's folder as the message and the run's lock as an open file. The child goes on just as ``run exec
FOLDER`` would: there is no thread, no lock and no other open file that it could inherit.

When the daemon ends, in whatever way, this process ends, and the runners go on.
"""

import gc
import os
import signal
import socket
import stat
import sys
import tempfile
from encodings import ascii  # noqa: A004 - the codec, which Python imports when it is asked for
from pathlib import Path
from typing import Final, NoReturn

from gitcmat.engine import runner
from gitcmat.engine.runfolder import LOCK_FD, RunFolder
from gitcmat.errors import Usage
from gitcmat.model import checkpoint
from gitcmat.store import ref_lock, run_checkpoints
from gitcmat.system import redaction

PRELOADED: Final = (runner, redaction, tempfile, checkpoint, run_checkpoints, ref_lock, ascii)
"""What a run needs, and partly asks for late, is to be here before the fork: what is on the disk
then may be another version.
"""

_LONGEST_NAME: Final = 1 << 16


def serve() -> Path | None:
    """Become a runner for each request: returns in the child, with the folder of its run.

    In this process itself it returns None, when nobody is there to ask any more.

    Raises:
        Usage: no daemon has started this process.
    """
    if not stat.S_ISSOCK(os.fstat(0).st_mode):
        raise Usage("`run launch` is for daemons to start.", hint="gitcmat run now TASK")
    # Nobody asks for exit codes: a runner's result is a file. So the kernel takes them.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    gc.collect()
    gc.freeze()  # what is here already stays shared between all runners
    with socket.socket(fileno=os.dup(0)) as requests:
        while True:
            try:
                message, fds, _, _ = socket.recv_fds(requests, _LONGEST_NAME, 1)
            except ConnectionResetError:  # killed before it had read what we never send
                return None
            if not message:
                return None
            if os.fork() == 0:
                break
            for fd in fds:
                os.close(fd)
    folder = RunFolder(Path(os.fsdecode(message)))
    _become_runner(folder, fds)
    return folder.path


def end(code: int) -> NoReturn:
    """End a runner at once: to take the program down piece by piece takes as long as a git step."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _become_runner(folder: RunFolder, fds: list[int]) -> None:
    """Be as if executed for this run: session, folder, files, variables."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.chdir(folder.path)
    nothing = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    log = os.open(folder.runner_log, flags, 0o600)
    for fd, place in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(fd, place)
    os.close(nothing)
    os.close(log)
    for fd in fds:
        os.environ[LOCK_FD] = str(fd)
