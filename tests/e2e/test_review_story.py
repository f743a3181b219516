"""A review on the page, answered by the daemon and its agent alone; then red checks, then green."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.forge import CheckState, MergeMethod, Verdict
from gitcmat.model.pull import Pull
from gitcmat.model.state import State
from tests.support.cli import gitcmat, running
from tests.support.fakegithub.server import FakeGitHub
from tests.support.own_forge import OwnForge
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

AGENT = """\
told=$(cat)
case "$told" in
*"boom in test_b"*) echo fixed > fixed.txt ;;
*"> > Say more."*) echo more >> a.txt ;;
*) echo one > a.txt; echo one > b.txt ;;
esac
"""


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OwnForge]:
    """A project whose remote is a GitHub, where pull requests are wanted."""
    with FakeGitHub() as hub:
        project = Project(repo)
        repo.commit("Agent", {"tools/agent.sh": AGENT})
        project.trust()
        made = OwnForge(hub, tmp_path, project)
        made.settings(pull="ready", every="1s")
        yield made


def _head(there: OwnForge) -> str:
    return there.stage.forge().pulls.get(1).head_sha


def _pull(there: OwnForge) -> Pull:
    entry = there.project.entry("a")
    assert entry is not None
    assert entry.pull is not None
    return entry.pull


def _moves(there: OwnForge, head: str) -> str:
    """Wait until the pull request has another head; return it."""
    return until(lambda: _head(there) if _head(there) != head else None, 60, "a new head") or ""


def _answers(there: OwnForge) -> dict[str, list[str]]:
    """What gitcmat said in the threads, by their files."""
    threads = there.stage.forge().reviews.threads(1)
    return {t.path: [c.body.partition("\n")[2].strip() for c in t.comments[1:]] for t in threads}


def _prompt(there: OwnForge) -> str:
    (run, *_) = there.project.runs("a")
    folder = RunFolder(there.project.app.deps.runs / run.id)
    return folder.prompt.read_text("utf-8")


def test_from_a_review_to_green(there: OwnForge, tmp_path: Path) -> None:
    hub, stage = there.stage.hub, there.stage
    with running(there.repo, "watch", logs=tmp_path / "log", env=there.env) as daemon:
        there.project.commit_task("a")
        stage.push_main()
        daemon.says("a: #1 was opened: ")
        first = _head(there)

        made = hub.review(stage.repo, 1, "rita", "CHANGES_REQUESTED", "Two things.")
        hub.remark(stage.repo, 1, "rita", ("a.txt", 1), "Say more.", made)
        hub.remark(stage.repo, 1, "rita", ("b.txt", 1), "Why one?", made)
        second = _moves(there, first)
        until(lambda: all(_answers(there).values()), 60, "a reply in each thread")

        url = f"{stage.forge().pulls.get(1).url}/commits/{second}"
        assert _answers(there) == {
            "a.txt": [f"Addressed in [{second[:10]}]({url}): Task a"],
            "b.txt": [f"The rework, [{second[:10]}]({url}), does not change this file."],
        }
        told = _prompt(there)
        assert "> rita requested changes:\n>\n> > Two things.\n" in told
        assert "> About a.txt, line 1, where the diff showed:\n" in told
        assert "> rita said:\n>\n> > Why one?\n" in told
        assert stage.git.git("merge-base", first, second).strip() == first

        stage.run_check(second, "build", CheckState.FAILED, "boom in test_b\n")
        third = _moves(there, second)
        stage.run_check(third, "build", CheckState.PASSED)
        until(lambda: _pull(there).checks == "passed", 60, "checks that passed")
        forge = stage.forge("rita")
        forge.reviews.submit(1, Verdict.APPROVED, body="", commit=third)
        until(lambda: _pull(there).approved == ("rita",), 60, "the approval")
        shown = gitcmat(there.repo, "review", "show", "a").ok().out
        assert "  pull      #1 open, approved by rita, checks passed\n" in shown

        forge.pulls.merge(1, method=MergeMethod.SQUASH, head_sha=third)
        there.project.reaches("a", State.DONE)

    assert [run.outcome for run in there.project.runs("a")] == ["finished"] * 3
    assert [pull.number for pull in stage.forge().pulls.of_branch("cmat/a")] == [1]
    assert all(len(said) == 1 for said in _answers(there).values())
    assert [c for c in stage.forge().comments.list(1) if c.author.login == "pat"] == []
