"""Landings that are killed on the way, or run beside a person's checkouts."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import pytest

from gitcmat.errors import Conflict
from gitcmat.store.git import discover
from gitcmat.store.landing import STEPS
from gitcmat.store.landing_journal import needs_repair
from tests.support.lander import DIED, MAIN, landed, prepared, repaired, start
from tests.support.repo import TestRepo

_FILES: Final = 300
_ROUNDS: Final = 24
_RACES: Final = 20
_MINE: Final = "MM mine.txt\nA  staged.txt\n M unstaged.txt\n?? untracked.txt"


@pytest.fixture
def project(repo: TestRepo) -> TestRepo:
    """On main, with changes of a person's; `work` changes, adds and removes 350 files."""
    text = "line\n" * 2000
    base = {f"src/{n % 10}/{n}.txt": f"{n}\n{text}" for n in range(_FILES)}
    mine = {"mine.txt": "1\n", "unstaged.txt": "1\n"}
    repo.commit("base", {**base, **mine})
    repo.git("switch", "-q", "-c", "work")
    for n in range(0, _FILES, 7):
        repo.path.joinpath(f"src/{n % 10}/{n}.txt").unlink()
    changed = {f"src/{n % 10}/{n}.txt": f"{n}\nnew {text}" for n in range(_FILES) if n % 7}
    added = {f"more/{n}.txt": f"{n}\n{text}" for n in range(50)}
    repo.commit("work", {**changed, **added})
    repo.switch("main")
    repo.write("mine.txt", "2\n")
    repo.write("staged.txt", "1\n")
    repo.git("add", "mine.txt", "staged.txt")
    repo.write("mine.txt", "3\n")
    repo.write("unstaged.txt", "2\n")
    repo.write("untracked.txt", "1\n")
    assert repo.status() == _MINE
    return repo


def _is_whole(project: TestRepo, old: str, new: str, where: str) -> bool:
    """Whether it has landed; either way nothing of the person's is lost."""
    tip = project.tip(MAIN)
    assert tip in (old, new), where
    assert project.status() == _MINE, where
    assert project.read("mine.txt") == "3\n"
    assert project.git("show", ":mine.txt") == "2"
    assert project.read("unstaged.txt") == "2\n"
    assert not list(project.git_dir.glob("index.lock*")), where
    assert project.git("symbolic-ref", "HEAD") == MAIN
    return tip == new


def _undo(project: TestRepo, old: str) -> None:
    """Take the landing back, staged and unstaged changes kept, for the next round."""
    with project.as_person():
        env = {"GIT_INDEX_FILE": str(project.git_dir / "index")}
        project._git("read-tree", "-m", "-u", "HEAD", old, env=env)
        project._git("update-ref", MAIN, old)
    assert project.status() == _MINE


@pytest.mark.slow
@pytest.mark.parametrize("step", STEPS)
def test_a_landing_that_dies_after_any_step_is_finished_or_undone(
    project: TestRepo, step: str
) -> None:
    old = project.tip(MAIN)
    new = prepared(project.path, project.tip("work"))
    assert start(project, new, step).wait(60) == DIED
    assert needs_repair(discover(project.path))
    journal = repaired(project.path)
    has_landed = _is_whole(project, old, new, step)
    assert has_landed == (step in ("moved", "published"))
    assert (journal is not None) == has_landed
    if not has_landed:
        landed(project.path, new)
        assert _is_whole(project, old, new, step)


@pytest.mark.slow
def test_a_landing_that_is_killed_at_random_is_finished_or_undone(project: TestRepo) -> None:
    seed = int(os.environ.get("CMAT_TEST_SEED", random.randrange(10**6)))  # noqa: S311
    print(f"again with: CMAT_TEST_SEED={seed}")  # noqa: T201 - shown when the test fails
    chance = random.Random(seed)  # noqa: S311
    old = project.tip(MAIN)
    new = prepared(project.path, project.tip("work"))
    begun = time.monotonic()
    assert start(project, new).wait(60) == 0
    whole = time.monotonic() - begun
    _undo(project, old)
    seen = {"lock": 0, "landed": 0, "journal": 0}
    for number in range(_ROUNDS):
        process = start(project, new)
        time.sleep(chance.uniform(0.4, 1.05) * whole)
        process.kill()  # it alone: git goes on for a while, as it does for a person
        process.wait(20)
        seen["lock"] += (project.git_dir / "index.lock").exists()
        seen["journal"] += needs_repair(discover(project.path))
        repaired(project.path)
        where = f"seed {seed}, round {number}"
        if _is_whole(project, old, new, where):
            seen["landed"] += 1
            _undo(project, old)
    assert seen["journal"] > 0, seen


@pytest.mark.slow
def test_a_repair_that_is_killed_is_repaired(project: TestRepo) -> None:
    old = project.tip(MAIN)
    new = prepared(project.path, project.tip("work"))
    assert start(project, new, "written").wait(60) == DIED
    program = (
        "import sys; from pathlib import Path; from tests.support.lander import repaired; "
        "repaired(Path(sys.argv[1]))"
    )
    root = Path(__file__).parents[2]
    for pause in (0.3, 0.4, 0.5, 0.6):
        env = {**os.environ, "PYTHONPATH": str(root)}
        process = subprocess.Popen([sys.executable, "-c", program, str(project.path)], env=env)
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    repaired(project.path)
    assert not _is_whole(project, old, new, "repair")


def test_a_person_who_removed_the_lock_and_looked_loses_nothing(project: TestRepo) -> None:
    old = project.tip(MAIN)
    new = prepared(project.path, project.tip("work"))
    assert start(project, new, "moved").wait(60) == DIED
    project.path.joinpath(".git/index.lock").unlink()
    subprocess.run(["git", "status"], cwd=project.path, capture_output=True, check=True)
    assert repaired(project.path) is not None
    assert _is_whole(project, old, new, "lock removed")


def test_files_that_a_person_wrote_after_the_death_stay(project: TestRepo) -> None:
    new = prepared(project.path, project.tip("work"))
    assert start(project, new, "written").wait(60) == DIED
    project.path.joinpath("src/1/1.txt").write_text("mine\n", encoding="utf-8")
    project.path.joinpath("more/1.txt").write_text("mine\n", encoding="utf-8")
    assert repaired(project.path) is None
    assert project.status() == (
        "MM mine.txt\n M src/1/1.txt\nA  staged.txt\n M unstaged.txt\n"
        "?? more/1.txt\n?? untracked.txt"
    )


@pytest.mark.slow
def test_beside_checkouts_the_wrong_branch_never_moves(repo: TestRepo) -> None:
    repo.commit("base", {f"src/{n}.txt": f"{n}\n" for n in range(60)})
    repo.branch("other")
    repo.switch("other")
    other = repo.commit("other", {"other.txt": "other\n"})
    repo.switch("main")
    stop = repo.path.parent / "stop"
    turn = "git checkout -q other; git checkout -q main"
    loop = f"while [ ! -e {stop} ]; do {turn}; done 2>/dev/null"
    switching = subprocess.Popen(["sh", "-c", loop], cwd=repo.path)
    done = 0
    try:
        for number in range(_RACES):
            old = repo.tip(MAIN)
            new = _next(repo, number)
            try:
                landed(repo.path, new)
            except Conflict:
                assert repo.tip(MAIN) == old
            else:
                done += 1
                assert repo.tip(MAIN) == new
            assert repo.tip("other") == other
    finally:
        stop.touch()
        switching.wait(30)
    assert done > _RACES // 2
    assert repo.status() == ""
    assert not list(repo.git_dir.glob("index.lock*"))


def _next(repo: TestRepo, number: int) -> str:
    """Make a commit on main that changes twenty files, without touching the work tree."""
    env = {"GIT_INDEX_FILE": str(repo.path.parent / "index")}
    blob = repo._git("hash-object", "-w", "--stdin", stdin=f"{number}\nnew\n")
    repo._git("read-tree", MAIN, env=env)
    rows = "".join(f"100644 {blob}\tsrc/{n}.txt\n" for n in range(number, number + 20))
    repo._git("update-index", "--index-info", stdin=rows, env=env)
    tree = repo._git("write-tree", env=env)
    return repo._git("commit-tree", "-p", MAIN, "-m", f"landing {number}", tree)
