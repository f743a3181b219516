"""Gates: each judges one commit, checked out as it is, in the workspace's own environment."""

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gitcmat.engine.import_origin import ImportOrigin
from gitcmat.engine.supervision import Cause, Ended
from gitcmat.engine.workbench import Workbench
from gitcmat.errors import UserError
from gitcmat.model import locations
from gitcmat.model.gate import GateOutcome, GateResult
from gitcmat.model.globs import pathspecs
from gitcmat.model.job import JobGate
from gitcmat.system.proc import ProgramMissing

_SHOWN: Final = 8192
_READ: Final = 262_144
_NO_MODULE: Final = "No module named "


class Tree(Protocol):
    """The work tree, as gates need it."""

    def overlay(self, base: str, paths: Sequence[str]) -> object:
        """Make the files that `paths` (git's pathspecs) name those of the commit `base`."""

    def restore(self) -> object:
        """Make the tree that of the commit again, whatever was done to it."""


class Gates:
    """Runs gates on the commit that is checked out in `tree`."""

    def __init__(self, bench: Workbench, tree: Tree, tracked: Sequence[str]) -> None:
        """`tracked` are the paths of that commit."""
        self._bench = bench
        self._tree = tree
        self._known = frozenset(tracked)
        host = bench.job.work_tree
        self._origin = ImportOrigin(bench.tree, tracked, host=Path(host) if host else None)

    def run(self) -> tuple[GateResult, ...]:
        """Run all gates of the job in turn; each finds the tree untouched by those before it.

        After a request to stop the rest is not run and has no result.
        """
        results: list[GateResult] = []
        for gate in self._bench.job.gates:
            if self._bench.stop.is_made():
                break
            if results:  # what the last one leaves goes when the workspace is used again
                self._tree.restore()
            if gate.protect:
                self._tree.overlay(self._bench.job.base, pathspecs(gate.protect))
            result = self._judge(gate)
            self._bench.log.note(f"gate {gate.name}: {_summary(result)}")
            self._bench.log.event("gate ended", f"{gate.name}: {result.outcome}")
            results.append(result)
        return tuple(results)

    def _judge(self, gate: JobGate) -> GateResult:
        self._bench.begin(f"gate {gate.name}", gate.run)
        try:
            env = self._bench.environment(gate.env)
        except UserError as error:
            return _not_run(gate, GateOutcome.ERROR, error.message)
        program = gate.run[0]
        if "/" not in program and shutil.which(program, path=env.get("PATH", os.defpath)) is None:
            return _missing(gate, f"`{program}` is not installed")
        wrong = self._origin.problem(gate.run, env)
        if wrong:
            return _not_run(gate, GateOutcome.ERROR, wrong)
        try:
            ended, output = self._bench.run(gate.run, env=env, wall=gate.timeout, keep=_READ)
        except ProgramMissing as error:
            if Path(program).is_absolute():
                return _missing(gate, error.message)
            return _not_run(gate, GateOutcome.ERROR, error.message)
        except UserError as error:
            return _not_run(gate, GateOutcome.ERROR, error.message)
        return self._result(gate, ended, output)

    def _result(self, gate: JobGate, ended: Ended, output: str) -> GateResult:
        outcome, reason = _outcome(gate, ended, output)
        green = outcome is GateOutcome.PASSED
        places = locations.parse(
            "" if green else output, root=str(self._bench.tree), known=self._known.__contains__
        )
        return GateResult(
            name=gate.name,
            outcome=outcome,
            exit_code=ended.code,
            seconds=round(ended.seconds, 3),
            reason=reason,
            output=output[-_SHOWN:],
            locations=places.kept,
            more_locations=places.more,
        )


def _outcome(gate: JobGate, ended: Ended, output: str) -> tuple[GateOutcome, str]:
    if ended.cause is Cause.STOPPED:
        return GateOutcome.ERROR, "stopped before it had ended"
    if ended.cause is not Cause.EXITED:
        return GateOutcome.ERROR, ended.why
    if ended.code == 0:
        return GateOutcome.PASSED, ""
    module = _module(gate.run)
    last = output.rstrip().rpartition("\n")[2]
    if module and re.search(rf": {_NO_MODULE}'?{re.escape(module)}'?$", last):
        return GateOutcome.SKIPPED, f"Python module `{module}` is not installed; {_PUT_RIGHT}"
    if ended.code is not None and ended.code < 0:
        return GateOutcome.FAILED, f"killed by signal {-ended.code}"
    return GateOutcome.FAILED, ""


_PUT_RIGHT: Final = "let setup install it in the workspace"


def _module(argv: Sequence[str]) -> str:
    """The module of ``python -m MODULE``."""
    at = argv.index("-m") if "-m" in argv[:-1] else -1
    return argv[at + 1].split(".")[0] if at > 0 and "python" in Path(argv[0]).name else ""


def _missing(gate: JobGate, what: str) -> GateResult:
    return _not_run(gate, GateOutcome.SKIPPED, f"{what.rstrip('.')}; {_PUT_RIGHT}")


def _not_run(gate: JobGate, outcome: GateOutcome, reason: str) -> GateResult:
    return GateResult(name=gate.name, outcome=outcome, reason=reason)


def not_judged(
    gates: Sequence[JobGate], outcome: GateOutcome, reason: str
) -> tuple[GateResult, ...]:
    """The results of gates of which none was started, all for one reason."""
    return tuple(_not_run(gate, outcome, reason) for gate in gates)


def _summary(result: GateResult) -> str:
    took = f" in {result.seconds:.1f} s" if result.exit_code is not None else ""
    why = f" ({result.reason})" if result.reason else ""
    return f"{result.outcome}{took}{why}"
