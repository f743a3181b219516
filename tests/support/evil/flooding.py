"""Attacks that use up the machine, or the person's patience. Each ends its run, or should."""

import os
import sys
import time
from pathlib import Path

from tests.support.evil.forging import say
from tests.support.evil.registry import Target, attack

_MOST_FORKS = 400
"""Where nothing limits them, a test must end all the same."""


@attack("forks", "T19")
def fork_bomb(t: Target, name: str) -> None:
    """Starts processes without end"""
    del t, name
    for _ in range(_MOST_FORKS):
        if not os.fork():
            time.sleep(60)
            os._exit(0)
    time.sleep(60)


@attack("memory", "T19")
def eat_memory(t: Target, name: str) -> None:
    """Takes more and more memory"""
    del t, name
    held = []
    for _ in range(60):
        held.append(b"x" * 10_000_000)
        time.sleep(0.05)
    time.sleep(60)


@attack("output", "T19")
def flood_log(t: Target, name: str) -> None:
    """Prints without end"""
    del t, name
    for _ in range(20_000):
        sys.stdout.write("x" * 9_999 + "\n")


@attack("silence", "T19")
def say_nothing(t: Target, name: str) -> None:
    """Says nothing and does not end"""
    del t, name
    time.sleep(60)


@attack("reach", "T19")
def flood_subtasks(t: Target, name: str) -> None:
    """Sends a thousand subtasks"""
    for number in range(1000):
        say(
            Path(os.environ["CMAT_INBOX"]),
            os.environ["CMAT_NONCE"],
            kind="subtask",
            title=f"{t.token(name)} {number}",
        )
