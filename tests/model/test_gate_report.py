"""What a forge is told of a gate."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gitcmat.model.forge import CheckState, Level
from gitcmat.model.gate import GateOutcome, GateResult, Location
from gitcmat.model.gate_report import is_ours, report
from gitcmat.model.run import Run

COMMIT = "c" * 40
RUN = Run(
    id="r-1",
    task="a",
    attempt=1,
    agent="coder",
    node="n",
    base="b" * 40,
    start="b" * 40,
    ref="refs/heads/main",
    workspace="w1",
    started=datetime(2026, 11, 21, tzinfo=UTC),
)
RED = GateResult(
    name="tests",
    outcome=GateOutcome.FAILED,
    exit_code=1,
    seconds=2.34,
    output="E assert\n",
    locations=(Location(file="a.py", line=3, column=1, message="assert 1 == 2"),),
    more_locations=7,
)


def test_a_red_gate_says_what_it_ran_how_it_ended_and_where() -> None:
    told = report(RUN, RED, COMMIT, "pytest -q")

    assert (told.name, told.commit, told.external_id) == ("gitcmat / tests", COMMIT, "r-1/tests")
    assert (told.state, told.title) == (CheckState.FAILED, "failed in 2.3 s")
    assert told.summary == (
        "The gate `tests` judged this commit in r-1 of the task a.\n\n"
        "```text\npytest -q\n```\n\n"
        "Outcome: failed, exit code 1, 2.3 s\n\n"
        "Places that are annotated: 1; it names 7 more\n"
    )
    assert told.text == "```text\nE assert\n```"
    (place,) = told.annotations
    assert (place.path, place.line, place.message, place.level, place.title) == (
        *("a.py", 3, "assert 1 == 2"),
        *(Level.FAILURE, "tests"),
    )
    assert is_ours(told.name)


@pytest.mark.parametrize(
    ("outcome", "reason", "state", "title"),
    [
        (GateOutcome.PASSED, "", CheckState.PASSED, "passed in 2.3 s"),
        (
            GateOutcome.SKIPPED,
            "`ruff` is not installed",
            CheckState.NEUTRAL,
            "did not run: `ruff` is not installed",
        ),
        (
            GateOutcome.ERROR,
            "it took longer than 10 s",
            CheckState.FAILED,
            "could not judge: it took longer than 10 s",
        ),
    ],
)
def test_each_outcome_has_its_state(
    outcome: GateOutcome, reason: str, state: CheckState, title: str
) -> None:
    told = report(RUN, replace(RED, outcome=outcome, reason=reason), COMMIT)
    assert (told.state, told.title) == (state, title)


@pytest.mark.parametrize(
    ("message", "level"),
    [
        ("error: no", Level.FAILURE),
        ("F401 unused", Level.FAILURE),
        ("warning: unused variable", Level.WARNING),
        ("Warning TS1: x", Level.WARNING),
        ("x is not used [Warning/no-unused]", Level.WARNING),
        ("note: see above", Level.NOTICE),
        ("warnings are fine", Level.FAILURE),
    ],
)
def test_the_words_of_a_tool_say_how_bad_it_is(message: str, level: Level) -> None:
    gate = replace(RED, locations=(Location(file="a.py", line=1, message=message),))
    assert report(RUN, gate, COMMIT).annotations[0].level is level


def test_a_place_without_a_line_stands_on_the_first() -> None:
    gate = replace(RED, locations=(Location(file="a.py"),))
    (place,) = report(RUN, gate, COMMIT).annotations
    assert (place.line, place.message) == (1, "named by this gate")


def test_nothing_that_was_printed_ends_the_fence_it_stands_in() -> None:
    gate = replace(RED, output="````\n<!-- x --> @all ![](http://x)\n```", reason="a\n```\nb" * 90)
    told = report(RUN, gate, COMMIT)
    assert told.text.startswith("`````text\n")
    assert told.text.endswith("\n`````")
    assert "````text\na\n```" in told.summary
    assert len(told.title) == 140
    assert "\n" not in told.title
