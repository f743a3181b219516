"""`gitcmat mcp` outside of a run: a person's own agent sees what the person sees, and decides
nothing.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import gitcmat
from tests.support.mcpclient import call
from tests.support.repo import TestRepo
from tests.support.watched import Project


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    made.commit_task("a", "echo x > x")
    made.commit_task("b", "gitcmat blocker ask 'Which one?'")
    gitcmat(repo, "watch", "--until-idle").ok()
    gitcmat(repo, "queue", "add", "Later", "--agent", "fake", "--hold").ok()
    return made


def test_it_offers_looking_adding_and_answering_and_no_decision(project: Project) -> None:
    names, _ = call(project.repo.path)
    assert names == ["ready", "show", "add", "answer", "review"]


def test_it_says_what_the_commands_say(project: Project) -> None:
    repo = project.repo

    def typed(*args: str) -> Any:
        return gitcmat(repo, *args, "--json").ok().json

    _, found = call(
        repo.path,
        ("ready", {}),
        ("show", {"task": "a"}),
        ("review", {}),
        ("review", {"task": "a"}),
    )
    assert [each.data for each in found] == [
        typed("queue", "list", "pending"),
        typed("task", "show", "a"),
        typed("review", "list"),
        typed("review", "show", "a"),
    ]
    _, (status,) = call(repo.path, ("show", {}))
    assert status.data.keys() == typed("status").keys()


def test_a_task_is_added_and_a_question_answered(project: Project) -> None:
    repo = project.repo
    (blocker,) = gitcmat(repo, "blocker", "list", "--json").ok().json["blockers"]
    tip = repo.tip()
    _, (added, answered) = call(
        repo.path,
        ("add", {"title": "--hold", "prompt": "--all\nDo it.", "agent": "fake", "hold": True}),
        ("answer", {"blocker": blocker["id"], "text": "--the blue one"}),
    )
    assert (added.wrong, added.data["entry"]["task"]["title"]) == (False, "--hold")
    assert added.data["entry"]["task"]["prompt"] == "--all\nDo it."
    assert (answered.wrong, answered.data["blocker"]["answer"]) == (False, "--the blue one")
    assert answered.data["blocker"]["answered_by"] == "Pat Person (mcp)"
    told = gitcmat(repo, "events", "--type", "blocker.answered", "--json").ok().json["events"]
    assert [event["who"]["name"] for event in told] == ["Pat Person (mcp)"]
    assert repo.tip() == tip


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("show", {"task": "--help"}, "There is no task '--help'."),
        ("show", {"task": "no-such"}, "There is no task 'no-such'."),
        ("show", {"task": 7}, "show: task is no string."),
        ("show", {"id": "a"}, "show: there is no id."),
        ("answer", {"blocker": "b-zz"}, "answer: text is missing."),
        ("answer", {"blocker": "b-zz", "text": "x"}, "There is no blocker 'b-zz'."),
        ("add", {"title": "x" * 501}, "add: title has more than 500 characters."),
        ("add", {"title": "x\0"}, "add: title has a zero byte."),
        ("add", {"title": "x", "hold": "yes"}, "add: hold is no boolean."),
        ("add", {"title": "x", "needs": "a"}, "add: needs is no array."),
        ("add", {"title": "x", "needs": ["a", 1]}, "add: needs[1] is no string."),
        ("add", {"title": "x", "agent": "nobody"}, None),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(
    project: Project, tool: str, given: dict[str, Any], said: str | None
) -> None:
    before = project.repo.refs("refs/cmat/state/")
    _, (refused, after) = call(project.repo.path, (tool, given), ("ready", {}))
    assert refused.wrong
    error = refused.data["error"]
    assert error["exit_code"] in (2, 4)
    if said is not None:
        assert error["message"] == said
    assert not after.wrong
    assert project.repo.refs("refs/cmat/state/") == before


def test_noise_on_its_input_is_survived(project: Project) -> None:
    lines = (b"nonsense", b"[" * 100_000, b'{"jsonrpc": "2.0"}', b"\xff\xfe", b"{}")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "gitcmat", "mcp"],
        input=b"\n".join(lines) + b"\n",
        cwd=project.repo.path,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    refused = gitcmat(tmp_path, "mcp")
    assert refused.code == 4
    assert refused.err.startswith("error: ")


def test_without_the_package_it_says_how_to_get_it(repo: TestRepo, tmp_path: Path) -> None:
    hide = "import sys; sys.modules['mcp'] = None; from gitcmat.__main__ import main; main()"
    code = hide.replace("main()", "sys.exit(main())").replace(
        "sys.modules['mcp'] = None",
        "import importlib.util as u; real = u.find_spec; "
        "u.find_spec = lambda name, *a: None if name == 'mcp' else real(name, *a)",
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "mcp"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (
        4,
        (
            "error: `gitcmat mcp` needs the package mcp, which is not installed.\n"
            "hint: pip install 'gitcmat[mcp]'\n"
        ),
    )


def test_inside_of_a_run_it_is_no_tool_for_the_repository(project: Project) -> None:
    refused = gitcmat(project.repo, "mcp", env={"CMAT_RUN": "r-aaaaaaaa"})
    assert (refused.code, refused.err) == (
        4,
        (
            "error: This is inside of a run whose place is not known.\n"
            "hint: start it with the environment that the run's agent was given\n"
        ),
    )
