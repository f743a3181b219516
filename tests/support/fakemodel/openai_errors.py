"""How OpenAI refuses; the same for its two dialects."""

import time
from typing import Any

from tests.support.fakemodel.asked import Refusal
from tests.support.fakemodel.scenario import Failure


def refuse(failure: Failure) -> Refusal:
    """Say it over HTTP."""
    match failure.kind:
        case "rate_limit":
            text = (
                "Rate limit reached for fake-model in organization org-fake on tokens per min "
                "(TPM): Limit 30000, Used 29000, Requested 2000. Please try again in "
                f"{failure.resets_in}s. Visit https://platform.openai.com/account/rate-limits to "
                "learn more."
            )
            headers = {
                "retry-after": str(failure.resets_in),
                "x-ratelimit-limit-tokens": "30000",
                "x-ratelimit-remaining-tokens": "0",
                "x-ratelimit-reset-tokens": f"{failure.resets_in}s",
            }
            return _refusal(429, text, "tokens", "rate_limit_exceeded", headers)
        case "usage_limit":
            return _plan_used_up(failure.resets_in)
        case "spend_limit" | "no_credit":
            text = (
                "You exceeded your current quota, please check your plan and billing details. For "
                "more information on this error, read the docs: "
                "https://platform.openai.com/docs/guides/error-codes/api-errors."
            )
            return _refusal(429, text, "insufficient_quota", "insufficient_quota")
        case "bad_key":
            text = (
                "Incorrect API key provided: dummy. You can find your API key at "
                "https://platform.openai.com/account/api-keys."
            )
            return _refusal(401, text, "invalid_request_error", "invalid_api_key")
        case "overloaded":
            text = "Our servers are currently overloaded. Please try again later."
            return _refusal(503, text, "service_unavailable_error", "server_is_overloaded")
        case _:
            text = "The server had an error while processing your request. Sorry about that!"
            return _refusal(500, text, "server_error", "server_error")


def _plan_used_up(resets_in: int) -> Refusal:
    """What is said of a ChatGPT plan whose window of five hours is used up."""
    until = int(time.time()) + resets_in
    body = {
        "error": {
            "type": "usage_limit_reached",
            "message": "The usage limit has been reached",
            "plan_type": "plus",
            "resets_at": until,
            "resets_in_seconds": resets_in,
        }
    }
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(until),
    }
    return Refusal(429, body, headers)


def _refusal(
    status: int, text: str, kind: str, code: str, headers: dict[str, str] | None = None
) -> Refusal:
    error: dict[str, Any] = {"message": text, "type": kind, "param": None, "code": code}
    return Refusal(status, {"error": error}, headers or {})
