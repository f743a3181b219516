"""Going back to a checkpoint: what changes, what stays, and a death at every step."""

import os
import random
import subprocess
import time
from pathlib import Path
from typing import Final

import pytest

from gitcmat.app import open_app
from gitcmat.engine import checkpoints, restores
from gitcmat.errors import Conflict
from gitcmat.store.git import discover
from gitcmat.store.restore import STEPS
from gitcmat.store.restore_journal import needs_repair
from tests.support.repo import TestRepo
from tests.support.saved import DIED, repaired, restore, save, start

_ROUNDS: Final = 20
_FILES: Final = 300
_THEN: Final = "MM half.txt\n D gone.txt\n M tool.sh\n?? link\n?? new/1.txt"


@pytest.fixture
def project(repo: TestRepo) -> TestRepo:
    """Saved in a state with all kinds of changes; then made into quite another one."""
    base = {"half.txt": "1\n", "gone.txt": "1\n", "tool.sh": "1\n", ".gitignore": "*.log\n"}
    repo.commit("base", base)
    _make_then(repo)
    return repo


def _make_then(repo: TestRepo) -> None:
    repo.write("half.txt", "2\n")
    repo.git("add", "half.txt")
    repo.write("half.txt", "3\n")
    repo.delete("gone.txt")
    with repo.as_person():
        repo.path.joinpath("tool.sh").chmod(0o755)
        repo.path.joinpath("link").symlink_to("half.txt")
    repo.write("new/1.txt", "new\n")
    repo.write("debug.log", "ignored\n")


def _make_now(repo: TestRepo) -> None:
    repo.git("reset", "-q", "--hard")
    with repo.as_person():
        repo.path.joinpath("link").unlink()
        repo.path.joinpath("new/1.txt").unlink()
        repo.path.joinpath("new").rmdir()
    repo.write("new", "a file where a folder was\n")
    repo.write("later.txt", "later\n")
    repo.git("add", "later.txt")
    repo.write("debug.log", "ignored, and later\n")


def _sorted(status: str) -> list[str]:
    return sorted(status.splitlines(), key=lambda line: line[3:])


def _is_then(repo: TestRepo) -> None:
    assert _sorted(repo.status()) == _sorted(_THEN)
    assert repo.git("show", ":half.txt") == "2"
    assert repo.read("half.txt") == "3\n"
    assert repo.path.joinpath("link").readlink() == Path("half.txt")
    assert os.access(repo.path / "tool.sh", os.X_OK)
    assert repo.read("new/1.txt") == "new\n"


def test_files_and_index_are_what_they_were_and_head_and_ignored_files_stay(
    project: TestRepo,
) -> None:
    head = project.git("rev-parse", "HEAD")
    found = save(project)
    _make_now(project)
    now = project.status()
    done = restore(project, found.id)
    _is_then(project)
    assert project.git("rev-parse", "HEAD") == head
    assert project.git("symbolic-ref", "HEAD") == "refs/heads/main"
    assert project.read("debug.log") == "ignored, and later\n"
    assert not project.path.joinpath("later.txt").exists()
    assert done.differences.statuses == {
        "gone.txt": "D",
        "half.txt": "M",
        "later.txt": "D",
        "link": "A",
        "new": "D",
        "new/1.txt": "A",
        "tool.sh": "M",
    }
    saved = done.saved
    assert saved is not None
    assert (saved.why, saved.about) == ("before restore", found.id)
    restore(project, saved.id)
    assert project.status() == now
    assert project.read("new") == "a file where a folder was\n"


def test_the_last_restore_is_undone_and_done_again(project: TestRepo) -> None:
    found = save(project)
    _make_now(project)
    now = project.status()
    restore(project, found.id)
    restore(project, restores.to_undo(open_app(project.path).deps).id)
    assert project.status() == now
    restore(project, restores.to_undo(open_app(project.path).deps).id)
    _is_then(project)


def test_later_commits_are_kept_and_show_as_undone(repo: TestRepo) -> None:
    found = save(repo)
    later = repo.commit("later", {"later.txt": "1\n"})
    done = restore(repo, found.id)
    assert repo.tip() == later
    assert repo.status() == "D  later.txt"
    assert (done.differences.head, done.checkpoint.head) == (later, found.head)


def test_ignored_files_in_the_way_are_named_and_nothing_happens(repo: TestRepo) -> None:
    repo.write("out/a.txt", "1\n")
    found = save(repo)
    repo.delete("out/a.txt")
    repo.write(".gitignore", "out/\n")
    repo.write("out/a.txt", "precious\n")
    repo.freeze()
    for _ in range(2):
        with pytest.raises(Conflict) as refused:
            restore(repo, found.id)
        assert refused.value.message == (
            "Nothing was restored: these files are ignored, so in no checkpoint, and in the way: "
            "out/a.txt"
        )
        assert refused.value.hint == "move them away, then try again"
    repo.check()
    assert len(open_app(repo.path).deps.store.read().checkpoints()) == 1


def test_in_the_middle_of_a_merge_nothing_is_restored(repo: TestRepo) -> None:
    found = save(repo)
    repo.branch("other")
    repo.commit("main", {"a.txt": "1\n"})
    repo.switch("other")
    repo.commit("other", {"b.txt": "1\n"})
    repo.git("merge", "-q", "--no-commit", "main")
    repo.freeze()
    with pytest.raises(Conflict) as refused:
        restore(repo, found.id)
    assert (refused.value.message, refused.value.hint) == (
        "Nothing was restored: a merge is under way.",
        "git commit, or git merge --abort",
    )
    repo.check()


def test_files_that_git_is_not_to_look_at_are_saved_restored_and_stay_so(repo: TestRepo) -> None:
    repo.commit("base", {"assumed.txt": "1\n", "skipped.txt": "1\n", "plain.txt": "1\n"})
    repo.git("update-index", "--assume-unchanged", "assumed.txt")
    repo.git("update-index", "--skip-worktree", "skipped.txt")
    repo.write("assumed.txt", "then\n")
    found = save(repo)
    repo.write("assumed.txt", "now\n")
    repo.write("skipped.txt", "now\n")
    repo.write("plain.txt", "now\n")
    done = restore(repo, found.id)
    flags = "H README.md\nh assumed.txt\nH plain.txt\nS skipped.txt"
    assert repo.git("ls-files", "-v") == flags
    assert repo.read("assumed.txt") == "then\n"
    assert repo.read("skipped.txt") == "1\n"
    assert done.saved is not None
    restore(repo, done.saved.id)
    assert (repo.read("assumed.txt"), repo.read("skipped.txt")) == ("now\n", "now\n")
    assert repo.status() == " M plain.txt"
    assert repo.git("ls-files", "-v") == flags


def test_a_checkpoint_of_one_work_tree_is_restored_in_another(repo: TestRepo) -> None:
    repo.write("a.txt", "main\n")
    found = save(repo)
    linked = repo.path.parent / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    repo.freeze()
    done = restore(linked, found.id)
    assert linked.joinpath("a.txt").read_text(encoding="utf-8") == "main\n"
    assert done.saved is not None
    assert done.saved.work_tree == "linked"
    with pytest.raises(Exception, match="Nothing has been restored here"):
        restores.to_undo(open_app(repo.path).deps)
    repo.check()


def test_a_submodule_stays_where_it_is_and_is_named(repo: TestRepo) -> None:
    other = TestRepo(repo.path.parent / "other")
    other.commit("one", {"a.txt": "1\n"})
    repo.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(other.path), "sub")
    repo.commit("add sub")
    found = save(repo)
    sub = repo.path / "sub"
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "two"], cwd=sub, check=True)
    repo.write("README.md", "changed\n")
    done = restore(repo, found.id)
    assert done.differences.submodules == ("sub",)
    assert repo.status() == " M sub"


def test_an_index_that_is_held_is_waited_for_and_left_alone(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = save(repo)
    repo.write("README.md", "changed\n")
    lock = repo.path / ".git/index.lock"
    lock.write_bytes(b"")
    repo.freeze()
    monkeypatch.setattr("gitcmat.store.index_lock.IndexLock.acquire.__defaults__", (0.1,))
    with pytest.raises(Conflict, match=f"Another git process has held {lock}"):
        restore(repo, found.id)
    repo.check()
    assert not needs_repair(discover(repo.path))
    lock.unlink()
    repo.freeze()


def test_with_ids_of_sha256_too(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "sha256", object_format="sha256")
    repo.commit("base", {"a.txt": "1\n"})
    found = save(repo)
    repo.write("a.txt", "2\n")
    restore(repo, found.id)
    assert (repo.status(), repo.read("a.txt")) == ("", "1\n")


def _write(repo: TestRepo, name: str, text: str) -> None:
    path = repo.path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _large(repo: TestRepo) -> None:
    text = "line\n" * 2000
    repo.commit("base", {f"src/{n % 10}/{n}.txt": f"{n}\n{text}" for n in range(_FILES)})
    with repo.as_person():
        for n in range(0, _FILES, 2):
            _write(repo, f"src/{n % 10}/{n}.txt", f"then {n}\n{text}")
        for n in range(0, _FILES, 7):
            repo.path.joinpath(f"src/{n % 10}/{n}.txt").unlink()
    repo.write("staged.txt", "then\n")
    repo.git("add", "staged.txt")


def _now(repo: TestRepo) -> None:
    text = "line\n" * 2000
    repo.git("reset", "-q", "--hard")
    with repo.as_person():
        for n in range(0, _FILES, 3):
            _write(repo, f"src/{n % 10}/{n}.txt", f"now {n}\n{text}")
        for n in range(50):
            _write(repo, f"more/{n}.txt", f"now {n}\n{text}")


def _trees(repo: TestRepo) -> tuple[str, str]:
    """The ids of the work tree and of the index, as git sees them."""
    env = {"GIT_INDEX_FILE": str(repo.path.parent / "look")}
    repo._git("read-tree", "HEAD", env=env)
    repo._git("add", "-A", env=env)
    return repo._git("write-tree", env=env), repo._git("write-tree")


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_restore_that_dies_after_any_step_is_finished_or_forgotten(
    repo: TestRepo, step: str
) -> None:
    _large(repo)
    then = _trees(repo)
    found = save(repo)
    _now(repo)
    now = _trees(repo)
    assert start(repo.path, found.id, step).wait(60) == DIED
    assert needs_repair(discover(repo.path))
    said = repaired(repo.path)
    assert not needs_repair(discover(repo.path))
    assert not list(repo.git_dir.glob("index.lock*"))
    with repo.as_person():
        repo._git("status")
    kept = open_app(repo.path).deps.store.read().checkpoints()
    if step in ("begun", "written", "published"):
        assert said == f"finished restoring {found.id}"
        assert _trees(repo) == then
        restore(repo.path, kept[0].id)
        assert _trees(repo) == now
    else:
        assert said == "forgot a restore that was broken off before it changed anything"
        assert _trees(repo) == now
        assert [c.id for c in kept] == [found.id]
    repo.freeze()


@pytest.mark.slow
def test_a_restore_that_is_killed_at_random_is_finished_or_forgotten(repo: TestRepo) -> None:
    seed = int(os.environ.get("CMAT_TEST_SEED", random.randrange(10**6)))  # noqa: S311
    print(f"again with: CMAT_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)  # noqa: S311
    _large(repo)
    sides = {save(repo, "then").id: _trees(repo)}
    _now(repo)
    sides[save(repo, "now").id] = _trees(repo)
    then, now = sides
    begun = time.monotonic()
    assert start(repo.path, then).wait(60) == 0
    whole = time.monotonic() - begun
    here, other = then, now
    seen = {"journal": 0, "lock": 0, "moved": 0}
    for number in range(_ROUNDS):
        process = start(repo.path, other)
        time.sleep(chance.uniform(0.5, 1.05) * whole)
        process.kill()  # it alone: git goes on for a while, as it does for a person
        process.wait(20)
        seen["lock"] += (repo.git_dir / "index.lock").exists()
        seen["journal"] += needs_repair(discover(repo.path))
        repaired(repo.path)
        trees = _trees(repo)
        assert trees in (sides[here], sides[other]), f"seed {seed}, round {number}"
        assert not list(repo.git_dir.glob("index.lock*"))
        if trees == sides[other]:
            seen["moved"] += 1
            here, other = other, here
    assert seen["journal"] > 0, seen
    repo.freeze()


@pytest.mark.slow
def test_what_a_person_writes_after_the_death_stays(repo: TestRepo) -> None:
    _large(repo)
    found = save(repo)
    _now(repo)
    assert start(repo.path, found.id, "begun").wait(60) == DIED
    repo.path.joinpath("src/3/3.txt").write_text("mine\n", encoding="utf-8")
    said = repaired(repo.path)
    assert said == f"finished restoring {found.id}; changed since and left alone: src/3/3.txt"
    assert repo.read("src/3/3.txt") == "mine\n"
    repo.freeze()


def test_a_disk_that_refuses_in_the_middle_leaves_what_was_there(
    repo: TestRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("base", {"a.txt": "1\n", "b.txt": "1\n"})
    found = save(repo)
    repo.write("a.txt", "2\n")
    repo.write("c.txt", "2\n")
    now = repo.status()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gitcmat.store.restore._Tree.publish", refuse)
    with pytest.raises(OSError, match="No space left"):
        restore(repo, found.id)
    assert (repo.status(), repo.read("a.txt"), repo.read("c.txt")) == (now, "2\n", "2\n")
    assert not needs_repair(discover(repo.path))
    assert not list(repo.git_dir.glob("index.lock*"))
    kept = open_app(repo.path).deps.store.read().checkpoints()
    assert [c.id for c in kept] == [found.id]
    assert checkpoints.listed(open_app(repo.path).deps).missing == frozenset()
