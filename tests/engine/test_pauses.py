"""A pause of the daemon: nothing that it was about to start is missed."""

import threading

from gitcmat.engine import pauses
from gitcmat.system.locks import FileLock
from tests.support.project import Project
from tests.support.repo import TestRepo


def test_a_pause_waits_for_a_look_that_has_not_seen_it(repo: TestRepo) -> None:
    project = Project(repo)
    deps = project.deps
    done = threading.Event()

    def pause() -> None:
        pauses.pause(Project.of(project.path).deps)
        done.set()

    thread = threading.Thread(target=pause)
    with FileLock(deps.repo.cmat / "watch.lock"):
        with deps.store.change("a look", by=deps.actor):
            thread.start()
            assert not done.wait(0.5)
            assert pauses.paused(deps.repo) is None
        thread.join()
    assert done.is_set()
    assert pauses.paused(deps.repo) is not None
