"""What is found out about an agent before it works: what keeps it from that, and what may."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gitcmat.model.job import RunOutcome
from gitcmat.model.usage import UNKNOWN, Spend

_VERSION: Final = re.compile(r"\d+(?:\.\d+)+")
_WELL: Final = frozenset({RunOutcome.FINISHED, RunOutcome.ASKED})


class Weight(StrEnum):
    """How much a finding matters."""

    WRONG = "wrong"
    """The agent cannot work so."""
    NOTE = "note"
    """Good to know; it may well work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found out."""

    weight: Weight
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One turn with a prompt that asks for nothing."""

    outcome: RunOutcome
    message: str
    said: str
    spend: Spend = UNKNOWN
    seconds: float
    sandbox: str
    """What it was kept in by, on one line."""

    @property
    def worked(self) -> bool:
        """Whether the agent could work."""
        return self.outcome in _WELL


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What is known of one agent now."""

    name: str
    runs: str
    program: str | None
    """Its absolute path; None where there is none that may be started."""
    version: str | None = None
    """What the program said; None where it was not asked, or gave no answer."""
    tested: str | None = None
    """The version that gitcmat was tested with; None where there is none."""
    probe: Probe | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def fine(self) -> bool:
        """Whether nothing is known that keeps it from working."""
        wrong = any(one.weight is Weight.WRONG for one in self.findings)
        return not wrong and (self.probe is None or self.probe.worked)


def version_in(text: str) -> str | None:
    """The version in what a program prints when it is asked for it."""
    found = _VERSION.search(text)
    return found[0] if found else None


def compared(program: str, version: str, tested: str) -> Finding | None:
    """What to say of a version that is not the tested one."""
    if version == tested:
        return None
    age = "newer" if _parts(version) > _parts(tested) else "older"
    return Finding(
        weight=Weight.NOTE,
        text=f"{program} {version} is {age} than {tested}, with which gitcmat was tested",
        hint="if it behaves oddly: gitcmat agent check --probe",
    )


def not_logged_in(
    variables: tuple[str, ...], files: tuple[str, ...], here: Mapping[str, str]
) -> Finding:
    """What to say where no login is to be seen. `here` are variables of the person's own; those
    that would do and are not handed on are named.
    """
    kept = [name for name in variables if here.get(name)]
    if kept:
        return Finding(
            weight=Weight.NOTE,
            text=f"{kept[0]} is set here, and is not handed on to it",
            hint=f"pass_env: [{kept[0]}] in its profile",
        )
    places = " nor ".join((*files, "any of " + ", ".join(variables)))
    return Finding(
        weight=Weight.NOTE,
        text=f"no login is to be seen: neither {places}",
        hint="start the program once by hand and log in, or name a key in pass_env: of the profile",
    )


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
