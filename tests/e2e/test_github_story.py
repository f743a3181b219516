"""The whole story of two tasks on a GitHub, as a person lives it: the real daemon works and looks,
colleagues review, a check breaks, somebody presses the button.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.forge import CheckState, MergeMethod, marks
from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat, running
from tests.support.fakegithub.server import FakeGitHub
from tests.support.fakegithub.world import Issue
from tests.support.on_github import ProjectStage
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

CONFIG: Final = """\
schema: 1
defaults: {backoff: 1s, attempts: 3, agent: fake}
gates:
  words: {run: [sh, -c, "test -s hello.txt"]}
"""
AGENT: Final = """\
cat > prompt
case $CMAT_TASK in
  issue-1-*) echo hello >> hello.txt ;;
  *) cp hello.txt thanks.txt ;;
esac
if grep -q "missing: bye" prompt; then echo bye > bye.txt; fi
rm prompt
"""
HELLO: Final = "issue-1-say-hello"
THANKS: Final = "thanks"
RITA: Final = "rita"
LONG: Final = 60.0
"""Seconds for a look or two, and a run."""


class Story:
    """A person, their repository, and the GitHub that it is on."""

    def __init__(self, hub: FakeGitHub, folder: Path, repo: TestRepo) -> None:
        self.hub, self.repo = hub, repo
        self.project = Project(repo, config=CONFIG)
        repo.commit("An agent that does as it is told", {"tools/agent.sh": AGENT})
        self.project.trust()
        self.stage = ProjectStage(hub, folder, repo)
        repo.git("remote", "add", "origin", self.stage.url)
        own = {
            "api": hub.url,
            "hosts": [hub.url.removeprefix("http://")],
            "pull": "draft",
            "issues": "cmat",
            "every": "1s",
        }
        settings = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat/config.yaml"
        settings.write_text(json.dumps({"sandbox": "off", "forge": own}), encoding="utf-8")

    def type(self, *args: str) -> Result:
        """Type a command."""
        return gitcmat(self.repo, *args).ok()

    def issue(self, number: int) -> Issue:
        """An issue or pull request, as people see it there."""
        return self.stage.repo.issues[number]

    def pull_of(self, task: str) -> Issue | None:
        """The pull request of a task's branch; there is never a second one."""
        pulls = self.stage.repo.pulls.values()
        found = [one for one in pulls if one.pull and one.pull.head == f"cmat/{task}"]
        assert len(found) <= 1
        return found[0] if found else None

    def head(self, task: str) -> str:
        """The commit of a task's branch there."""
        return self.stage.git.branches().get(f"cmat/{task}", "")

    def said(self, number: int) -> list[str]:
        """The marks of what gitcmat said below an issue or pull request."""
        comments = self.stage.repo.comments.values()
        bodies = [c.body for c in comments if (c.number, c.user) == (number, "pat")]
        return [f"{name}={value}" for body in bodies for name, value in marks(body).items()]

    def replies(self, thread: int) -> list[str]:
        """What gitcmat said in a thread."""
        remarks = self.stage.repo.remarks.values()
        return [one.body for one in remarks if (one.reply_to, one.user) == (thread, "pat")]


@pytest.fixture
def story(repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    with FakeGitHub() as hub:
        made = Story(hub, tmp_path, repo)
        monkeypatch.setenv("GH_ENTERPRISE_TOKEN", made.stage.token("pat"))
        with running(repo, "watch", "--every", "3600", logs=tmp_path / "log") as daemon:
            daemon.says("watching")
            yield made


@pytest.mark.timeout(300)
def test_two_tasks_from_an_issue_to_what_needs_it(story: Story) -> None:
    issue = _an_issue_becomes_a_task_that_runs(story)
    number = _its_pull_request_opens_by_itself(story, issue)
    threads = _a_reviewer_is_answered(story, number)
    head = _a_red_check_is_mended(story)
    assert story.project.state(THANKS) is State.PENDING
    _merged_by_the_button_it_is_done(story, number, head)
    assert story.issue(issue).state == "closed"
    _what_needs_it_starts_from_what_was_merged(story)

    # Told once, each of it, however often one looks.
    assert [str(run.outcome) for run in story.project.runs(HELLO)] == ["finished"] * 3
    told = story.said(issue)
    assert len(told) == len(set(told)) == 2
    story.type("pr", "sync")
    assert story.said(issue) == told
    assert [len(story.replies(thread)) for thread in threads] == [1, 1]


def _an_issue_becomes_a_task_that_runs(story: Story) -> int:
    """It runs when the person approves it; another task needs it."""
    made = story.hub.issue(story.stage.repo, RITA, "Say hello", "In hello.txt, please.", "cmat")
    until(lambda: story.project.state(HELLO) is State.BACKLOG, LONG, "the issue to be a task")
    story.project.commit_task(THANKS, needs=f"[{HELLO}]")
    story.stage.push_main()
    story.type("task", "approve", HELLO)
    story.project.reaches(HELLO, State.REVIEW)
    return made.number


def _its_pull_request_opens_by_itself(story: Story, issue: int) -> int:
    """It is a draft, until the person says that it may be reviewed."""
    until(lambda: story.pull_of(HELLO), LONG, "a pull request")
    opened = story.pull_of(HELLO)
    assert opened is not None
    assert opened.pull is not None
    assert (opened.pull.draft, opened.pull.base) == (True, "main")
    assert opened.pull.head_sha == story.head(HELLO)
    assert f"Closes #{issue}" in (opened.body or "")
    story.type("pr", "create", HELLO, "--ready")
    assert opened.pull.draft is False
    return opened.number


def _a_reviewer_is_answered(story: Story, number: int) -> list[int]:
    """She wants changes in two places; the agent makes them on the same branch."""
    repo, before = story.stage.repo, story.head(HELLO)
    review = story.hub.review(repo, number, RITA, "CHANGES_REQUESTED", "Nearly.")
    threads = [
        story.hub.remark(repo, number, RITA, ("hello.txt", 1), text, review).id
        for text in ("Louder.", "And twice.")
    ]
    until(lambda: all(map(story.replies, threads)), LONG, "replies in both threads")
    after = story.head(HELLO)
    assert after != before
    assert story.repo.show(after, "hello.txt") == "hello\nhello\n"
    for thread in threads:
        (reply,) = story.replies(thread)
        assert f"Addressed in [{after[:10]}]" in reply
    return threads


def _a_red_check_is_mended(story: Story) -> str:
    """The agent is shown its log; return the commit that is green."""
    before = story.head(HELLO)
    story.stage.run_check(before, "build", CheckState.FAILED, "missing: bye\n")
    until(lambda: story.head(HELLO) != before, LONG, "a rework for the check")
    after = story.head(HELLO)
    assert story.repo.show(after, "bye.txt") == "bye\n"
    story.stage.run_check(after, "build", CheckState.PASSED)
    return after


def _merged_by_the_button_it_is_done(story: Story, number: int, head: str) -> None:
    """The branch is gone, there and here."""
    story.hub.review(story.stage.repo, number, RITA, "APPROVED")
    pulls = story.stage.forge(RITA).pulls
    commit = pulls.merge(number, method=MergeMethod.SQUASH, head_sha=head)
    until(lambda: story.project.state(HELLO) is State.DONE, LONG, "the task to be done")
    entry = story.project.entry(HELLO)
    assert entry is not None
    assert entry.landing is not None
    assert (entry.landing.commit, entry.landing.how) == (commit, "pull request")
    until(lambda: not story.head(HELLO), LONG, "the branch there to go")
    assert not story.repo.has(f"refs/heads/cmat/{HELLO}")


def _what_needs_it_starts_from_what_was_merged(story: Story) -> None:
    """The person has pulled nothing; it gets its own pull request."""
    here = story.repo.tip("main")
    story.project.reaches(THANKS, State.REVIEW)
    until(lambda: story.pull_of(THANKS), LONG, "the next pull request")
    assert story.repo.show(story.head(THANKS), "thanks.txt") == "hello\n" * 3
    opened = story.pull_of(THANKS)
    assert opened is not None
    assert opened.pull is not None
    assert opened.pull.base == "main"
    assert story.repo.tip("main") == here
