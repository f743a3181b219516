"""What an agent sends while it works is carried out at once; only its own run hears it."""

import json
from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.runner import salvage
from gitcmat.model.events import Rejected
from gitcmat.model.job import JobGate, Result, RunOutcome
from gitcmat.model.subtask import LONGEST_TITLE
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo
from tests.support.runs import Bench, python

AGENT = """\
import json, os, pathlib, time
seat = json.loads(pathlib.Path(os.environ["CMAT_SEAT"]).read_text())
def send(**said):
    with open(os.environ["CMAT_INBOX"], "a") as box:
        box.write(json.dumps({"nonce": os.environ["CMAT_NONCE"], **said}) + "\\n")
def reply(name):
    path = pathlib.Path(os.environ["CMAT_SEAT"]).parent / "replies" / f"{name}.json"
    while not path.exists():
        time.sleep(0.02)
    return json.loads(path.read_text())
"""


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


def run(bench: Bench, code: str, **more: Any) -> tuple[Result, RunFolder]:
    runner = bench.start(bench.job(python(AGENT + code), **{"nonce": "n1", **more}))
    return runner.result(), runner.folder


def events(folder: RunFolder, kind: str) -> list[str]:
    lines = map(json.loads, folder.events.read_text(encoding="utf-8").splitlines())
    return [line.get("text", "") for line in lines if line["kind"] == kind]


def test_progress_is_told_as_it_comes(bench: Bench) -> None:
    code = """
send(kind="progress", text="half-way \\x1b[2J")
log = pathlib.Path(os.environ["CMAT_SEAT"]).parent.parent / "log"
while "half-way" not in log.read_text():
    time.sleep(0.02)
"""
    result, folder = run(bench, code)
    assert (result.outcome, result.warnings) == (RunOutcome.FINISHED, ())
    assert events(folder, "progress") == ["half-way \\x1b[2J"]
    assert "[gitcmat] progress: half-way \\x1b[2J\n" in folder.log.read_text(encoding="utf-8")


def test_a_checkpoint_holds_the_files_as_they_were_and_is_answered(bench: Bench) -> None:
    code = """
pathlib.Path("a.txt").write_text("one")
send(kind="checkpoint", name="before the change", id="abcdefgh")
first = reply("abcdefgh")
send(kind="checkpoint", name="again", id="abcdefgi")
again = reply("abcdefgi")
pathlib.Path("a.txt").write_text("two")
print(json.dumps([first, again]))
"""
    result, folder = run(bench, code)
    first, again = json.loads(result.message)
    saved = events(folder, "saved")
    assert (first, again) == (
        {"schema": 1, "id": "abcdefgh", "checkpoint": saved[0]},
        {"schema": 1, "id": "abcdefgi", "checkpoint": None},
    )
    ref = f"refs/cmat/checkpoints/{saved[0]}"
    assert bench.repo.show(ref, "a.txt") == "one"
    body = bench.repo.git("log", "-1", "--format=%B", ref)
    assert body.startswith(f"before the change (parse-dates, {bench.last})\n")
    assert "Cmat-Why: agent" in body


def test_a_checkpoint_that_cannot_be_saved_says_why(bench: Bench) -> None:
    code = """
for number in range(1100):
    pathlib.Path(f"new-{number}").touch()
send(kind="checkpoint", name="all", id="abcdefgh")
print(reply("abcdefgh")["error"])
for number in range(1100):
    pathlib.Path(f"new-{number}").unlink()
"""
    result, _ = run(bench, code)
    assert result.message.startswith("too much is new (1,100 files, 0.0 MB), such as new-0")


def test_subtasks_come_with_the_result_each_once(bench: Bench) -> None:
    code = """
for title in ("Write  the docs", "Write the docs", "Test it"):
    send(kind="subtask", title=title)
"""
    result, _ = run(bench, code)
    assert result.subtasks == ("Write the docs", "Test it")


def test_what_another_run_left_behind_speaks_for_nobody(bench: Bench) -> None:
    result, folder = run(bench, 'os.environ["CMAT_NONCE"] = "n0"\nsend(kind="progress", text="x")')
    assert result.warnings == (
        "inbox line 1 was not understood: it does not have the nonce of this run",
    )
    assert events(folder, "progress") == []


def test_the_nonce_is_the_agents_alone_and_in_no_log(bench: Bench) -> None:
    nonce = "k3v7q2mak3v7q2mak3v7q2mak3"
    code = 'print(os.environ["CMAT_NONCE"]); pathlib.Path("a.txt").write_text("x")'
    gate = JobGate(name="env", run=("sh", "-c", "env >&2; exit 1"), timeout=30)
    result, folder = run(bench, code, nonce=nonce, gates=(gate,))
    assert nonce not in folder.log.read_text(encoding="utf-8")
    assert "CMAT_INBOX" in result.gates[0].output
    assert "CMAT_NONCE" not in result.gates[0].output


def test_an_agent_that_tells_how_far_it_is_is_not_silent(bench: Bench) -> None:
    code = """
for number in range(12):
    send(kind="progress", text=str(number))
    time.sleep(0.25)
"""
    result, _ = run(
        bench, code, agent={"idle_timeout": 2, "command": ("sh", "-c", python(AGENT + code))}
    )
    assert result.outcome is RunOutcome.FINISHED


def test_what_a_dead_runner_did_not_read_is_read_by_the_salvage(bench: Bench) -> None:
    code = """
import signal
send(kind="subtask", title="Test it")
send(kind="ask", question="Which?")
os.kill(os.getppid(), signal.SIGKILL)
time.sleep(60)
"""
    runner = bench.start(bench.job(python(AGENT + code), nonce="n1"))
    runner.process.wait(60)
    salvage(runner.folder.path)
    result = runner.folder.read_result()
    assert result is not None
    assert (result.subtasks, result.questions) == (("Test it",), ("Which?",))


def send(title: str) -> str:
    said = '{\\"kind\\": \\"subtask\\", \\"nonce\\": \\"%s\\", \\"title\\": \\"%s\\"}\\n'
    return f'printf "{said}" "$CMAT_NONCE" "{title}" >> "$CMAT_INBOX"'


def test_subtasks_of_an_agent_are_recorded_by_its_name_and_once(repo: TestRepo) -> None:
    script = f"{send('One')}; {send('Two')}; echo x >> $CMAT_TASK"
    project = Project(repo, agent_file("coder", script))
    project.task("a")
    project.work()
    found = project.deps.store.read().subtasks("a")
    assert [(s.title, s.by, s.status) for s in found] == [
        ("One", "coder", "open"),
        ("Two", "coder", "open"),
    ]
    project.happen("a", Rejected(text="more", by="Pat"))
    project.work()
    assert len(project.runs("a")) == 2
    assert len(project.deps.store.read().subtasks("a")) == 2


def test_more_subtasks_than_a_run_may_add_are_left_out(repo: TestRepo) -> None:
    many = f"for n in $(seq 30); do {send('Part $n')}; done; {send('x' * (LONGEST_TITLE + 1))}"
    project = Project(repo, agent_file("coder", f"{many}; echo x > x"))
    project.task("a")
    project.work()
    assert len(project.deps.store.read().subtasks("a")) == 20
    (run,) = project.deps.store.read().runs(task="a")
    assert run.warnings == (
        "the agent sent 30 of subtask; 20 were taken",
        "inbox line 31 was not understood: its title has more than 500 characters",
    )
