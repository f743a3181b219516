"""Making a workspace ready: the commands of `setup:`, when they are due."""

import hashlib
import json
import shlex
from pathlib import Path
from typing import Final

from gitcmat.engine.supervision import Cause
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model.globs import matches
from gitcmat.store.git import Git
from gitcmat.system import files

_KEPT: Final = 2000
_STAMP: Final = "setup.json"


class Setup:
    """The setup of one workspace.

    It is due when it has never come to its end here, when its commands have changed, and when a
    file that `when:` names differs from what it was at its last end.
    """

    def __init__(self, bench: Workbench, git: Git) -> None:
        """`git` reads the commits that are worked on."""
        self._bench = bench
        self._git = git
        # Beside the work tree, where tools that clean the tree do not reach it.
        self._stamp = Path(bench.job.workspace, _STAMP)

    def forget(self) -> None:
        """The workspace is new: whatever was set up is gone."""
        self._stamp.unlink(missing_ok=True)

    def ensure(self, commit: str) -> str:
        """Run the commands, if they are due for the tree of `commit`, which is checked out.

        Returns why it failed, in one line; empty when all is ready.
        """
        job = self._bench.job
        if not job.setup:
            return ""
        wanted = self._digest(commit)
        if self._last() == wanted:
            return ""
        self.forget()
        for argv in job.setup:
            problem = self._run(argv)
            if problem:
                return problem
        files.write_atomic(self._stamp, json.dumps({"done": wanted}).encode(), mode=0o600)
        return ""

    def _run(self, argv: tuple[str, ...]) -> str:
        bench = self._bench
        command = shlex.join(argv)
        bench.begin("setup", argv)
        try:
            env = bench.environment({})
            ended, tail = bench.run(argv, env=env, wall=bench.job.setup_timeout, keep=_KEPT)
        except UserError as error:
            bench.log.note(error.message)
            return f"setup could not be run: {error.message}"
        if ended.cause is Cause.STOPPED:
            return "stopped during setup"
        if ended.cause is not Cause.EXITED:
            return f"setup `{command}` did not end within {bench.job.setup_timeout} seconds"
        if ended.code:
            last = next((line for line in reversed(tail.splitlines()) if line.strip()), "")
            said = f": {last.strip()[:200]}" if last else ""
            return f"setup `{command}` exited {ended.code}{said}"
        return ""

    def _digest(self, commit: str) -> str:
        job = self._bench.job
        found = [
            f"{entry.mode} {entry.oid} {entry.path}"
            for entry in (self._git.tree(commit) if job.setup_when else ())
            if matches(entry.path, job.setup_when)
        ]
        text = json.dumps([job.setup, found])
        return hashlib.sha256(text.encode()).hexdigest()

    def _last(self) -> str:
        try:
            return str(json.loads(files.read_regular(self._stamp, 10_000))["done"])
        except (OSError, ValueError, KeyError, TypeError, UserError):
            return ""
