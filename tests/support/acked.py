"""A queue that tasks are added to, one command each, while things fail; and what must hold then."""

import os
import re
from pathlib import Path
from typing import Final

from gitcmat.app import open_app
from gitcmat.engine import queue
from gitcmat.engine.doctor import doctor
from gitcmat.model.health import FULL
from gitcmat.store.git import Git, discover
from gitcmat.store.state import StateStore
from tests.support.cli import PROGRAM, Result, gitcmat
from tests.support.faults import Faults, Place, places
from tests.support.repo import TestRepo
from tests.support.runs import processes_with
from tests.support.store import Clock
from tests.support.wait import until
from tests.support.watched import Project

MINUTE: Final = 61.0
DAY: Final = 86_400.0
FOR_PEOPLE: Final = re.compile(r"error: \S.*\nhint: \S.*\n", re.DOTALL)
"""How a command ends that cannot do what it was asked for."""

_FIXED: Final = {"PYTHONHASHSEED": "0"}
_STAYS: Final = {"cmat/ref.lock"}
"""Made when it is needed for the first time; a lock file that were removed would be no lock."""
_PACK: Final = re.compile(r"pack-[0-9a-f]{40}")


class Queue:
    """A repository, the tasks that were acknowledged in it, and the faults."""

    def __init__(self, repo: TestRepo, folder: Path) -> None:
        self.repo = repo
        self.faults = Faults(folder / "faults")
        self.acked: set[str] = set()
        self.ended: list[tuple[Place, int]] = []
        """Each place that was tried, with the exit code."""
        self._folder = folder
        self._count = 0
        self._gits = 0
        Project(repo, trusted=False)
        for _ in range(2):  # the first makes what is made once
            self.add().ok()
        self.files = self.own_files()

    @property
    def env(self) -> dict[str, str]:
        """What the program is started with."""
        path = os.pathsep.join([self.faults.path, os.environ["PATH"]])
        return {**os.environ, **_FIXED, "PATH": path}

    @property
    def gits(self) -> int:
        """How many gits the last command started."""
        return self._gits

    def writing_gits(self) -> list[tuple[int, str]]:
        """The number and the verb of each git of one command that writes."""
        log = self._folder / "processes.txt"
        new = self._new()
        gitcmat(self.repo, "queue", "add", new, "--id", new, env={"GITCMAT_TRACE": str(log)}).ok()
        self.acked.add(new)
        lines = log.read_text(encoding="utf-8").splitlines()
        argvs = [line.split() for line in lines if line.startswith("process ")]
        verbs = [next((w for w in argv[2:] if not w.startswith("-")), "") for argv in argvs]
        return [(n, v) for n, v in enumerate(verbs, 1) if v in ("index-pack", "update-ref")]

    def places(self) -> list[Place]:
        """The system calls of one command that adds a task."""
        self.faults.clear()
        new = self._new()
        env = {**os.environ, **_FIXED}
        argv = [*PROGRAM, "queue", "add", new, "--id", new]
        found = places(argv, self.repo.path, env, self._folder / "calls.txt")
        self.acked.add(new)
        return found

    def add(self) -> Result:
        """Add a task with the faults that are set; look at what is so, then."""
        new = self._new()
        before = self._tip()
        result = gitcmat(
            self.repo, "queue", "add", new, "--id", new, env=self.env, before=self.faults.before
        )
        until(lambda: not list(processes_with(str(self.repo.path))), 20, "the gits of a dead one")
        self._gits = self.faults.gits
        self.faults.clear()
        if result.code == 0:
            assert result.out == f"{new}\n", result
            self.acked.add(new)
        after = self._tip()
        self._check(before, after, new)
        return result

    def try_at(self, place: Place) -> Result:
        """`add`, with what `place` does to it; the next command must work as if nothing were."""
        result = self.add()
        self.ended.append((place, result.code))
        self.a_minute_later()
        self.goes_on()
        return result

    def goes_on(self) -> None:
        """See that the next command works; it puts one task on hold, or releases it."""
        app = open_app(self.repo.path)
        app.settle()
        entry = app.deps.store.read().entry(min(self.acked))
        assert entry is not None
        assert queue.hold(app.deps, entry.id, on=not entry.hold).hold is not entry.hold
        app.settle()
        app.deps.store.close()

    def a_minute_later(self) -> None:
        """Let the locks that dead gits left in our own refs grow old."""
        for path in (self.repo.git_dir / "refs/cmat").rglob("*.lock"):
            age(path, MINUTE)

    def leaves_no_litter(self) -> None:
        """See that after a day, and a look of the doctor, no file is there that was not before."""
        keeps = (self.repo.git_dir / "objects/pack").glob("*.keep")
        for path in (*(self.repo.git_dir / "cmat").rglob("*"), *keeps):
            if path.is_file():
                age(path, 2 * DAY)
        found = doctor(open_app(self.repo.path).deps, fix=True)
        assert found.score == FULL, found
        new = set(self.own_files()) - set(self.files) - _STAYS
        assert not new, new

    def own_files(self) -> list[str]:
        """Names of our files; packs without their number, and what is kept for moments left out."""
        found = {
            _PACK.sub("pack", str(path.relative_to(self.repo.git_dir)))
            for folder in ("cmat", "refs/cmat", "objects/pack")
            for path in (self.repo.git_dir / folder).rglob("*")
            if path.is_file() and path.parent.name != "kept"
        }
        return sorted(found - {"cmat/cache.sqlite-shm", "cmat/cache.sqlite-wal"})

    def _new(self) -> str:
        self._count += 1
        return f"task-{self._count:04}"

    def _tip(self) -> str | None:
        store = self._store()
        try:
            return store.tip()
        finally:
            store.close()

    def _store(self) -> StateStore:
        repo = discover(self.repo.path)
        return StateStore(repo, Git(repo.common_dir), Clock())

    def _check(self, before: str | None, after: str | None, new: str) -> None:
        """The state is the old one, or one with the new task; all acknowledged ones are there."""
        store = self._store()
        stored = set(store.read().states())
        store.close()
        assert self.acked <= stored
        if after == before:
            assert new not in stored
        else:
            assert stored == self.acked | {new}
            span = f"{before}..{after}" if before else str(after)
            assert self.repo.git("rev-list", "--count", span) == "1"
            self.acked.add(new)
        self.repo.git("fsck", "--strict", "--no-dangling")


def age(path: Path, seconds: float) -> None:
    """Make a file older than it is."""
    then = path.lstat().st_mtime - seconds
    os.utime(path, (then, then), follow_symlinks=False)
