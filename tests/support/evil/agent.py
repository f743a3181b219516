"""The evil agent: a program that does what an injected or hostile agent could do.

Its prompt has a line ``evil: <wave> <what it knows>``. Each attack is tried in a child of its own,
so that none keeps another from being tried; what it says of itself is believed by nobody.
"""

import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.support.evil import (
    flooding,
    forging,
    lasting,
    planting,
    reading,
    sending,
    writing,
)
from tests.support.evil.registry import Target, of_wave

ALL: Final = (flooding, forging, lasting, planting, reading, sending, writing)
_SECONDS: Final = 90


def main() -> None:
    """Try all attacks of the wave that the prompt names, then wait if it says so."""
    lines = sys.stdin.read().splitlines()
    wave, known = next(li for li in lines if li.startswith("evil: ")).split(" ", 2)[1:]
    target = Target.read(known, Path.cwd())
    Path("work.txt").write_text(f"{wave}\n", encoding="utf-8")
    for each in of_wave(wave):
        sys.stdout.flush()
        child = os.fork()
        if not child:
            signal.alarm(_SECONDS)
            try:
                each.act(target, each.name)
            except BaseException:  # noqa: BLE001 - whatever: the next one is tried all the same
                traceback.print_exc(limit=-1)
                os._exit(1)
            sys.stdout.flush()
            os._exit(0)
        os.waitpid(child, 0)
        print(f"tried {each.name}", flush=True)  # noqa: T201 - an agent prints
    release = Path("release")
    while wave in WAITING and not release.exists():
        time.sleep(0.02)
    for each in of_wave(wave):
        last = LAST_WORDS.get(each.name)
        if last:
            print(last(target), flush=True)  # noqa: T201


WAITING: Final = frozenset({"reach"})
"""Waves that go on until there is a file ``release``: what they left running is looked at first."""
LAST_WORDS: Final = forging.LAST_WORDS

if __name__ == "__main__":
    main()
