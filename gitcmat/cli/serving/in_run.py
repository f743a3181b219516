"""Tools for the agent of a run: about its own task, and nothing else."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from gitcmat.cli.serving.tools import Caller, Tool, text
from gitcmat.engine.seat import Seat
from gitcmat.errors import CheckFailed
from gitcmat.model.message import (
    MOST_MEMBERS,
    Ask,
    Delegate,
    Message,
    NewSubtask,
    Progress,
    SaveNow,
)
from gitcmat.system import ids

ABOUT: Final = (
    "gitcmat runs you on one task. These tools are about that task alone. What you leave in the "
    "work tree is committed for you and judged by gates and a person."
)
_ID: Final = 16
_SAVED_WITHIN: Final = 60.0
"""Seconds."""
_WAITED: Final = 50
"""Seconds; some programs give a tool up after a minute."""
_WAIT: Final = {
    "type": "integer",
    "description": f"How long to wait at most; default {_WAITED}. Your program may give up a tool "
    "that takes longer.",
}


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
        Tool(
            name="delegate",
            about="Have other agents do parts of your task, at the same time, and wait for them. "
            "Each begins with the files as they are now, in a work tree of its own; the result "
            "has its last words, its commit, and how to take that over. One that fails does not "
            "stop the others. read_task names the agents that there are. One whose outcome is "
            "null works on: wait_for_members.",
            takes={
                "members": _listed(
                    "Who shall do what.",
                    {
                        "agent": text("The agent's name.", _most(Delegate, "agent")),
                        "prompt": text(
                            "What it shall do, whole: it knows nothing of you.",
                            _most(Delegate, "prompt"),
                        ),
                    },
                ),
                "group": text("What they have in common, for people.", _most(Delegate, "group")),
                "seconds": _WAIT,
            },
            needs=("members",),
            call=lambda given, caller: _delegate(seat, given, caller),
        ),
        Tool(
            name="wait_for_members",
            about="Wait on for agents to which you delegated.",
            takes={
                "members": _listed(
                    "For whom.", {"id": text("As delegate gave it.", _most(Delegate, "id"))}
                ),
                "seconds": _WAIT,
            },
            needs=("members",),
            call=lambda given, caller: _wait(seat, given["members"], given, caller),
            reads=True,
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


def _listed(about: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a list of members, each with all of these fields."""
    item = {
        "type": "object",
        "properties": fields,
        "required": list(fields),
        "additionalProperties": False,
    }
    return {
        "type": "array",
        "description": about,
        "minItems": 1,
        "maxItems": MOST_MEMBERS,
        "items": item,
    }


def _delegate(seat: Seat, given: Mapping[str, Any], caller: Caller) -> Mapping[str, Any]:
    members = given["members"]
    names = seat.delegate([(m["agent"], m["prompt"]) for m in members], given.get("group", ""))
    known = [{"id": name, "agent": m["agent"]} for name, m in zip(names, members, strict=True)]
    return _wait(seat, known, given, caller)


def _wait(
    seat: Seat, members: Sequence[Mapping[str, Any]], given: Mapping[str, Any], caller: Caller
) -> Mapping[str, Any]:
    def tell(done: int) -> None:
        caller.tell(done, len(members), f"{done} of {len(members)} have ended")

    names = [member["id"] for member in members]
    seconds = max(0, given.get("seconds", _WAITED))
    found = seat.wait_for_all(names, seconds=seconds, pause=caller.pause, tell=tell)
    pairs = zip(members, found, strict=True)
    return {"members": [dict(member) | (reply or {"outcome": None}) for member, reply in pairs]}


def _most(kind: type[Message], field: str) -> int:
    return kind.longest[field]
