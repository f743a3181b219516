"""Branches that meet: task files added, edited and deleted on both sides of a merge."""

import json
import random
from typing import Any

import pytest

from tests.support.journey import CONFIG, Journey, refused
from tests.support.repo import TestRepo


@pytest.fixture
def journey(repo: TestRepo) -> Journey:
    made = Journey(repo)
    made.prepare()
    return made


def task(name: str, what: str, **fields: Any) -> dict[str, str]:
    """A task file whose agent writes `what`; in lines, as people write it."""
    more = "".join(f"{key}: {json.dumps(value)}\n" for key, value in fields.items())
    text = f"title: Do {name}\n{more}prompt: |\n  sh: echo {what} > {name}.txt\n"
    return {f".cmat/tasks/{name}.yaml": text}


def merge(repo: TestRepo, branch: str) -> str:
    """Merge, with whatever comes of it; return the states of the files that are unmerged."""
    with repo.as_person():
        try:
            repo.git("merge", "-q", "--no-edit", branch)
        except AssertionError:
            unmerged = [line for line in repo.status().splitlines() if line[:2] in UNMERGED]
            return "\n".join(unmerged)
    return ""


UNMERGED = ("UU", "AA", "DU", "UD")


def test_queues_of_two_branches_merge_without_a_word(journey: Journey) -> None:
    repo = journey.repo
    journey.add("before", "echo 0 > before.txt")
    repo.git("switch", "-q", "-c", "side")
    repo.commit("Mine", task("on-side", "1"))
    repo.commit("Also", task("also-on-side", "2"))
    repo.switch("main")
    journey.add("on-main", "echo 3 > on-main.txt")
    journey.work("on-main")
    assert merge(repo, "side") == ""
    assert journey.type("lint").ok().out == "Nothing is wrong below .cmat/.\n"
    journey.type("watch", "--until-idle").ok()
    listed = journey.type("queue", "list", "--json").ok().json["entries"]
    states = {e["id"]: e["state"] for e in listed}
    assert states == dict.fromkeys(("before", "on-main", "on-side", "also-on-side"), "review")
    journey.healthy()


@pytest.fixture
def conflicted(journey: Journey) -> Journey:
    """In the middle of a merge: four tasks in conflict, one that is fine, and the settings."""
    repo = journey.repo
    before = ("both", "gone-here", "gone-there", "fine")
    files: dict[str, str] = {}
    for name in before:
        files |= task(name, "before")
    repo.commit("Tasks", files)
    journey.type("queue", "priority", "both", "high").ok()  # takes them in
    repo.git("switch", "-q", "-c", "side")
    repo.git("rm", "-q", ".cmat/tasks/gone-there.yaml")
    theirs = task("both", "theirs") | task("twice", "theirs") | task("gone-here", "theirs")
    repo.commit("Theirs", {**theirs, ".cmat/config.yaml": f"{CONFIG}keep: [theirs]\n"})
    repo.switch("main")
    repo.git("rm", "-q", ".cmat/tasks/gone-here.yaml")
    ours = task("both", "ours") | task("twice", "ours") | task("gone-there", "ours")
    repo.commit("Ours", {**ours, ".cmat/config.yaml": f"{CONFIG}keep: [ours]\n"})
    journey.trust()
    assert merge(repo, "side") == (
        "UU .cmat/config.yaml\nUU .cmat/tasks/both.yaml\nDU .cmat/tasks/gone-here.yaml\n"
        "UD .cmat/tasks/gone-there.yaml\nAA .cmat/tasks/twice.yaml"
    )
    return journey


def test_in_the_middle_of_such_a_merge_the_rest_goes_on(conflicted: Journey) -> None:
    lint = conflicted.type("lint")
    assert lint.code == 1
    marked = "has conflict markers\n  hint: resolve the merge, then try again\n"
    for path, line in (("config.yaml", 5), ("tasks/both.yaml", 3), ("tasks/twice.yaml", 3)):
        assert f".cmat/{path}:{line}: {marked}" in lint.out
    conflicted.work("fine")
    assert "no new tasks are taken in: a merge is under way (git commit, or git merge --abort)" in (
        conflicted.type("status").ok().out
    )
    conflicted.repo.git("merge", "--abort")
    conflicted.work("both")
    assert conflicted.repo.show("cmat/both", "both.txt") == "ours\n"


@pytest.mark.slow
def test_a_task_that_was_committed_with_conflict_markers_waits_and_stops_no_other(
    conflicted: Journey,
) -> None:
    journey, repo = conflicted, conflicted.repo
    repo.git("add", "-A")
    repo.git("commit", "-q", "-m", "Merged badly")
    journey.type("watch", "--until-idle").ok()
    listed = journey.type("queue", "list", "--json").ok().json["entries"]
    states = {e["id"]: e["state"] for e in listed}
    others = dict.fromkeys(("fine", "gone-here", "gone-there"), "review")
    assert states == {**others, "both": "pending"}
    why = "has a task file that is wrong: .cmat/tasks/both.yaml:3: has conflict markers"
    shown = journey.type("status").ok().out
    assert f"both  pending  high             {why}  Do both\n" in shown
    refused(
        journey.type("run", "now", "both"),
        5,
        f"both cannot start: it {why}.",
        "gitcmat status",
    )
    mended = task("both", "mended") | task("twice", "mended")
    repo.commit("Mended", {**mended, ".cmat/config.yaml": CONFIG})
    journey.trust()
    journey.type("watch", "--until-idle").ok()
    for name in ("both", "twice"):
        assert repo.show(f"cmat/{name}", f"{name}.txt") == "mended\n"
    journey.healthy()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_five_branches_that_add_edit_and_delete_lose_no_task(journey: Journey, seed: int) -> None:
    """Each conflict is resolved as people do: by taking one of the sides."""
    repo, chance = journey.repo, random.Random(seed)  # noqa: S311 - to be repeated
    names = [f"task-{n}" for n in range(12)]
    files = task("anchor", "nothing", hold=True)
    for name in names[:6]:
        files |= task(name, "before")
    start = repo.commit("Tasks", files)
    journey.type("queue", "priority", "anchor", "low").ok()  # takes them in, and starts none
    for number in range(5):
        repo.git("switch", "-q", "-c", f"branch-{number}", start)
        for _ in range(6):
            name = chance.choice(names)
            path = f".cmat/tasks/{name}.yaml"
            if chance.random() < 0.3 and (repo.path / path).exists():
                repo.delete(path)
            else:
                repo.write(path, next(iter(task(name, f"by-{number}").values())))
        repo.commit(f"Branch {number}")
    repo.switch("main")
    for number in range(5):
        for line in merge(repo, f"branch-{number}").splitlines():
            side = chance.choice(("--ours", "--theirs"))
            path = line[3:]
            with repo.as_person():
                try:
                    repo.git("checkout", "-q", side, "--", path)
                    repo.git("add", "--", path)
                except AssertionError:  # that side has deleted it
                    repo.git("rm", "-q", "--", path)
        if (repo.git_dir / "MERGE_HEAD").exists():
            repo.git("commit", "-q", "--no-edit")
        journey.type("queue", "priority", "anchor", "low").ok()
    there = {name for name in names if (repo.path / f".cmat/tasks/{name}.yaml").exists()}
    queued = listed(journey)
    # A file that was deleted by one merge and brought back by another is a finished task.
    assert queued <= {*there, "anchor"}
    assert there - queued <= listed(journey, "cancelled")
    journey.type("watch", "--until-idle").ok()
    for name in queued - {"anchor"}:
        wanted = repo.read(f".cmat/tasks/{name}.yaml").split("echo ")[1].split(" ")[0]
        assert repo.show(f"cmat/{name}", f"{name}.txt") == f"{wanted}\n"


def listed(journey: Journey, *state: str) -> set[str]:
    """The ids of open tasks, or of those in a state."""
    found = journey.type("queue", "list", *state, "--json").ok().json["entries"]
    return {entry["id"] for entry in found}
