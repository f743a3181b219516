"""`gitcmat mcp` as the agent of a run has it: real runs, real servers, the official client."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine import seat
from gitcmat.engine.runfolder import RunFolder
from gitcmat.model.job import Answer, Result, RunOutcome
from tests.support.cli import gitcmat
from tests.support.mcpclient import call
from tests.support.repo import TestRepo
from tests.support.runs import Bench, python

AGENT = """\
import asyncio, json, os, sys
from mcp import Client, StdioServerParameters

async def main():
    # As real programs start such a server: with an environment of their own choice.
    args = ["-I", "-m", "gitcmat", "mcp", "--run", os.environ["CMAT_SEAT"]]
    server = StdioServerParameters(command=sys.executable, args=args, cwd="/")
    async with Client(server, read_timeout_seconds=60) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        found = []
        for name, given in CALLS:
            result = await client.call_tool(name, given)
            found.append(result.structured_content)
        open("found.json", "w").write(json.dumps([tools, found]))

asyncio.run(main())
"""


@pytest.fixture
def bench(repo: TestRepo, tmp_path: Path) -> Bench:
    repo.freeze()
    return Bench(repo, tmp_path)


def run(bench: Bench, *calls: tuple[str, object], **more: Any) -> tuple[Result, Any]:
    job = bench.job(python(f"CALLS = {list(calls)!r}\n{AGENT}"), nonce="n1", **more)
    result = bench.start(job, "Do it.\n").result()
    assert result.files, result
    found = json.loads(bench.repo.show(result.head, "found.json"))
    return result, found


def test_an_agent_speaks_for_its_own_task(bench: Bench) -> None:
    answers = (Answer(question="Which?", text="Blue"),)
    result, (tools, found) = run(
        bench,
        ("read_task", {}),
        ("report_progress", {"text": "half-way"}),
        ("add_subtask", {"title": "Write the docs"}),
        ("save_checkpoint", {"name": "before"}),
        ("ask_question", {"question": "Now what?"}),
        answers=answers,
    )
    assert tools[:5] == [
        "read_task",
        "ask_question",
        "add_subtask",
        "report_progress",
        "save_checkpoint",
    ]
    task, told, added, saved, asked = found
    assert task == {
        "schema": 1,
        "task": {
            "run": bench.last,
            "task": "parse-dates",
            "title": "Parse dates",
            "attempt": 1,
            "agent": "tester",
            "prompt": "Do it.\n",
            "answers": [{"question": "Which?", "answer": "Blue"}],
            "paths": [],
            "gates": [],
            "agents": [],
        },
    }
    assert told == {"schema": 1, "told": "half-way"}
    assert added == {"schema": 1, "added": "Write the docs"}
    assert saved == {"schema": 1, "checkpoint": None}
    assert asked == {"schema": 1, "asked": "Now what?"}
    assert (result.outcome, result.questions) == (RunOutcome.ASKED, ("Now what?",))
    assert (result.subtasks, result.warnings) == (("Write the docs",), ())


def test_what_cannot_be_is_refused_and_sent_nowhere(bench: Bench) -> None:
    result, (_, found) = run(
        bench,
        ("ask_question", {"question": " "}),
        ("ask_question", {"question": "x" * 10_001}),
        ("add_subtask", {"title": "x", "task": "another"}),
        ("report_progress", {"text": ["x"]}),
        ("save_checkpoint", {}),
    )
    assert [each["error"]["message"] for each in found] == [
        "This ask was not sent: its question is empty.",
        "ask_question: question has more than 10,000 characters.",
        "add_subtask: there is no task.",
        "report_progress: text is no string.",
        "save_checkpoint: name is missing.",
    ]
    assert (result.outcome, result.warnings) == (RunOutcome.FINISHED, ())


def test_another_run_is_not_spoken_for(bench: Bench, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "r-other")
    folder.path.mkdir()
    seat.prepare(folder, bench.job(nonce="n2"), tmp_path / "box", "Do it.\n")
    env = {"CMAT_NONCE": "n1", "CMAT_RUN": "r-mine"}
    refused = gitcmat(tmp_path, "mcp", "--run", str(folder.seat), env=env)
    assert refused.code == 5
    assert refused.err == (
        f"error: {folder.seat} belongs to {bench.last}, and this process to another run.\n"
        "hint: an agent speaks for its own run alone\n"
    )
    assert not (tmp_path / "box").exists()
    names, (told,) = call(
        tmp_path,
        ("report_progress", {"text": "x"}),
        args=("--run", str(folder.seat)),
        env={**os.environ, "CMAT_NONCE": "n2"},
    )
    assert "read_task" in names
    assert (told.wrong, (tmp_path / "box").stat().st_mode & 0o777) == (False, 0o600)


def test_a_forged_file_gets_a_line_into_no_other_run(bench: Bench) -> None:
    """The nonce is known to one run alone: whoever guesses is told off in that run's warnings."""
    runner = bench.start(
        bench.job(
            "echo ready; until [ -e go ]; do sleep 0.05; done; echo x > x", nonce="the-real-one"
        )
    )
    runner.wait_for("ready")
    forged = RunFolder(bench.slot / "forged")
    forged.path.mkdir()
    seat.prepare(forged, bench.job(nonce="guessed"), bench.slot / "inbox/messages.jsonl", "")
    _, (told,) = call(
        bench.slot, ("report_progress", {"text": "x"}), args=("--run", str(forged.seat))
    )
    assert not told.wrong
    (bench.tree / "go").touch()
    assert runner.result().warnings == (
        "inbox line 1 was not understood: it does not have the nonce of this run",
    )


def test_an_agents_program_is_told_how_to_start_it_where_the_package_is(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert seat.server(folder) == (
        sys.executable,
        "-I",
        "-m",
        "gitcmat",
        "mcp",
        "--run",
        str(folder.seat),
    )
