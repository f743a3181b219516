"""OpenAI Responses: what codex speaks."""

import json
from typing import Any, Final

from tests.support.fakemodel import openai_errors
from tests.support.fakemodel.asked import Asked, Body, Conversation, Refusal, event, pieces, texts
from tests.support.fakemodel.calls import named
from tests.support.fakemodel.scenario import Answer, Failure

NAME: Final = "responses"
PATHS: Final = r"/v1/responses"
KEY_HEADERS: Final = ("authorization",)


def read(_path: str, body: Body) -> Asked:
    """Understand a request."""
    conversation = Conversation()
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    for item in items:
        match item:
            case {"role": "user", "content": content}:
                for text in texts(content):
                    conversation.said(text)
            case {"role": "assistant"} | {
                "type": "function_call" | "custom_tool_call" | "local_shell_call" | "reasoning"
            }:
                conversation.replied()
            case {"type": "function_call_output" | "custom_tool_call_output", "output": output}:
                conversation.gave("\n".join(texts(output)))
            case _:
                pass
    return conversation.asked(
        body, dialect=NAME, model=body["model"], tools=_names(body.get("tools", ()))
    )


def aside(_asked: Asked, _number: int) -> Body:
    """Answer what is beside the work; nothing of that is known in this dialect."""
    return {}


def whole(asked: Asked, answer: Answer, number: int) -> Body:
    """Answer in one piece."""
    return _response(asked, answer, number, "completed", _items(asked, answer, number))


def stream(asked: Asked, answer: Answer, number: int) -> list[bytes]:
    """Answer as events."""
    begun = _response(asked, answer, number, "in_progress", [])
    events = [_event("response.created", response=begun)]
    items = _items(asked, answer, number)
    for index, item in enumerate(items):
        events.append(_event("response.output_item.added", output_index=index, item=item))
        if item["type"] == "message":
            events += [
                _event(
                    "response.output_text.delta",
                    item_id=item["id"],
                    output_index=index,
                    content_index=0,
                    delta=piece,
                )
                for piece in pieces(item["content"][0]["text"])
            ]
        events.append(_event("response.output_item.done", output_index=index, item=item))
    ended = _response(asked, answer, number, "completed", items)
    return [*events, _event("response.completed", response=ended)]


def broken(failure: Failure) -> bytes:
    """Say inside of a stream that it failed."""
    error = refuse(failure).body["error"]
    said = {"code": error.get("code") or error["type"], "message": error["message"]}
    failed = {"id": "resp_failed", "object": "response", "status": "failed", "error": said}
    return _event("response.failed", response=failed)


def refuse(failure: Failure) -> Refusal:
    """Say it over HTTP."""
    return openai_errors.refuse(failure)


def _names(tools: Any) -> list[str]:
    """Return the tools' names; those of a namespace behind its name and a slash."""
    names = []
    for tool in tools:
        if tool["type"] == "namespace":
            names += [f"{tool['name']}/{inner}" for inner in _names(tool["tools"])]
        elif "name" in tool:
            names.append(tool["name"])
    return names


def _items(asked: Asked, answer: Answer, number: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if answer.text:
        content = [{"type": "output_text", "text": answer.text, "annotations": []}]
        items.append(
            {
                "type": "message",
                "id": f"msg_{number:04}",
                "status": "completed",
                "role": "assistant",
                "content": content,
            }
        )
    for index, (name, arguments) in enumerate(named(asked, answer)):
        items.append(_call(f"{number:04}_{index}", name, arguments))
    return items


def _call(number: str, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    ids = {"id": f"fc_{number}", "call_id": f"call_{number}", "status": "completed"}
    if name == "apply_patch":
        return {"type": "custom_tool_call", **ids, "name": name, "input": arguments["input"]}
    space, _, short = name.rpartition("/")
    call = {"type": "function_call", **ids, "name": short, "arguments": json.dumps(arguments)}
    return {**call, "namespace": space} if space else call


def _response(
    asked: Asked, answer: Answer, number: int, status: str, items: list[dict[str, Any]]
) -> dict[str, Any]:
    usage = answer.usage
    spent = {
        "input_tokens": usage.sent,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.sent + usage.output,
    }
    return {
        "id": f"resp_{number:04}",
        "object": "response",
        "model": asked.model,
        "status": status,
        "output": items,
        "usage": spent if status == "completed" else None,
    }


def _event(kind: str, **values: Any) -> bytes:
    return event({"type": kind, **values}, kind)
