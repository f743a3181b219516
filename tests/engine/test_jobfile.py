"""Jobs and results as JSON: what is written is read back, what is damaged is named."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from gitcmat.engine.jobfile import decode, encode
from gitcmat.errors import InvalidData
from gitcmat.model.gate import GateOutcome, GateResult, Location
from gitcmat.model.job import (
    FileChange,
    Identity,
    Job,
    JobAgent,
    JobGate,
    JobKind,
    Result,
    RunOutcome,
)

JOB = Job(
    kind=JobKind.WORK,
    run="r-aaaaaaaa",
    task="a",
    title="Ä title",
    attempt=2,
    git_dir="/r/.git",
    work_tree=None,
    object_format="sha1",
    workspace="/w/\udcff",
    base="0" * 40,
    start="1" * 40,
    run_ref="refs/cmat/runs/r-aaaaaaaa",
    agent=JobAgent(name="x", runs="command", command=("a", "b"), env={"A": "1"}),
    gates=(JobGate(name="g", run=("t",), timeout=5, protect=("tests/**",)),),
    setup=(("pip", "install"), ("x",)),
    setup_when=("*.lock",),
    setup_timeout=60,
    keep=(),
    copy=(),
    paths=(),
    allow_env=(),
    identity=Identity(name="Pat", email="pat@example.org"),
)
NOW = datetime(2026, 5, 6, 7, 8, 9, 123, tzinfo=UTC)
RESULT = Result(
    run="r-aaaaaaaa",
    outcome=RunOutcome.FINISHED,
    exit_code=0,
    files=(FileChange(status="A", path="a\udcff"),),
    gates=(
        GateResult(
            name="g",
            outcome=GateOutcome.FAILED,
            seconds=1.5,
            locations=(Location(file="a", line=3),),
        ),
    ),
    started=NOW,
    ended=NOW,
)


@pytest.mark.parametrize("value", [JOB, replace(JOB, agent=None, work_tree="/r"), RESULT])
def test_what_is_written_is_read_back(value: Job | Result) -> None:
    assert decode(type(value), encode(value), name="it") == value


def change(**fields: Any) -> bytes:
    return json.dumps({**json.loads(encode(JOB)), **fields}).encode()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "job.json is damaged: Expecting value: line 1 column 1 (char 0)."),
        (b"\xff", "job.json is damaged: "),
        (b"[]", "job.json is damaged: the whole is list."),
        (b"[" * 100_000, "job.json is damaged: "),
        (b"{}", "job.json is damaged: "),
        (change(attempt="2"), "job.json is damaged: attempt is str."),
        (change(attempt=True), "job.json is damaged: attempt is true or false."),
        (change(setup=[["a", 1]]), "job.json is damaged: setup[0][1] is int."),
        (change(kind="play"), "job.json is damaged: 'play' is not a valid JobKind."),
        (change(identity={"name": "x", "mail": "y"}), "job.json is damaged: unknown key"),
        (change(schema=2), "job.json has schema 2; this gitcmat knows 1."),
    ],
)
def test_what_is_damaged_is_named(data: bytes, message: str) -> None:
    with pytest.raises(InvalidData) as caught:
        decode(Job, data, name="job.json")
    assert caught.value.message.startswith(message)
