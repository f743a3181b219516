"""A person's project with a GitHub as its remote, and the program in it, as they type it."""

import json
import os
from pathlib import Path

from tests.support.cli import Result, gitcmat
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import ProjectStage
from tests.support.watched import Project


class OwnForge:
    """A project with a GitHub as its remote, and the program in it."""

    def __init__(self, hub: FakeGitHub, folder: Path, project: Project) -> None:
        self.project = project
        self.repo = project.repo
        self.stage = ProjectStage(hub, folder, project.repo)
        self.repo.git("remote", "add", "origin", self.stage.url)
        self.token = self.stage.token("pat")
        self.settings()

    @property
    def env(self) -> dict[str, str]:
        """What signs in the program, as pat."""
        return {"GH_ENTERPRISE_TOKEN": self.token}

    def settings(self, **forge: object) -> None:
        """Write the person's own settings."""
        host = self.stage.hub.url.removeprefix("http://")
        own = {"api": self.stage.hub.url, "hosts": [host], **forge}
        path = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat/config.yaml"
        path.write_text(json.dumps({"sandbox": "off", "forge": own}), encoding="utf-8")

    def work(self, task: str, script: str) -> None:
        """Have the agent do a task."""
        self.project.commit_task(task, script)
        self.stage.push_main()
        gitcmat(self.repo, "run", "now", task).ok()

    def pr(self, *args: str) -> Result:
        """Type ``gitcmat pr ...``, as pat."""
        result = gitcmat(self.repo, "pr", *args, env=self.env)
        assert self.token not in result.out + result.err
        return result
