"""Locks that a dead process left, and those of a living one: the person's are named and never
removed; ours go when they are old and nobody has them.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Thread
from typing import Final

import pytest

from gitcmat.app import open_app
from gitcmat.engine.daemon import only_one
from gitcmat.errors import Conflict
from gitcmat.store.ref_lock import remove_left
from gitcmat.store.state import StateStore
from gitcmat.system.locks import FileLock
from tests.support.acked import Queue, age
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project

AGES: Final = ("fresh", "old", "held open")
HOLDER: Final = "1 gitcmat-tests\n"
PERSONS: Final = (
    "index.lock",
    "HEAD.lock",
    "config.lock",
    "packed-refs.lock",
    "shallow.lock",
    "gc.pid",
    "refs/heads/main.lock",
)


@contextmanager
def locked(how: str, *paths: Path) -> Iterator[None]:
    """Put locks of git's kind there for the time of the block; they must still be there then."""
    with ExitStack() as stack:
        for path in paths:
            path.write_text(HOLDER, encoding="ascii")
            if how != "fresh":
                age(path, 61.0)
            if how == "held open":
                stack.enter_context(path.open("rb"))
        yield
        assert [path.read_text(encoding="ascii") for path in paths] == [HOLDER] * len(paths)
    for path in paths:
        path.unlink()


# --- the person's ---------------------------------------------------------------------------------


def test_no_lock_of_the_persons_git_keeps_the_queue_from_working(
    repo: TestRepo, tmp_path: Path
) -> None:
    queue = Queue(repo, tmp_path)
    repo.allow(*(f"git:{name}" for name in PERSONS))
    for how in AGES:
        with locked(how, *(repo.git_dir / name for name in PERSONS)):
            queue.add().ok()


@pytest.mark.slow
def test_what_lands_names_the_lock_in_its_way_and_leaves_it(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit_task("x", "echo x > x.txt")
    gitcmat(repo, "run", "now", "x", "--quiet").ok()
    repo.allow("git:index.lock")
    target = repo.git_dir / "refs/heads/main.lock"
    for how in AGES:
        with locked(how, target):
            result = gitcmat(repo, "land", "x")
        assert (result.code, result.out) == (5, "")
        assert result.err == (
            f"error: refs/heads/main cannot be moved: a git process holds {target}.\n"
            f"hint: let it finish; if no git is running any more: rm {target}\n"
        )
    index = repo.git_dir / "index.lock"
    with locked("old", index):
        result = gitcmat(repo, "land", "x")
    assert (result.code, result.out) == (5, "")
    assert result.err == (
        f"error: Another git process has held {index} for 10 seconds.\n"
        "hint: let it finish; if no git is running any more, remove that file\n"
    )
    gitcmat(repo, "land", "x", changes=("refs:refs/heads/main", "index", "files")).ok()


# --- ours -----------------------------------------------------------------------------------------


@pytest.fixture
def queue(repo: TestRepo, tmp_path: Path) -> Queue:
    return Queue(repo, tmp_path)


@pytest.fixture
def state_lock(queue: Queue) -> Path:
    (ref,) = queue.repo.refs("refs/cmat/state/")
    return queue.repo.git_dir / f"{ref}.lock"


@pytest.mark.parametrize("how", ["fresh", "held open"])
def test_a_lock_of_the_records_that_may_be_in_use_is_left_and_said(
    queue: Queue, state_lock: Path, how: str
) -> None:
    with locked(how, state_lock):
        result = queue.add()
    ref = state_lock.relative_to(queue.repo.git_dir).with_suffix("")
    assert (result.code, result.out) == (5, "")
    assert result.err == (
        f"error: {ref} cannot be moved: a git process holds {state_lock}.\n"
        "hint: try again; if that git was killed, its lock goes by itself after 60 seconds\n"
    )
    queue.add().ok()


def test_a_lock_of_the_records_that_a_dead_git_left_goes_by_itself(
    queue: Queue, state_lock: Path
) -> None:
    state_lock.write_bytes(b"")
    age(state_lock, 61.0)
    result = queue.add()
    assert (result.code, result.err) == (0, "")
    assert not state_lock.exists()


def test_two_who_find_a_lock_left_remove_only_that_one(queue: Queue, state_lock: Path) -> None:
    state_lock.write_bytes(b"")
    age(state_lock, 61.0)
    git_dir, ref = queue.repo.git_dir, str(state_lock.relative_to(queue.repo.git_dir))[:-5]
    removed: list[bool] = []
    second = Thread(target=lambda: removed.append(remove_left(git_dir, ref)))
    with FileLock(git_dir / "cmat/ref.lock").acquire():
        second.start()
        second.join(0.5)
        assert second.is_alive()
        state_lock.unlink()
        state_lock.write_bytes(b"of a git that lives\n")
    second.join()
    assert removed == [False]
    assert state_lock.read_bytes() == b"of a git that lives\n"
    state_lock.unlink()


def test_a_lock_from_before_the_clock_was_put_back_goes_by_itself(
    queue: Queue, state_lock: Path
) -> None:
    state_lock.write_bytes(b"")
    age(state_lock, -3600.0)
    assert queue.add().ok().err == ""


@pytest.mark.parametrize("old", [False, True])
def test_a_file_that_a_dead_process_had_locked_is_no_lock(queue: Queue, *, old: bool) -> None:
    for name in ("state.lock", "view/lock", "node.lock", "commit.lock", "watch.lock"):
        path = queue.repo.git_dir / "cmat" / name
        path.write_bytes(b"4194304\n")
        if old:
            age(path, 86_400.0)
    assert queue.add().ok().err == ""
    assert gitcmat(queue.repo, "status", "--json").ok().json["watching"] is False


def test_a_daemon_that_lives_is_named_and_not_disturbed(queue: Queue) -> None:
    with only_one(open_app(queue.repo.path).deps.repo):
        result = gitcmat(queue.repo, "watch", "--until-idle")
        queue.add().ok()
    assert (result.code, result.out) == (5, "")
    assert result.err == (
        f"error: A daemon watches {queue.repo.path} already (process {os.getpid()}).\n"
        f"hint: kill {os.getpid()} ends it; its runs go on\n"
    )


def test_whoever_holds_the_records_for_too_long_is_named(queue: Queue) -> None:
    path = queue.repo.git_dir / "cmat/state.lock"
    deps = open_app(queue.repo.path).deps
    store = StateStore(deps.repo, deps.git, deps.clock, patience=0.2)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Conflict) as caught, store.change("later", by=deps.daemon):
            pass
    assert caught.value.message == f"Another gitcmat process holds {path}."
    assert caught.value.hint == "Wait until it has finished, then try again."
    store.close()
    queue.goes_on()
