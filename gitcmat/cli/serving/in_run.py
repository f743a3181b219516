"""Tools for the agent of a run: about its own task, and nothing else."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from gitcmat.cli.serving.tools import Caller, Tool, text
from gitcmat.engine.seat import Seat
from gitcmat.errors import CheckFailed
from gitcmat.model.message import Ask, Message, NewSubtask, Progress, SaveNow
from gitcmat.system import ids

ABOUT: Final = (
    "gitcmat runs you on one task. These tools are about that task alone. What you leave in the "
    "work tree is committed for you and judged by gates and a person."
)
_ID: Final = 16
_SAVED_WITHIN: Final = 60.0
"""Seconds."""


def tools(seat: Seat) -> list[Tool]:
    """The tools of the run that `seat` is in."""
    return [
        Tool(
            name="read_task",
            about="Your task: id, title, prompt, what people answered to your questions so far, "
            "which gates judge the result, which paths you may change.",
            takes={},
            call=lambda _given, _caller: {"task": dict(seat.about)},
            reads=True,
        ),
        Tool(
            name="ask_question",
            about="Ask a person. Stop after it: the answer comes with the next attempt.",
            takes={"question": text("What to decide, in a few sentences.", _most(Ask, "question"))},
            needs=("question",),
            call=_sends(seat, lambda given: Ask(question=given["question"]), "asked"),
        ),
        Tool(
            name="add_subtask",
            about="Add a part to your task that people should see, and tick off when it is done.",
            takes={"title": text("One line.", _most(NewSubtask, "title"))},
            needs=("title",),
            call=_sends(seat, lambda given: NewSubtask(title=given["title"]), "added"),
        ),
        Tool(
            name="report_progress",
            about="Tell whoever follows the run how far you are.",
            takes={"text": text("One line.", _most(Progress, "text"))},
            needs=("text",),
            call=_sends(seat, lambda given: Progress(text=given["text"]), "told"),
        ),
        Tool(
            name="save_checkpoint",
            about="Save the work tree as it is now, so that a person can go back to it.",
            takes={"name": text("What it is, in a few words.", _most(SaveNow, "name"))},
            needs=("name",),
            call=lambda given, caller: _save(seat, given["name"], caller),
        ),
    ]


def _sends(
    seat: Seat, make: Callable[[Mapping[str, Any]], Message], said: str
) -> Callable[[Mapping[str, Any], Caller], Mapping[str, Any]]:
    def call(given: Mapping[str, Any], _caller: Caller) -> Mapping[str, Any]:
        seat.send(make(given))
        (sent,) = given.values()
        return {said: sent}

    return call


def _save(seat: Seat, name: str, caller: Caller) -> Mapping[str, Any]:
    wanted = ids.token(_ID)
    seat.send(SaveNow(name=name, id=wanted))
    answer = seat.wait(wanted, seconds=_SAVED_WITHIN, pause=caller.pause)
    if answer is None:
        raise CheckFailed("The run did not answer in time.", hint="go on without a checkpoint")
    if "error" in answer:
        raise CheckFailed(f"Nothing was saved: {answer['error']}", hint="go on without")
    return {"checkpoint": answer.get("checkpoint")}


def _most(kind: type[Message], field: str) -> int:
    return kind.longest[field]
