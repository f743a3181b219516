"""Killed before or after whatever call to the forge, nothing is done twice and nothing is lost."""

from pathlib import Path

import pytest

from gitcmat.engine import pulls
from gitcmat.model.entry import Said
from gitcmat.model.events import Asked
from gitcmat.model.forge import CheckState, Verdict
from tests.support.dying import Dying, Killed
from tests.support.in_memory import InMemory
from tests.support.project import Project
from tests.support.repo import TestRepo


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> InMemory:
    """A project whose task ``a`` has a pull request on a forge in memory."""
    project = Project(repo)
    project.settings(forge={"pull": "ready", "checks": False})
    project.task("a")
    bare = TestRepo(tmp_path / "hub.git", bare=True)
    repo.git("push", "-q", str(bare.path), "main:main")
    project.work()
    made = InMemory(project, bare)
    pulls.publish(project.reconciler, made.hub, "a", draft=False)
    made.sync()
    return made


def _through(there: InMemory, dying: Dying) -> None:
    """Make passes until nothing is left to do; the first may be killed."""
    there.wrap = dying.forge
    for _ in range(3):
        try:
            there.sync()
        except Killed:
            there.project.reopen()


def _reviewed(there: InMemory) -> list[int]:
    """Have rita review it: a text of her own, and two threads."""
    there.world.review(1, "rita", Verdict.CHANGES_REQUESTED, "Oh.")
    return [there.world.remark(1, "rita", path, 1, "Hm.") for path in ("a.txt", "b.txt")]


@pytest.mark.slow
def test_what_is_taken_in_is_taken_in_once(there: InMemory) -> None:
    _reviewed(there)
    commands = [there.says("rita", "/cmat approve").id, there.says("rob", "/cmat retry").id]
    there.says("rob", "Hm.")
    saved, dying = there.save(), Dying()

    for place in dying.places():
        there.restore(saved)
        _through(there, dying)

        entry = there.project.entry("a")
        assert [n.kind for n in entry.notes] == [Said.REJECT], place
        assert (entry.state, len(entry.talk.handed)) == ("pending", 3), place
        assert there.said() == [
            "outsiders=1",
            *(f"reply=comment-{number}" for number in commands),
        ], place


@pytest.mark.slow
def test_each_thread_is_replied_to_once(there: InMemory) -> None:
    threads = _reviewed(there)
    there.sync()
    there.project.work()
    review = there.world.reviews[1][0].id
    saved, dying = there.save(), Dying()

    for place in dying.places():
        there.restore(saved)
        _through(there, dying)

        replies = sorted([f"reply=review-{review}", *(f"reply=thread-{n}" for n in threads)])
        assert there.said() == replies, place
        entry = there.project.entry("a")
        assert entry.pull is not None
        assert (entry.state, entry.pull.pushed) == ("review", entry.head), place
        assert entry.talk.handed == (), place


@pytest.mark.slow
def test_a_question_is_put_and_answered_once(there: InMemory) -> None:
    there.project.happen("a", Asked(question="Which?", by="Pat"))
    (blocker,) = there.project.asked("a")
    saved, dying = there.save(), Dying()
    for place in dying.places():
        there.restore(saved)
        _through(there, dying)
        assert there.said() == [f"blocker={blocker.id}"], place

    answer = there.says("rita", "/cmat answer This.").id
    saved = there.save()
    for place in dying.places():
        there.restore(saved)
        _through(there, dying)
        entry = there.project.entry("a")
        assert there.said() == [f"blocker={blocker.id}", f"reply=comment-{answer}"], place
        assert [note.text for note in entry.notes] == ["This."], place
        (put,) = [c for c in there.world.comments.values() if "Which?" in c.body]
        assert put.body.endswith("Answered by rita on #1.\n"), place


def test_red_checks_go_back_once(there: InMemory) -> None:
    head = there.project.entry("a").head
    there.world.check(head, "build", CheckState.FAILED, log="boom")
    saved, dying = there.save(), Dying()

    for place in dying.places():
        there.restore(saved)
        _through(there, dying)
        entry = there.project.entry("a")
        assert [note.kind for note in entry.notes] == [Said.RED], place
        assert (entry.state, entry.attempt) == ("pending", 1), place
