"""Reports that no job may believe, each beside work that is honest."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import pytest
from _pytest.mark import ParameterSet

from gitcmat.system import clock
from tests.support.ci_parcel import Make, Parcel

Told = dict[str, Any]


def _case(name: str, make: Make, words: str) -> ParameterSet:
    return pytest.param(make, words, id=name)


def _told(name: str, change: Callable[[Told, Parcel], object], words: str) -> ParameterSet:
    """An honest report, with something changed."""

    def make(p: Parcel) -> None:
        report = p.honest()
        change(report, p)
        p.say(report)

    return _case(name, make, words)


def _text(name: str, text: str, words: str) -> ParameterSet:
    """A report of that text."""

    def make(p: Parcel) -> None:
        p.honest()
        (p.out / "report.json").write_text(text, encoding="utf-8")

    return _case(name, make, words)


def _edited(name: str, old: str, new: str, words: str) -> ParameterSet:
    """An honest report whose text says something else in one place."""

    def make(p: Parcel) -> None:
        text = json.dumps(p.honest())
        assert old in text
        (p.out / "report.json").write_text(text.replace(old, new, 1), encoding="utf-8")

    return _case(name, make, words)


def _linked(p: Parcel) -> None:
    p.honest()
    path = p.out / "report.json"
    path.rename(p.folder / "elsewhere.json")
    path.symlink_to(p.folder / "elsewhere.json")


def _missing(p: Parcel) -> None:
    p.honest()
    (p.out / "report.json").unlink()


def _run(report: Told) -> Told:
    found: Told = report["runs"][0]
    return found


def _result(report: Told) -> Told:
    found: Told = _run(report)["result"]
    return found


def _gate(report: Told) -> Told:
    found: Told = _result(report)["gates"][0]
    return found


def _two(report: Told, **second: Any) -> None:
    """Tell of a second run, which goes on from the first."""
    first = _run(report)
    other = json.loads(json.dumps(first))
    other |= {"run": "r-bcdefghi", "start": first["result"]["head"], **second}
    other["result"]["run"] = other["run"]
    report["runs"].append(other)


def _later(days: float) -> str:
    return (clock.now() + timedelta(days=days)).isoformat()


_TOKEN: Final = "ghp_" + "a1B2" * 9

REPORTS: Final = [
    _case("missing", _missing, "There is no report.json in OUT."),
    _case(
        "symlink-for-the-report", _linked, "OUT/report.json is a symbolic link, not a regular file."
    ),
    _text("empty", "", "report.json is damaged: Expecting value: line 1 column 1 (char 0)."),
    _text(
        "no-json",
        "{",
        "report.json is damaged: Expecting property name enclosed in double quotes: line 1 "
        "column 2 (char 1).",
    ),
    _text("a-list", "[]", "report.json is damaged: the whole is list."),
    _text("deep", "[" * 100_000, "report.json is damaged: it is nested too deep."),
    _text("deep-in-a-key", '{"task":' * 5_000, "report.json is damaged: it is nested too deep."),
    _text(
        "ten-megabytes",
        '{"x": "' + "a" * 10_000_000 + '"}',
        "OUT/report.json is larger than the 2000000 bytes allowed here.",
    ),
    _edited(
        "not-a-number",
        '"seconds": 0.0',
        '"seconds": NaN',
        "report.json is damaged: NaN is no number.",
    ),
    _edited(
        "infinity",
        '"seconds": 0.0',
        '"seconds": -Infinity',
        "report.json is damaged: -Infinity is no number.",
    ),
    _edited(
        "without-end",
        '"seconds": 0.0',
        '"seconds": 1e999',
        "report.json is damaged: it has a number without an end.",
    ),
    _edited(
        "many-digits",
        '"commits": 0',
        '"commits": ' + "9" * 5_000,
        "report.json is damaged: it has a number of too many digits.",
    ),
    _edited(
        "key-twice",
        '"task": "x"',
        '"task": "x", "task": "y"',
        "report.json is damaged: it says one key twice.",
    ),
    _edited(
        "no-utf8",
        '"said": "It is done."',
        '"said": "\\ud800"',
        "report.json is refused: it has a text that hides something, or commands a workflow.",
    ),
    _told(
        "newer-schema",
        lambda r, _: r.update(schema=2),
        "report.json has schema 2; this gitcmat knows 1.",
    ),
    _told(
        "older-schema",
        lambda r, _: r.update(schema=0),
        "report.json is refused: it has schema 0, and not 1.",
    ),
    _told(
        "schema-as-text",
        lambda r, _: r.update(schema="1"),
        "report.json is damaged: schema is str.",
    ),
    _told(
        "unknown-key",
        lambda r, _: r.update(approve=True),
        "report.json is damaged: unknown key .approve.",
    ),
    _told(
        "unknown-key-within",
        lambda r, _: _result(r).update(landed=True),
        "report.json is damaged: unknown key runs[0].result.landed.",
    ),
    _told(
        "key-missing",
        lambda r, _: r.pop("version"),
        "report.json is damaged: Report.__init__() missing 1 required keyword-only "
        "argument: 'version'.",
    ),
    _told(
        "wrong-type",
        lambda r, _: _result(r).update(commits="many"),
        "report.json is damaged: runs[0].result.commits is str.",
    ),
    _told(
        "other-task",
        lambda r, _: r.update(task="y"),
        "report.json is refused: its task is 'y', not 'x'.",
    ),
    _told(
        "other-sha",
        lambda r, _: r.update(sha="1" * 40),
        "report.json is refused: its sha is 'ID', not 'ID'.",
    ),
    _told(
        "other-state",
        lambda r, _: r.update(state="1" * 40),
        "report.json is refused: its state is 'ID', not 'ID'.",
    ),
    _told(
        "forged-lease",
        lambda r, _: r.update(lease="1" * 40),
        "report.json is refused: its lease is 'ID', not 'ID'.",
    ),
    _told(
        "no-lease",
        lambda r, _: r.update(lease=""),
        "report.json is refused: its lease is '', not 'ID'.",
    ),
    _told(
        "no-runs",
        lambda r, _: r.update(runs=[]),
        "report.json is refused: it tells of 0 runs; 1 to 80 are taken.",
    ),
    _told(
        "many-runs",
        lambda r, _: r.update(runs=r["runs"] * 500),
        "report.json is refused: it tells of 500 runs; 1 to 80 are taken.",
    ),
    _told(
        "run-id",
        lambda r, _: _run(r).update(run="../../x"),
        "report.json is refused: '../../x' is no run of its own.",
    ),
    _told(
        "run-of-another",
        lambda r, _: _result(r).update(run="r-zzzzzzzz"),
        "report.json is refused: 'r-abcdefgh' is no run of its own.",
    ),
    _told(
        "run-twice",
        lambda r, _: _two(r, run="r-abcdefgh"),
        "report.json is refused: 'r-abcdefgh' is no run of its own.",
    ),
    _told(
        "run-from-nowhere",
        lambda r, p: _two(r, start=p.start),
        "report.json is refused: r-bcdefghi begins at ID, where the run before it did not end.",
    ),
    _told(
        "other-base",
        lambda r, _: _run(r).update(base="1" * 40),
        "report.json is refused: r-abcdefgh begins at ID, not at ID.",
    ),
    _told(
        "other-start",
        lambda r, _: _run(r).update(start="1" * 40, base="1" * 40),
        "report.json is refused: r-abcdefgh begins at ID, not at ID.",
    ),
    _told(
        "head-of-nothing",
        lambda r, _: _result(r).update(head="HEAD"),
        "report.json is refused: 'HEAD' is no commit.",
    ),
    _told(
        "head-elsewhere",
        lambda r, _: _result(r).update(head="1" * 40),
        "The bundle holds another commit than the report says.",
    ),
    _told(
        "agent-path",
        lambda r, _: _run(r).update(agent="../evil"),
        "report.json is refused: '../evil' is no agent.",
    ),
    _told(
        "plan-words",
        lambda r, _: _run(r).update(plan="trusted"),
        "report.json is refused: 'trusted' is no digest of a plan.",
    ),
    _told(
        "sandbox-lines",
        lambda r, _: _run(r).update(sandbox="a\nb"),
        "report.json is refused: the account or sandbox of r-abcdefgh is no name.",
    ),
    _told(
        "unknown-outcome",
        lambda r, _: _result(r).update(outcome="landed"),
        "report.json is damaged: 'landed' is not a valid RunOutcome.",
    ),
    _told(
        "unasked-gate",
        lambda r, _: _gate(r).update(name="reviewed-by-pat"),
        "report.json is refused: r-abcdefgh tells of the gate 'reviewed-by-pat', which was "
        "not asked for.",
    ),
    _told(
        "gate-twice",
        lambda r, _: _result(r).update(gates=[_gate(r), _gate(r)]),
        "report.json is refused: r-abcdefgh has a gate twice.",
    ),
    _told(
        "gate-outcome",
        lambda r, _: _gate(r).update(outcome="approved"),
        "report.json is damaged: 'approved' is not a valid GateOutcome.",
    ),
    _told(
        "gate-before-zero",
        lambda r, _: _gate(r).update(seconds=-1),
        "report.json is refused: it counts below zero.",
    ),
    _told(
        "said-a-megabyte",
        lambda r, _: _result(r).update(said="a" * 1_000_000),
        "report.json is refused: it has a text of 1000000 characters; 100000 are taken.",
    ),
    _told(
        "said-with-escapes",
        lambda r, _: _result(r).update(said="\x1b[2J"),
        "report.json is refused: it has a text that hides something, or commands a workflow.",
    ),
    _told(
        "said-a-command",
        lambda r, _: _result(r).update(said="a\n::set-env name=a::b"),
        "report.json is refused: it has a text that hides something, or commands a workflow.",
    ),
    _told(
        "said-an-old-command",
        lambda r, _: _result(r).update(said="##[error]"),
        "report.json is refused: it has a text that hides something, or commands a workflow.",
    ),
    _told(
        "said-a-secret",
        lambda r, _: _result(r).update(said=_TOKEN),
        "report.json is refused: it holds a secret.",
    ),
    _told(
        "said-our-key",
        lambda r, _: _result(r).update(said="key-of-the-model"),
        "report.json is refused: it holds a secret.",
    ),
    _told(
        "asks-in-reverse",
        lambda r, _: _result(r).update(questions=["\u202eno"]),
        "report.json is refused: it has a text that hides something, or commands a workflow.",
    ),
    _told(
        "from-long-ago",
        lambda r, _: _run(r).update(started="1970-01-01T00:00:00+00:00"),
        "report.json is refused: its run r-abcdefgh began at 1970-01-01 00:00.",
    ),
    _told(
        "from-the-future",
        lambda r, _: _run(r).update(started=_later(400)),
        "report.json is refused: its run r-abcdefgh began at *.",
    ),
    _told(
        "ended-in-the-future",
        lambda r, _: _result(r).update(ended=_later(400)),
        "report.json is refused: its run r-abcdefgh ended at *.",
    ),
    _told(
        "no-offset",
        lambda r, _: _run(r).update(started="2026-11-21T12:00:00"),
        "report.json is refused: it has a time without an offset.",
    ),
]

STALE: Final = [
    _told(
        "stale-version",
        lambda r, _: r["version"].update(count=r["version"]["count"] - 1),
        "What came of x is not published: something has happened to it since.",
    ),
    _told(
        "later-version",
        lambda r, _: r["version"].update(count=99),
        "What came of x is not published: something has happened to it since.",
    ),
    _told(
        "other-file",
        lambda r, _: r.update(blob="1" * 40),
        "What came of x is not published: something has happened to it since.",
    ),
]
