"""A repository that is ready for work: one agent that does what its prompt says, and trust in it.

The agent runs each line of its prompt that begins with `sh: ` as shell, in its workspace.
"""

import time
from pathlib import Path
from typing import Any, Final

from gitcmat.app import App, open_app
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.entry import Entry
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.system.locks import is_locked
from tests.support.repo import TestRepo
from tests.support.wait import until

AGENT: Final = """\
---
name: fake
runs: command
command: [sh, tools/agent.sh]
---
Do what you are told.
"""
SCRIPT: Final = """\
todo=$(sed -n 's/^ *sh: //p')
eval "$todo"
"""
CONFIG: Final = "schema: 1\ndefaults:\n  backoff: 1s\n"


class Project:
    """The repository, and questions about what became of its tasks."""

    def __init__(self, repo: TestRepo, *, config: str = CONFIG, trusted: bool = True) -> None:
        self.repo = repo
        repo.allow("git:info/.exclude.*.tmp")  # our block in it, on its way while we look
        repo.commit(
            "Use gitcmat",
            {
                ".cmat/config.yaml": config,
                ".cmat/agents/fake.md": AGENT,
                ".cmat/.gitignore": "/queue/\n/blockers/\n/runs/\n",
                "tools/agent.sh": SCRIPT,
            },
        )
        if trusted:
            self.trust()

    def trust(self) -> None:
        """Allow what the tip says may start."""
        app = open_app(self.repo.path)
        wants = app.reconciler.intake.wants(app.deps.store.read())
        for plan in wants.plans.values():
            app.deps.trust.remember(plan, app.deps.clock.now())

    def task(self, task_id: str, script: str = "", **fields: Any) -> str:
        """Save a task file whose agent runs `script`; return its path."""
        path = f".cmat/tasks/{task_id}.yaml"
        lines = [f"title: Task {task_id}", "prompt: |", "  Work."]
        lines += [f"  sh: {line}" for line in script.splitlines()]
        lines += [f"{key}: {value}" for key, value in fields.items()]
        self.repo.write(path, "\n".join(lines) + "\n")
        return path

    def commit_task(self, task_id: str, script: str = "", **fields: Any) -> None:
        """Save and commit a task file."""
        path = self.task(task_id, script, **fields)
        self.repo.git("add", "--", path)
        self.repo.git("commit", "-q", "-m", f"Add {task_id}", "--", path)

    # --- what became of it ----------------------------------------------------------------------

    @property
    def app(self) -> App:
        """The repository, opened anew."""
        return open_app(self.repo.path)

    def entry(self, task_id: str) -> Entry | None:
        """The record of a task."""
        return self.app.deps.store.read().entry(task_id)

    def state(self, task_id: str) -> State | None:
        """Where a task is, None before it is taken in."""
        found = self.entry(task_id)
        return found.state if found else None

    def runs(self, task_id: str | None = None) -> list[Run]:
        """The runs, the newest first."""
        return self.app.deps.store.read().runs(task=task_id)

    def reaches(self, task_id: str, *states: State, timeout: float = 30.0) -> Entry:
        """Wait until a task is in one of these states."""

        def there() -> Entry | None:
            entry = self.entry(task_id)
            return entry if entry is not None and entry.state in states else None

        found = until(there, timeout, f"{task_id} to be {' or '.join(states)}")
        assert found is not None
        return found

    def alive(self, run_id: str) -> bool:
        """Whether the runner of a run lives."""
        return is_locked(RunFolder(self.repo.git_dir / "cmat/runs" / run_id).lock)


def seconds_until(path: Path, timeout: float = 30.0) -> float:
    """Wait until a file exists; return how long that took."""
    begun = time.monotonic()
    until(path.exists, timeout, f"{path}")
    return time.monotonic() - begun
