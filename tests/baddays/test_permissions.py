"""Folders that may not be written, homes that are not there, repositories of somebody else."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.support.acked import Queue
from tests.support.cli import Result, gitcmat
from tests.support.repo import TestRepo

ROOT: Final = os.geteuid() == 0
BOUND: Final = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search,-fowner",
    "--inh-caps=-dac_override,-dac_read_search,-fowner",
)
"""Makes permission bits bind root too."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        ROOT and shutil.which("setpriv") is None,
        reason="NOT TESTED as root: permissions do not bind, and there is no setpriv",
    ),
]


@pytest.fixture
def queue(repo: TestRepo, tmp_path: Path) -> Iterator[Queue]:
    yield Queue(repo, tmp_path)
    unlock(repo.path)


def bound(queue: Queue, *args: str, **env: str | None) -> Result:
    """Run a command as somebody whom permissions bind."""
    return gitcmat(queue.repo, *args, env=env, before=BOUND if ROOT else ())


def lock(folder: Path) -> None:
    """Take the right to write away, from the folder and all that is in it."""
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)
        Path(parent).chmod(0o555)


def unlock(folder: Path) -> None:
    """Give it back."""
    for parent, _, _ in os.walk(folder):
        Path(parent).chmod(0o755)
        for path in Path(parent).iterdir():
            if path.is_file() and not path.is_symlink() and not path.name.startswith("pack-"):
                path.chmod(path.stat().st_mode | 0o200)


def denied(place: Path) -> str:
    return (
        f"error: Cannot read or write {place}: permission is denied.\n"
        f"hint: see whose it is, and what its mode allows: ls -ld {place}\n"
    )


@pytest.mark.parametrize("part", [".", ".git"])
def test_what_may_not_be_written_can_still_be_read(queue: Queue, part: str) -> None:
    folder = queue.repo.path / part
    with queue.repo.as_person():
        lock(folder)
    listed = bound(queue, "queue", "list", "all")
    shown = bound(queue, "status", "--json")
    held = bound(queue, "queue", "hold", "task-0001")
    with queue.repo.as_person():
        unlock(folder)
    assert (listed.code, listed.err, listed.out.count("task-")) == (0, "", 4)
    assert (shown.code, shown.err) == (0, "")
    place = queue.repo.git_dir / "cmat/view/lock"
    assert (held.code, held.out, held.err) == (1, "", denied(place))
    queue.goes_on()


def test_a_view_that_may_not_be_written_keeps_nothing_from_being_recorded(queue: Queue) -> None:
    folder = queue.repo.path / ".cmat"
    with queue.repo.as_person():
        lock(folder)
    held = bound(queue, "queue", "hold", "task-0001")
    status = bound(queue, "status")
    with queue.repo.as_person():
        unlock(folder)
    assert (held.code, held.err) == (0, "")
    assert status.ok().out.count("on hold") == 1
    queue.goes_on()


def test_what_was_allowed_cannot_be_written_down_in_a_folder_that_is_closed(
    queue: Queue, tmp_path: Path
) -> None:
    digest = gitcmat(queue.repo, "trust", "--print-digest").ok().out.strip()
    state = tmp_path / "state"
    state.mkdir()
    lock(state)
    trusted = bound(queue, "trust", "--digest", digest, XDG_STATE_HOME=str(state))
    assert trusted.code == 1
    assert trusted.err == denied(state / "gitcmat")
    assert bound(queue, "status", XDG_STATE_HOME=str(state)).code == 0
    unlock(state)


@pytest.mark.parametrize("how", ["unset", "absent", "closed"])
def test_without_a_home_the_queue_works(queue: Queue, tmp_path: Path, how: str) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    home = {"unset": None, "absent": str(tmp_path / "absent"), "closed": str(closed)}[how]
    xdg = dict.fromkeys(name for name in os.environ if name.startswith("XDG_"))
    for command in (("queue", "hold", "task-0001"), ("queue", "release", "task-0001"), ("status",)):
        result = bound(queue, *command, HOME=home, **xdg)
        assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("how", ["absent", "closed"])
def test_without_a_temporary_folder_the_queue_works(queue: Queue, tmp_path: Path, how: str) -> None:
    (tmp_path / "closed").mkdir(mode=0o555)
    folder = str(tmp_path / how)
    for command in (("queue", "hold", "task-0001"), ("queue", "release", "task-0001"), ("doctor",)):
        result = bound(queue, *command, TMPDIR=folder)
        assert (result.code, result.err) == (0, "")


@pytest.mark.skipif(not ROOT, reason="NOT TESTED: only root can give a repository away")
def test_a_repository_of_somebody_else_is_refused(queue: Queue) -> None:
    path = queue.repo.path
    for parent, folders, names in os.walk(path):
        for name in (".", *folders, *names):
            os.chown(Path(parent, name), 12345, 12345, follow_symlinks=False)
    results = [gitcmat(path, *args) for args in (("status",), ("queue", "list"), ("init",))]
    for result in results:
        assert (result.code, result.out) == (5, "")
        assert result.err == (
            f"error: {path} belongs to another user; git and gitcmat do not work in it.\n"
            f"hint: if you trust its owner: git config --global --add safe.directory {path}\n"
        )
    for parent, folders, names in os.walk(path):
        for name in (".", *folders, *names):
            os.chown(Path(parent, name), 0, 0, follow_symlinks=False)
