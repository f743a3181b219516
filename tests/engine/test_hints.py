"""What happens in a repository rings; looking at it does not."""

import itertools
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine.hints import Bell, Hint, Place, places, wake
from gitcmat.engine.watch import Watcher
from gitcmat.store.git import Repository, discover
from gitcmat.system import clock
from tests.support.repo import TestRepo


class Ears:
    """A watcher, and all that it rings."""

    def __init__(self, repo: Repository, view: Path | None) -> None:
        self.repo, self.view = repo, view
        self.bell = Bell()
        self.watcher = Watcher(self.bell.ring)

    def refresh(self) -> None:
        self.watcher.refresh(places(self.repo, self.view))

    def heard(self, seconds: float = 5.0) -> frozenset[Hint]:
        """Wait for the next hints; none within `seconds` is the empty set."""
        return self.bell.wait(clock.monotonic() + seconds)

    def settle(self) -> None:
        """Hear out what happened until now."""
        self.refresh()
        while self.heard(0.7):
            self.refresh()


@pytest.fixture
def ears(repo: TestRepo) -> Iterator[Ears]:
    (repo.path / ".cmat/tasks").mkdir(parents=True)
    (repo.path / ".cmat/blockers").mkdir()
    (repo.path / ".cmat/queue/pending").mkdir(parents=True)
    opened = discover(repo.path)
    opened.cmat.mkdir()
    found = Ears(opened, repo.path)
    with found.watcher:
        found.settle()
        yield found


def test_a_commit_a_switch_and_a_nested_branch_ring(repo: TestRepo, ears: Ears) -> None:
    repo.commit("one")
    assert Hint.GIT in ears.heard()
    ears.settle()
    repo.branch("feat/deep/er")
    assert Hint.GIT in ears.heard()
    ears.settle()
    repo.switch("feat/deep/er")
    assert Hint.GIT in ears.heard()
    ears.settle()
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "two")
    assert Hint.GIT in ears.heard()
    ears.settle()
    repo.git("pack-refs", "--all")
    assert Hint.GIT in ears.heard()


def test_saved_files_ring_as_what_they_are(repo: TestRepo, ears: Ears) -> None:
    (repo.path / ".cmat/tasks/a.yaml").write_text("title: a\n")
    assert ears.heard() == {Hint.FILES}
    ears.settle()
    spare = repo.path / ".cmat/blockers/.b-1.yaml.swp"
    spare.write_text("answer: x\n")
    spare.replace(repo.path / ".cmat/blockers/b-1.yaml")
    assert ears.heard() == {Hint.VIEW}
    ears.settle()
    (repo.path / ".cmat/queue/pending/a.yaml").write_text("hold: true\n")
    assert ears.heard() == {Hint.VIEW}


def test_the_wake_file_and_the_state_ring(repo: TestRepo, ears: Ears) -> None:
    wake(ears.repo)
    assert ears.heard() == {Hint.WAKE}
    ears.settle()
    repo.git("update-ref", "refs/cmat/state/n1", "HEAD")
    assert Hint.STATE in ears.heard()
    ears.settle()
    repo.git("update-ref", "refs/cmat/state/n1", repo.commit("x"))
    assert Hint.STATE in ears.heard()
    ears.settle()
    repo.git("pack-refs", "--all", "--prune")  # takes the emptied folders away
    ears.settle()
    repo.git("update-ref", "refs/cmat/state/n1", repo.commit("y"))
    assert Hint.STATE in ears.heard()


def test_looking_rings_nothing(repo: TestRepo, ears: Ears) -> None:
    repo.git("status")
    repo.git("log", "-1")
    for folder, _, names in itertools.chain(
        os.walk(repo.path / ".cmat"), os.walk(repo.path / ".git")
    ):
        for name in names:
            (Path(folder) / name).read_bytes()
    subprocess.run(["git", "add", "-A"], cwd=repo.path, check=True)  # the index means nothing
    assert ears.heard(0.5) == set()


def test_a_folder_that_is_removed_and_made_anew_is_watched_again(
    repo: TestRepo, ears: Ears
) -> None:
    folder = repo.path / ".cmat/blockers"
    for _ in range(3):  # the same inode number may come back
        shutil.rmtree(folder)
        folder.mkdir()
        assert Hint.VIEW in ears.heard()
        ears.settle()
        (folder / "b-1.yaml").write_text("answer: x\n")
        assert Hint.VIEW in ears.heard()
        ears.settle()
    shutil.rmtree(repo.path / ".cmat")
    assert ears.heard()
    ears.settle()
    folder.mkdir(parents=True)
    ears.settle()
    (folder / "b-1.yaml").write_text("answer: x\n")
    assert Hint.VIEW in ears.heard()


def test_a_symlink_in_the_place_of_a_folder_is_not_followed(
    repo: TestRepo, ears: Ears, tmp_path: Path
) -> None:
    shutil.rmtree(repo.path / ".cmat/tasks")
    (tmp_path / "elsewhere").mkdir()
    (repo.path / ".cmat/tasks").symlink_to(tmp_path / "elsewhere")
    ears.settle()
    (tmp_path / "elsewhere/a.yaml").write_text("x")
    assert ears.heard(0.5) == set()


def test_a_burst_is_one_look_and_does_not_put_it_off_for_ever() -> None:
    bell = Bell()
    over = threading.Event()

    def storm() -> None:
        while not over.wait(0.01):
            bell.ring(Hint.GIT)

    thread = threading.Thread(target=storm)
    thread.start()
    begun = clock.monotonic()
    assert bell.wait(begun + 30) == {Hint.GIT}
    assert clock.monotonic() - begun < 1
    over.set()
    thread.join()


def test_a_wish_to_stop_is_heard_at_once() -> None:
    bell = Bell()
    bell.ring(Hint.STOP)
    bell.ring(Hint.GIT)
    assert bell.wait(clock.monotonic() + 30) == {Hint.STOP}


def test_traces_of_editors_and_locks_mean_nothing() -> None:
    place = Place(path=Path("/x"), others=Hint.FILES)
    for name in (".a.yaml.swp", "a.yaml~", "main.lock", ".#a.yaml", "a.tmp"):
        assert place.hint(name) is None
    assert place.hint("a.yaml") is Hint.FILES
