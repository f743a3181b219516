"""SIGKILL at every kind of moment of one whole command: no half state, nothing acknowledged is
lost, and the next command needs no repair.

Of its calls those that write are tried and some of the others; `test_kills_everywhere` leaves none
out, but begins where the store is open and ends where its one commit is made.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.support.acked import Queue
from tests.support.faults import Place, needs_strace, spread
from tests.support.repo import TestRepo

SHARDS: Final = 4
OTHERS: Final = 80
"""How many of the calls that write nothing are tried, evenly spread over all of them."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), needs_strace]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_a_command_that_is_killed_at_any_system_call_leaves_nothing_half(
    repo: TestRepo, tmp_path: Path, shard: int, capsys: pytest.CaptureFixture[str]
) -> None:
    queue = Queue(repo, tmp_path)
    found = queue.places()
    chosen = list(chain(writes(found), spread(others(found), OTHERS)))
    for number, place in enumerate(chosen):
        if number % SHARDS != shard:
            continue
        with_its_git = number // SHARDS % 2 == 0
        if with_its_git:
            queue.faults.kills_all(place)
        else:
            queue.faults.kills(place)
        queue.try_at(place)
    codes = Counter(code for _, code in queue.ended)
    with capsys.disabled():
        print(  # noqa: T201
            f"\n{len(queue.ended)} of {len(found)} system calls: exit codes {dict(codes)}"
        )
    assert codes[-signal.SIGKILL] > len(queue.ended) // 2
    queue.leaves_no_litter()


def writes(found: list[Place]) -> Iterator[Place]:
    """Return the calls that change the disk; of those on the cache, which may be lost, a few."""
    cache = 0
    for place in found:
        if place.changes:
            cache += "cache.sqlite" in place.what
            if "cache.sqlite" not in place.what or cache % 8 == 0:
                yield place


def others(found: list[Place]) -> list[Place]:
    """Return those that change nothing, without the start of the program."""
    first = next(n for n, place in enumerate(found) if place.process)
    return [place for place in found[first:] if not place.changes]
