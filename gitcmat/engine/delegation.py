"""What a run delegates, as its folder tells it to everybody: to its runner, to the loop, to people.

A request is a file in the folder of the run whose agent delegates; it names the run that is to be
made for it, its member. What became of it is a reply, which the agent waits for. The runner checks
what it can; who the other agent is, and whether it may start, is known to the loop alone.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from gitcmat.engine import jobfile
from gitcmat.engine.room_note import WATCH_LOCK
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import InvalidData
from gitcmat.model.delegation import AT_ONCE, DEEPEST, Request
from gitcmat.model.job import Job
from gitcmat.model.usage import UNKNOWN, Spend
from gitcmat.system import files
from gitcmat.system.locks import is_locked


def write(folder: RunFolder, number: int, request: Request) -> None:
    """Ask the loop for a member, the `number`th of the run.

    Raises:
        OSError: the disk refuses it.
    """
    folder.requests.mkdir(mode=0o700, exist_ok=True)
    path = folder.requests / f"{number:03d}-{request.id}.json"
    files.write_atomic(path, jobfile.encode(request), mode=0o600)


def requests(folder: RunFolder) -> list[Request]:
    """Return what a run asked for, the first one first; what is damaged is nothing."""
    found: list[Request] = []
    for path in sorted(folder.requests.glob("*.json")) if folder.requests.is_dir() else ():
        with contextlib.suppress(OSError, InvalidData):
            data = files.read_regular(path, jobfile.LARGEST)
            found.append(jobfile.decode(Request, data, name=str(path)))
    return found


def is_answered(folder: RunFolder, name: str) -> bool:
    """Whether there is a reply of this name."""
    return (folder.replies / f"{name}.json").exists()


def is_attended(job: Job, folder: RunFolder) -> bool:
    """Whether a loop would see a request: a daemon's, or that of whoever follows the first run."""
    first = RunFolder(folder.path.parent / (job.root or job.run))
    return is_locked(Path(job.git_dir) / "cmat" / WATCH_LOCK) or is_locked(first.attended)


def is_over(parent: RunFolder) -> bool:
    """Whether the agent of a run works no more, or soon will not: its members end then, too."""
    return parent.turn_over.exists() or parent.stop.exists() or not is_locked(parent.lock)


def family(runs: Path, run: str, depth: int = DEEPEST) -> Iterator[str]:
    """Yield the members of a run, their members, and so on; `runs` is the folder of all runs."""
    for each in requests(RunFolder(runs / run)):
        yield each.run
        if depth > 1:
            yield from family(runs, each.run, depth - 1)


def used(runs: Path, run: str) -> Spend:
    """What a run and its family used, as far as they are over and have told it."""
    found = UNKNOWN
    for each in (run, *family(runs, run)):
        with contextlib.suppress(InvalidData, OSError):
            result = RunFolder(runs / each).read_result()
            found += result.spend if result is not None else UNKNOWN
    return found


def is_due(runs: Path, run: str, depth: int = DEEPEST) -> bool:
    """Whether the loop has something to do for a run or its family: to start one or to answer."""
    folder = RunFolder(runs / run)
    waiting = [each for each in requests(folder) if not is_answered(folder, each.id)]
    alive = [each for each in waiting if is_locked(RunFolder(runs / each.run).lock)]
    for each in waiting:
        if each in alive:
            if depth > 1 and is_due(runs, each.run, depth - 1):
                return True
        elif len(alive) < AT_ONCE or RunFolder(runs / each.run).path.is_dir():
            return True
    return False
