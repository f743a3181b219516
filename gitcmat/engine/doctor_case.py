"""One finding of the doctor with its remedy, and what all examinations look at."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from gitcmat.engine.deps import Deps
from gitcmat.engine.intake import Wants
from gitcmat.model.health import Finding, Severity
from gitcmat.store.facts import Facts

AUTO: Final = "gitcmat doctor --fix"
"""How to mend what we can mend."""


@dataclass(frozen=True, slots=True)
class Case:
    """A finding, and what mends it; None for what is left to the person."""

    finding: Finding
    mend: Callable[[], object] | None = None


@dataclass(frozen=True, slots=True)
class Patient:
    """A repository as it is at this moment: what is looked at, and never written by looking."""

    deps: Deps
    facts: Facts
    """The records, from a cache that is ours alone."""
    wants: Wants


def case(
    what_id: str,
    severity: Severity,
    what: str,
    *,
    where: str = "",
    how: str = "",
    after: str = "",
    mend: Callable[[], object] | None = None,
) -> Case:
    """Make a case; one that can be mended says so where `how` is left out."""
    return Case(
        Finding(
            id=what_id,
            severity=severity,
            what=what,
            where=where,
            how=how or (AUTO if mend else ""),
            fixable=mend is not None,
            after=after,
        ),
        mend,
    )
