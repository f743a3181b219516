"""Anthropic Messages: what Claude Code speaks."""

import json
import time
from dataclasses import replace
from typing import Any, Final

from tests.support.fakemodel.asked import Asked, Body, Conversation, Refusal, event, pieces, texts
from tests.support.fakemodel.calls import named
from tests.support.fakemodel.moments import clock, date, iso
from tests.support.fakemodel.scenario import Answer, Failure

NAME: Final = "anthropic"
PATHS: Final = r"/v1/messages(/count_tokens)?"
KEY_HEADERS: Final = ("x-api-key", "authorization")


def read(path: str, body: Body) -> Asked:
    """Understand a request."""
    conversation = Conversation()
    for message in body["messages"]:
        if message["role"] == "assistant":
            conversation.replied()
        elif message["role"] == "user":
            for part in _parts(message["content"]):
                if part["type"] == "tool_result":
                    conversation.gave("\n".join(texts(part.get("content"))))
            for text in texts(message["content"]):
                conversation.said(text)
    tools = [tool["name"] for tool in body.get("tools", ())]
    asked = conversation.asked(body, dialect=NAME, model=body["model"], tools=tools)
    return replace(asked, aside=path != "/v1/messages")


def aside(_asked: Asked, number: int) -> Body:
    """Answer a request for the number of tokens."""
    return {"input_tokens": number}


def whole(asked: Asked, answer: Answer, number: int) -> Body:
    """Answer in one piece."""
    usage = {**_usage_before(answer), "output_tokens": answer.usage.output}
    return {**_message(asked, number), **_ended(asked, answer, number), "usage": usage}


def stream(asked: Asked, answer: Answer, number: int) -> list[bytes]:
    """Answer as events."""
    usage = {**_usage_before(answer), "output_tokens": 1}
    start = {**_message(asked, number), "content": [], "stop_reason": None, "usage": usage}
    events = [_event("message_start", message=start)]
    ended = _ended(asked, answer, number)
    for index, block in enumerate(ended["content"]):
        events += _block(index, block)
    delta = {"stop_reason": ended["stop_reason"], "stop_sequence": None}
    spent = {"output_tokens": answer.usage.output}
    return [*events, _event("message_delta", delta=delta, usage=spent), _event("message_stop")]


def broken(failure: Failure) -> bytes:
    """Say inside of a stream that it failed."""
    return event(refuse(failure).body, "error")


def refuse(failure: Failure) -> Refusal:
    """Say it over HTTP."""
    until = time.time() + failure.resets_in
    match failure.kind:
        case "rate_limit":
            limits = {
                "retry-after": str(failure.resets_in),
                "anthropic-ratelimit-input-tokens-limit": "30000",
                "anthropic-ratelimit-input-tokens-remaining": "0",
                "anthropic-ratelimit-input-tokens-reset": iso(until),
            }
            text = (
                "This request would exceed your organization's rate limit of 30,000 input tokens "
                "per minute. For details, refer to: https://docs.claude.com/en/api/rate-limits."
            )
            return _refusal(429, "rate_limit_error", text, limits)
        case "usage_limit":
            text = "This request would exceed your account's rate limit. Please try again later."
            return _refusal(429, "rate_limit_error", text, _plan_headers(failure, until))
        case "spend_limit":
            text = (
                "You have reached your specified API usage limits. You will regain access on "
                f"{date(until)} at {clock(until)} UTC."
            )
            return _refusal(400, "invalid_request_error", text)
        case "no_credit":
            text = (
                "Your credit balance is too low to access the Anthropic API. Please go to Plans & "
                "Billing to upgrade or purchase credits."
            )
            return _refusal(400, "invalid_request_error", text)
        case "bad_key":
            return _refusal(401, "authentication_error", "invalid x-api-key")
        case "overloaded":
            return _refusal(529, "overloaded_error", "Overloaded")
        case _:
            return _refusal(500, "api_error", "Internal server error")


def _plan_headers(failure: Failure, until: float) -> dict[str, str]:
    """What is said of a plan's window of five hours that is used up."""
    unified = "anthropic-ratelimit-unified"
    return {
        "retry-after": str(failure.resets_in),
        f"{unified}-status": "rejected",
        f"{unified}-reset": str(int(until)),
        f"{unified}-representative-claim": "five_hour",
        f"{unified}-5h-status": "rejected",
        f"{unified}-5h-reset": str(int(until)),
        f"{unified}-5h-utilization": "1.0",
        f"{unified}-overage-status": "rejected",
        f"{unified}-overage-disabled-reason": "org_level_disabled",
    }


def _refusal(status: int, kind: str, text: str, headers: dict[str, str] | None = None) -> Refusal:
    body = {"type": "error", "error": {"type": kind, "message": text}, "request_id": "req_fake"}
    return Refusal(status, body, headers or {})


def _message(asked: Asked, number: int) -> dict[str, Any]:
    return {
        "id": f"msg_{number:04}",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "stop_sequence": None,
    }


def _ended(asked: Asked, answer: Answer, number: int) -> dict[str, Any]:
    calls = named(asked, answer)
    content: list[dict[str, Any]] = [{"type": "text", "text": answer.text}] if answer.text else []
    content += [
        {"type": "tool_use", "id": f"toolu_{number:04}_{index}", "name": name, "input": arguments}
        for index, (name, arguments) in enumerate(calls)
    ]
    return {"content": content, "stop_reason": "tool_use" if calls else "end_turn"}


def _usage_before(answer: Answer) -> dict[str, int]:
    usage = answer.usage
    return {
        "input_tokens": usage.input,
        "cache_creation_input_tokens": usage.cache_write,
        "cache_read_input_tokens": usage.cache_read,
    }


def _block(index: int, block: dict[str, Any]) -> list[bytes]:
    """Return the events of one block of the content."""
    if block["type"] == "text":
        empty = {**block, "text": ""}
        deltas = [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
    else:
        empty = {**block, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": json.dumps(block["input"])}]
    return [
        _event("content_block_start", index=index, content_block=empty),
        *(_event("content_block_delta", index=index, delta=delta) for delta in deltas),
        _event("content_block_stop", index=index),
    ]


def _event(kind: str, **values: Any) -> bytes:
    return event({"type": kind, **values}, kind)


def _parts(content: Any) -> list[dict[str, Any]]:
    return [] if isinstance(content, str) else list(content)
