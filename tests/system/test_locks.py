"""Locks between real processes, and a lock that a child takes over."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from gitcmat.errors import Conflict
from gitcmat.system import proc
from gitcmat.system.files import FileLock, is_locked
from tests.support.wait import until

REPOSITORY = Path(__file__).resolve().parents[2]


def python(code: str, *args: str, pass_fds: tuple[int, ...] = ()) -> proc.Child:
    return proc.start(
        [sys.executable, "-S", "-c", code, *args],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        pass_fds=pass_fds,
    )


HOLD = """
import sys, time
from pathlib import Path
from gitcmat.system.files import FileLock
lock = FileLock(Path(sys.argv[1])).acquire()
Path(sys.argv[2]).touch()
while not Path(sys.argv[3]).exists():
    time.sleep(0.01)
"""


def test_a_lock_held_by_another_process_is_respected_until_that_ends(tmp_path: Path) -> None:
    path, ready, end = tmp_path / "deep" / "lock", tmp_path / "ready", tmp_path / "end"
    child = python(HOLD, str(path), str(ready), str(end))
    try:
        until(ready.exists)
        lock = FileLock(path)
        assert is_locked(path)
        assert not lock.try_lock()
        with pytest.raises(Conflict) as caught:
            lock.acquire(timeout=0.05)
        assert caught.value.message == f"Another gitcmat process holds {path}."
        assert caught.value.hint == "Wait until it has finished, then try again."
        end.touch()
        with lock.acquire(timeout=30):
            assert lock.held
            assert is_locked(path)
        assert not is_locked(path)
    finally:
        child.kill()


def test_a_killed_holder_holds_no_more(tmp_path: Path) -> None:
    path, ready = tmp_path / "lock", tmp_path / "ready"
    child = python(HOLD, str(path), str(ready), "/no/end")
    until(ready.exists)
    child.kill()
    assert not is_locked(path)
    assert FileLock(path).acquire(timeout=0).held


def test_a_waiting_process_gets_the_lock(tmp_path: Path) -> None:
    path, ready, end = tmp_path / "lock", tmp_path / "ready", tmp_path / "end"
    end.touch()
    with FileLock(path):
        child = python(HOLD, str(path), str(ready), str(end))
        assert child.wait(0.3) is None
        assert not ready.exists()
    assert child.wait(30) == 0
    assert ready.exists()


def test_a_child_that_inherits_the_lock_holds_it_when_the_parent_has_closed_its_copy(
    tmp_path: Path,
) -> None:
    path, end = tmp_path / "lock", tmp_path / "end"
    code = """
import sys, time
from pathlib import Path
from gitcmat.system import proc
from gitcmat.system.files import FileLock, is_locked
lock = FileLock.adopt(Path(sys.argv[1]), int(sys.argv[2]))
assert lock.held and is_locked(lock.path)
inner = proc.run(["sh", "-c", f"test ! -e /proc/self/fd/{lock.fd}"], cwd=Path("/"), env={})
assert inner.ok
while not Path(sys.argv[3]).exists():
    time.sleep(0.01)
"""
    lock = FileLock(path).acquire()
    child = python(code, str(path), str(lock.fd), str(end), pass_fds=(lock.fd,))
    try:
        lock.hand_over()
        assert not lock.held
        assert is_locked(path)
        assert not FileLock(path).try_lock()
        end.touch()
        assert child.wait(30) == 0
        assert not is_locked(path)
    finally:
        child.kill()


def test_a_program_started_without_being_handed_the_lock_does_not_keep_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with FileLock(path):
        child = proc.start(["sleep", "600"], cwd=tmp_path, env=os.environ)
    try:
        assert not is_locked(path)
    finally:
        child.kill()


def test_two_holders_in_one_process_exclude_each_other(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    first, second = FileLock(path), FileLock(path)
    assert first.try_lock()
    assert not second.try_lock()
    with pytest.raises(ValueError, match="already held by this object"):
        first.acquire()
    first.release()
    first.release()
    assert second.try_lock()
    with pytest.raises(ValueError, match="is not held"):
        _ = first.fd
    second.release()


def test_many_threads_never_hold_it_at_once(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(20):
            with FileLock(path).acquire(timeout=30):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(most) == 160
    assert max(most) == 1


def test_looking_at_a_lock_never_makes_a_try_fail(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.touch()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            is_locked(path)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        for _ in range(200):
            lock = FileLock(path)
            assert lock.try_lock()
            lock.release()
    finally:
        stop.set()
        thread.join()


def test_a_lock_file_that_was_removed_meanwhile_is_not_trusted(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = FileLock(path).acquire()
    taken = threading.Event()

    def wait() -> None:
        with FileLock(path):
            taken.set()

    thread = threading.Thread(target=wait)
    thread.start()
    path.unlink()
    with FileLock(path):
        holder.release()
        assert not taken.wait(0.2)
    assert taken.wait(20)
    thread.join()


def test_a_missing_lock_file_is_free_and_a_link_is_no_lock(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "missing")
    assert not (tmp_path / "missing").exists()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="symbolic links"):
        FileLock(tmp_path / "link").acquire()
