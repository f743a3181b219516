"""The process table, and signals that reach one process and no other."""

import os
import signal
import sys
from pathlib import Path

from gitcmat.system import proc, processes
from gitcmat.system.processes import Identity
from tests.support.wait import until


def start_sleep(**more: str) -> proc.Child:
    return proc.start(["sleep", "600"], cwd=Path("/"), env={**os.environ, **more})


def test_a_process_is_known_by_its_pid_and_when_it_started() -> None:
    child = start_sleep()
    try:
        who = processes.identity(child.pid)
        assert who is not None
        assert who == processes.table()[child.pid].identity
        assert who.started >= processes.table()[os.getpid()].identity.started
    finally:
        child.kill()
    assert processes.identity(child.pid) is None


def test_a_signal_for_a_process_whose_number_was_taken_over_reaches_nobody() -> None:
    child = start_sleep()
    try:
        now = processes.identity(child.pid)
        assert now is not None
        before = Identity(now.pid, now.started - 1)
        assert not processes.send(before, signal.SIGKILL)
        assert child.poll() is None
        assert processes.send(now, signal.SIGKILL)
        assert child.wait(10) == -signal.SIGKILL
    finally:
        child.kill()
    assert not processes.send(now, signal.SIGKILL)


def test_descendants_are_found_below_below() -> None:
    child = proc.start(
        ["sh", "-c", "sh -c 'sleep 600 & wait' & wait"], cwd=Path("/"), env=os.environ
    )
    try:
        until(lambda: len(processes.descendants(child.pid)) == 2)
        first, second = processes.descendants(child.pid)
        assert first.parent == child.pid
        assert second.parent == first.pid
        rows = processes.table()
        assert processes.ancestors(second.pid, rows)[:3] == [first.pid, child.pid, os.getpid()]
        assert child.pid in {row.pid for row in processes.descendants(os.getpid(), rows)}
    finally:
        child.kill()


def test_environment_and_folder_of_a_process_can_be_read(tmp_path: Path) -> None:
    child = proc.start(
        ["sleep", "600"], cwd=tmp_path, env={"PATH": os.environ["PATH"], "A": "b=\n"}
    )
    try:
        assert processes.environment(child.pid)["A"] == "b=\n"
        assert processes.folder(child.pid) == tmp_path.resolve()
        tmp_path.rmdir()
        assert processes.folder(child.pid) == tmp_path.resolve()
    finally:
        child.kill()
        tmp_path.mkdir(exist_ok=True)
    assert processes.environment(child.pid) == {}
    assert processes.folder(child.pid) is None


def test_a_name_with_brackets_and_spaces_does_not_confuse_the_table(tmp_path: Path) -> None:
    program = tmp_path / "a) S 1 (b"
    program.symlink_to(sys.executable)
    child = proc.start(
        [str(program), "-S", "-c", "import time; time.sleep(600)"], cwd=tmp_path, env=os.environ
    )
    try:
        row = processes.table()[child.pid]
        assert (row.parent, row.session, row.group) == (os.getpid(), child.pid, child.pid)
        assert not row.zombie
    finally:
        child.kill()


def test_the_boot_id_does_not_change() -> None:
    assert processes.boot_id()
    assert processes.boot_id() == processes.boot_id()
