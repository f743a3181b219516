"""Makes chosen system calls of a gitcmat fail, or kills it there: each point of a command in turn.

A command is one Python process and some gits, one after the other. strace counts calls for each
process alone, so Python is run below it, without its children, and a program named ``git`` that
comes first in PATH runs the one git that is meant below it. Without strace that program can still
make a whole git fail.
"""

import functools
import re
import shlex
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.wait import until

GITCMAT: Final = 0
"""The number of the process that is gitcmat itself; its gits count from 1."""

WRITING: Final = (
    "chmod",
    "fdatasync",
    "fsync",
    "ftruncate",
    "link",
    "mkdir",
    "openat",
    "pwrite64",
    "rename",
    "renameat2",
    "unlink",
    "write",
)
"""The calls that change what is on the disk."""

_LINE: Final = re.compile(r"(?P<pid>\d+) +(?P<call>\w+)\((?P<given>.*)")
_UNNAMED: Final = re.compile(r"[0-9a-f]{40}|gitcmat-\w+|\.[a-z2-7]{8,}\.tmp|\b[a-z2-7]{16}\b")
_GIT: Final = """\
#!/bin/sh
# Counts the gits that are started; the one that is meant fails, as {folder}/how says.
read -r count < "{folder}/count"
count=$((count + 1))
echo "$count" > "{folder}/count"
read -r at < "{folder}/at"
[ "$at" = always ] || [ "$count" = "$at" ] || exec "{git}" "$@"
. "{folder}/how"
"""
_ALWAYS: Final = "always"


@functools.cache
def why_not() -> str:
    """Return why strace cannot be used here; empty when it can."""
    if shutil.which("strace") is None:
        return "strace is not installed"
    trial = ["strace", "-qq", "-o", "/dev/null", "true"]
    done = subprocess.run(trial, check=False, capture_output=True)
    return "" if done.returncode == 0 else f"strace cannot trace: {done.stderr.decode().strip()}"


needs_strace: Final = pytest.mark.skipif(
    bool(why_not()), reason=f"NOT TESTED, faults at system calls: {why_not()}"
)


@dataclass(frozen=True, slots=True)
class Place:
    """One system call of a command: the `number`-th `call` of one of its processes."""

    process: int
    call: str
    number: int
    what: str
    """The call as strace shows it, for messages."""

    @property
    def changes(self) -> bool:
        """Whether it changes a file (what only reads, or goes into a pipe, does not)."""
        passing = "/dev/null" in self.what or "<pipe:" in self.what
        made = self.call != "openat" or "O_CREAT" in self.what
        return self.call in WRITING and made and not passing and self.what.count("ENOENT") == 0

    def __str__(self) -> str:
        who = f"git {self.process}" if self.process else "gitcmat"
        return f"{self.number}. {self.call} of {who}: {self.what}"


class Faults:
    """Where the next command fails, and how; at most one place at a time."""

    def __init__(self, folder: Path) -> None:
        """Make the program ``git`` in `folder`."""
        self.folder = folder
        self._before: tuple[str, ...] = ()
        found = shutil.which("git")
        assert found is not None
        self.git = found
        """The real program."""
        folder.mkdir(parents=True)
        program = folder / "bin" / "git"
        program.parent.mkdir()
        program.write_text(_GIT.format(folder=folder, git=found), encoding="utf-8")
        program.chmod(0o755)
        self.clear()

    @property
    def path(self) -> str:
        """The folder to be put first in PATH."""
        return str(self.folder / "bin")

    @property
    def gits(self) -> int:
        """How many gits were started since the last `clear` or fault."""
        # A shell empties the file before it writes the next number.
        return int(until((self.folder / "count").read_text, 5, "a number of gits"))

    @property
    def before(self) -> tuple[str, ...]:
        """What comes before the argv of the command."""
        return self._before

    def clear(self) -> None:
        """Nothing fails from now on."""
        self._set(at="none", how="")

    def git_fails(self, number: int | None, said: str, code: int = 128) -> None:
        """Let the git of that number (None: every one) do nothing, say something and fail."""
        self.git_does(number, f"echo {shlex.quote(said)} >&2; exit {code}")

    def git_does(self, number: int | None, script: str) -> None:
        """Let the git of that number (None: every one) do something else: a piece of shell."""
        self._set(at=_ALWAYS if number is None else str(number), how=script)

    def verb_fails(self, verb: str, said: str = "No space left on device") -> None:
        """Let every ``git VERB`` fail, whatever its number."""
        fails = f"echo 'fatal: {said}' >&2; exit 128"
        self.git_does(None, f'case " $* " in *" {verb} "*) {fails};; esac; exec {self.git} "$@"')

    def fails(self, place: Place, error: str) -> None:
        """Let a system call fail with an error such as ``ENOSPC``."""
        self._inject(place, f"error={error}", "exec ")

    def kills(self, place: Place) -> None:
        """End the process with SIGKILL before a system call."""
        self._inject(place, "signal=KILL", "exec ")

    def kills_all(self, place: Place) -> None:
        """End gitcmat with SIGKILL too when its git is killed."""
        self._inject(place, "signal=KILL", "", "; kill -KILL $PPID")

    def _inject(self, place: Place, how: str, before: str, after: str = "") -> None:
        strace = [
            *("strace", "-qq", "-o", "/dev/null", "-e", f"trace={place.call}"),
            *("-e", f"inject={place.call}:{how}:when={place.number}"),
        ]
        if place.process == GITCMAT:
            self._set(at="none", how="", before=strace)
        else:
            command = f'{before}{shlex.join([*strace, self.git])} "$@"{after}'
            self._set(at=str(place.process), how=command)

    def _set(self, *, at: str, how: str, before: Sequence[str] = ()) -> None:
        (self.folder / "count").write_text("0\n", encoding="ascii")
        (self.folder / "at").write_text(f"{at}\n", encoding="ascii")
        (self.folder / "how").write_text(f"{how}\n", encoding="utf-8")
        self._before = tuple(before)


def places(argv: Sequence[str], cwd: Path, env: Mapping[str, str], log: Path) -> list[Place]:
    """Run a command once below strace and return its system calls, in their order.

    Raises AssertionError when it fails.
    """
    traced = ["strace", "-f", "-qq", "-y", "-s", "120", "-o", str(log), *argv]
    done = subprocess.run(
        traced, cwd=cwd, env=env, stdin=subprocess.DEVNULL, check=False, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return list(_read(log.read_text(encoding="utf-8", errors="replace")))


def _read(text: str) -> Iterator[Place]:
    processes: dict[str, int] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for line in text.splitlines():
        found = _LINE.match(line)
        if found is None or "resumed>" in line:
            continue
        pid, call = found["pid"], found["call"]
        if call == "execve":  # what a child did before is not git's
            processes.setdefault(pid, len(processes))
            counts = Counter({key: n for key, n in counts.items() if key[0] != pid})
        counts[pid, call] += 1
        if pid in processes:
            yield Place(processes[pid], call, counts[pid, call], f"{call}({found['given']}")


def spread(found: Sequence[Place], count: int) -> list[Place]:
    """Return at most so many, evenly spread."""
    step = max(1.0, len(found) / count)
    return [found[int(n * step)] for n in range(min(count, len(found)))]
