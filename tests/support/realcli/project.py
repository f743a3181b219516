"""A person's project whose agent ``pro`` is a real program, with a fake model behind it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry
from gitcmat.model.run import Run
from gitcmat.model.state import State
from tests.support.fakemodel.model import KEY
from tests.support.fakemodel.server import FakeModel
from tests.support.realcli.cache import is_required
from tests.support.realcli.clients import real
from tests.support.repo import TestRepo
from tests.support.watched import Project

ALWAYS: Final = ("claude", "codex")
"""Those that `.ci/run` tests; the others are slower, and are shown where somebody requires them."""

SYSTEM: Final = "You are careful."
"""What the profile says to the agent."""

GATE: Final = {"tests": {"run": ["sh", "-c", "grep two notes.txt"]}}

_ARGS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "gemini over acp": ("gemini", ("--experimental-acp",)),
    "opencode over acp": ("opencode", ("acp",)),
}
_MODELS: Final = {"gemini": "gemini-2.5-flash"}


class RealProject(Project):
    """The repository with `cli` in it: the name of a program, or one and ``over acp``.

    With `plan` Claude Code has the token of a plan, whose limits are other ones than those of a
    key; a dummy, too. What else is named belongs to the agent's profile.
    """

    def __init__(
        self,
        repo: TestRepo,
        cli: str,
        model: FakeModel,
        env: pytest.MonkeyPatch,
        *,
        gates: Mapping[str, Any] | None = None,
        plan: bool = False,
        **profile: Any,
    ) -> None:
        name, args = _ARGS.get(cli, (cli, ()))
        if name not in ALWAYS and not is_required(name):
            pytest.skip(f"NOT SHOWN WITH THE REAL {name}: nobody requires it (nox -s agents)")
        client = real(name, Path.home(), model.url)
        keys = {key: value for key, value in client.env.items() if KEY in value}
        if plan:
            keys = {"CLAUDE_CODE_OAUTH_TOKEN": KEY}
        for key, value in keys.items():
            env.setenv(key, value)
        # Codex takes no home below the folder for temporary files, where those of tests are.
        Path.home().joinpath("tmp").mkdir()
        env.setenv("TMPDIR", str(Path.home() / "tmp"))
        head = {
            "name": "pro",
            "runs": "acp" if args else name,
            "command": [str(client.program), *args],
            "env": {key: value for key, value in client.env.items() if KEY not in value},
            "pass_env": sorted(keys),
            "model": _MODELS.get(name),
            **profile,
        }
        defaults = {"agent": "pro", "backoff": "1s"}
        config = {"schema": 1, "gates": gates or {}, "defaults": defaults}
        super().__init__(repo, config=json.dumps(config) + "\n", trusted=False)
        front = json.dumps({key: value for key, value in head.items() if value is not None})
        repo.commit("An agent", {".cmat/agents/pro.md": f"---\n{front}\n---\n{SYSTEM}\n"})
        self.trust()

    def wants(self, task: str, prompt: str, **fields: Any) -> None:
        """Commit the file of a task."""
        data = {"title": f"The task {task}", "prompt": prompt, **fields}
        self.repo.commit(f"Add {task}", {f".cmat/tasks/{task}.yaml": json.dumps(data) + "\n"})

    def reaches(self, task_id: str, *states: State, timeout: float = 90.0) -> Entry:
        """Wait until a task is in one of these states; real agents take their time."""
        return super().reaches(task_id, *states, timeout=timeout)

    def past(self, task: str) -> list[Run]:
        """The runs of a task, the first one first."""
        return self.runs(task)[::-1]

    def asked(self, task: str) -> list[Blocker]:
        """The open questions about a task."""
        return self.app.deps.store.read().blockers(task=task)

    def log(self, run: Run) -> str:
        """What was kept of what a run printed."""
        folder = RunFolder(self.repo.git_dir / "cmat/runs" / run.id)
        return folder.log.read_text(encoding="utf-8")
