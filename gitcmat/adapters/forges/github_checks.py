"""Check runs and commit statuses on GitHub."""

from collections.abc import Mapping
from typing import Any, Final

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_answers import (
    CONCLUSIONS,
    STATUSES,
    annotation,
    check_run,
    rollup,
    status,
)
from gitcmat.forge import NotAllowed, NotVisible
from gitcmat.model.forge import Annotation, Check, CheckKind, CheckReport, CheckState, Rollup

_READ: Final = "checks: read"

# The other interface tells it of one commit at a time.
_ROLLUPS: Final = """
query Rollups($owner: String!, $name: String!, $after: String, $by: IssueOrderField!) {
  repository(owner: $owner, name: $name) {
    pullRequests(states: OPEN, first: 100, after: $after,
                 orderBy: {field: $by, direction: DESC}) {
      pageInfo { hasNextPage endCursor }
      nodes {
        number headRefOid
        comments { totalCount } reviews { totalCount }
        commits(last: 1) { nodes { commit { oid statusCheckRollup { state } } } }
      }
    }
  }
}
"""
_AT_ONCE: Final = 50
"""Annotations that GitHub takes in one request; it adds those of the next to them."""
_LONGEST: Final = 65535
"""Characters of a summary or text; more is refused."""
_LONGEST_STATUS: Final = 140


class GitHubChecks:
    """Fills `gitcmat.forge.Checks`."""

    def __init__(self, connection: GitHubConnection) -> None:
        self._to = connection
        self._root = f"{connection.repo}/check-runs"
        self._only_statuses = False

    def list(self, commit: str) -> tuple[Check, ...]:
        what = f"list the checks of {commit[:12]}"
        runs = self._to.pages(
            f"{self._to.repo}/commits/{commit}/check-runs", what=what, needs=_READ, key="check_runs"
        )
        found = [check_run(item) for item in runs]
        combined = self._to.pages(
            f"{self._to.repo}/commits/{commit}/status",
            what=what,
            needs="commit statuses: read",
            key="statuses",
        )
        found += [status(item, commit) for item in combined]
        return tuple(sorted(found, key=lambda check: (check.name, check.kind, check.app)))

    def of_open_pulls(self, *, latest: bool = False) -> tuple[Rollup, ...]:
        found: list[Rollup] = []
        after: str | None = None
        while True:
            data = self._to.query(
                _ROLLUPS,
                what="list the checks of pull requests",
                needs=_READ,
                owner=self._to.remote.owner,
                name=self._to.remote.name,
                after=after,
                by="UPDATED_AT" if latest else "CREATED_AT",
            )
            page = data["repository"]["pullRequests"]
            found += [rollup(node) for node in page["nodes"]]
            if latest or not page["pageInfo"]["hasNextPage"]:
                return tuple(sorted(found, key=lambda one: one.number, reverse=True))
            after = page["pageInfo"]["endCursor"]

    def annotations(self, check: Check) -> tuple[Annotation, ...]:
        if check.kind is CheckKind.STATUS or not check.annotations:
            return ()
        items = self._to.pages(
            f"{self._root}/{check.id}/annotations",
            what=f"list the annotations of {check.name!r}",
            needs=_READ,
        )
        return tuple(annotation(item) for item in items)

    def log(self, check: Check, *, at_most: int = 65536) -> str:
        said = "\n\n".join(part for part in (check.summary, check.text) if part)
        if check.app != "github-actions":
            return said[-at_most:]
        try:  # the check run of a job has the job's number
            log = self._to.text(
                f"{self._to.repo}/actions/jobs/{check.id}/logs",
                what=f"show the log of {check.name!r}",
                needs="actions: read",
            )
        except (NotAllowed, NotVisible):
            return said[-at_most:]
        return log[-at_most:]

    def report(self, report: CheckReport) -> Check:
        if self._only_statuses:
            return self._as_status(report)
        try:
            return self._as_run(report)
        except NotAllowed as error:  # only Apps may make check runs
            try:
                made = self._as_status(report)
            except NotAllowed:
                raise error from None
            self._only_statuses = True
            return made

    def _as_run(self, report: CheckReport) -> Check:
        """Make the check run, or bring the one that is there up to date.

        Annotations can only be added. How many are there says which are still missing.
        """
        what = f"report the check {report.name!r}"
        there, body = self._there(report, what), _body(report)
        if there is None:
            named = {"name": report.name, "head_sha": report.commit}
            first = named | {"external_id": report.external_id} | body
            there = self._write("POST", self._root, first | _output(report, 0), what)
        else:
            there = self._change(there, report, body, what)
        while there["output"]["annotations_count"] < len(report.annotations):
            there = self._change(there, report, body, what)
        return check_run(there)

    def _change(self, there: Any, report: CheckReport, body: dict[str, Any], what: str) -> Any:
        output = _output(report, there["output"]["annotations_count"])
        return self._write("PATCH", f"{self._root}/{there['id']}", body | output, what)

    def _there(self, report: CheckReport, what: str) -> Any | None:
        runs = self._to.pages(
            f"{self._to.repo}/commits/{report.commit}/check-runs",
            what=what,
            needs=_READ,
            key="check_runs",
            check_name=report.name,
            filter="all",
        )
        return next((run for run in runs if run["external_id"] == report.external_id), None)

    def _write(self, verb: str, path: str, body: Mapping[str, object], what: str) -> Any:
        return self._to.write(verb, path, body, what=what, needs="checks: write")

    def _as_status(self, report: CheckReport) -> Check:
        body = {
            "state": STATUSES[report.state],
            "context": report.name,
            "description": report.title[:_LONGEST_STATUS],
        }
        if report.url:
            body["target_url"] = report.url
        made = self._to.write(
            "POST",
            f"{self._to.repo}/statuses/{report.commit}",
            body,
            what=f"report the check {report.name!r}",
            needs="commit statuses: write",
        )
        return status(made, report.commit)


def _body(report: CheckReport) -> dict[str, Any]:
    body: dict[str, Any] = {"details_url": report.url} if report.url else {}
    if report.state.done:
        return body | {"status": "completed", "conclusion": CONCLUSIONS[report.state]}
    return body | {"status": "in_progress" if report.state is CheckState.RUNNING else "queued"}


def _output(report: CheckReport, there: int) -> dict[str, Any]:
    """Return the texts, and as many annotations after the first `there` as may be sent at once."""
    output: dict[str, Any] = {
        "title": report.title,
        "summary": report.summary[:_LONGEST],
        "annotations": _written(report.annotations[there:][:_AT_ONCE]),
    }
    if report.text:
        output["text"] = report.text[:_LONGEST]
    return {"output": output}


def _written(annotations: tuple[Annotation, ...]) -> list[dict[str, object]]:
    return [
        {
            "path": item.path,
            "start_line": item.line,
            "end_line": item.last_line,
            "annotation_level": item.level.value,
            "message": item.message,
            **({"title": item.title} if item.title else {}),
        }
        for item in annotations
    ]
