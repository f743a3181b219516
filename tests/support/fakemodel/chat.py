"""OpenAI chat completions: what opencode, aider and mini-swe-agent speak."""

import json
from dataclasses import replace
from typing import Any, Final

from tests.support.fakemodel import openai_errors
from tests.support.fakemodel.asked import Asked, Body, Conversation, Refusal, event, pieces, texts
from tests.support.fakemodel.calls import in_words, named
from tests.support.fakemodel.scenario import Answer, Failure

NAME: Final = "chat"
PATHS: Final = r"/v1/chat/completions"
KEY_HEADERS: Final = ("authorization",)

_TITLES: Final = "title generator"
"""In the words of opencode's request for a title, which comes before the work."""


def read(_path: str, body: Body) -> Asked:
    """Understand a request."""
    conversation = Conversation()
    rules = ""
    for message in body["messages"]:
        match message["role"]:
            case "system" | "developer":
                rules += "\n".join(texts(message["content"]))
            case "assistant":
                conversation.replied()
            case "tool":
                conversation.gave("\n".join(texts(message["content"])))
            case _:
                for text in texts(message["content"]):
                    conversation.said(text)
    tools = [tool["function"]["name"] for tool in body.get("tools") or ()]
    asked = conversation.asked(body, dialect=NAME, model=body["model"], tools=tools)
    return replace(asked, aside=not tools and _TITLES in rules)


def aside(asked: Asked, number: int) -> Body:
    """Answer a request for a title."""
    return whole(asked, Answer("A title"), number)


def whole(asked: Asked, answer: Answer, number: int) -> Body:
    """Answer in one piece."""
    message: dict[str, Any] = {"role": "assistant", "content": in_words(asked, answer) or None}
    calls = _calls(asked, answer, number)
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    about = _about(asked, number, "chat.completion")
    return {**about, "choices": [choice], "usage": _usage(answer)}


def stream(asked: Asked, answer: Answer, number: int) -> list[bytes]:
    """Answer as events."""
    calls = _calls(asked, answer, number)
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": piece} for piece in pieces(in_words(asked, answer))]
    deltas += [{"tool_calls": [call]} for call in calls]
    about = _about(asked, number, "chat.completion.chunk")
    end = {"index": 0, "delta": {}, "finish_reason": "tool_calls" if calls else "stop"}
    chunks = [
        *({"index": 0, "delta": delta, "finish_reason": None} for delta in deltas),
        end,
    ]
    return [
        *(event({**about, "choices": [chunk]}) for chunk in chunks),
        event({**about, "choices": [], "usage": _usage(answer)}),
        b"data: [DONE]\n\n",
    ]


def broken(failure: Failure) -> bytes:
    """Say inside of a stream that it failed."""
    return event(refuse(failure).body)


def refuse(failure: Failure) -> Refusal:
    """Say it over HTTP."""
    return openai_errors.refuse(failure)


def _about(asked: Asked, number: int, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{number:04}", "object": kind, "created": 0, "model": asked.model}


def _calls(asked: Asked, answer: Answer, number: int) -> list[dict[str, Any]]:
    return [
        {
            "index": index,
            "id": f"call_{number:04}_{index}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for index, (name, arguments) in enumerate(named(asked, answer))
    ]


def _usage(answer: Answer) -> dict[str, Any]:
    usage = answer.usage
    return {
        "prompt_tokens": usage.sent,
        "completion_tokens": usage.output,
        "total_tokens": usage.sent + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
    }
