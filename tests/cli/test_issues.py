"""An issue's whole life, as typed: labelled, approved, red, green, merged, closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model.forge import MergeMethod
from tests.support.cli import gitcmat
from tests.support.fakegithub.server import FakeGitHub
from tests.support.own_forge import OwnForge
from tests.support.repo import TestRepo
from tests.support.watched import Project

ID = "issue-1-say-the-date"
CONFIG = """\
schema: 1
defaults: {backoff: 1s, attempts: 2, agent: coder}
gates:
  lint: {run: [sh, -c, "! grep -n bad date.txt | sed 's/^/date.txt:/' | grep ."]}
"""
CODER = """\
---
name: coder
command: [sh, -c, "test $CMAT_ATTEMPT = 1 && echo bad > date.txt || echo good > date.txt"]
---
"""


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OwnForge]:
    """A project whose agent gets it right the second time, and one issue for it."""
    with FakeGitHub() as hub:
        project = Project(repo, config=CONFIG)
        repo.commit("An agent", {".cmat/agents/coder.md": CODER})
        project.trust()
        made = OwnForge(hub, tmp_path, project)
        made.settings(issues="cmat", pull="ready", approvals=0)
        made.stage.push_main()
        made.stage.open_issue("rita", "Say the date", "cmat")
        yield made


def test_from_the_label_to_the_closed_issue(there: OwnForge) -> None:
    url = there.stage.forge().issues.get(1).url
    assert there.pr("sync").ok().out == f"{ID}: new, backlog: issue #1 by rita\n"
    status = gitcmat(there.repo, "status").ok().out
    row = "backlog normal waits for approval (issue #1 by rita) #1: Say the date"
    assert f"{ID} {row} " in f"{' '.join(status.split())} "
    assert status.endswith(f"next: gitcmat task approve {ID}\n")
    shown = gitcmat(there.repo, "task", "show", ID).ok().out
    assert f"  from issue #1 of pat/project by rita: {url}\n" in shown
    assert f"url: {url}" in gitcmat(there.repo, "queue", "get", ID).ok().out
    assert (
        gitcmat(there.repo, "queue", "list", "--json").ok().json["entries"][0]["issue"]["url"]
        == url
    )

    gitcmat(there.repo, "task", "approve", ID).ok()
    gitcmat(there.repo, "watch", "--until-idle", timeout=120).ok()
    assert [str(run.outcome) for run in there.project.runs(ID)] == ["finished", "finished"]
    assert there.project.state(ID) == "review"

    there.pr("sync").ok()
    (pull,) = there.stage.forge().pulls.open()
    assert "\nCloses #1\n" in pull.body
    (check,) = there.stage.forge().checks.list(pull.head_sha)
    assert (check.name, str(check.state)) == ("gitcmat / lint", "passed")

    there.stage.forge("rita").pulls.merge(
        pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha
    )
    there.pr("sync").ok()
    assert there.project.state(ID) == "done"
    assert not there.stage.forge().issues.get(1).open
    there.pr("sync").ok()
    assert len(there.stage.forge().comments.list(1)) == 2
    assert there.pr("show", "#1").code == 0
