"""Tools for a person's own agent, outside of any run: commands as they are typed, with --json.

What a person decides is not among them: to land, to approve, and to trust.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import click

from gitcmat.cli.output import SCHEMA, Output
from gitcmat.cli.serving.tools import Caller, Tool, text
from gitcmat.cli.state import State
from gitcmat.errors import Usage

ABOUT: Final = (
    "gitcmat queues tasks for coding agents in this git repository, runs each in a workspace of "
    "its own, and shows the results for review. A person lands, approves and trusts; you cannot."
)
_ID: Final = text("Its id, or a unique beginning of it.", 100)
_NAME: Final = 100
_LONG: Final = 100_000


def tools(folder: Path) -> list[Tool]:
    """The tools for the repository that `folder` lies in."""
    asked = _Asked(folder)
    return [
        Tool(
            name="ready",
            about="The tasks that wait to be run, what starts first first.",
            takes={},
            call=asked.command("queue", lambda _given: ["list", "pending"]),
            reads=True,
        ),
        Tool(
            name="show",
            about="One task: what is wanted, where it is, what it waits for, its questions. "
            "Without a task: what goes on, and what to do next.",
            takes={"task": _ID},
            call=lambda given, caller: (
                asked.command("task", lambda g: ["show", "--", g["task"]])(given, caller)
                if "task" in given
                else asked.command("status", lambda _given: [])(given, caller)
            ),
            reads=True,
        ),
        Tool(
            name="add",
            about="Queue a task for an agent.",
            takes={
                "title": text("One line.", 500),
                "prompt": text("What the agent is asked to do.", _LONG),
                "agent": text("Which agent; default: as configured.", _NAME),
                "needs": {
                    "type": "array",
                    "items": text("A task that must have landed before.", _NAME),
                    "maxItems": 50,
                    "description": "Ids of tasks.",
                },
                "hold": {"type": "boolean", "description": "Do not start it yet."},
            },
            needs=("title",),
            call=asked.command("queue", _add),
        ),
        Tool(
            name="answer",
            about="Answer a question of an agent; its task goes on. Only with what the person who "
            "you work for has said.",
            takes={"blocker": _ID, "text": text("The answer.", 20_000)},
            needs=("blocker", "text"),
            call=asked.command("blocker", lambda g: ["answer", "--", g["blocker"], g["text"]]),
        ),
        Tool(
            name="review",
            about="What is in review; with a task, its result: gates, commits, files.",
            takes={"task": _ID},
            call=asked.command(
                "review", lambda g: ["show", "--", g["task"]] if "task" in g else ["list"]
            ),
            reads=True,
        ),
    ]


def _add(given: Mapping[str, Any]) -> list[str]:
    options = [f"--{name}={given[name]}" for name in ("prompt", "agent") if name in given]
    options += [f"--needs={need}" for need in given.get("needs", ())]
    if given.get("hold"):
        options.append("--hold")
    return ["add", *options, "--", given["title"]]


class _Kept(Output):
    """Keeps the one JSON object that a command prints."""

    def __init__(self) -> None:
        super().__init__(as_json=True, quiet=True, color=False)
        self.kept: Mapping[str, Any] = {}

    def show(self, data: Mapping[str, Any], text: object) -> None:  # noqa: ARG002 - JSON alone
        self.kept = json.loads(json.dumps({"schema": SCHEMA, **data}, default=str))


class _Asked:
    """Commands of one repository, as functions."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def command(
        self, noun: str, words: Callable[[Mapping[str, Any]], list[str]]
    ) -> Callable[[Mapping[str, Any], Caller], Mapping[str, Any]]:
        """Return what types ``gitcmat NOUN WORDS…`` and returns the JSON that it prints."""

        def call(given: Mapping[str, Any], _caller: Caller) -> Mapping[str, Any]:
            from gitcmat.cli.main import LazyGroup

            state = State(
                self._folder, as_json=True, quiet=True, no_input=True, color=False, through="mcp"
            )
            state.out = kept = _Kept()
            whole = LazyGroup("gitcmat")
            try:
                whole.main([noun, *words(given)], "gitcmat", obj=state, standalone_mode=False)
            except click.ClickException as error:
                raise Usage(error.format_message(), hint="see what the tool takes") from error
            return kept.kept

        return call
