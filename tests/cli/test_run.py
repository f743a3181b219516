"""`gitcmat run`: in the foreground, in a list, followed and stopped, each as typed."""

import json
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat, running
from tests.support.escapes import holders, new_mark
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

RED = "schema: 1\ndefaults: {backoff: 1h, attempts: 2}\ngates:\n  tests: {run: [sh, check.sh]}\n"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def plain(text: str) -> str:
    """The text with the ids of runs, and what differs by machine and time, made alike."""
    text = re.sub(r"r-[a-z0-9]{8}", "r-xxxxxxxx", text)
    text = re.sub(r"\b[0-9a-f]{12}\b", "(commit)", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "(time)", text)
    return re.sub(r"\d+\.\d s", "0.1 s", text)


def refused(result: Result, code: int, message: str, hint: str) -> None:
    """Hold that a command printed nothing but this error."""
    err = f"error: {message}\nhint: {hint}\n"
    assert (result.code, result.out, plain(result.err)) == (code, "", err)


def test_now_shows_the_work_and_where_it_is_then(project: Project) -> None:
    project.commit_task("parse-dates", "echo at work\necho x > x")
    result = gitcmat(project.repo, "run", "now", "parse").ok()
    assert result.out == "parse-dates: review\nnext: gitcmat review diff parse-dates\n"
    assert plain(result.err) == (
        "r-xxxxxxxx: fake works on parse-dates, attempt 1\n"
        "[gitcmat] run r-xxxxxxxx of parse-dates, attempt 1\n"
        f"[gitcmat] agent: {shutil.which('sh')} tools/agent.sh\n"
        "at work\n"
        "[gitcmat] finished: at work\n"
        "r-xxxxxxxx: finished (at work)\n"
    )


def test_now_repeats_red_attempts_at_once_and_ends_with_1(repo: TestRepo) -> None:
    project = Project(repo, config=RED)
    repo.commit("check", {"check.sh": "echo it is red; exit 1\n"})
    project.trust()
    project.commit_task("red", "echo x >> x")
    result = gitcmat(repo, "run", "now", "red")
    assert (result.code, result.out) == (
        1,
        "red: blocked (red: tests)\nnext: gitcmat blocker list --task red\n",
    )
    assert len(project.runs("red")) == 2
    assert "r-xxxxxxxx: fake works on red, attempt 2\n" in plain(result.err)


def test_now_overrules_a_hold_and_the_limit(project: Project) -> None:
    project.commit_task("held", "echo x > x", hold="true")
    found = gitcmat(project.repo, "run", "now", "held", "--json").ok()
    assert found.err == ""
    assert found.json["entry"]["state"] == "review"
    assert found.json["next"] == "gitcmat review diff held"


def test_now_refuses_what_is_not_waiting_to_run(project: Project) -> None:
    repo = project.repo
    refused(
        gitcmat(repo, "run", "now", "nothing"),
        4,
        "There is no task 'nothing'.",
        "gitcmat queue list",
    )
    path = project.task("draft")
    refused(
        gitcmat(repo, "run", "now", "draft"),
        4,
        f"{path} is saved, not committed; what is not committed is not run.",
        f"git add {path} && git commit -- {path}",
    )
    project.commit_task("later", needs="[draft]")
    refused(
        gitcmat(repo, "run", "now", "later"),
        5,
        "later cannot start: it needs draft, which is not known.",
        "gitcmat status",
    )
    project.commit_task("draft")
    refused(
        gitcmat(repo, "run", "now", "later"),
        5,
        "later cannot start: it needs draft.",
        "gitcmat status",
    )
    gitcmat(repo, "run", "now", "draft").ok()
    refused(
        gitcmat(repo, "run", "now", "draft"),
        6,
        "draft is in review: there is nothing to run.",
        "gitcmat review show draft",
    )


def test_now_refuses_what_was_not_allowed(repo: TestRepo) -> None:
    project = Project(repo, trusted=False)
    project.commit_task("one")
    refused(
        gitcmat(repo, "run", "now", "one"),
        5,
        "What gitcmat may start here has not been allowed at this machine.",
        "gitcmat trust",
    )
    assert project.runs() == []


def test_now_refuses_a_second_run_of_the_same_task(project: Project, tmp_path: Path) -> None:
    go = tmp_path / "go"
    project.commit_task("long", f"until [ -e {go} ]; do sleep 0.05; done")
    with running(project.repo, "run", "now", "long", logs=tmp_path / "log") as first:
        first.says("works on long")
        run = project.runs("long")[0].id
        assert gitcmat(project.repo, "run", "now", "long").err == (
            f"error: long runs already, as {run}.\nhint: gitcmat run follow {run}\n"
        )
        go.touch()
        assert first.wait().code == 0
    assert len(project.runs("long")) == 1


def test_ctrl_c_stops_the_run_and_keeps_its_work(project: Project, tmp_path: Path) -> None:
    mark = new_mark()
    project.commit_task("long", f"echo half > half; echo ready; setsid sleep {mark} & sleep {mark}")
    with running(project.repo, "run", "now", "long", logs=tmp_path / "log") as first:
        first.says("ready\n")
        until(lambda: len(holders(mark)) >= 2)
        first.signal(signal.SIGINT)
        result = first.wait()
    assert result.code == 130
    assert result.out == "long: pending (stopped by a person)\nnext: gitcmat run now long\n"
    assert plain(result.err).endswith("r-xxxxxxxx: stopped (stopped on request)\nInterrupted.\n")
    assert holders(mark) == []
    [run] = project.runs("long")
    assert project.repo.show(run.ref, "half") == "half\n"


def test_list_names_what_it_leaves_out(project: Project) -> None:
    assert gitcmat(project.repo, "run", "list").out == "nothing has run yet\n"
    for name in ("a1", "b2", "c3"):
        project.commit_task(name)
        gitcmat(project.repo, "run", "now", name).ok()
    lines = gitcmat(project.repo, "run", "list", "--limit", "2").ok().out.splitlines()
    assert lines[0].split() == [
        "RUN",
        "TASK",
        "ATTEMPT",
        "AGENT",
        "OUTCOME",
        "STARTED",
        "SECONDS",
        "MESSAGE",
    ]
    assert [line.split()[1] for line in lines[1:3]] == ["c3", "b2"]
    assert lines[3:] == ["and 1 more (--limit 3)"]
    found = gitcmat(project.repo, "run", "list", "--task", "a", "--json").ok().json
    assert ([r["task"] for r in found["runs"]], found["left_out"]) == (["a1"], 0)


def test_show_tells_the_run_of_a_task_and_its_log(project: Project) -> None:
    project.commit_task("one", "printf 'a\\033[31m\\n'; echo x > x")
    gitcmat(project.repo, "run", "now", "one").ok()
    [run] = project.runs("one")
    by_task = gitcmat(project.repo, "run", "show", "one").ok().out
    assert by_task == gitcmat(project.repo, "run", "show", run.id[:5]).ok().out
    assert plain(by_task) == (
        "r-xxxxxxxx  finished, 0.1 s  a\\x1b[31m\n"
        "  task      one, attempt 1, by fake\n"
        "  started   (time)\n"
        "  from      (commit) (base (commit))\n"
        "  sandbox   off\n"
        "  result    (commit), 1 commit on refs/cmat/runs/r-xxxxxxxx\n"
        "  file      A x\n"
        "  log       gitcmat run show r-xxxxxxxx --log\n"
    )
    log = gitcmat(project.repo, "run", "show", "one", "--log").ok().out
    assert log.splitlines()[2] == r"a\x1b[31m"
    assert gitcmat(project.repo, "run", "show", "one", "--json").ok().json["run"]["id"] == run.id


def test_follow_ends_with_the_run(project: Project, tmp_path: Path) -> None:
    go = tmp_path / "go"
    script = f"echo one\necho zw\xf6lf\nuntil [ -e {go} ]; do sleep 0.05; done\necho last"
    project.commit_task("long", script)
    with (
        running(project.repo, "watch", logs=tmp_path / "watch"),
        running(project.repo, "run", "follow", "long", logs=tmp_path / "early") as early,
    ):
        assert early.wait().code in (0, 4)  # it may come before the task does
        project.reaches("long", State.ACTIVE)
        with running(project.repo, "run", "follow", "long", "--tail", "1", logs=tmp_path) as last:
            last.says("zw\xf6lf\n")
            go.touch()
            result = last.wait().ok()
    assert result.out.splitlines()[-2:] == ["last", "[gitcmat] finished: last"]
    since = gitcmat(project.repo, "run", "follow", "long", "--since", "4", "--json").ok()
    assert [json.loads(line)["line"] for line in since.out.splitlines()] == [
        "last",
        "[gitcmat] finished: last",
    ]
    both = gitcmat(project.repo, "run", "follow", "long", "--since", "4", "--tail", "1")
    refused(both, 2, "--tail and --since exclude each other.", "choose one")


def test_stop_waits_until_nothing_of_the_run_is_left(project: Project, tmp_path: Path) -> None:
    repo, mark = project.repo, new_mark()
    project.commit_task(
        "long", f"setsid sh -c 'trap \"\" TERM; sleep {mark}; sleep {mark}' & sleep {mark}"
    )
    with running(repo, "watch", logs=tmp_path / "watch") as daemon:
        until(lambda: len(holders(mark)) >= 3)
        refused(
            gitcmat(repo, "run", "stop"),
            2,
            "Say which run to stop, or --all.",
            "gitcmat run stop RUN",
        )
        stopped = gitcmat(repo, "run", "stop", "long").ok()
        assert holders(mark) == []
        held = "long is on hold: gitcmat queue release long"
        assert plain(stopped.out) == f"r-xxxxxxxx (long): stopped\n{held}\n"
        entry = project.entry("long")
        assert entry is not None
        assert (entry.state, entry.hold, entry.reason) == (
            State.PENDING,
            True,
            "stopped by a person",
        )
        daemon.says("long  active → pending  stopped by a person")
    refused(gitcmat(repo, "run", "stop", "--all"), 6, "Nothing runs.", "gitcmat run list")


def test_stop_of_a_run_whose_runner_was_killed_ends_what_it_left(
    project: Project, tmp_path: Path
) -> None:
    repo, mark = project.repo, new_mark()
    pid = tmp_path / "pid"
    project.commit_task("long", f"echo $PPID > {pid}; echo half > half; sleep {mark}")
    with running(repo, "watch", logs=tmp_path / "watch") as daemon:
        until(lambda: holders(mark))
        daemon.signal(signal.SIGKILL)
        daemon.process.wait()
        os.kill(int(pid.read_text()), signal.SIGKILL)
        stopped = gitcmat(repo, "run", "stop", "--all").ok()
    assert plain(stopped.out) == "r-xxxxxxxx (long): interrupted\n"
    assert holders(mark) == []
    [run] = project.runs("long")
    assert repo.show(run.ref, "half") == "half\n"


def test_exec_is_not_in_the_help(project: Project) -> None:
    assert "exec" not in gitcmat(project.repo, "run", "--help").ok().out
