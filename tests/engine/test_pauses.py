"""A pause of the daemon: nothing that it was about to start is missed."""

import threading

import pytest

from gitcmat.engine import pauses
from gitcmat.errors import NoWork
from gitcmat.system.locks import FileLock
from tests.support.project import Project
from tests.support.repo import TestRepo
from tests.support.store import run


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


@pytest.mark.parametrize("watched", [True, False])
def test_what_is_only_just_being_claimed_is_among_what_runs(
    repo: TestRepo, *, watched: bool
) -> None:
    project = Project(repo)
    deps = project.deps
    daemon = FileLock(deps.repo.cmat / "watch.lock")
    if watched:
        daemon.try_lock()
    found: list[tuple[list[str], bool]] = []

    def stop_all() -> None:
        runs, paused = pauses.pause_what_runs(Project.of(project.path).deps)
        found.append(([r.id for r in runs], paused))

    thread = threading.Thread(target=stop_all)
    with deps.store.change("a claim", by=deps.actor) as change:
        thread.start()
        thread.join(0.5)
        assert thread.is_alive()
        change.put(run("r-abcd2345", "first"))
    thread.join()
    daemon.release()
    assert found == [(["r-abcd2345"], watched)]


def test_where_nothing_runs_a_daemon_goes_on(repo: TestRepo) -> None:
    deps = Project(repo).deps
    with FileLock(deps.repo.cmat / "watch.lock"):
        with pytest.raises(NoWork):
            pauses.pause_what_runs(deps)
        assert pauses.paused(deps.repo) is None
        pauses.pause(deps)
        with pytest.raises(NoWork):
            pauses.pause_what_runs(deps)
        assert pauses.paused(deps.repo) is not None
