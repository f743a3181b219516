"""Gemini: generateContent, and streamGenerateContent as events."""

from dataclasses import replace
from typing import Any, Final

from tests.support.fakemodel.asked import Asked, Body, Conversation, Refusal, event, pieces, texts
from tests.support.fakemodel.calls import named
from tests.support.fakemodel.scenario import Answer, Failure

NAME: Final = "gemini"
PATHS: Final = r"/v1beta/models/[\w.-]+:(generateContent|streamGenerateContent|countTokens)"
KEY_HEADERS: Final = ("x-goog-api-key",)

_REFUSALS: Final[dict[str, tuple[int, str, str]]] = {
    "bad_key": (400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    "overloaded": (503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    "server_error": (500, "INTERNAL", "An internal error has occurred. Please retry."),
}


def read(path: str, body: Body) -> Asked:
    """Understand a request."""
    conversation = Conversation()
    for message in body["contents"]:
        if message.get("role") == "model":
            conversation.replied()
            continue
        for part in message["parts"]:
            if "functionResponse" in part:
                conversation.gave(str(part["functionResponse"]["response"]))
        for text in texts(message["parts"]):
            conversation.said(text)
    tools = [
        function["name"]
        for tool in body.get("tools") or ()
        for function in tool.get("functionDeclarations") or ()
    ]
    model, _, verb = path.rpartition("/")[2].partition(":")
    asked = conversation.asked(body, dialect=NAME, model=model, tools=tools)
    routing = "responseJsonSchema" in body.get("generationConfig", {})
    return replace(
        asked,
        stream=verb == "streamGenerateContent",
        aside=routing or verb == "countTokens",
    )


def aside(asked: Asked, number: int) -> Body:
    """Answer the question which model to take, or for the number of tokens."""
    chosen = '{"reasoning": "as scripted", "model_choice": "flash"}'
    return {**whole(replace(asked, tools=()), Answer(chosen), number), "totalTokens": number}


def whole(asked: Asked, answer: Answer, number: int) -> Body:
    """Answer in one piece."""
    return _chunk(asked, answer, number, _parts(asked, answer), last=True)


def stream(asked: Asked, answer: Answer, number: int) -> list[bytes]:
    """Answer as events."""
    words = [{"text": piece} for piece in pieces(answer.text)]
    parts = [*words, *(part for part in _parts(asked, answer) if "text" not in part)]
    chunks = [_chunk(asked, answer, number, [part]) for part in parts]
    end = _chunk(asked, answer, number, [{"text": ""}], last=True)
    return [event(chunk) for chunk in (*chunks, end)]


def broken(failure: Failure) -> bytes:
    """Say inside of a stream that it failed."""
    return event(refuse(failure).body)


def refuse(failure: Failure) -> Refusal:
    """Say it over HTTP."""
    if failure.kind in _REFUSALS:
        status, word, text = _REFUSALS[failure.kind]
        return _refusal(status, word, text, [])
    daily = failure.kind != "rate_limit"
    quota = f"GenerateRequestsPer{'Day' if daily else 'Minute'}PerProjectPerModel-FreeTier"
    violation = {
        "quotaMetric": "generativelanguage.googleapis.com/generate_content_free_tier_requests",
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": "gemini-2.5-flash"},
        "quotaValue": "250" if daily else "10",
    }
    types = "type.googleapis.com/google.rpc"
    details: list[dict[str, Any]] = [
        {"@type": f"{types}.QuotaFailure", "violations": [violation]},
        {"@type": f"{types}.RetryInfo", "retryDelay": f"{failure.resets_in}s"},
    ]
    text = (
        "You exceeded your current quota, please check your plan and billing details. For more "
        "information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n"
        f"* Quota exceeded for metric: {violation['quotaMetric']}, "
        f"limit: {violation['quotaValue']}\nPlease retry in {failure.resets_in}s."
    )
    return _refusal(429, "RESOURCE_EXHAUSTED", text, details)


def _refusal(status: int, word: str, text: str, details: list[dict[str, Any]]) -> Refusal:
    error = {"code": status, "message": text, "status": word, "details": details}
    return Refusal(status, {"error": error}, {})


def _parts(asked: Asked, answer: Answer) -> list[dict[str, Any]]:
    words: list[dict[str, Any]] = [{"text": answer.text}] if answer.text else []
    calls = [
        {"functionCall": {"name": name, "args": arguments}}
        for name, arguments in named(asked, answer)
    ]
    return [*words, *calls]


def _chunk(
    asked: Asked, answer: Answer, number: int, parts: list[dict[str, Any]], *, last: bool = False
) -> dict[str, Any]:
    usage = answer.usage
    candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
    if last:
        candidate["finishReason"] = "STOP"
    return {
        "candidates": [candidate],
        "usageMetadata": {
            "promptTokenCount": usage.sent,
            "candidatesTokenCount": usage.output,
            "totalTokenCount": usage.sent + usage.output,
            "cachedContentTokenCount": usage.cache_read,
        },
        "modelVersion": asked.model,
        "responseId": f"gemini-{number:04}",
    }
