"""Checks in memory."""

from typing import Final

from gitcmat.adapters.forges.memory_view import View
from gitcmat.forge import Refused
from gitcmat.model.forge import (
    Annotation,
    Check,
    CheckKind,
    CheckReport,
    CheckState,
    Permission,
    Rollup,
)

_LATEST: Final = 100
_GOOD: Final = {CheckState.PASSED, CheckState.SKIPPED, CheckState.NEUTRAL}


class MemoryChecks:
    """Fills `gitcmat.forge.Checks`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world

    def list(self, commit: str) -> tuple[Check, ...]:
        of = (check for check in self._world.checks.values() if check.commit == commit)
        latest = {(check.name, check.kind, check.app): check for check in of}
        return tuple(latest[key] for key in sorted(latest))

    def of_open_pulls(self, *, latest: bool = False) -> tuple[Rollup, ...]:
        pulls = self._view.open_pulls()
        if latest:
            last = sorted(pulls, key=lambda pull: pull.updated)[-_LATEST:]
            pulls = tuple(pull for pull in pulls if pull in last)
        return tuple(
            Rollup(
                number=pull.number,
                head_sha=pull.head_sha,
                state=self._all(pull.head_sha),
                said=self._said(pull.number),
            )
            for pull in pulls
        )

    def _said(self, number: int) -> bool:
        world = self._view.world
        below = any(comment.number == number for comment in world.comments.values())
        return below or bool(world.reviews.get(number))

    def _all(self, commit: str) -> CheckState | None:
        states = {check.state for check in self.list(commit)}
        if any(state.done and state not in _GOOD for state in states):
            return CheckState.FAILED
        if any(not state.done for state in states):
            return CheckState.RUNNING
        return CheckState.PASSED if states else None

    def annotations(self, check: Check) -> tuple[Annotation, ...]:
        return self._world.annotations.get(check.id, ())

    def log(self, check: Check, *, at_most: int = 65536) -> str:
        return (self._world.logs.get(check.id) or check.text)[-at_most:]

    def report(self, report: CheckReport) -> Check:
        self._view.want(Permission.WRITE, f"report the check {report.name!r}")
        if report.commit not in self._world.files:
            raise Refused(f"{self._world.name} has no commit {report.commit}.")
        key = (report.name, report.commit, report.external_id)
        checks = self._world.checks
        there = (
            number
            for number, check in checks.items()
            if (check.name, check.commit, check.external_id) == key
        )
        number = next(there, 0) or self._world.new_id()
        checks[number] = Check(
            id=number,
            kind=CheckKind.RUN,
            name=report.name,
            commit=report.commit,
            state=report.state,
            title=report.title,
            summary=report.summary,
            text=report.text,
            url=report.url,
            app="gitcmat",
            external_id=report.external_id,
            annotations=len(report.annotations),
        )
        self._world.annotations[number] = report.annotations
        return checks[number]
