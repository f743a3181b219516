"""Runs of real runners: a job in its folder, claimed as the engine does it, and a process."""

import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from gitcmat.engine.runfolder import Prompts, RunFolder
from gitcmat.model.gate import GateResult
from gitcmat.model.job import Identity, Job, JobAgent, JobGate, JobKind, Result
from gitcmat.system import ids
from gitcmat.system.locks import is_locked
from tests.support.repo import TestRepo
from tests.support.wait import until

PAT: Final = Identity(name="Pat Person", email="pat@example.org")
PYTHON: Final = sys.executable


class Bench:
    """One repository, one workspace, and runs in it, one after the other."""

    def __init__(self, repo: TestRepo, cache: Path) -> None:
        self.repo = repo
        self.slot = cache / "slots" / "1"
        self.tree = self.slot / "tree"
        self.last = ""
        """The id of the last run: always new, or a salvage would end the run of another test."""

    def tip(self) -> str:
        """The commit on the ref of the last run."""
        return self.repo.tip(f"refs/cmat/runs/{self.last}")

    def job(self, script: str = "", *, agent: Mapping[str, Any] | None = None, **more: Any) -> Job:
        """A job whose agent is a piece of shell; `agent` and `more` replace fields of both."""
        run = self.last = ids.run_id()
        base = self.repo.tip()
        profile = JobAgent(
            name="tester",
            runs="command",
            command=("sh", "-c", script),
            timeout=60,
            idle_timeout=60,
            max_output=50_000_000,
        )
        job = Job(
            kind=JobKind.WORK,
            run=run,
            task="parse-dates",
            title="Parse dates",
            attempt=1,
            git_dir=str(self.repo.git_dir),
            work_tree=str(self.repo.path),
            object_format="sha1",
            workspace=str(self.slot),
            base=base,
            start=base,
            run_ref=f"refs/cmat/runs/{run}",
            agent=replace(profile, **(agent or {})),
            gates=(),
            setup=(),
            setup_when=(),
            setup_timeout=60,
            keep=(".venv",),
            copy=(),
            paths=(),
            allow_env=(),
            identity=PAT,
        )
        return replace(job, **more)

    def claim(self, job: Job, prompt: str = "Do it.\n") -> RunFolder:
        """Write the run's folder and its ref, as a claim does."""
        folder = RunFolder(self.repo.git_dir / "cmat" / "runs" / job.run)
        folder.create(job, Prompts(whole=prompt))
        self.repo.git("update-ref", job.run_ref, job.start)
        return folder

    def start(self, job: Job, prompt: str = "Do it.\n", **env: str) -> "Runner":
        """Claim and start a runner."""
        return Runner(self.claim(job, prompt), env)

    def run(self, job: Job, prompt: str = "Do it.\n", **env: str) -> Result:
        """Claim, run to the end, and return the result."""
        return self.start(job, prompt, **env).result()

    def judge(self, *gate: str, script: str = "echo x > new.txt", **more: Any) -> GateResult:
        """What one gate says after an agent that made a change."""
        fields = {"timeout": 30, **more}
        job_gate = JobGate(name="tests", run=gate, **fields)
        result = self.run(self.job(script, gates=(job_gate,)))
        assert len(result.gates) == 1, result
        return result.gates[0]


class Runner:
    """A runner that has been started."""

    def __init__(
        self, folder: RunFolder, env: Mapping[str, str], *, before: tuple[str, ...] = ()
    ) -> None:
        self.folder = folder
        with (folder.path / "runner.log").open("wb") as log:
            self.process = subprocess.Popen(
                [*before, PYTHON, "-I", "-m", "gitcmat", "run", "exec", str(folder.path)],
                cwd=folder.path,
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def result(self, timeout: float = 60) -> Result:
        """Wait for the end; fail with what the runner said when it has no result."""
        code = self.process.wait(timeout)
        said = (self.folder.path / "runner.log").read_text(encoding="utf-8")
        found = self.folder.read_result()
        assert found is not None, f"exit {code}: {said}"
        assert (code, said) == (0, ""), (code, said, found)
        assert not is_locked(self.folder.lock)
        return found

    def log(self) -> str:
        """The run's log so far."""
        return self.folder.log.read_text(encoding="utf-8") if self.folder.log.exists() else ""

    def wait_for(self, text: str) -> None:
        """Wait until the log has it."""
        until(lambda: text in self.log(), what=f"{text!r} in the log")

    def die(self) -> None:
        """Kill the runner as the kernel would do it."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)


def python(code: str) -> str:
    """A shell command that runs Python code."""
    return f"exec {shlex.quote(PYTHON)} -c {shlex.quote(code)}"


def processes_with(word: str) -> Iterator[int]:
    """Living processes with this word in their arguments, zombies left out."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if word.encode() in (entry / "cmdline").read_bytes():
                    yield int(entry.name)
            except OSError:
                continue


def processes_in(folder: Path) -> dict[int, Path]:
    """Living processes by pid, whose current folder is this one or below it."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            place = (entry / "cwd").readlink()
            if place.is_relative_to(folder):
                found[int(entry.name)] = place
    return found


__all__ = ["PAT", "PYTHON", "Bench", "Runner", "processes_in", "processes_with", "python"]
