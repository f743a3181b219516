"""Shown on a real code base: twenty codemods on jinja2, judged by its own tests, landed one by one.

Everything is done as a person does it: by typing commands, editing files and committing.
"""

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.cli import gitcmat, running
from tests.support.codebase import ASKING, BREAKING, CLASHING, CODEMODS, TOOLS, Codebase, Codemod
from tests.support.repo import TestRepo
from tests.support.statuswatch import StatusWatch, watching_status
from tests.support.wait import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

LANDING: Final = ("refs:refs/heads/main", "files", "index")
ALL: Final = {codemod.id: codemod for codemod in (*CODEMODS, BREAKING)}


class Person:
    """Somebody who reviews, answers and lands while the daemon works."""

    def __init__(self, codebase: Codebase, bystander: StatusWatch) -> None:
        self.repo = codebase.repo
        self.landed: dict[str, str] = {}
        """Task → the commit that it landed as."""
        self.conflicts: list[str] = []
        """Tasks that did not land at first, because another was there before."""
        self.questions: dict[str, str] = {}
        """Task → what it asked."""
        self._bystander = bystander

    def do_what_waits(self) -> bool:
        """Do the next thing that waits for a person; say whether there was any."""
        entries = self.entries()
        for task, entry in entries.items():
            if entry["state"] == "review" and self._may_land(task, entries):
                self._land(ALL[task])
                return True
            if entry["state"] == "blocked":
                self._decide(task)
                return True
        return False

    def entries(self) -> dict[str, Any]:
        """Return all tasks as the program shows them."""
        listed = gitcmat(self.repo.path, "queue", "list", "all", "--limit", "100", "--json")
        return {entry["id"]: entry for entry in listed.ok().json["entries"]}

    def _may_land(self, task: str, entries: dict[str, Any]) -> bool:
        """Of those that clash none lands before both have been made from the same code."""
        clashing = [codemod.id for codemod in CLASHING]
        if task not in clashing or self.landed.keys() & set(clashing):
            return True
        return all(entries[other]["state"] == "review" for other in clashing)

    def _land(self, codemod: Codemod) -> None:
        with self._bystander.person_changes(*(f"{path}*" for path in codemod.files)):
            landing = gitcmat(self.repo, "land", codemod.id, "--json", changes=LANDING)
        if landing.code:
            assert landing.code == 5, landing
            self.conflicts.append(codemod.id)
            return
        commit = landing.json["commit"]
        changed = self.repo.git("diff", "--name-only", f"{commit}^", commit).splitlines()
        assert changed, f"{codemod.id} changed nothing"
        assert all(name.startswith(codemod.files) for name in changed), (codemod, changed)
        self.landed[codemod.id] = commit

    def _decide(self, task: str) -> None:
        (blocker,) = gitcmat(self.repo.path, "blocker", "list", "--task", task, "--json").json[
            "blockers"
        ]
        self.questions[task] = blocker["question"]
        if task == ASKING.id:
            self._answer_in_the_file(blocker["id"], "88")
        elif task == BREAKING.id:
            gitcmat(self.repo.path, "blocker", "answer", blocker["id"], "cancel").ok()
        else:
            assert task in self.conflicts, blocker
            gitcmat(self.repo.path, "blocker", "answer", blocker["id"], "retry").ok()

    def _answer_in_the_file(self, blocker: str, answer: str) -> None:
        path = self.repo.path / f".cmat/blockers/{blocker}.yaml"
        text = path.read_text(encoding="utf-8")
        answered = re.sub(r"(?m)^answer: \|\n", rf"\g<0>  {answer}\n", text)
        assert answered != text
        path.write_text(answered, encoding="utf-8")
        until(lambda: self.entries()[ASKING.id]["state"] != "blocked", what="the answer to count")


def test_twenty_codemods_on_jinja2_land_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = time.monotonic()
    assert len(CODEMODS) == 20
    assert sum(bool(codemod.needs) for codemod in CODEMODS) >= 6
    codebase = Codebase(tmp_path / "jinja2")
    repo = codebase.repo
    repo.allow("index", "git:index.lock")  # git itself refreshes it for whoever looks at the status

    with watching_status(repo.path, tmp_path / "status.jsonl") as bystander:
        begin_to_use(codebase, bystander)
        commits = commits_of(repo)
        with running(repo, "watch", logs=tmp_path / "watch") as daemon:
            daemon.says("watching")
            for half in (CODEMODS[:10], (*CODEMODS[10:], BREAKING)):
                files = dict(codebase.task_file(codemod) for codemod in half)
                with bystander.person_changes(".cmat/tasks/*"):
                    repo.commit("Ask for newer code", files)
            person = Person(codebase, bystander)
            until_all_is_done(person)
        assert daemon.wait().code == 0, daemon.err
        looks = bystander.looks()
        assert bystander.surprises() == []

    assert person.landed.keys() == {codemod.id for codemod in CODEMODS}
    assert [codemod.id for codemod in CLASHING if codemod.id in person.conflicts]
    assert len(person.conflicts) == 1
    new = commits_of(repo)[len(commits) :]
    assert len(new) == 2 + len(person.landed)
    assert new[2:] == list(person.landed.values())
    runs = all_runs(repo)
    assert most_at_once(runs) == 2
    nothing_of_the_bad_one_landed(repo, person, runs)
    assert repo.status() == ""
    repo.git("fsck", "--strict")
    passes_its_tests_in_a_fresh_venv(codebase, tmp_path / "fresh")
    with capsys.disabled():
        print(  # noqa: T201
            f"\njinja2: {len(person.landed)} codemods landed in {time.monotonic() - begun:.0f} s; "
            f"{len(runs)} runs, {len(looks)} looks at the status",
            file=sys.stderr,
        )


def begin_to_use(codebase: Codebase, bystander: StatusWatch) -> None:
    """Type what the first page of the manual says."""
    repo = codebase.repo
    with bystander.person_changes(".cmat/*", "tools/*"):
        gitcmat(repo, "init", changes=("files", "exclude", "hooks", "git")).ok()
        repo.commit("Use gitcmat", codebase.settings())
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    gitcmat(repo, "config", "set", "parallel", "2").ok()
    assert gitcmat(repo, "lint").code == 0


def until_all_is_done(person: Person) -> None:
    """Do what waits for a person until nothing is left."""
    finished = {"done", "failed", "cancelled"}

    def over() -> bool:
        while person.do_what_waits():
            pass
        entries = person.entries()
        return len(entries) == len(ALL) and all(e["state"] in finished for e in entries.values())

    until(over, 600, "all tasks to be finished")


def commits_of(repo: TestRepo) -> list[str]:
    """Return the commits on the person's branch, the first one first; none has two parents."""
    listed = repo.git("rev-list", "--reverse", "--parents", "main").splitlines()
    assert all(len(line.split()) <= 2 for line in listed)
    return [line.split()[0] for line in listed]


def all_runs(repo: TestRepo) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = gitcmat(repo, "run", "list", "--limit", "1000", "--json").json[
        "runs"
    ]
    return listed


def most_at_once(runs: list[dict[str, Any]]) -> int:
    """Return how many agents were at work at one time, at most."""
    attempts = [run for run in runs if run["attempt"]]  # the others judged what was to land
    return max(
        len([run for run in attempts if run["started"] <= at["started"] < run["ended"]])
        for at in attempts
    )


def nothing_of_the_bad_one_landed(
    repo: TestRepo, person: Person, runs: list[dict[str, Any]]
) -> None:
    (run,) = (run for run in runs if run["task"] == BREAKING.id)
    assert {gate["name"]: gate["outcome"] for gate in run["gates"]} == {
        "lint": "passed",
        "tests": "failed",
    }
    assert person.entries()[BREAKING.id]["state"] == "cancelled"
    assert ASKING.id in person.questions
    assert "tests" in person.questions[BREAKING.id]
    assert "self._mapping) + 1" not in repo.show("main", *BREAKING.files)


def passes_its_tests_in_a_fresh_venv(codebase: Codebase, folder: Path) -> None:
    """Install what has landed from a clone, and run its tests."""
    env = codebase.environment()
    python = str(folder / "venv/bin/python")
    clone = folder / "clone"
    for argv in (
        ["git", "clone", "-q", str(codebase.repo.path), str(clone)],
        [sys.executable, "-m", "venv", str(folder / "venv")],
        [python, "-m", "pip", "install", "-q", str(clone), *TOOLS],
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(clone / "tests")],
    ):
        done = subprocess.run(
            argv, cwd=folder.parent, env=env, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (argv, done.stdout, done.stderr)
