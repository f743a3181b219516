"""A person's repository with a `.cmat/` of its own, worked on by the real engine in this process.

Agents are small shell programs. Runners are real processes; `work` waits for them.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from gitcmat.app import open_app
from gitcmat.engine import branches
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.intake import Intake
from gitcmat.engine.reconcile import Reconciler, Report
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry, Landing
from gitcmat.model.events import Event, Landed
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.system.locks import is_locked
from tests.support.repo import TestRepo
from tests.support.store import Clock
from tests.support.wait import until

HERE: Final = '"$CMAT_WORKSPACE/$CMAT_TASK'
"""The beginning of a path; what an agent names by a path in the repository is part of the plan."""

CODER: Final = f'cat > {HERE}.prompt"; echo work >> {HERE}.txt"'
"""An agent that keeps its prompt and does some work."""


def agent_file(name: str, script: str, system: str = "") -> dict[str, str]:
    """Return the file of an agent that is a piece of shell."""
    head = json.dumps({"name": name, "command": ["sh", "-c", script]})
    return {f".cmat/agents/{name}.md": f"---\n{head}\n---\n{system}"}


def task_file(task: str, **fields: Any) -> dict[str, str]:
    """Return a task file; its title is its id unless `fields` say another."""
    return {f".cmat/tasks/{task}.yaml": json.dumps({"title": task, **fields}) + "\n"}


def config_file(gates: Mapping[str, Sequence[str]] | None = None, **more: Any) -> dict[str, str]:
    """Return the settings of the repository; attempts follow each other at once."""
    defaults = {"backoff": "1s", "attempts": 2, **more.pop("defaults", {})}
    shown = {name: {"run": list(run)} for name, run in (gates or {}).items()}
    return {".cmat/config.yaml": json.dumps({"gates": shown, "defaults": defaults, **more}) + "\n"}


class Project:
    """The repository `repo`, prepared: one agent ``coder``, no gates, a trusted plan."""

    def __init__(self, repo: TestRepo, files: Mapping[str, str] | None = None) -> None:
        self.repo = repo
        self.path = repo.path
        self.clock = Clock()
        repo.commit("Use gitcmat", {**config_file(), **agent_file("coder", CODER), **(files or {})})
        repo.freeze()
        self.reopen()
        self.trust()

    @classmethod
    def of(cls, path: Path) -> "Project":
        """Open a copy of a project, which nobody has decided anything about."""
        made = cls.__new__(cls)
        made.path = path
        made.clock = Clock()
        made.reopen()
        return made

    def reopen(self) -> None:
        """Go on as another process would: nothing is remembered but what is on the disk."""
        deps = open_app(self.path).deps
        self.deps = Deps(deps.repo, deps.git, self.clock)
        self.reconciler = Reconciler(self.deps)

    # --- what a person does -----------------------------------------------------------------

    def commit(self, *files: Mapping[str, str], message: str = "tasks") -> str:
        """Commit files together, as a person would."""
        together: dict[str, str] = {}
        for some in files:
            together |= some
        return self.repo.commit(message, together)

    def task(self, task: str, **fields: Any) -> None:
        """Commit one task file."""
        self.commit(task_file(task, **fields))

    def trust(self) -> None:
        """Allow the plans of all tips as they are now."""
        wants = Intake(self.deps, remember=False).wants(self.deps.store.read())
        for plan in wants.plans.values():
            self.deps.trust.remember(plan, self.clock.now())

    def settings(self, **fields: Any) -> None:
        """Write the person's own settings, and read them; agents work in no sandbox, as those of
        all tests that do not ask for one.
        """
        folder = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.yaml").write_text(
            json.dumps({"sandbox": "off", **fields}), encoding="utf-8"
        )
        self.reopen()

    def happen(self, task: str, event: Event) -> Entry:
        """Let something happen to an entry, as a command does."""
        with self.deps.store.change("test", by=self.deps.actor) as change:
            return happen(change, task, event, self.clock.now(), After())

    def land(self, task: str) -> str:
        """Put the work of a task onto main, as simply as can be; return the commit."""
        entry = self.entry(task)
        commit = branches.tip(self.deps.git, entry).commit
        self.repo.git("merge", "-q", "--no-edit", commit)
        now, target = self.clock.now(), "refs/heads/main"
        landed = self.repo.tip("main")
        landing = Landing(commit=landed, target=target, how="merge", at=now, by="Pat")
        self.happen(task, Landed(landing=landing))
        return landed

    # --- what gitcmat does --------------------------------------------------------------------

    def step(self, *, start: bool = True, only: str | None = None) -> Report:
        """Reconcile once."""
        return self.reconciler(start=start, only=only)

    def wait(self) -> None:
        """Wait until no runner lives."""
        locks = [f / "lock" for f in self.deps.runs.glob("r-*")]
        until(lambda: not any(is_locked(lock) for lock in locks), 60, "the end of all runs")

    def work(self, rounds: int = 20) -> Report:
        """Reconcile and wait for runs until nothing more starts by itself, waits passed over."""
        idle = 0
        for _ in range(rounds):
            self.clock.later(5)
            report = self.step()
            idle = 0 if report.started or self.ids(State.ACTIVE) else idle + 1
            if idle > 1:  # the first may have queued another attempt, for later
                return report
            self.wait()
        raise AssertionError(f"no rest after {rounds} rounds: {self.ids(State.ACTIVE)}")

    # --- what can be seen ---------------------------------------------------------------------

    def entry(self, task: str) -> Entry:
        """Return an entry as it is recorded."""
        found = self.deps.store.read().entry(task)
        assert found is not None, f"there is no {task}"
        return found

    def state(self, task: str) -> str:
        """Return the state of an entry, ``none`` when there is no such entry."""
        return str(self.deps.store.read().states().get(task, "none"))

    def ids(self, *states: State) -> list[str]:
        """Return the ids of the entries in these states, what starts first first."""
        return [e.id for e in self.deps.store.read().entries(*states)]

    def why(self, task: str) -> str:
        """Why a task waits, as `task show` says it."""
        from gitcmat.engine.details import details

        return details(self.deps, task).why

    def asked(self, task: str) -> list[Blocker]:
        """Return the open questions about a task."""
        return self.deps.store.read().blockers(task=task)

    def folder(self, task: str) -> RunFolder:
        """Return the folder of the last run of a task."""
        return RunFolder(self.deps.runs / str(self.entry(task).run))

    def runs(self, task: str) -> list[str]:
        """Return the outcomes of a task's runs, the first one first."""
        return [str(r.outcome) for r in reversed(self.deps.store.read().runs(task=task))]

    def outcome(self, run: Run) -> str:
        """Return the outcome of a run as it is recorded; ``None`` while it goes on."""
        found = self.deps.store.read().run(run.id)
        return str(found.outcome if found else "no record")
