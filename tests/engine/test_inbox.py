"""What an agent may send us, read like something from a stranger."""

import json
import os
from pathlib import Path

import pytest

from gitcmat.engine import inbox
from gitcmat.engine.inbox import Inbox
from gitcmat.errors import InvalidData
from gitcmat.model.message import Ask, Delegate, Message, NewSubtask, Progress, SaveNow

NONCE = "k3v7q2ma"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "messages.jsonl"


def line(**said: object) -> bytes:
    return json.dumps({"nonce": NONCE, **said}).encode() + b"\n"


def read(path: Path) -> tuple[list[Message], tuple[str, ...]]:
    box = Inbox(path, NONCE)
    return list(box.new(final=True)), box.warnings


def test_what_is_sent_is_what_is_read(path: Path) -> None:
    sent: list[Message] = [
        Ask(question="Red\nor blue?"),
        NewSubtask(title="Write the docs"),
        Progress(text="half-way"),
        SaveNow(name="before the change", id="abcdefgh"),
        SaveNow(name="without a reply"),
        Delegate(agent="tester", prompt="Test it.", id="abcdefg2", group="tests"),
    ]
    for message in sent:
        inbox.send(path, NONCE, message)
    assert read(path) == (sent, ())


def test_what_is_wrong_is_not_sent(path: Path) -> None:
    with pytest.raises(InvalidData) as refused:
        inbox.send(path, NONCE, NewSubtask(title="x" * 501))
    assert refused.value.message == (
        "This subtask was not sent: its title has more than 500 characters."
    )
    assert not path.exists()


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        (b"nonsense\n", "it is no JSON"),
        (b"[" * 100_000 + b"\n", "it is no JSON"),
        (b'"ask"\n', "it is no JSON object"),
        (b'{"kind": "ask", "question": "Hm?"}\n', "it does not have the nonce of this run"),
        (line(kind="ask", question="Hm?", nonce="other"), "it does not have the nonce of this run"),
        (line(kind="ask", question="Hm?", nonce=[]), "it does not have the nonce of this run"),
        (
            line(kind="approve", task="x"),
            "its kind is none of ask, subtask, progress, checkpoint, delegate",
        ),
        (line(kind=["ask"]), "its kind is none of ask, subtask, progress, checkpoint, delegate"),
        (line(kind="ask", question=7), "its question is no text"),
        (line(kind="ask", question=" "), "its question is empty"),
        (line(kind="ask"), "its question is no text"),
        (line(kind="ask", question="x" * 10_001), "its question has more than 10,000 characters"),
        (line(kind="progress", text="x" * 2_001), "its text has more than 2,000 characters"),
        (line(kind="subtask", title="x", by="Pat"), "a subtask has no 'by'"),
        (line(kind="checkpoint", name="x", id="../../x"), "its id is not 8 to 32 of a-z and 0-9"),
        (line(kind="delegate", agent="a", prompt="b", id=""), "its id is empty"),
        (line(kind="delegate", agent="a", prompt="", id="abcdefgh"), "its prompt is empty"),
    ],
)
def test_a_wrong_line_is_a_warning_and_nothing_else(path: Path, wrong: bytes, why: str) -> None:
    path.write_bytes(wrong + line(kind="progress", text="on"))
    assert read(path) == (
        [Progress(text="on")],
        (f"inbox line 1 was not understood: {why}",),
    )


def test_more_than_is_taken_is_counted(path: Path) -> None:
    path.write_bytes(
        b"".join(line(kind="subtask", title=f"part {n}") for n in range(25)) + b"?\n" * 30
    )
    found, warnings = read(path)
    assert found == [NewSubtask(title=f"part {n}") for n in range(20)]
    assert warnings[0] == "the agent sent 25 of subtask; 20 were taken"
    assert warnings[-1] == "10 more lines of the inbox were not understood"
    assert len(warnings) == 22


def test_it_is_read_as_it_grows_and_a_line_is_whole_before_it_counts(path: Path) -> None:
    box = Inbox(path, NONCE)
    assert list(box.new()) == []
    whole = line(kind="progress", text="on")
    path.write_bytes(whole + whole[:10])
    assert list(box.new()) == [Progress(text="on")]
    assert list(box.new()) == []
    with path.open("ab") as file:
        file.write(whole[10:-1])
    assert list(box.new()) == []
    assert list(box.new(final=True)) == [Progress(text="on")]
    assert box.warnings == ()


def test_a_look_at_what_has_not_changed_opens_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path.write_bytes(line(kind="progress", text="on"))
    box = Inbox(path, NONCE)
    assert len(list(box.new())) == 1
    monkeypatch.setattr(os, "open", None)
    assert list(box.new()) == []


def test_one_that_writes_where_it_should_append_is_heard_too(path: Path) -> None:
    box = Inbox(path, NONCE)
    path.write_bytes(line(kind="progress", text="a longer first one"))
    assert list(box.new()) == [Progress(text="a longer first one")]
    path.write_bytes(line(kind="progress", text="two"))
    assert list(box.new()) == [Progress(text="two")]


def test_what_is_no_file_is_not_followed(path: Path) -> None:
    path.symlink_to("/etc/passwd")
    assert read(path) == ([], ("the inbox is not a regular file",))
    path.unlink()
    os.mkfifo(path)
    assert read(path) == ([], ("the inbox is not a regular file",))


def test_an_endless_one_is_read_so_far(path: Path) -> None:
    path.write_bytes(b"x" * 100 + b"\n" + b"\n" * 5_000_000)
    found, warnings = read(path)
    assert found == []
    assert warnings == (
        "the inbox has more than 4,000,000 bytes; the rest was not read",
        "inbox line 1 was not understood: it is no JSON",
    )
