"""Records as files: what people see when they open one, and what may be read back."""

from dataclasses import replace

import pytest

from gitcmat.errors import InvalidData
from gitcmat.model.blocker import BlockerKind, BlockerStatus
from gitcmat.model.entry import Note, Said, Version
from gitcmat.model.job import RunOutcome
from gitcmat.model.state import State
from gitcmat.model.task import Priority, Task
from gitcmat.store import layout, records, yamlio
from gitcmat.store.records import Record
from tests.support.store import NOW, blocker, entry, run

BLOCKER_ID = "b-abcd2345"

ENTRY = """\
# Written by gitcmat. You may change priority and hold here; the rest follows from the work.
schema: 1
id: parse-dates
priority: high
hold: false
reason: sent back at review
task:
  schema: 1
  title: Parse dates
  prompt: |
    Accept ISO dates.
    Everywhere.
source:
  ref: refs/heads/main
  commit: 'cccccccccccccccccccccccccccccccccccccccc'
  path: .cmat/tasks/parse-dates.yaml
  blob: 'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'
target: refs/heads/main
created: '2026-11-21T12:00:00.000Z'
updated: '2026-11-21T12:00:00.000Z'
since: '2026-11-21T12:00:00.000Z'
notes:
  - kind: reject
    text: 'no'
    at: '2026-11-21T12:00:00.000Z'
    by: Pat
version:
  count: 3
  node: n-test2345
"""

OPEN = """\
# A question for you. Write the answer under `answer: |`, two spaces in, and save the file.
schema: 1
id: b-abcd2345
task: parse-dates
question: Which one?
asked: '2026-11-21T12:00:00.000Z'
answer: |
  
"""  # noqa: W293 - the file has an indented empty line, so that any text is valid

RED = """\
# A question for you. Write the answer under `answer: |`, two spaces in, and save the file.
# One of these words, or guidance for the next attempt: retry, review anyway, cancel
schema: 1
id: b-abcd2345
task: parse-dates
kind: gates
question: Still red. What now?
detail: |-
  tests: failed
  1 failed
asked: '2026-11-21T12:00:00.000Z'
by: gitcmat
answer: |
  
"""  # noqa: W293 - as above

ANSWERED = """\
schema: 1
id: b-abcd2345
task: parse-dates
status: answered
question: Which one?
asked: '2026-11-21T12:00:00.000Z'
answer: The first.
answered: '2026-11-21T12:00:00.000Z'
answered_by: Pat
"""


def parse_dates() -> Record:
    return entry(
        "parse-dates",
        task=Task(title="Parse dates", prompt="Accept ISO dates.\nEverywhere.\n"),
        priority=Priority.HIGH,
        reason="sent back at review",
        notes=(Note(kind=Said.REJECT, text="no", at=NOW, by="Pat"),),
        version=Version(count=3, node="n-test2345"),
    )


def red() -> Record:
    return blocker(
        BLOCKER_ID,
        "parse-dates",
        kind=BlockerKind.GATES,
        question="Still red. What now?",
        detail="tests: failed\n1 failed",
        by="gitcmat",
    )


def answered() -> Record:
    return blocker(
        BLOCKER_ID,
        "parse-dates",
        status=BlockerStatus.ANSWERED,
        answer="The first.",
        answered=NOW,
        answered_by="Pat",
    )


@pytest.mark.parametrize(
    ("record", "text"),
    [
        (parse_dates(), ENTRY),
        (blocker(BLOCKER_ID, "parse-dates"), OPEN),
        (red(), RED),
        (answered(), ANSWERED),
    ],
    ids=["entry", "open", "red", "answered"],
)
def test_a_record_is_this_file(record: Record, text: str) -> None:
    assert records.render(record).decode() == text


@pytest.mark.parametrize(
    "record",
    [
        parse_dates(),
        *(entry("a", state, hold=True, since=NOW) for state in State),
        blocker(BLOCKER_ID, "a"),
        red(),
        answered(),
        run("r-abcd2345", "a"),
        run("r-abcd2345", "a", ended=NOW, outcome=RunOutcome.TIMED_OUT, exit_code=0, message="x"),
    ],
    ids=range(14),
)
def test_what_is_written_is_read_back_the_same(record: Record) -> None:
    assert records.read(records.key_of(record), records.render(record)) == record


def test_an_answer_typed_into_the_open_file_is_valid_whatever_it_says() -> None:
    typed = 'no: [not "yaml" # at all\n  - {at: all'
    text = OPEN.rstrip("\n ") + f"\n  {typed}\n"
    loaded = yamlio.load(text, name="x").data
    assert loaded["answer"] == 'no: [not "yaml" # at all\n- {at: all\n'


def test_the_state_is_what_the_folder_says_and_never_in_the_file() -> None:
    one = entry("a", State.REVIEW)
    data = records.render(one)
    assert b"state:" not in data
    pending = layout.entry_key("a", State.PENDING, NOW)
    assert records.read(pending, data) == replace(one, state=State.PENDING)


@pytest.mark.parametrize(
    ("key", "data", "message"),
    [
        (
            layout.entry_key("b", State.PENDING, NOW),
            records.render(entry("a")),
            ".cmat/queue/pending/3e/b.yaml: holds the record a.",
        ),
        (
            layout.blocker_key(BLOCKER_ID),
            b"schema: 99\n",
            ".cmat/blockers/2b/b-abcd2345.yaml:1: is schema 99, this gitcmat knows 1",
        ),
        (
            layout.blocker_key(BLOCKER_ID),
            b"- a list\n",
            ".cmat/blockers/2b/b-abcd2345.yaml:1: is not a mapping",
        ),
    ],
    ids=["another's", "newer", "no mapping"],
)
def test_a_file_that_is_not_this_record_is_refused(
    key: layout.Key, data: bytes, message: str
) -> None:
    with pytest.raises(InvalidData) as refused:
        records.read(key, data)
    assert refused.value.message == message
