"""`gitcmat gate`, as typed: gates without an agent."""

import re

import pytest

from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project

CONFIG = """\
schema: 1
defaults: {attempts: 1}
gates:
  tests: {run: [sh, check.sh], timeout: 1m, protect: [check.sh]}
  lint: {run: [sh, lint.sh]}
"""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    lint = 'if [ -e bad ]; then echo "bad:3:5: not nice"; exit 1; fi\n'
    repo.commit("gates", {"check.sh": "true\n", "lint.sh": lint})
    return Project(repo, config=CONFIG)


def _plain(text: str) -> str:
    text = re.sub(r"r-[a-z2-7]{8}", "r-xxxxxxxx", re.sub(r"\d\.\d s", "0.0 s", text))
    return re.sub(r"\b[0-9a-f]{10}\b", "(commit)", text)


def test_the_list_says_what_each_runs(project: Project) -> None:
    assert gitcmat(project.repo, "gate", "list").ok().out == (
        "NAME   RUN          TIMEOUT  PROTECT\n"
        "tests  sh check.sh  1m       check.sh\n"
        "lint   sh lint.sh   10m\n"
    )
    data = gitcmat(project.repo, "gate", "list", "--json").ok().json["gates"]
    assert data[0]["name"] == "tests"
    assert data[0]["run"] == ["sh", "check.sh"]


def test_gates_judge_the_commit_not_what_is_saved(project: Project) -> None:
    project.repo.write("bad", "saved, not committed\n")
    result = gitcmat(project.repo, "gate", "run").ok()
    assert _plain(result.out) == (
        "green (tests, lint): (commit), r-xxxxxxxx\ntests: passed, 0.0 s\nlint: passed, 0.0 s\n"
    )
    run = project.runs()[0]
    assert (run.agent, run.task, run.outcome) == ("gates", "", "finished")


def test_a_red_gate_shows_where_and_ends_with_1(project: Project) -> None:
    repo = project.repo
    repo.commit("bad", {"bad": "1\n2\n3\n"})
    result = gitcmat(repo, "gate", "run", "lint")
    assert (result.code, _plain(result.out)) == (
        1,
        (
            "red (lint): (commit), r-xxxxxxxx\n"
            "lint: failed, 0.0 s\n"
            "  bad:3:5: not nice\n"
            "  | bad:3:5: not nice\n"
        ),
    )
    data = gitcmat(repo, "gate", "run", "lint", "--json")
    assert (data.code, data.json["passed"], data.json["verdict"]) == (1, False, "red")
    place = data.json["results"][0]["locations"][0]
    assert place == {"file": "bad", "line": 3, "column": 5, "message": "not nice"}
    assert gitcmat(repo, "gate", "run", "--commit", "HEAD~1").code == 0


def test_the_work_of_a_task_is_judged_and_looked_up(project: Project) -> None:
    repo = project.repo
    project.commit_task("do-it", "touch bad", gates="[tests]")
    gitcmat(repo, "run", "now", "do-it").ok()
    assert _plain(gitcmat(repo, "gate", "results", "do-it").ok().out) == (
        "green (tests): (commit) of do-it, r-xxxxxxxx\ntests: passed, 0.0 s\n"
    )
    result = gitcmat(repo, "gate", "run", "lint", "--task", "do-it")
    assert (result.code, result.out.splitlines()[0].startswith("red (lint): ")) == (1, True)
    assert gitcmat(repo, "gate", "results", "do-it").ok().out.startswith("red (lint)")


def test_an_unknown_gate_is_named(project: Project) -> None:
    found = gitcmat(project.repo, "gate", "run", "test")
    assert (found.code, found.err) == (
        4,
        "error: There is no gate 'test'; there is: tests, lint.\nhint: gitcmat lint\n",
    )


def test_nothing_is_judged_that_was_not_allowed(project: Project) -> None:
    project.repo.commit("other", {".cmat/config.yaml": CONFIG.replace("lint.sh", "rm.sh")})
    found = gitcmat(project.repo, "gate", "run")
    assert (found.code, found.err) == (
        5,
        (
            "error: What gitcmat may start here has changed since you allowed it.\n"
            "hint: gitcmat trust\n"
        ),
    )
    assert project.runs() == []


def test_without_gates_there_is_nothing_to_run(repo: TestRepo) -> None:
    Project(repo)
    found = gitcmat(repo, "gate", "run")
    assert (found.code, found.err) == (
        6,
        "error: No gates are wanted here.\nhint: gates: in .cmat/config.yaml\n",
    )
    assert gitcmat(repo, "gate", "list").ok().out == "no gates are configured\n"


def test_two_subjects_are_one_too_many(project: Project) -> None:
    found = gitcmat(project.repo, "gate", "run", "--task", "x", "--commit", "HEAD")
    assert found.code == 2


def test_a_task_that_was_not_judged_says_so(project: Project) -> None:
    project.commit_task("do-it", "true")
    project.app.settle()
    found = gitcmat(project.repo, "gate", "results", "do-it")
    assert (found.code, found.err) == (
        6,
        "error: No gates have judged do-it yet.\nhint: gitcmat gate run --task do-it\n",
    )
