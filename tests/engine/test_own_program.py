"""An agent can call gitcmat, whatever is on the person's PATH."""

import shutil
import stat
from pathlib import Path

import pytest

from gitcmat.model.job import JobGate, RunOutcome
from tests.support.repo import TestRepo
from tests.support.runs import Bench


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    plain = tmp_path / "plain"
    plain.mkdir()
    for name in ("git", "sh", "cat"):
        (plain / name).symlink_to(shutil.which(name) or name)
    monkeypatch.setenv("PATH", str(plain))
    repo.freeze()
    return Bench(repo, tmp_path)


def test_an_agent_asks_without_gitcmat_on_the_persons_path(bench: Bench) -> None:
    result = bench.run(bench.job('gitcmat blocker ask "Which colour?"'))
    assert (result.outcome, result.questions) == (RunOutcome.ASKED, ("Which colour?",))


def test_the_persons_own_gitcmat_goes_before_ours(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "plain" / "gitcmat"
    own.write_text("#!/bin/sh\necho mine\n")
    own.chmod(0o755)
    assert bench.run(bench.job("gitcmat")).message == "mine"


def test_the_program_is_for_the_agent_and_its_owner_alone(bench: Bench) -> None:
    gate = JobGate(name="none", run=("sh", "-c", "! command -v gitcmat"), timeout=30)
    runner = bench.start(bench.job("command -v gitcmat > where.txt", gates=(gate,)))
    result = runner.result()
    program = runner.folder.programs / "gitcmat"
    assert bench.repo.show(result.head, "where.txt") == f"{program}\n"
    assert stat.S_IMODE(program.stat().st_mode) == 0o700
    assert [gate.outcome for gate in result.gates] == ["passed"]
