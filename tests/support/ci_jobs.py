"""The jobs of a workflow, each in a checkout of its own, on a fake GitHub."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gitcmat.engine import trust
from gitcmat.model.entry import Entry
from gitcmat.store import layout, records
from tests.support.ci_events import push
from tests.support.cli import Env, Result, gitcmat
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import ProjectStage
from tests.support.project import Project, agent_file, config_file
from tests.support.repo import TestRepo

STATE: Final = "refs/cmat/state/ci"

WORKER: Final = 'echo work >> "$CMAT_WORKSPACE/$CMAT_TASK.txt"'
"""An agent that does some work; the project around it has nothing of the kind."""


@dataclass(frozen=True, slots=True)
class Step:
    """How a step of a job ended, and what it told its workflow."""

    result: Result
    outputs: dict[str, str]
    summary: str

    @property
    def code(self) -> int:
        return self.result.code

    def ok(self) -> "Step":
        self.result.ok()
        return self

    @property
    def tasks(self) -> list[dict[str, str]]:
        """The matrix of a plan."""
        found: list[dict[str, str]] = json.loads(self.outputs["tasks"])
        return found


class Jobs:
    """A project on a fake GitHub, and the jobs that its workflow starts."""

    def __init__(
        self,
        hub: FakeGitHub,
        folder: Path,
        repo: TestRepo,
        *,
        script: str = WORKER,
        gates: Mapping[str, list[str]] | None = None,
        **defaults: Any,
    ) -> None:
        self.folder = folder
        self.project = Project(
            repo, {**config_file(gates, defaults=defaults), **agent_file("coder", script)}
        )
        self.stage = ProjectStage(hub, folder, repo)
        self.hub = hub
        self.bare = self.stage.bare
        self._count = 0

    @property
    def digest(self) -> str:
        """The digest of what the project may start."""
        return trust.look(self.project.deps).plan.digest

    def task(self, task: str, **fields: Any) -> None:
        """Commit a task and push it."""
        self.project.task(task, **fields)
        self.stage.push_main()

    def checkout(self, *how: str) -> Path:
        """Check out main as actions/checkout does, without credentials; `how` goes to the clone."""
        self._count += 1
        place = self.folder / f"checkout-{self._count}"
        repo = TestRepo(self.folder / "runner")
        repo.git("clone", "-q", *how, f"file://{self.bare.path}", str(place))
        there = TestRepo.at(place)
        there.git("remote", "set-url", "origin", self.stage.url)
        there.git("checkout", "-q", "--detach")
        TestRepo.made.remove(there)
        return place

    def step(
        self, verb: str, *args: str, env: Env | None = None, place: Path | None = None
    ) -> Step:
        """Do a step of a job in a new checkout, or in `place`."""
        place = place or self.checkout()
        told, files = self.job(place, verb)
        result = gitcmat(place, "ci", verb, *args, env={**told, **(env or {})})
        outputs = _outputs(files["OUTPUT"].read_text(encoding="utf-8"))
        return Step(result, outputs, files["STEP_SUMMARY"].read_text(encoding="utf-8"))

    def job(self, place: Path, verb: str) -> tuple[dict[str, str], dict[str, Path]]:
        """The environment of a step, and the files by which it speaks to its workflow."""
        temp = self.folder / f"temp-{place.name}-{verb}"
        temp.mkdir(exist_ok=True)
        files = {name: temp / name.lower() for name in ("OUTPUT", "STEP_SUMMARY", "ENV", "PATH")}
        for file in files.values():
            file.touch()
        told = {
            **{f"GITHUB_{name}": str(file) for name, file in files.items()},
            "GITHUB_SERVER_URL": self.hub.url,
            "GITHUB_API_URL": self.hub.url,
            "GITHUB_RUN_ID": str(self._count),
            **self._event(temp),
            "RUNNER_TEMP": str(temp),
            "CMAT_TRUST_DIGEST": self.digest,
            "CMAT_SANDBOX": "off",
        }
        return told, files

    def _event(self, temp: Path) -> Mapping[str, str]:
        """What started it: a push of what main is now."""
        event = push("pat", self.bare.tip("refs/heads/main"))
        return event.at(temp)

    def write_token(self) -> Env:
        """What a job has that may write."""
        return {"GITHUB_TOKEN": self.stage.token("pat")}

    def plan(self, *args: str, env: Env | None = None) -> Step:
        return self.step("plan", *args, env={**self.write_token(), **(env or {})})

    def run(self, offer: Mapping[str, str], *args: str, env: Env | None = None) -> Step:
        """Run what was offered; what came of it lies in `out(offer)` then."""
        token = {"GITHUB_TOKEN": self.stage.token("rob")}
        out = {"CMAT_OUT": str(self.out(offer))}
        return self.step("run", *args, env={**token, **told(offer), **out, **(env or {})})

    def publish(self, offer: Mapping[str, str], *args: str, env: Env | None = None) -> Step:
        there = {"CMAT_IN": str(self.out(offer))}
        token = self.write_token()
        return self.step("publish", *args, env={**token, **told(offer), **there, **(env or {})})

    def sync(self, *args: str, env: Env | None = None) -> Step:
        return self.step("sync", *args, env={**self.write_token(), **(env or {})})

    def out(self, offer: Mapping[str, str]) -> Path:
        """Where a run leaves what came of it."""
        return self.folder / f"out-{offer['task']}"

    # --- what is on the remote ------------------------------------------------------------------

    @property
    def tip(self) -> str:
        """The commit of the facts; empty for none."""
        return self.bare.refs().get(STATE, "")

    def entry(self, task: str) -> Entry | None:
        """A record as it is on the remote."""
        listed = self.bare.git("ls-tree", "-r", "--name-only", STATE).splitlines()
        for path in listed:
            key = layout.parse(path)
            if key is not None and key.kind is layout.Kind.QUEUE and key.id == task:
                found = records.read(key, self.bare.git("show", f"{STATE}:{path}").encode())
                assert isinstance(found, Entry)
                return found
        return None

    def state(self, task: str) -> str:
        found = self.entry(task)
        return str(found.state) if found else "none"

    def claims(self) -> dict[str, str]:
        """The claims on the remote, by task."""
        there = "refs/cmat/claims/"
        found = self.bare.refs().items()
        return {ref.removeprefix(there): at for ref, at in found if ref.startswith(there)}


def told(offer: Mapping[str, str]) -> dict[str, str]:
    """The variables of a job of the matrix."""
    return {f"CMAT_{name.upper()}": value for name, value in offer.items()}


def _outputs(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, _, end = line.partition("<<")
        held = []
        for more in lines:
            if more == end:
                break
            held.append(more)
        found[name] = "\n".join(held)
    return found
