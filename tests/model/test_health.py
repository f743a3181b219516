"""The score of a repository, and when it is well."""

from gitcmat.model.health import Finding, Severity, is_well, score


def found(*severities: Severity) -> list[Finding]:
    return [Finding(id="x", severity=s, what="x", where="", how="") for s in severities]


def test_a_repository_without_findings_has_all_the_points() -> None:
    assert score([]) == 100
    assert is_well([])


def test_each_severity_costs_its_points_and_knowing_costs_nothing() -> None:
    assert score(found(Severity.CRITICAL)) == 75
    assert score(found(Severity.SERIOUS)) == 85
    assert score(found(Severity.MINOR)) == 95
    assert score(found(Severity.INFO, Severity.INFO)) == 100


def test_the_score_never_falls_below_zero() -> None:
    assert score(found(*[Severity.SERIOUS] * 9)) == 0


def test_well_is_seventy_points_and_nothing_critical() -> None:
    assert is_well(found(Severity.SERIOUS, Severity.SERIOUS))
    assert not is_well(found(Severity.SERIOUS, Severity.SERIOUS, Severity.MINOR))
    assert not is_well(found(Severity.CRITICAL))
