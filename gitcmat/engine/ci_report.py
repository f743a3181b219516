"""``report.json``: what a job that ran a task says of it, and how a job that does not believe it
reads it.
"""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from gitcmat.engine import jobfile
from gitcmat.errors import InvalidData
from gitcmat.model import ci_text, limits
from gitcmat.model.ci import REPORT_SCHEMA, Attempt, Report
from gitcmat.model.job import Result
from gitcmat.model.task import MAX_ATTEMPTS
from gitcmat.model.usage import NO_SESSION
from gitcmat.store.bundles import REFUSED
from gitcmat.system.files import read_regular, write_atomic

LARGEST: Final = 2_000_000
LONGEST_TEXT: Final = 100_000
_MOST_ITEMS: Final = 5_000
_MOST_RUNS: Final = 4 * MAX_ATTEMPTS
_NAME: Final = "report.json"
_DAY: Final = timedelta(days=1)
_LONGEST: Final = timedelta(days=35)
"""No job of any workflow runs longer."""


def write(path: Path, report: Report) -> None:
    """Write a report."""
    write_atomic(path, jobfile.encode(report), durable=True)


def presentable(result: Result, redacted: Callable[[str], str]) -> Result:
    """Return a result as it may leave the machine: without secrets, harmless, not too long."""
    result = replace(limits.small(result), session=NO_SESSION)  # no other machine has it
    data = _each_text(json.loads(jobfile.encode(result)), redacted)
    text = json.dumps(ci_text.made_harmless(data)).encode()
    return jobfile.decode(Result, text, name=_NAME)


def read(path: Path, now: datetime) -> Report:
    """Read a report that anybody may have written.

    Raises `InvalidData`, which says what is wrong with it.
    """
    try:
        data = read_regular(path, LARGEST)
    except FileNotFoundError:
        raise InvalidData(f"There is no {_NAME} in {path.parent}.", hint=REFUSED) from None
    report = jobfile.decode(Report, data, name=_NAME, hint=REFUSED, load=_strictly)
    if report.schema != REPORT_SCHEMA:
        raise _wrong(f"it has schema {report.schema}, and not {REPORT_SCHEMA}")
    if not 1 <= len(report.runs) <= _MOST_RUNS:
        raise _wrong(f"it tells of {len(report.runs)} runs; 1 to {_MOST_RUNS} are taken")
    for text in ci_text.texts(report):
        if len(text) > LONGEST_TEXT:
            raise _wrong(f"it has a text of {len(text)} characters; {LONGEST_TEXT} are taken")
        if ci_text.harmless(text) != text:
            raise _wrong("it has a text that hides something, or commands a workflow")
    for one in report.runs:
        _check_times(one, now)
        _check_numbers(one.result)
    return report


def _strictly(data: bytes) -> Any:
    try:
        return json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_without_twins,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_whole,
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it says one key twice")
    if len(found) > _MOST_ITEMS:
        raise ValueError(f"it has more than {_MOST_ITEMS} keys in one place")
    return found


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("it has a number without an end")
    return number


def _whole(text: str) -> int:
    if len(text) > 18:  # noqa: PLR2004 - digits of what fits into 64 bits
        raise ValueError("it has a number of too many digits")
    return int(text)


def _check_times(one: Attempt, now: datetime) -> None:
    result = one.result
    times = (one.started, result.started, result.ended, result.until or one.started)
    if any(time.tzinfo is None for time in times):
        raise _wrong("it has a time without an offset")
    if not now - _LONGEST < one.started < now + _DAY:
        raise _wrong(f"its run {one.run} began at {one.started:%Y-%m-%d %H:%M}")
    if not one.started - _DAY < result.ended < now + _DAY:
        raise _wrong(f"its run {one.run} ended at {result.ended:%Y-%m-%d %H:%M}")


def _check_numbers(result: Result) -> None:
    spend = result.spend
    counts = [result.commits, result.more_files, spend.usd or 0]
    counts += [gate.seconds for gate in result.gates]
    counts += [n for gate in result.gates for p in gate.locations for n in (p.line, p.column)]
    if spend.usage is not None:
        usage = spend.usage
        counts += [usage.input, usage.cache_read, usage.cache_write, usage.output]
    if any(count < 0 for count in counts):
        raise _wrong("it counts below zero")


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_text(item, change) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_each_text(item, change) for item in value]
    return value


def _wrong(why: str) -> InvalidData:
    return InvalidData(f"{_NAME} is refused: {why}.", hint=REFUSED)
