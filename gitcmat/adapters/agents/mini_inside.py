"""Runs inside of mini-swe-agent, in that program's interpreter: tells each message as a JSON line.

It is copied to where the program finds it, so it needs nothing but the standard library and that
program's own documented seam: any callable may stand for the class of its agent.
"""

import importlib
import json
import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_OURS = ("system", "user")
"""Who says what everybody knows already: the rules and the task."""


def telling(model: Any, env: Any, **settings: Any) -> Any:
    """Return the program's plain agent, which asks nobody; its task is the standard input."""
    _leave_no_trace()
    agent = importlib.import_module("minisweagent.agents.default").DefaultAgent(
        model, env, **settings
    )
    add, run = agent.add_messages, agent.run

    def add_messages(*messages: Mapping[str, Any]) -> Any:
        for message in messages:
            if message.get("role") not in _OURS or message.get("extra"):
                _tell(**_about(message))
        return add(*messages)

    def run_task(_task: str = "", **more: Any) -> Any:
        task = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        return run(task.encode("utf-8", "replace").decode(), **more)

    agent.add_messages, agent.run = add_messages, run_task
    logging.getLogger().addHandler(_Trouble(logging.WARNING))
    _tell(type="start", model=str(getattr(model.config, "model_name", "")))
    return agent


class _Trouble(logging.Handler):
    """Tells warnings: that it tries again, and why."""

    def emit(self, record: logging.LogRecord) -> None:
        _tell(type="trouble", text=record.getMessage())


def _about(message: Mapping[str, Any]) -> dict[str, Any]:
    """What of a message is news: neither the whole response nor all that a command printed."""
    extra = message.get("extra") or {}
    response = extra.get("response")
    usage = response.get("usage") if isinstance(response, Mapping) else None
    return {
        "type": str(message.get("role")),
        "text": message.get("content"),
        "commands": [str(action.get("command")) for action in extra.get("actions") or ()],
        "cost": extra.get("cost"),
        "usage": usage,
        "returncode": extra.get("returncode"),
        "status": extra.get("exit_status"),
        "submission": extra.get("submission"),
        "exception": extra.get("exception_str"),
    }


def _tell(**about: Any) -> None:
    told = {key: value for key, value in about.items() if value not in (None, "", [], {})}
    sys.stdout.write(f"{json.dumps(told, default=str)}\n")
    sys.stdout.flush()


def _leave_no_trace() -> None:
    """Take what led here out of the environment: commands of the agent are to find no more in it
    than anybody's.
    """
    here = Path(__file__).parent
    paths = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    left = [path for path in paths if path and Path(path) != here]
    os.environ.pop("PYTHONPATH", None)
    if left:
        os.environ["PYTHONPATH"] = os.pathsep.join(left)
