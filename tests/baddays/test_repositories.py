"""The whole way of a task in every kind of repository that git knows."""

import shutil
from pathlib import Path

import pytest

from tests.support import kinds
from tests.support.cli import gitcmat, running
from tests.support.journey import Journey, alike, refused, same
from tests.support.repo import TestRepo
from tests.support.wait import until

QUICK = (kinds.sha256, kinds.separate_git_dir, kinds.work_tree_of_bare, kinds.submodule)
OTHERS = [each for each in kinds.WHOLE if each not in QUICK]


@pytest.mark.parametrize(
    "make",
    [*QUICK, *(pytest.param(each, marks=pytest.mark.slow) for each in OTHERS)],
    ids=lambda make: make.__name__,
)
def test_the_whole_way(make: kinds.Make, tmp_path: Path) -> None:
    journey = Journey(make(tmp_path))
    journey.prepare()
    journey.whole()


def test_in_a_repository_without_a_work_tree_all_is_done_but_what_needs_files(
    repo: TestRepo, tmp_path: Path
) -> None:
    Journey(repo).prepare()
    bare = TestRepo(tmp_path / "store.git", bare=True)
    repo.git("push", "-q", str(bare.path), "main")
    journey = Journey(bare)
    assert journey.type("status").ok().out == (
        "no tasks; no daemon is running\n\n"
        "the plan is not trusted, so nothing starts: gitcmat trust\n\n"
        'next: gitcmat queue add "…" --agent NAME\n'
    )
    journey.trust()
    prompt = "sh: echo more >> README.md\nsh: echo new > new.txt"
    assert journey.type("queue", "add", "Do first", "--id", "first", "-p", prompt).ok().out == (
        "first\n"
    )
    journey.work("first")
    before = bare.tip("main")
    done = journey.land("first", changes=("refs:refs/heads/main",))
    undo = f"undo: git update-ref refs/heads/main {before} {bare.tip('main')}"
    assert done.out.splitlines()[-1] == undo
    assert bare.show("main", "new.txt") == "new\n"
    bare.git(*undo.split()[2:])
    assert bare.tip("main") == before
    refused(
        journey.type("checkpoint", "create", "x"),
        4,
        f"{bare.path} is a bare repository: it has no work tree to save.",
        "gitcmat -C DIR, in a work tree of it",
    )
    journey.healthy()


@pytest.mark.slow
def test_what_is_pushed_to_a_bare_repository_waits_for_approval(
    repo: TestRepo, tmp_path: Path
) -> None:
    theirs = Journey(repo)
    theirs.prepare()
    bare = TestRepo(tmp_path / "store.git", bare=True)
    theirs.add("pushed", "echo new > new.txt")
    repo.git("push", "-q", str(bare.path), "main")
    journey = Journey(bare)
    journey.trust()
    assert journey.type("status").ok().out.splitlines()[-1] == "next: gitcmat watch"
    gitcmat(bare, "watch", "--until-idle").ok()
    assert journey.type("status").ok().out.splitlines()[-1] == "next: gitcmat task approve pushed"
    journey.type("task", "approve", "pushed").ok()
    journey.work("pushed")
    journey.land("pushed", changes=("refs:refs/heads/main",))


# --- linked work trees ------------------------------------------------------------------------


@pytest.fixture
def trees(repo: TestRepo, tmp_path: Path) -> tuple[Journey, Journey]:
    """The main work tree on main, and one on `side` that was made from another linked one."""
    here = Journey(repo)
    here.prepare()
    between = tmp_path / "between"
    repo.git("worktree", "add", "-q", "-b", "between", str(between))
    repo.git("-C", str(between), "worktree", "add", "-q", "-b", "side", str(tmp_path / "a side"))
    linked = TestRepo.at(tmp_path / "a side")
    linked.allow("refs")  # the same as in the main one, which guards them
    return here, Journey(linked)


@pytest.mark.slow
def test_two_work_trees_of_one_repository_at_once(
    trees: tuple[Journey, Journey], tmp_path: Path
) -> None:
    here, there = trees
    here.add("of-main", "sleep 0.5; echo 1 > of-main.txt")
    prompt = "sh: sleep 0.5; echo 2 > of-side.txt"
    there.type("queue", "add", "Do it", "--id", "of-side", "-p", prompt).ok()
    with (
        running(here.repo, "run", "now", "of-main", logs=tmp_path / "here") as first,
        running(there.repo, "run", "now", "of-side", logs=tmp_path / "there") as second,
    ):
        first.wait().ok()
        second.wait().ok()
    before = here.repo.tip("main")
    side = here.repo.tip("side")
    with there.repo.guarded("HEAD", "index", "files:of-side.txt"):  # landed from the other one
        done = here.type("land", "of-side", changes=("refs:refs/heads/side",)).ok()
    same(
        alike(done.out),
        "of-side: landed on side as <short>\ngates: green (listing)\n"
        f"undo: git -C '{there.repo.path}' reset --keep <commit>\n",
    )
    with here.repo.guarded("refs:refs/heads/main", "index", "files:of-main.txt"):
        there.type("land", "of-main").ok()
    assert here.repo.tip("main^") == before
    assert here.repo.tip("side^") == side
    assert (here.repo.status(), there.repo.status()) == ("", "")
    assert here.repo.read("of-main.txt") == "1\n"
    assert there.repo.read("of-side.txt") == "2\n"
    undo = done.out.splitlines()[-1].removeprefix("undo: ")
    with there.repo.as_person(), here.repo.as_person():
        kinds.shell(tmp_path, undo)
    assert here.repo.tip("side") == side
    here.healthy()
    there.healthy()


def test_a_checkpoint_is_of_the_work_tree_where_it_is_typed(trees: tuple[Journey, Journey]) -> None:
    here, there = trees
    there.save_and_restore()
    here.repo.write("README.md", "# Mine\n")
    saved = here.type("checkpoint", "restore", "half done", "--dry-run").ok()
    same(
        alike(saved.out),
        "c-xxxxxxxx would change 2 files, 1 staged\n  M README.md\n  A notes.txt\n",
    )


def test_a_task_of_a_linked_work_tree_is_taken_in_when_it_reaches_the_main_one(
    trees: tuple[Journey, Journey],
) -> None:
    here, there = trees
    args = ("task", "add", "Do it", "--id", "later", "-p", "sh: echo > later.txt")
    with here.repo.guarded("refs:refs/heads/side"):
        done = there.type(*args, changes=("index", "files:.cmat/tasks/*")).ok()
    assert done.err == (
        "committed .cmat/tasks/later.yaml\n"
        "warning: later is not taken in now: new tasks are read from main\n"
    )
    refused(here.type("run", "now", "later"), 4, "There is no task 'later'.", "gitcmat queue list")
    here.repo.git("merge", "-q", "side")
    here.work("later")


@pytest.mark.slow
def test_a_linked_work_tree_that_was_removed_by_hand_stops_nothing_but_its_own_branch(
    trees: tuple[Journey, Journey],
) -> None:
    here, there = trees
    for task, target in (("onto-main", "main"), ("onto-side", "side")):
        prompt = f"sh: echo {task} > {task}.txt"
        here.type("queue", "add", "Do", "--id", task, "--target", target, "-p", prompt).ok()
        here.work(task)
    gone = there.repo.path
    TestRepo.made.remove(there.repo)
    shutil.rmtree(gone)
    refused(
        here.type("land", "onto-side"),
        5,
        f"Nothing was landed: side is checked out in {gone}, which is gone.",
        "git worktree prune",
    )
    here.land("onto-main")
    here.repo.git("worktree", "prune")
    here.type("land", "onto-side", changes=("refs:refs/heads/side",)).ok()
    here.healthy()


# --- moved ------------------------------------------------------------------------------------


def moved(journey: Journey, name: str) -> Journey:
    """Move the repository, as `mv` does; the person goes with it."""
    old = journey.repo
    TestRepo.made.remove(old)
    new = old.path.with_name(name)
    old.path.rename(new)
    return Journey(TestRepo.at(new))


@pytest.mark.slow
def test_a_moved_repository_keeps_all_but_the_trust_that_was_given_to_its_old_place(
    repo: TestRepo,
) -> None:
    before = Journey(repo)
    before.prepare()
    before.add("one", "echo 1 > one.txt")
    before.add("two", "echo 2 > two.txt")
    before.work("one")
    before.type("checkpoint", "create", "here").ok()
    journey = moved(before, "elsewhere")
    same(
        journey.type("status").ok().out,
        "1 pending, 1 review; no daemon is running\n\n"
        "review:\n"
        "ID   STATE   PRIORITY  AGENT  NOTE  TITLE\n"
        "one  review  normal                 Do one\n\n"
        "waiting:\n"
        "ID   STATE    PRIORITY  AGENT  NOTE                                    TITLE\n"
        "two  pending  normal           the plan is not trusted: gitcmat trust  Do two\n\n"
        "the plan is not trusted, so nothing starts: gitcmat trust\n"
        "agents work without a sandbox here: your settings say sandbox: off (gitcmat doctor)\n\n"
        "next: gitcmat review show one\n",
    )
    refused(
        journey.type("run", "now", "two"),
        5,
        "What gitcmat may start here has not been allowed at this machine.",
        "gitcmat trust",
    )
    journey.trust()
    journey.land("one")
    journey.work("two")
    journey.type("checkpoint", "restore", "here", changes=("files", "index")).ok()
    journey.healthy()


def test_a_repository_that_is_moved_while_a_run_is_on_gets_the_work(
    repo: TestRepo, tmp_path: Path
) -> None:
    before = Journey(repo)
    before.prepare()
    go = tmp_path / "go"
    before.add(
        "long", "echo 1 > one.txt", f"until [ -e {go} ]; do sleep 0.05; done", "echo 2 > two.txt"
    )
    run = before.type("run", "now", "--background", "long").ok().out.strip()
    place = repo.path
    until((repo.git_dir / f"cmat/runs/{run}/prepared").exists, what="the agent at work")
    journey = moved(before, "elsewhere")
    shown = journey.type("status").ok().out.splitlines()
    assert shown[0] == "1 active; no daemon is running"
    go.touch()
    over = journey.repo.git_dir / f"cmat/runs/{run}/runner.log"
    until(over.read_text, what="the end of the runner")
    assert over.read_text() == (
        f"error: {place}/.git/cmat/runs/{run} is gone, so nothing can be reported; was the "
        "repository moved?\nhint: gitcmat watch, where it is now, brings the work home\n"
    )
    assert not place.exists(), "nothing is made where it was"
    journey.trust()
    journey.work("long")
    assert journey.repo.names("cmat/long")[-2:] == ["tools/agent.sh", "two.txt"]
    assert [r["outcome"] for r in journey.type("run", "list", "--json").ok().json["runs"]] == [
        "finished",
        "interrupted",
    ]
    journey.land("long")
    journey.healthy()


@pytest.mark.slow
def test_a_copy_of_a_repository_does_not_touch_the_run_of_the_first(
    repo: TestRepo, tmp_path: Path
) -> None:
    first = Journey(repo)
    first.prepare()
    go = tmp_path / "go"
    first.add("long", f"until [ -e {go} ]; do sleep 0.05; done", "echo 1 > one.txt")
    run = first.type("run", "now", "--background", "long").ok().out.strip()
    until((repo.git_dir / f"cmat/runs/{run}/prepared").exists, what="the agent at work")
    shutil.copytree(repo.path, tmp_path / "copy", symlinks=True)
    copy = Journey(TestRepo.at(tmp_path / "copy"))
    copy.trust()
    copy.type("queue", "hold", "long").ok()
    assert copy.type("status").ok().out.splitlines()[0] == "1 pending; no daemon is running"
    go.touch()
    first.type("run", "follow", run).ok()
    first.type("queue", "priority", "long", "high").ok()
    assert first.type("status").ok().out.splitlines()[0] == "1 review; no daemon is running"
    first.land("long")
