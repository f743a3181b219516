"""What comes from agents and tools is cut so that a record of it can be written and read."""

from dataclasses import replace

import pytest

from gitcmat.model.entry import Note, Said
from gitcmat.model.forge import Comment, Person, Thread
from gitcmat.model.gate import GateOutcome, GateResult, Location
from gitcmat.model.job import FileChange, Result, RunOutcome
from gitcmat.model.limits import cut, recent, small, weight
from gitcmat.model.pull_talk import Ear, Place, take
from gitcmat.model.state import State
from gitcmat.model.talk import Saying, Talk, heard, told
from gitcmat.model.task import Task
from gitcmat.store import codec, yamlio
from tests.support.store import NOW, entry, run

KINDS = {"letters": "x", "wide letters": "語", "short lines": "a\n", "quoted": "'# \n"}


def result(text: str, gates: int) -> Result:
    """A result with too much of everything, all of it this text."""
    much = text * 9_000
    place = Location(file=f"{text * 600}.py", line=1, column=1, message=much)
    gate = GateResult(
        name="tests",
        outcome=GateOutcome.FAILED,
        reason=much,
        output=much,
        locations=(place,) * 5_000,
    )
    return Result(
        run="r-abcd2345",
        outcome=RunOutcome.FINISHED,
        message=much,
        files=(FileChange(status="M", path=text),) * 500,
        gates=(gate,) * gates,
        questions=(much,) * 20,
        marks=(much,) * 60,
        warnings=(much,) * 60,
        ignored=(much,) * 60,
        started=NOW,
        ended=NOW,
    )


def talk(text: str) -> Talk:
    """What is kept of people who never stop talking."""
    said = tuple(
        Comment(
            id=5_000_000_000 + number,
            number=1,
            author=Person(login="rita"),
            body=text * 9_000,
            created=NOW,
            updated=NOW,
            url="",
        )
        for number in range(60)
    )
    threads = tuple(
        Thread(
            id=comment.id,
            path=f"{text.strip() * 600}.py",
            line=1,
            first_line=None,
            commit="c" * 40,
            hunk=text * 9_000,
            review=1,
            resolved=False,
            outdated=False,
            comments=(comment,),
        )
        for comment in said
    )
    ear = Ear(me=Person(login="pat"), writers={"rita"})
    known = Talk(
        heard=heard((), (f"comment:{4_000_000_000 + n}" for n in range(5_000))),
        told=told((), *(f"red:{'c' * 40}:{n:012}:r-abcd2345" for n in range(5_000))),
        sayings=tuple(
            Saying(number=1, mark=f"reply=comment-{n}", text=text * 60) for n in range(50)
        ),
    )
    return take(Place(number=1, comments=said, threads=threads), known, ear).talk


@pytest.mark.parametrize("gates", [1, 5, 60])
@pytest.mark.parametrize("text", KINDS.values(), ids=KINDS.keys())
def test_the_largest_records_can_be_written_and_read(text: str, gates: int) -> None:
    kept = small(result(text, gates))
    note = Note(kind=Said.RED, text=text * 9_000, at=NOW, by="gitcmat")
    task = Task(title="Big", prompt=text * (60_000 // weight(text)))
    held = entry("big", State.REVIEW, task=task, source=None)
    held = replace(held, notes=recent((note,) * 9), gates=kept.gates, marks=kept.marks)
    held = replace(held, talk=talk(text))
    ran = replace(
        run("r-abcd2345", "big"),
        message=kept.message,
        files=kept.files,
        gates=kept.gates,
        marks=kept.marks,
        warnings=kept.warnings,
        ignored=kept.ignored,
    )

    for record in (held, ran):
        plain = codec.encode(record)
        assert yamlio.load(yamlio.dump(plain), name="record").data == plain


def test_one_gate_keeps_the_places_that_a_person_reads() -> None:
    place = Location(file="a.py", line=1, message="wrong")
    gate = GateResult(name="tests", outcome=GateOutcome.FAILED, locations=(place,) * 50)
    (kept,) = small(replace(result("x", 1), gates=(gate,))).gates
    assert (kept.locations, kept.more_locations) == ((place,) * 40, 10)


def test_what_is_cut_keeps_its_end_and_says_so() -> None:
    assert cut("a" * 100, 100) == "a" * 100
    assert cut("b" + "a" * 100, 100) == "(1 characters left out)\n" + "a" * 100
    lines = "\n".join(f"line {n}" for n in range(100))
    short = cut(lines, 500)
    assert short.startswith("(")
    assert short.endswith("line 98\nline 99")
    assert weight(short.partition("\n")[2]) <= 500
