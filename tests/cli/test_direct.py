"""`gitcmat run direct`: an agent without a task; nothing is queued, its work stays on its run."""

import os
import re
from pathlib import Path

import pytest

from tests.support.cli import gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import AGENT, Project


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def test_the_work_stays_on_the_run_and_nothing_is_queued(project: Project) -> None:
    repo = project.repo
    done = gitcmat(repo, "run", "direct", "fake", "Do it.\nsh: echo x > x; echo bye").ok()
    (run,) = project.runs()
    assert done.out == f"{run.id}: finished (bye)\nnext: git merge {run.ref}\n"
    assert (run.task, run.agent, run.gates) == ("", "fake", ())
    assert repo.show(run.ref, "x") == "x\n"
    assert repo.git("log", "-1", "--format=%B", run.ref).splitlines() == [
        "Do it.",
        "",
        f"Cmat-Run: {run.id}",
        "Assisted-by: fake",
    ]
    assert gitcmat(repo, "queue", "list", "all").ok().out == "nothing\n"
    assert repo.refs("refs/heads/cmat/") == {}
    assert gitcmat(repo, "doctor", "--json").ok().json["score"] == 100


def test_in_the_background_it_returns_an_id_to_follow(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    go = tmp_path / "go"
    script = f"sh: until [ -e {go} ]; do sleep 0.05; done; echo x > x; echo bye"
    started = gitcmat(repo, "run", "direct", "fake", script, "--background").ok()
    (run,) = project.runs()
    assert started.out == f"{run.id}\n"
    assert started.err == f"fake runs: gitcmat run follow {run.id}\n"
    assert run.outcome is None
    go.touch()
    assert "bye\n" in gitcmat(repo, "run", "follow", run.id).ok().out
    until(lambda: not project.alive(run.id), 30, "the end of the runner")
    gitcmat(repo, "queue", "add", "Other", "--agent", "fake", "--hold").ok()
    (run,) = project.runs()
    assert run.outcome == "finished"
    assert repo.show(run.ref, "x") == "x\n"


def test_one_that_fails_says_so_and_keeps_what_it_did(project: Project) -> None:
    failed = gitcmat(project.repo, "run", "direct", "fake", "sh: echo x > x; exit 3")
    (run,) = project.runs()
    assert failed.code == 1
    assert failed.out == f"{run.id}: failed (exited 3)\nnext: git merge {run.ref}\n"


def test_what_may_not_start_is_refused(repo: TestRepo) -> None:
    project = Project(repo, trusted=False)
    untrusted = gitcmat(repo, "run", "direct", "fake", "hi")
    assert (untrusted.code, project.runs()) == (5, [])
    project.trust()
    unknown = gitcmat(repo, "run", "direct", "fak", "hi")
    assert (unknown.code, unknown.err) == (
        4,
        "error: There is no agent 'fak' (did you mean 'fake'?).\nhint: agents: fake\n",
    )
    assert gitcmat(repo, "run", "direct", "fake", " ").code == 2
    assert project.runs() == []


def test_stopping_all_stops_it_too(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    with running(repo, "run", "direct", "fake", "sh: sleep 600", logs=tmp_path / "log") as direct:
        until(project.runs, 30, "the run")
        stopped = gitcmat(repo, "run", "stop", "--all").ok()
        assert re.sub(r"r-[a-z0-9]{8}", "r-1", stopped.out) == "r-1 (no task): stopped\n"
        assert direct.wait().code == 1


def test_ctrl_c_stops_it_and_keeps_its_work(project: Project, tmp_path: Path) -> None:
    repo = project.repo
    script = "sh: echo x > x; echo ready; sleep 600"
    with running(repo, "run", "direct", "fake", script, logs=tmp_path / "log") as direct:
        direct.says("ready")
        direct.signal()
        assert direct.wait().code == 130
    (run,) = project.runs()
    assert run.outcome == "stopped"
    assert repo.show(run.ref, "x") == "x\n"


def test_what_is_trusted_is_looked_at_when_it_starts_and_not_when_it_began_to_wait(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    own = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat/config.yaml"
    before = own.read_text(encoding="utf-8")
    own.write_text(f"{before}limits: {{memory: 999TB}}\n", encoding="utf-8")
    with running(repo, "run", "direct", "fake", "sh: echo x", logs=tmp_path / "log") as direct:
        direct.says("fake waits: ")
        other = AGENT.replace("tools/agent.sh", "tools/other.sh")
        repo.commit("Another program", {".cmat/agents/fake.md": other, "tools/other.sh": "true\n"})
        own.write_text(before, encoding="utf-8")
        refused = direct.wait()
    assert refused.code == 5
    assert refused.err.endswith(
        "error: What gitcmat may start here has changed since you allowed it.\n"
        "hint: gitcmat trust\n"
    )
    assert project.runs() == []
    assert repo.refs("refs/cmat/runs/") == {}
