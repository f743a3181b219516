"""How far runs have come, read from files and by git: what the program believes has no say."""

import json
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from gitcmat.system.locks import is_locked
from tests.support.diary import Diary
from tests.support.repo import TestRepo


class Phase(StrEnum):
    """Where in its life a run is; in this order."""

    CLAIMED = "claimed, not recorded"
    RECORDED = "recorded, not started"
    STARTED = "started, no workspace"
    READY = "workspace ready"
    WORKING = "agent at work"
    DONE = "agent done"
    HOMEWARD = "work on its way home"
    HOME = "work home, not reported"
    JUDGED = "gates run"
    REPORTED = "result written"
    PUBLISHED = "branch moved, not recorded"
    HIDDEN = "recorded, not shown"
    DEAD = "runner dead"


LIVE: Final = frozenset(Phase) - {Phase.DEAD, Phase.HIDDEN, Phase.REPORTED, Phase.PUBLISHED}
"""Phases in which somebody who holds the run's lock has something to lose."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One run at one moment."""

    run: str
    task: str
    phase: Phase


class Runs:
    """The runs of a repository whose agents keep a diary."""

    def __init__(self, repo: TestRepo, diary: Diary) -> None:
        self._repo = repo
        self._diary = diary
        self._folder = repo.git_dir / "cmat/runs"
        self._jobs: dict[str, dict[str, Any]] = {}
        self._over: set[str] = set()

    def glance(self) -> dict[str, Phase]:
        """Return run → phase by what lies about, in less than a millisecond.

        It may be wrong about what is recorded, and thinks that what has a result is not over.
        """
        text = self._diary.path.read_text("utf-8") if self._diary.path.exists() else ""
        found: dict[str, Phase] = {}
        for path in self._folder.glob("r-????????"):
            if path.name not in self._over and (job := self._job(path)):
                found[path.name] = self._phase(path, job, text)
        return found

    def look(self) -> list[Seen]:
        """Return what is true of each run that is not over; its processes do not move."""
        active, known = self._recorded()
        seen = []
        for run, phase in self.glance().items():
            task = self._jobs[run]["task"]
            exact = self._exact(run, task, phase, active=run in active, known=run in known)
            if exact is None:
                self._over.add(run)
            else:
                seen.append(Seen(run, task, exact))
        return seen

    def _job(self, path: Path) -> dict[str, Any] | None:
        if path.name not in self._jobs:
            try:
                self._jobs[path.name] = json.loads((path / "job.json").read_bytes())
            except FileNotFoundError:
                return None
        return self._jobs[path.name]

    def _phase(self, path: Path, job: dict[str, Any], diary: str) -> Phase:
        if (path / "result.json").exists():
            branch = self._repo.git_dir / f"refs/heads/cmat/{job['task']}"
            return Phase.PUBLISHED if self._is_behind(branch) else Phase.REPORTED
        if (path / "home.json").exists():
            return Phase.JUDGED
        if not (path / "runner.log").exists():
            return Phase.CLAIMED if self._is_behind(path / "job.json") else Phase.RECORDED
        if not (path / "prepared").exists():
            return Phase.STARTED
        if f" {path.name} " not in diary:
            return Phase.READY
        if f"end {job['task']} {path.name} " not in diary:
            return Phase.WORKING
        if self._at(f"refs/cmat/runs/{path.name}") != job["start"]:
            return Phase.HOME
        packs = self._repo.git_dir / "objects/pack"
        return Phase.HOMEWARD if any(packs.glob("*.keep")) else Phase.DONE

    def _exact(
        self, run: str, task: str, phase: Phase, *, active: bool, known: bool
    ) -> Phase | None:
        """What `phase` is, now that there is time to ask git; None for a run that is over."""
        path = self._folder / run
        held = is_locked(path / "lock")
        match phase:
            case Phase.REPORTED | Phase.PUBLISHED if active:
                head = json.loads((path / "result.json").read_bytes()).get("head")
                moved = self._at(f"refs/heads/cmat/{task}") == head
                return Phase.PUBLISHED if moved else Phase.REPORTED
            case Phase.REPORTED | Phase.PUBLISHED:
                shown = self._repo.path / f".cmat/queue/active/{task}.yaml"
                return Phase.HIDDEN if shown.exists() and run in shown.read_text() else None
            case Phase.CLAIMED | Phase.RECORDED if not known:
                return Phase.CLAIMED if held else None
            case Phase.CLAIMED | Phase.RECORDED:
                return Phase.RECORDED if held else Phase.DEAD
            case _:
                return phase if held else Phase.DEAD

    def _is_behind(self, path: Path) -> bool:
        """Whether the state was last moved before this file was written."""
        refs = (self._repo.git_dir / "refs/cmat/state").glob("*")
        moved = max((ref.stat().st_mtime_ns for ref in refs if ref.suffix != ".lock"), default=0)
        return path.exists() and path.stat().st_mtime_ns > moved

    def _recorded(self) -> tuple[set[str], set[str]]:
        """Return the runs that are the current ones of active tasks, and all that are recorded."""
        refs = self._repo.refs("refs/cmat/state/")
        if not refs:
            return set(), set()
        (tip,) = refs.values()
        names = self._repo.git("ls-tree", "-r", "--name-only", tip, ".cmat/runs/")
        known = {Path(name).stem for name in names.splitlines()}
        names = self._repo.git("ls-tree", "-r", "--name-only", tip, ".cmat/queue/active/")
        texts = [self._repo.git("show", f"{tip}:{name}") for name in names.splitlines()]
        return {run for run in known if any(run in text for text in texts)}, known

    def _at(self, ref: str) -> str | None:
        with suppress(FileNotFoundError):
            return (self._repo.git_dir / ref).read_text("ascii").strip()
        with suppress(FileNotFoundError):
            for line in (self._repo.git_dir / "packed-refs").read_text("utf-8").splitlines():
                if line.endswith(f" {ref}"):
                    return line.split()[0]
        return None
