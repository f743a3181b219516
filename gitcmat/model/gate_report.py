"""What a forge is told of a gate: how it ended, what it printed last, and the lines it is about."""

import re
from typing import Final

from gitcmat.model.forge import Annotation, CheckReport, CheckState, Level
from gitcmat.model.gate import GateOutcome, GateResult, Location
from gitcmat.model.marks import one_line
from gitcmat.model.run import Run

PREFIX: Final = "gitcmat / "
"""Begins the names of our checks. Anybody may name theirs so too."""

_STATES: Final = {
    GateOutcome.PASSED: CheckState.PASSED,
    GateOutcome.FAILED: CheckState.FAILED,
    GateOutcome.ERROR: CheckState.FAILED,
    GateOutcome.SKIPPED: CheckState.NEUTRAL,
}
_LONGEST_TITLE: Final = 140
"""Characters of a title; a commit status has no more room."""
_LONGEST_TEXT: Final = 60_000
_WARNING: Final = re.compile(r"warning\b|.*\[Warning/[\w@/-]+\]$", re.IGNORECASE)
_NOTICE: Final = re.compile(r"(?:note|info|help|hint)\b", re.IGNORECASE)
_TICKS: Final = re.compile("`+")


def is_ours(name: str) -> bool:
    """Whether a check has the name of one that tells what a gate said."""
    return name.startswith(PREFIX)


def report(run: Run, gate: GateResult, commit: str, command: str = "") -> CheckReport:
    """Say what a gate said in `run` of the tree of `commit`; `command` is what it ran, if known."""
    return CheckReport(
        name=f"{PREFIX}{gate.name}",
        commit=commit,
        state=_STATES[gate.outcome],
        external_id=f"{run.id}/{gate.name}",
        title=_title(gate),
        summary=_summary(run, gate, command),
        text=_fenced(gate.output[-_LONGEST_TEXT:]) if gate.output.strip() else "",
        annotations=tuple(_annotation(place, gate.name) for place in gate.locations),
    )


def _title(gate: GateResult) -> str:
    said = {
        GateOutcome.PASSED: "passed",
        GateOutcome.FAILED: "failed",
        GateOutcome.ERROR: "could not judge",
        GateOutcome.SKIPPED: "did not run",
    }[gate.outcome]
    if gate.reason:
        said = f"{said}: {one_line(gate.reason)}"
    elif gate.exit_code is not None:
        said = f"{said} in {gate.seconds:.1f} s"
    return said if len(said) <= _LONGEST_TITLE else f"{said[: _LONGEST_TITLE - 1]}…"


def _summary(run: Run, gate: GateResult, command: str) -> str:
    lines = [f"The gate `{gate.name}` judged this commit in {run.id} of the task {run.task}."]
    if command:
        lines += ["", _fenced(command)]
    code = f", exit code {gate.exit_code}" if gate.exit_code is not None else ""
    lines += ["", f"Outcome: {gate.outcome}{code}, {gate.seconds:.1f} s"]
    if gate.reason:
        lines += ["", _fenced(gate.reason)]
    if gate.locations:
        more = f"; it names {gate.more_locations} more" if gate.more_locations else ""
        lines += ["", f"Places that are annotated: {len(gate.locations)}{more}"]
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> str:
    """Return text as a forge shows it letter by letter: nothing in it can end that."""
    longest = max((len(ticks) for ticks in _TICKS.findall(text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.strip()}\n{fence}"


def _annotation(place: Location, gate: str) -> Annotation:
    """Return what is said of a line; where only the file is known it stands on the first."""
    said = place.message
    level = Level.FAILURE
    if _WARNING.match(said):
        level = Level.WARNING
    elif _NOTICE.match(said):
        level = Level.NOTICE
    return Annotation(
        path=place.file,
        line=max(1, place.line),
        message=said or "named by this gate",
        level=level,
        title=gate,
    )
