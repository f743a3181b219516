"""What the person does with git while a run is on, or what they are in the middle of: the work is
kept, theirs is not touched, and what cannot be done now is refused whole.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.journey import LANDS, Journey, refused
from tests.support.repo import TestRepo
from tests.support.wait import until

Act = Callable[[TestRepo], object]


class Meanwhile:
    """A repository in which an agent is at work until it is told to go on."""

    def __init__(self, repo: TestRepo, folder: Path) -> None:
        self.journey = Journey(repo)
        self.repo = repo
        self._go = folder / "go"
        self.journey.prepare({"mine.txt": "1\n"})
        wait = f"until [ -e {self._go} ]; do sleep 0.05; done"
        self.journey.add("long", "echo 1 > work.txt", wait, "echo 2 >> work.txt")
        self.base = repo.tip()
        self.run = self.journey.type("run", "now", "--background", "long").ok().out.strip()
        prepared = repo.git_dir / f"cmat/runs/{self.run}/prepared"
        until(prepared.exists, what="the agent at work")

    def finish(self) -> str:
        """Let the agent end; return the state of its task."""
        self._go.touch()
        self.journey.type("run", "follow", self.run).ok()
        self.journey.type("blocker", "list").ok()
        self.journey.type("queue", "priority", "long", "high").ok()  # takes its result in
        (entry,) = self.journey.type("queue", "list", "--json").ok().json["entries"]
        assert self.repo.show(f"refs/cmat/runs/{self.run}", "work.txt") == "1\n2\n"
        return str(entry["state"])


@pytest.fixture
def meanwhile(repo: TestRepo, tmp_path: Path) -> Meanwhile:
    return Meanwhile(repo, tmp_path)


def amend(repo: TestRepo) -> None:
    repo.git("commit", "-q", "--amend", "-m", "Amended")


def go_back(repo: TestRepo) -> None:
    repo.git("reset", "-q", "--hard", "HEAD~1")


def switch(repo: TestRepo) -> None:
    repo.git("switch", "-q", "-c", "elsewhere")


def detach(repo: TestRepo) -> None:
    repo.git("switch", "-q", "--detach")


def stash(repo: TestRepo) -> None:
    repo.write("mine.txt", "not committed\n")
    repo.git("stash", "-q")


def leave_dirty(repo: TestRepo) -> None:
    repo.write("mine.txt", "staged\n")
    repo.git("add", "mine.txt")
    repo.write("mine.txt", "not staged\n")


def rebase(repo: TestRepo) -> None:
    repo.git("switch", "-q", "-c", "topic", "HEAD~1")
    repo.commit("Aside", {"aside.txt": "1\n"})
    repo.switch("main")
    repo.git("rebase", "-q", "topic")


def collect_garbage(repo: TestRepo) -> None:
    repo.git("reset", "-q", "--hard", "HEAD~1")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")


LANDING: Final[dict[str, tuple[Act, tuple[str, ...]]]] = {
    "amends": (amend, LANDS),
    "switches away": (switch, ("refs:refs/heads/main",)),
    "detaches HEAD": (detach, ("refs:refs/heads/main",)),
    "stashes": (stash, LANDS),
    "leaves changes": (leave_dirty, LANDS),
    "rebases": (rebase, LANDS),
}


@pytest.mark.parametrize(
    ("act", "changes"),
    [
        pytest.param(*how, id=what, marks=() if what == "amends" else pytest.mark.slow)
        for what, how in LANDING.items()
    ],
)
def test_the_work_lands_whatever_happened_to_its_source_meanwhile(
    meanwhile: Meanwhile, act: Act, changes: tuple[str, ...]
) -> None:
    repo = meanwhile.repo
    act(repo)
    before = (repo.status(), repo.git("diff"), repo.git("stash", "list"))
    assert meanwhile.finish() == "review"
    meanwhile.journey.land("long", changes)
    assert repo.show("main", "work.txt") == "1\n2\n"
    assert (repo.status(), repo.git("diff"), repo.git("stash", "list")) == before


@pytest.mark.slow
@pytest.mark.parametrize("act", [go_back, collect_garbage], ids=["reset", "reset and gc"])
def test_the_work_of_a_task_that_the_person_took_back_is_kept_and_not_queued_again(
    meanwhile: Meanwhile, act: Act
) -> None:
    act(meanwhile.repo)
    state = meanwhile.finish()
    assert state in ("review", "blocked")
    assert meanwhile.repo.git("cat-file", "-t", meanwhile.base) == "commit"
    meanwhile.journey.healthy()


@pytest.mark.slow
def test_a_source_branch_that_is_deleted_meanwhile_stops_only_the_landing(
    meanwhile: Meanwhile,
) -> None:
    repo = meanwhile.repo
    repo.git("switch", "-q", "-c", "elsewhere")
    repo.git("branch", "-q", "-D", "main")
    assert meanwhile.finish() == "review"
    refused(
        meanwhile.journey.type("land", "long"),
        4,
        "long lands on main, which does not exist.",
        "make that branch again",
    )
    repo.git("branch", "main", meanwhile.base)
    meanwhile.journey.land("long", ("refs:refs/heads/main",))


@pytest.mark.slow
def test_a_branch_for_review_is_the_persons_to_work_on(meanwhile: Meanwhile) -> None:
    repo, journey = meanwhile.repo, meanwhile.journey
    meanwhile.finish()
    repo.switch("cmat/long")
    repo.commit("Mine on top", {"mine-too.txt": "1\n"})
    done = journey.type("land", "long", changes=("refs:refs/heads/main",)).ok()
    assert "landed on main" in done.out
    assert repo.show("main", "mine-too.txt") == "1\n"
    assert repo.git("branch", "--show-current") == "cmat/long"


@pytest.mark.slow
def test_a_branch_for_review_that_the_person_deleted_is_not_the_work(
    meanwhile: Meanwhile,
) -> None:
    meanwhile.finish()
    meanwhile.repo.git("branch", "-q", "-D", "cmat/long")
    meanwhile.journey.land("long")
    assert meanwhile.repo.read("work.txt") == "1\n2\n"


# --- in the middle of something -----------------------------------------------------------------

MERGE: Final = ("a merge", "git commit, or git merge --abort")
REBASE: Final = ("a rebase", "git rebase --continue or --abort")
PICK: Final = ("a cherry-pick", "git cherry-pick --continue or --abort")
REVERT: Final = ("a revert", "git revert --continue or --abort")
AM: Final = ("a git am", "git am --continue or --abort")
BISECT: Final = ("a bisect", "git bisect reset")

MIDDLES: Final = {
    "merge side": (MERGE, "merge --abort"),
    "rebase side": (REBASE, "rebase --abort"),
    "cherry-pick side": (PICK, "cherry-pick --abort"),
    "revert HEAD~1": (REVERT, "revert --abort"),
    "am -3 ../side.patch": (AM, "am --abort"),
    "bisect start HEAD HEAD~2": (BISECT, "bisect reset"),
}


@pytest.fixture
def ready(repo: TestRepo, tmp_path: Path) -> Journey:
    """A task in review whose gates have not judged it on the tip of main, and two branches that
    do not fit together.
    """
    journey = Journey(repo)
    journey.prepare()
    journey.add("work", "echo 1 > work.txt")
    journey.type("checkpoint", "create", "before").ok()
    journey.work("work")
    repo.git("switch", "-q", "-c", "side")
    repo.commit("Theirs", {"file": "theirs\n"})
    patch = repo.git("format-patch", "-q", "-1", "--stdout") + "\n"
    (tmp_path / "side.patch").write_text(patch)
    repo.switch("main")
    repo.commit("Ours", {"file": "ours\n"})
    repo.commit("Ours again", {"file": "ours again\n"})
    return journey


@pytest.mark.parametrize(
    "command",
    [pytest.param(c, marks=() if c[0] in "mb" else pytest.mark.slow) for c in MIDDLES],
    ids=lambda c: c.split()[0],
)
def test_in_the_middle_of_something_nothing_is_landed_or_restored_and_no_gate_runs_for_nothing(
    ready: Journey, command: str
) -> None:
    repo, ((what, how), end) = ready.repo, MIDDLES[command]
    with repo.as_person(), contextlib.suppress(AssertionError):
        repo.git(*command.split())
    refused(
        ready.type("land", "work"),
        5,
        f"Nothing was landed: {what} is under way in {repo.path}.",
        how,
    )
    refused(
        ready.type("checkpoint", "restore", "before"),
        5,
        f"Nothing was restored: {what} is under way.",
        how,
    )
    refused(
        ready.type("task", "add", "More", "-p", "x"),
        5,
        f"Nothing was committed: {what} is under way.",
        how,
    )
    ready.healthy()
    repo.git(*end.split())
    ready.land("work")
    assert repo.read("work.txt") == "1\n"


@pytest.mark.slow
def test_on_a_branch_without_a_commit_work_lands_elsewhere(ready: Journey) -> None:
    ready.repo.git("switch", "-q", "--orphan", "new")
    refused(
        ready.type("checkpoint", "create", "empty"),
        5,
        "Nothing was saved: there is no commit yet that a checkpoint could stand on.",
        "git commit first",
    )
    refused(ready.type("queue", "add", "More"), 4, "There is no branch new.", "git branch")
    ready.land("work", ("refs:refs/heads/main",))
    assert ready.repo.status() == ""
