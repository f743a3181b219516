"""What agents say of themselves: lines with task, run and time, in a file outside of git."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

AGENT: Final = """\
import os, sys, time

diary, seconds = sys.argv[1], float(sys.argv[2])
task, run = os.environ["CMAT_TASK"], os.environ["CMAT_RUN"]
lines = os.open(diary, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


def say(word):
    os.write(lines, f"{word} {task} {run} {time.monotonic_ns()}\\n".encode())


say("begin")
end = time.monotonic() + seconds
while time.monotonic() < end:
    time.sleep(0.05)
    say("beat")
with open(f"{task}.txt", "w", encoding="utf-8") as work:
    work.write(f"{run}\\n")
say("end")
"""
"""An agent that works for some seconds, leaves its run's id in a file and says all that."""


@dataclass(frozen=True, slots=True)
class Span:
    """One attempt from its first to its last sign of life, in monotonic nanoseconds."""

    task: str
    run: str
    first: int
    last: int
    ended: bool


class Diary:
    """The file, and what it says."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def spans(self) -> list[Span]:
        """Return all attempts; raises AssertionError when one began twice or went on after its
        end.
        """
        if not self.path.exists():
            return []
        found: dict[tuple[str, str], list[tuple[str, int]]] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            word, task, run, at = line.split()
            found.setdefault((task, run), []).append((word, int(at)))
        spans = []
        for (task, run), signs in found.items():
            words = [word for word, _ in signs]
            inner = words[1:-1] if words[-1] == "end" else words[1:]
            assert words[0] == "begin", f"{run} of {task}: {words}"
            assert set(inner) <= {"beat"}, f"{run} of {task}: {words}"
            spans.append(Span(task, run, signs[0][1], signs[-1][1], words[-1] == "end"))
        return spans
