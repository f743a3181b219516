"""Examines whether agents can be kept in a sandbox on this machine, and whether they are."""

from collections.abc import Iterator

from gitcmat.engine.boxes import forbidden
from gitcmat.engine.doctor_case import Case, Patient, case
from gitcmat.model.health import Severity
from gitcmat.model.sandbox import SandboxMode, SandboxWish
from gitcmat.system import bwrap
from gitcmat.system.bwrap import Refused


def examine(patient: Patient) -> Iterator[Case]:
    """Say what this machine can do; what a person or a profile insists on must be there."""
    found = bwrap.find(forbidden(patient.deps))
    if not isinstance(found, Refused):
        yield case("sandbox", Severity.INFO, _said(patient.deps.settings.sandbox))
        return
    missing = _insisting(patient)
    yield case(
        "sandbox",
        Severity.SERIOUS if missing else Severity.INFO,
        f"There is no sandbox for agents here: {found.why}"
        + (f"; without one these start nothing: {', '.join(missing)}" if missing else ""),
        how=found.hint,
    )


def _said(usual: SandboxMode) -> str:
    if usual is SandboxMode.OFF:
        return "bubblewrap works here; agents are not kept in it unless their profile says so"
    return "Agents work in a sandbox of bubblewrap unless their profile says otherwise"


def _insisting(patient: Patient) -> list[str]:
    """The agents that nothing is started for without a sandbox."""
    usual = patient.deps.settings.sandbox
    found = {
        name
        for intent in patient.wants.intents.values()
        for name, agent in intent.agents.items()
        if _mode(SandboxWish.of(agent.profile.sandbox), usual) is SandboxMode.BWRAP
    }
    return sorted(found)


def _mode(wish: SandboxWish | None, usual: SandboxMode) -> SandboxMode:
    return wish.meant if wish is not None else usual
