"""Whatever request goes wrong on the way of a review: one rework, one reply to each thread, one
answer to each command.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.errors import UserError
from gitcmat.model.entry import Said
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo
from tests.support.talking import comments, replies, review, says

BEFORE_WORK = 17
"""Requests of the look that takes everything in."""
AFTER_WORK = 19
"""Requests of the look that pushes the rework and replies."""


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub; its task ``a`` has a pull request, and work is pushed as it comes."""
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.project.settings(forge={"pull": "ready", "checks": False})
        made.done("a")
        made.sync()
        yield made


def _pass(there: OnGitHub) -> None:
    """Look at the forge, as the daemon does, until there is no trouble."""
    for _ in range(3):
        try:
            found = there.sync()
        except UserError:
            there.hub.tick(3600)
            continue
        if not found.troubles:
            return
    raise AssertionError("it does not get through")


def _story(there: OnGitHub) -> tuple[int, int]:
    """Have rita review, and all of it answered; return the requests of both looks."""
    one, two = review(
        there, "rita", "CHANGES_REQUESTED", "Oh.", ("a.txt", 1, "More."), ("a.txt", 1, "Less.")
    )
    says(there, "rita", "/cmat approve")
    says(there, "rob", "/cmat cancel")
    begin = len(there.hub.seen)
    _pass(there)
    middle = len(there.hub.seen)
    assert there.project.state("a") == "pending"
    there.project.work()
    worked = len(there.hub.seen)
    _pass(there)
    end = len(there.hub.seen)
    there.sync()

    notes = there.project.entry("a").notes
    assert [note.kind for note in notes] == [Said.REJECT]
    assert len(there.project.runs("a")) == 2
    assert [len(replies(there, one)), len(replies(there, two))] == [1, 1]
    assert len(comments(there)) == 2
    assert [pull.number for pull in there.stage.forge().pulls.open()] == [1]
    entry = there.project.entry("a")
    assert (entry.talk.handed, entry.talk.sayings) == ((), ())
    return middle - begin, end - worked


def test_the_story_has_as_many_requests_as_are_tried_here(there: OnGitHub) -> None:
    assert _story(there) == (BEFORE_WORK, AFTER_WORK)


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.ANSWER_LOST, Kind.NONSENSE, Kind.PRIMARY_LIMIT])
@pytest.mark.parametrize(
    ("path", "skip"),
    [("/issues/1/comments$", 0), ("/issues/1/comments$", 1), ("/replies$", 0), ("/replies$", 1)],
)
def test_nothing_is_said_twice_or_lost(there: OnGitHub, path: str, skip: int, kind: Kind) -> None:
    fault = there.hub.fail(kind, verb="POST", path=path, skip=skip)
    _story(there)
    assert fault.times == 0


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, BEFORE_WORK + AFTER_WORK + 1))
def test_each_request_may_be_refused_once(there: OnGitHub, number: int) -> None:
    fault = there.hub.fail(Kind.NOT_PERMITTED, number=len(there.hub.seen) + number)
    _story(there)
    assert fault.times == 0
