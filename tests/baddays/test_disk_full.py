"""No space, no quota, a disk that fails: the state is the old or the new one, never half, and what
was acknowledged stays.
"""

import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.support.acked import FOR_PEOPLE, Queue
from tests.support.cli import PROGRAM, gitcmat
from tests.support.faults import Place, needs_strace
from tests.support.repo import TestRepo

ERRORS: Final = ("ENOSPC", "EIO", "EDQUOT")
SHARDS: Final = 3
AGAIN: Final = "free some space, then do it again; nothing that was acknowledged is lost"
_KIB: Final = 1024


@pytest.fixture
def queue(repo: TestRepo, tmp_path: Path) -> Queue:
    return Queue(repo, tmp_path)


# --- at each system call --------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
@needs_strace
@pytest.mark.parametrize("shard", range(SHARDS))
def test_an_error_at_any_write_of_a_command_leaves_the_old_state_or_the_new_one(
    queue: Queue, shard: int, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [(n, place) for n, place in enumerate(writes(queue)) if n % SHARDS == shard]
    for number, place in found:
        queue.faults.fails(place, ERRORS[number % len(ERRORS)])
        result = queue.try_at(place)
        if result.code:
            assert FOR_PEOPLE.fullmatch(result.err), (place, result)
            assert result.code in (1, 5), (place, result)
            assert "bug" not in result.err, (place, result)
    codes = Counter(code for _, code in queue.ended)
    with capsys.disabled():
        print(f"\n{len(found)} writes that failed: exit codes {dict(codes)}")  # noqa: T201
    assert codes[1] >= len(found) // 2
    queue.leaves_no_litter()


def writes(queue: Queue) -> Iterator[Place]:
    """The places of one command that change the disk; few of those that write the cache, which
    may always be lost.
    """
    cache = 0
    for place in queue.places():
        if place.changes:
            cache += "cache.sqlite" in place.what
            if "cache.sqlite" not in place.what or cache % 5 == 0:
                yield place


# --- without strace -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("shard", range(2))
def test_any_git_of_a_command_may_fail_for_want_of_space(queue: Queue, shard: int) -> None:
    queue.add().ok()
    writing = [number for number, _ in queue.writing_gits()]
    asking = range(1 + shard, queue.gits + 1, 4)
    for number in sorted({*writing[shard::2], *asking}):
        queue.faults.git_fails(number, "error: unable to write file: No space left on device")
        result = queue.try_at(Place(number, "git", number, "fails"))
        if result.code:
            assert FOR_PEOPLE.fullmatch(result.err), (number, result)
            assert "bug" not in result.err, (number, result)
    queue.leaves_no_litter()


def test_a_full_disk_is_said_with_what_to_do(queue: Queue) -> None:
    git_dir = queue.repo.git_dir
    for number, verb in queue.writing_gits():
        queue.faults.git_fails(number, "fatal: write error: No space left on device")
        result = queue.add()
        assert (result.code, result.out) == (1, "")
        assert result.err == (
            f"error: Cannot write {git_dir} (git {verb}): no space is left on the disk.\n"
            f"hint: {AGAIN}\n"
        )
    queue.goes_on()


def test_a_git_that_is_killed_is_said(queue: Queue) -> None:
    number, _ = queue.writing_gits()[-1]
    queue.faults.git_does(number, "kill -KILL $$")
    result = queue.add()
    assert (result.code, result.out) == (1, "")
    assert result.err.splitlines()[1:] == ["killed by signal 9", "hint: gitcmat doctor"]
    queue.goes_on()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="NOT TESTED: there is no /dev/full")
@pytest.mark.parametrize("options", [(), ("--json",)])
def test_output_that_cannot_be_written_is_an_error_in_words(
    queue: Queue, options: tuple[str, ...]
) -> None:
    argv = [*PROGRAM, "queue", "list", *options]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            argv, cwd=queue.repo.path, stdout=full, stderr=subprocess.PIPE, check=False
        )
    assert (done.returncode, done.stderr.decode()) == (
        1,
        f"error: Cannot write the output: no space is left on the disk.\nhint: {AGAIN}\n",
    )


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_descriptors_are_as_good_as_an_output_that_nobody_reads(
    queue: Queue, closed: str
) -> None:
    shell = ("sh", "-c", f'exec "$@" {closed}', "sh")
    shown = gitcmat(queue.repo, "queue", "list", before=shell)
    assert (shown.code, shown.err) == (0, "")
    assert gitcmat(queue.repo, "queue", "add", "Do", "--id", "x", before=shell).code == 0
    assert "x " in gitcmat(queue.repo, "queue", "list").ok().out


def test_a_file_that_may_not_grow_is_said(queue: Queue) -> None:
    limit = ("sh", "-c", 'ulimit -f 1; exec "$@"', "sh")  # in blocks of 512 bytes
    result = gitcmat(queue.repo, "queue", "add", "x" * 2000, before=limit)
    assert (result.code, result.out) == (1, "")
    assert FOR_PEOPLE.fullmatch(result.err), result
    assert "a file may not grow that large here" in result.err
    queue.goes_on()


# --- a disk that is really full -------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path, size: int) -> Iterator[Path]:
    """A disk of so many KiB, mounted for the time of the block; skips where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "gitcmat-tests", str(folder)]
    done = subprocess.run(mount, check=False, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"NOT TESTED on a real full disk: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("mount") is None, reason="NOT TESTED: there is no mount")
def test_on_a_full_disk_commands_say_so_and_work_again_when_there_is_space(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 6 * _KIB) as disk:
        made = TestRepo(disk / "project")
        TestRepo.made.remove(made)  # it goes with the disk, before it is looked at a last time
        made.commit("Start", {"README.md": "# A project\n"})
        queue = Queue(made, tmp_path)
        ballast = disk / "ballast"
        refused = 0
        for left in range(0, 120, 12):
            free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize
            ballast.write_bytes(bytes(max(0, free - left * _KIB)))
            result = queue.add()
            refused += result.code != 0
            if result.code:
                assert FOR_PEOPLE.fullmatch(result.err), (left, result)
                assert "bug" not in result.err, (left, result)
            ballast.unlink()
            queue.goes_on()
        assert 3 <= refused < 10
        queue.leaves_no_litter()
        made.check()
