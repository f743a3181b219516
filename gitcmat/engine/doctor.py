"""Examines a repository, and mends what can be mended without a person.

The state comes first: while its ref is damaged, everything else would look lost. Looking writes
nothing; what lives is left alone.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from gitcmat.engine import (
    doctor_forge,
    doctor_leftovers,
    doctor_project,
    doctor_refs,
    doctor_runs,
    doctor_sandbox,
    doctor_state,
)
from gitcmat.engine.deps import Deps
from gitcmat.engine.doctor_case import AUTO, Case, Patient, case
from gitcmat.engine.intake import Intake
from gitcmat.errors import InvalidData, UserError
from gitcmat.model import health
from gitcmat.model.health import Finding, Severity
from gitcmat.store import cache_copy, mending
from gitcmat.system.refusals import told

_NO_GOOD: Final = "no version of it can be read: git log -p refs/cmat/state, then mend it by hand"

Stage = Callable[[Patient], Iterator[Case]]

_STAGES: Final[tuple[Stage, ...]] = (
    doctor_refs.examine,
    doctor_runs.examine,
    doctor_project.examine,
    doctor_sandbox.examine,
    doctor_forge.examine,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkup:
    """How the repository is, after what was mended."""

    findings: tuple[Finding, ...]
    """What is left, the worst first."""
    mended: tuple[Finding, ...] = ()
    failed: tuple[tuple[Finding, str], ...] = ()
    """What could not be mended, and why."""

    @property
    def score(self) -> int:
        """0 to 100."""
        return health.score(self.findings)

    @property
    def well(self) -> bool:
        """Whether the score is good and nothing is critical."""
        return health.is_well(self.findings)


def doctor(deps: Deps, *, fix: bool = False) -> Checkup:
    """Examine the repository; with `fix`, mend what can be mended, and examine it again."""
    tried: dict[Finding, str] = {}
    if fix:
        for cases in _rounds(deps, [[stage] for stage in _STAGES]):
            for one in cases:
                if one.mend is not None and one.finding not in tried:
                    tried[one.finding] = _mend(one.mend)
    found = [one.finding for cases in _rounds(deps, [_STAGES]) for one in cases]
    order = list(Severity)
    left = tuple(sorted(found, key=lambda finding: order.index(finding.severity)))
    there, told_why = {_about(one) for one in left}, {_about(f): why for f, why in tried.items()}
    return Checkup(
        findings=left,
        mended=tuple(finding for finding in tried if _about(finding) not in there),
        failed=tuple((f, why) for f in left if (why := told_why.get(_about(f)))),
    )


def _about(finding: Finding) -> tuple[str, str, str]:
    """What makes it the same finding, though a line above it in the file is gone by now."""
    place, _, line = finding.where.rpartition(":")
    return finding.id, finding.what, place if line.isdecimal() else finding.where


def _mend(remedy: Callable[[], object]) -> str:
    """Apply a remedy; return why it did not help, empty when it did."""
    try:
        remedy()
    except (UserError, OSError) as error:
        hint = error.hint if isinstance(error, UserError) else ""
        return f"{told(error)} ({hint})" if hint else told(error)
    return ""


def _rounds(deps: Deps, groups: Sequence[Sequence[Stage]]) -> Iterator[list[Case]]:
    """Yield findings; each round looks when those of the last one were dealt with."""
    yield list(doctor_state.examine(deps))
    yield list(doctor_leftovers.examine(deps))
    if any(one.finding.severity is Severity.CRITICAL for one in doctor_state.examine(deps)):
        return  # without its records, every run and every file would look like an orphan
    yield list(_cache(deps))
    yield list(_damaged(deps))
    if any(_damaged(deps)):
        return  # what the records that cannot be read are about would look like leftovers
    for stages in groups:
        yield _with_records(deps, stages)


def _cache(deps: Deps) -> Iterator[Case]:
    damage = cache_copy.damage(deps.repo, deps.git)
    if damage:
        yield case(
            "cache-damaged",
            Severity.MINOR,
            f"The cache of the records is damaged: {damage}",
            where=str(deps.repo.cmat / cache_copy.FILES[0]),
            mend=lambda: _renew_cache(deps),
        )


def _renew_cache(deps: Deps) -> None:
    deps.store.close()
    cache_copy.remove_cache(deps.repo)
    deps.store.read()


def _damaged(deps: Deps) -> Iterator[Case]:
    """Look at records that cannot be read; what each is about has stopped."""
    tip = deps.store.tip()
    with cache_copy.copied(deps.repo, deps.git, tip) as facts:
        found = facts.set_aside()
    for path, damaged in found.items():
        good = mending.last_good(deps.git, tip or "", path)
        yield case(
            "record-damaged",
            Severity.SERIOUS,
            f"The record of {damaged.id} is set aside, as it cannot be read: {damaged.why}",
            where=path,
            how=f"{AUTO} (as it was at {good.commit[:12]})" if good else _NO_GOOD,
            mend=partial(_restore, deps, path, good) if good else None,
        )


def _restore(deps: Deps, path: str, good: mending.Version) -> None:
    note = f"{good.record.id}: as it was at {good.commit[:12]}"
    with deps.store.change("doctor", by=deps.actor) as change:
        if path in change.facts.set_aside():
            change.mend(path, good.record, note)


def _with_records(deps: Deps, stages: Sequence[Stage]) -> list[Case]:
    try:
        with cache_copy.copied(deps.repo, deps.git, deps.store.tip()) as facts:
            wants = Intake(deps, remember=False).wants(facts)
            patient = Patient(deps, facts, wants)
            return [one for stage in stages for one in stage(patient)]
    except InvalidData as error:
        how = error.hint or "git fsck"
        return [case("record-damaged", Severity.CRITICAL, error.message, how=how)]
