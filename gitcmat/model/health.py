"""How well a repository is: findings, and the score that follows from them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FULL: Final = 100
GOOD: Final = 70
"""The lowest score of a repository that is well."""


class Severity(StrEnum):
    """How bad a finding is."""

    CRITICAL = "critical"
    """Work is lost, or nothing goes on, until it is mended."""
    SERIOUS = "serious"
    """Something does not go on, or goes wrong for a person."""
    MINOR = "minor"
    """Untidy, or wrong in a corner."""
    INFO = "info"
    """Worth knowing; costs nothing."""


_COSTS: Final = {
    Severity.CRITICAL: 25,
    Severity.SERIOUS: 15,
    Severity.MINOR: 5,
    Severity.INFO: 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was found."""

    id: str
    """The kind of finding, for scripts: ``run-dead``."""
    severity: Severity
    what: str
    """What is wrong, as a sentence for people."""
    where: str
    """The ref, path or id that it is about; may be empty."""
    how: str
    """How to mend it; empty when there is nothing to do."""
    fixable: bool = False
    """Whether ``doctor --fix`` mends it."""
    after: str = ""
    """What is the person's to do once it is mended."""


def score(findings: Iterable[Finding]) -> int:
    """Return 0 to 100: 25 off for what is critical, 15 for serious, 5 for minor findings."""
    return max(0, FULL - sum(_COSTS[finding.severity] for finding in findings))


def is_well(findings: Iterable[Finding]) -> bool:
    """Whether the score is 70 or more and nothing is critical."""
    found = list(findings)
    critical = any(finding.severity is Severity.CRITICAL for finding in found)
    return score(found) >= GOOD and not critical
