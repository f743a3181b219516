"""A review that is submitted while gitcmat reads is taken in whole, and once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_pulls import MemoryReviews
from gitcmat.adapters.forges.memory_view import View
from gitcmat.engine import pulls
from gitcmat.forge import Forge
from gitcmat.model.forge import Thread, Verdict
from tests.support.in_memory import InMemory
from tests.support.project import Project
from tests.support.repo import TestRepo


class _Busy(MemoryReviews):
    """Something happens once, before or after the threads are read."""

    def __init__(self, view: View, happens: Callable[[], None], *, after: bool) -> None:
        super().__init__(view)
        self._happens = [happens]
        self._after = after

    def threads(self, number: int) -> tuple[Thread, ...]:
        if self._happens and not self._after:
            self._happens.pop()()
        found = super().threads(number)
        if self._happens:
            self._happens.pop()()
        return found


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> InMemory:
    """A project whose task ``a`` has a pull request on a forge in memory, with a thread."""
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


@pytest.mark.parametrize("after", [False, True])
def test_a_review_is_never_taken_in_by_halves(there: InMemory, *, after: bool) -> None:
    there.world.remark(1, "rob", "a.txt", 1, "Hm.")

    def reviews() -> None:
        review = there.world.review(1, "rita", Verdict.CHANGES_REQUESTED, "Oh.")
        thread = there.world.remark(1, "rita", "a.txt", 1, "This.")
        threads = there.world.threads[1]
        threads[thread] = replace(threads[thread], review=review.id)

    def busy(forge: Forge) -> Forge:
        assert isinstance(forge, MemoryForge)
        forge.reviews = _Busy(View(there.world, "pat"), reviews, after=after)
        return forge

    there.wrap = busy
    there.sync()
    there.wrap = lambda forge: forge
    there.sync()
    there.sync()

    entry = there.project.entry("a")
    (note,) = entry.notes
    assert note.text == (
        "rita requested changes:\n\n> Oh.\n\n"
        "About a.txt, line 1, where the diff showed:\n\n> @@ -1 +1 @@\n\nrita said:\n\n> This."
    )
    assert len(entry.talk.handed) == 1
    assert entry.talk.held == ()
