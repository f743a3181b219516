"""Issues as tasks over GitHub: whatever befalls a request, one task, one comment of each kind."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine import tasks
from gitcmat.errors import UserError
from gitcmat.model.events import Rejected
from gitcmat.model.forge import MergeMethod
from gitcmat.model.state import State
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo

ID = "issue-1-add-dates"
LABEL = {"forge": {"issues": "cmat", "pull": "ready"}}


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub where issues with the label ``cmat`` are tasks."""
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.project.settings(**LABEL)
        made.stage.open_issue("rita", "Add dates", "cmat")
        yield made


def _approve(there: OnGitHub) -> None:
    tasks.approve(there.project.deps, [ID], every=False, exclude=())
    there.project.work()


def _comments(there: OnGitHub, number: int) -> list[str]:
    found = there.stage.forge().comments.list(number)
    return [comment.body.splitlines()[0] for comment in found]


def _story(there: OnGitHub) -> None:
    """Do what is left of an issue's life."""
    there.sync()
    if there.project.state(ID) == "backlog":
        _approve(there)
    there.sync()
    pull = there.project.entry(ID).pull
    assert pull is not None
    if there.seen(pull.number).merge_commit == "":
        there.button(pull.number, MergeMethod.SQUASH)
    there.sync()
    there.sync()


def test_an_issue_is_closed_by_the_merge_of_its_task(there: OnGitHub) -> None:
    _story(there)

    assert there.project.state(ID) == "done"
    assert "\nCloses #1\n" in there.seen(2).body
    assert not there.stage.forge().issues.get(1).open
    assert _comments(there, 1) == ["<!-- gitcmat issue=1 -->", f"<!-- gitcmat done={ID} -->"]
    landing = there.project.entry(ID).landing
    assert landing is not None
    (_, end) = there.stage.forge().comments.list(1)
    assert end.body.endswith(f"The task `{ID}` is done, by #2: {landing.commit} on main.\n")


def test_nothing_new_costs_nothing(there: OnGitHub) -> None:
    _story(there)
    for _ in range(3):  # our own comment is news at first
        there.sync()
    before = len(there.hub.seen)

    there.sync()

    assert [seen.status for seen in there.hub.seen[before:]] == [304, 304, 304]


def test_pull_requests_are_no_issues(there: OnGitHub) -> None:
    there.stage.push("topic", "x.txt", "x\n")
    made = there.stage.forge().pulls.create(title="x", body="", head="topic", base="main")
    there.stage.forge().issues.label(made.number, add=("cmat",))

    there.sync()

    assert there.project.ids(*State) == [ID]


def test_merged_while_it_was_sent_back_it_is_done_and_not_cancelled(there: OnGitHub) -> None:
    there.sync()
    _approve(there)
    there.sync()
    there.project.happen(ID, Rejected(text="more", by="Pat"))
    there.button(2, MergeMethod.SQUASH)

    there.sync()

    assert there.project.state(ID) == "done"


def test_closed_without_a_merge_what_was_sent_back_is_cancelled(there: OnGitHub) -> None:
    there.sync()
    _approve(there)
    there.sync()
    there.project.happen(ID, Rejected(text="more", by="Pat"))
    there.stage.forge().pulls.close(2)
    there.stage.close_issue(1, "not_planned")

    there.sync()
    there.sync()

    assert there.project.state(ID) == "cancelled"


_CHANGES = [
    (kind, "POST", skip)
    for kind in (Kind.LOST, Kind.ANSWER_LOST, Kind.ANSWER_BAD_GATEWAY)
    for skip in range(7)
]
_QUESTIONS = [(Kind.LOST, "GET", skip) for skip in range(0, 24, 2)]


@pytest.mark.parametrize(("kind", "verb", "skip"), [*_CHANGES, *_QUESTIONS])
def test_trouble_at_any_request_leaves_one_task_and_one_comment(
    there: OnGitHub, kind: Kind, verb: str, skip: int
) -> None:
    there.hub.fail(kind, verb=verb, skip=skip, times=1 if verb == "POST" else 9)

    for _ in range(4):
        try:
            _story(there)
            break
        except UserError:
            continue
    else:
        raise AssertionError("it never came through")
    there.hub.faults.clear()

    assert there.project.ids(*State) == [ID]
    assert _comments(there, 1) == ["<!-- gitcmat issue=1 -->", f"<!-- gitcmat done={ID} -->"]
    assert sorted(there.stage.repo.pulls) == [2]


def test_killed_between_a_comment_and_its_record_it_says_nothing_twice(there: OnGitHub) -> None:
    there.hub.fail(Kind.ANSWER_LOST, verb="POST", path="issues/1/comments")
    there.hub.fail(Kind.LOST, verb="GET", path="issues/1/comments", skip=1, times=99)
    with pytest.raises(UserError):
        there.sync()
    link = there.project.entry(ID).issue
    assert link is not None
    assert (link.linked, len(there.stage.repo.comments)) == (False, 1)
    there.hub.faults.clear()

    there.sync()

    assert _comments(there, 1) == ["<!-- gitcmat issue=1 -->"]
