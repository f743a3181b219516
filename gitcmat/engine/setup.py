"""Making a workspace ready: the commands of `setup:`, when they are due."""

import hashlib
import json
import shlex
from typing import Final

from gitcmat.engine.supervision import Cause
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model.globs import matches
from gitcmat.store.workspaces import Workspace

_KEPT: Final = 2000


class Setup:
    """The setup of one workspace.

    It is due when it has never come to its end here, when its commands have changed, when a file
    that `when:` names differs from what it was then, and when something that it made and that is
    kept between runs has been removed.
    """

    def __init__(self, bench: Workbench, workspace: Workspace, done: str) -> None:
        """`done` is the digest that was noted when it last came to its end; empty for never."""
        self._bench = bench
        self._workspace = workspace
        self._done = done

    def ensure(self, commit: str) -> str:
        """Run the commands, if they are due for `commit`, which is checked out.

        Returns why it failed, in one line; empty when all is ready.
        """
        job = self._bench.job
        if not job.setup or self._done == self._digest(commit):
            return ""
        # Broken off in the middle it must not look as if the one before were still good.
        self._workspace.note_setup("")
        self._done = ""
        for argv in job.setup:
            problem = self._run(argv)
            if problem:
                return problem
        self._done = self._digest(commit)
        self._workspace.note_setup(self._done)
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
            return f"setup `{command}` {ended.why}"
        if ended.code:
            last = next((line for line in reversed(tail.splitlines()) if line.strip()), "")
            said = f": {last.strip()[:200]}" if last else ""
            return f"setup `{command}` exited {ended.code}{said}"
        return ""

    def _digest(self, commit: str) -> str:
        job = self._bench.job
        listed = self._workspace.vault.git.tree(commit) if job.setup_when else ()
        blobs = [(e.mode, e.oid, e.path) for e in listed if matches(e.path, job.setup_when)]
        kept = [name for name in job.keep if (self._bench.tree / name).exists()]
        text = json.dumps([job.setup, blobs, kept])
        return hashlib.sha256(text.encode()).hexdigest()
