"""A count of what costs time: with ``GITCMAT_TRACE=<file>`` it is one line each there.

Tests hold budgets with it ("status starts no git process"), which no clock can do on a busy
machine.
"""

import os

VARIABLE = "GITCMAT_TRACE"


def event(kind: str, text: str) -> None:
    """Append ``<kind> <text>`` as one line to the trace file, if there is one.

    Line breaks in `text` are escaped and the line is written in one call, so that several
    processes may share a file. A trace that cannot be written is no reason to fail: the error is
    dropped.
    """
    target = os.environ.get(VARIABLE)
    if not target:
        return
    line = f"{kind} {text}".replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    try:
        fd = os.open(target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        os.write(fd, line.encode("utf-8", "surrogateescape") + b"\n")
    except OSError:
        return
    finally:
        os.close(fd)
