"""Nothing that is kept of a run can be read to hold a secret of its agent, wherever it was said."""

import json
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.engine.runner import salvage
from gitcmat.model.job import JobGate
from gitcmat.system import ids
from tests.support import leaks
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo
from tests.support.runs import Bench

SECRETS: Final = leaks.values(10, 7)
NAMES: Final = tuple(f"LEAK_{number}" for number in range(len(SECRETS)))
FOUND: Final = "honey-of-the-daemon/4711"
"""In the environment of gitcmat alone, under the name of a secret; an agent could find it."""

TALKS: Final = """
import json, os, sys, time
from pathlib import Path
from tests.support.leaks import PRINTED

values = [os.environ[name] for name in sys.argv[1:]] + [HONEY]
out = (sys.stdout.buffer, sys.stderr.buffer)
for stream in out:
    for value in values:
        for how in PRINTED.values():
            data = f"x {how(value)} y\\n".encode()
            for at in range(0, len(data), 11):
                stream.write(data[at : at + 11])
                stream.flush()
box, nonce = Path(os.environ["CMAT_INBOX"]), os.environ["CMAT_NONCE"]
with box.open("a") as file:
    for value in values:
        for kind, field in (("progress", "text"), ("subtask", "title"), ("checkpoint", "name"),
                            ("nothing", "x"), (value, "x"), ("ask", value[:30]), *ASKS):
            said = {"kind": kind, "nonce": nonce, field: f"is it {value} ?"}
            file.write(json.dumps(said) + "\\n")
    file.write(nonce + "\\n")
for value in values[:3]:
    Path(f"docs {value.replace('/', '')}.txt").write_text("x")
    Path(f"{value.replace('/', '')}.log").write_text("x")
print(nonce, flush=True)
print(f"my last words: {values}", flush=True)
"""


END: Final = "print('all is ' + 'said', flush=True)\ntime.sleep(600)\n"


def job(bench: Bench, asks: str = "()", end: str = "") -> Any:
    root = Path(leaks.__file__).parents[2]
    begin = f"import sys\nsys.path.insert(0, {str(root)!r})\nHONEY = {FOUND!r}\nASKS = {asks}\n"
    code = f"{begin}{TALKS}{end}"
    command = (sys.executable, "-I", "-S", "-c", code, *NAMES)
    gate = JobGate(name="tells", run=("sh", "-c", "cat docs*; ls; exit 1"), timeout=30)
    agent = {"command": command, "pass_env": NAMES}
    return bench.job(agent=agent, gates=(gate,), nonce=ids.token(32))


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.commit("Ignore", {".gitignore": "*.log\n"})
    return Bench(repo, tmp_path / "cache")


def kept(folder: Path) -> dict[str, bytes]:
    """All files of a run's folder, but for what the agent itself is given to read, and git's list
    of the files of its work.
    """
    files = (path for path in folder.rglob("*") if path.is_file())
    other = {
        "job.json",
        "run.json",
        "saved-index",
    }  # the first two have the nonce, for our programs
    return {p.name: p.read_bytes() for p in files if p.name not in other}


def leaking(folder: Path, nonce: str) -> list[tuple[str, str, list[str]]]:
    """Which file lets which secret be read, and how."""
    return [
        (name, value, ways)
        for name, data in kept(folder).items()
        for value in (*SECRETS, FOUND, nonce)
        if (ways := leaks.found_in(data, value))
    ]


def env() -> dict[str, str]:
    return {**dict(zip(NAMES, SECRETS, strict=True)), "DEPLOY_TOKEN": FOUND}


def test_no_file_of_a_run_holds_a_secret(bench: Bench) -> None:
    asked = job(bench)
    runner = bench.start(asked, **env())
    result = runner.result()
    assert len(result.gates) == 1, result
    assert result.subtasks == ("is it [secret] ?",)
    assert "docs [secret].txt" in {file.path for file in result.files}
    assert leaking(runner.folder.path, asked.nonce) == []
    assert leaks.found_in(json.dumps({"path": SECRETS[0]}).encode(), SECRETS[0])
    modes = {p.name: p.stat().st_mode & 0o077 for p in runner.folder.path.rglob("*") if p.is_file()}
    assert {name for name, mode in modes.items() if mode} <= {"runner.log", "gitcmat"}


def test_nor_does_a_run_whose_runner_died(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in env().items():
        monkeypatch.setenv(name, value)
    asked = job(bench, '(("ask", "question"),)', END)
    runner = bench.start(asked)
    runner.wait_for("all is said")  # not in the command line, which stands in the log
    runner.die()
    salvage(runner.folder.path)
    found = runner.folder.read_result()
    assert found is not None
    assert found.questions == ("is it [secret] ?",), found
    assert "docs [secret].txt" in {file.path for file in found.files}
    assert leaking(runner.folder.path, asked.nonce) == []


def test_what_is_printed_is_under_no_ref(repo: TestRepo) -> None:
    word = "only-in-the-transcript"
    project = Project(repo, agent_file("talks", f"echo {word}; echo x > work.txt; echo done"))
    project.task("a", agent="talks", gates=[])
    project.work()
    assert word in project.folder("a").log.read_text("utf-8")
    every = ("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    names = project.repo.git(*every).split()
    holders = [name for name in names if word in project.repo.git("cat-file", "-p", name)]
    assert holders == [project.repo.git("rev-parse", "main:.cmat/agents/talks.md")]
