"""The ways in which processes get away from whoever started them, as shell scripts."""

import os
import random
import signal
import sys
from pathlib import Path
from typing import Final

_FORKING = (
    "import os, sys, time\n"
    "while True:\n"
    "    if os.fork(): os._exit(0)\n"
    "    os.setsid()\n"
    "    time.sleep(0.002)\n"
)

SCRIPTS: Final = {
    "a plain child": "sleep {mark}",
    "a child in the background": "sleep {mark} & exit",
    "a session of its own": "setsid sleep {mark}",
    "a double fork": "(setsid sh -c 'sleep {mark} & exit' & exit) & exit",
    "an empty environment": "(env -i setsid /bin/sh -c 'exec /bin/sleep {mark}' &) ; exit",
    "another folder": "cd / && (setsid sleep {mark} &); exit",
    "no name, no environment, no folder": "cd / && (env -i setsid /bin/sleep {mark} &); exit",
    "nohup": "nohup sleep {mark} >/dev/null 2>&1 & exit",
    "deaf to signals": "trap '' TERM HUP INT QUIT USR1; while :; do sleep {mark}; done",
    "deaf and away": "trap '' TERM HUP; (setsid sh -c 'while :; do sleep {mark}; done' &); exit",
    "stopped": "(setsid sh -c 'kill -STOP $$; exec sleep {mark}' {mark} &); exit",
    "restarts its child": "(setsid sh -c 'while :; do sleep 0.01; done' {mark} &); exit",
    "flees by forking": f"exec '{sys.executable}' -S -c '{_FORKING}' {{mark}}",
}
"""Each leaves a process whose command line holds the mark, which is a number for `sleep`."""


def new_mark() -> str:
    """Return a number of seconds that no other sleep of this machine has: about a day."""
    return f"86400.{random.SystemRandom().randrange(10**11, 10**12)}"


def holders(mark: str) -> list[int]:
    """Return the pids whose command line holds the mark; zombies have none."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if mark.encode() in line:
                found.append(int(entry.name))
    return found


def kill_holders(mark: str) -> None:
    """Kill what a failed test left behind, again and again until nothing is."""
    while left := holders(mark):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in left:
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
