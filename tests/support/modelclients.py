"""Small clients of the four APIs, written from their documentation and not from the fake model."""

import contextlib
import http.client
import json
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from tests.support.fakemodel.model import KEY

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, as all of the APIs mean it."""

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    text: str = ""
    calls: tuple[tuple[str, Body], ...] = ()
    usage: tuple[int, int, int] = (0, 0, 0)
    """Tokens sent, of those read from a cache, and received."""
    error: str = ""
    broken: bool = False
    """The connection ended before the answer did."""


@dataclass
class Client:
    """A conversation in one dialect."""

    port: int
    stream: bool = True
    tools: tuple[str, ...] = ("Bash", "Write")
    key: str = KEY
    host: str = ""
    messages: list[Body] = field(default_factory=list)
    calls: int = 0

    path: ClassVar = ""
    key_header: ClassVar = "authorization"

    def say(self, prompt: str) -> Reply:
        """Send words of a person."""
        self.messages.append(self.prompt(prompt))
        return self.send()

    def give(self, result: str) -> Reply:
        """Send what a tool gave back."""
        self.messages.append(self.result(result))
        return self.send()

    def send(self) -> Reply:
        """Send the conversation as it is; an answer becomes part of it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        bearer = "Bearer " if self.key_header == "authorization" else ""
        headers = {self.key_header: f"{bearer}{self.key}", "content-type": "application/json"}
        if self.host:
            headers["host"] = self.host
        with contextlib.closing(connection):
            connection.request("POST", self.address, json.dumps(self.body()), headers)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            try:
                data = answer.read()
            except http.client.IncompleteRead:
                return Reply(answer.status, found, broken=True)
        if answer.status != 200:
            return Reply(answer.status, found, error=json.loads(data)["error"]["message"])
        text, calls, usage, error = self.parse(self._events(data))
        self.messages += self.replied(text, calls)
        return Reply(answer.status, found, text, tuple(calls), usage, error)

    def _events(self, data: bytes) -> list[Body]:
        if not self.stream:
            return [json.loads(data)]
        lines = (line.removeprefix(b"data: ") for line in data.splitlines() if line[:5] == b"data:")
        return [json.loads(line) for line in lines if line != b"[DONE]"]

    @property
    def address(self) -> str:
        """The path, with its query."""
        return self.path

    def body(self) -> Body:
        """Return the body of a request."""
        raise NotImplementedError

    def prompt(self, text: str) -> Body:
        """Return words of a person as a message."""
        return {"role": "user", "content": text}

    def result(self, text: str) -> Body:
        """Return the result of the last call as a message."""
        raise NotImplementedError

    def replied(self, text: str, calls: list[tuple[str, Body]]) -> list[Body]:
        """Return an answer as messages."""
        raise NotImplementedError

    def parse(self, events: list[Body]) -> "Parsed":
        """Return what the events of an answer, or its whole, mean."""
        raise NotImplementedError


Parsed = tuple[str, list[tuple[str, Body]], tuple[int, int, int], str]
"""Text, calls, usage and error."""


class Anthropic(Client):
    """Messages."""

    path = "/v1/messages?beta=true"
    key_header = "x-api-key"

    def body(self) -> Body:
        tools = [{"name": name, "input_schema": {}} for name in self.tools]
        return {"model": "m", "messages": self.messages, "tools": tools, "stream": self.stream}

    def result(self, text: str) -> Body:
        part = {"type": "tool_result", "tool_use_id": "toolu_x", "content": text}
        return {"role": "user", "content": [part]}

    def replied(self, text: str, calls: list[tuple[str, Body]]) -> list[Body]:
        uses = [{"type": "tool_use", "id": "x", "name": n, "input": a} for n, a in calls]
        return [{"role": "assistant", "content": [{"type": "text", "text": text}, *uses]}]

    def parse(self, events: list[Body]) -> Parsed:
        if not self.stream:
            (message,) = events
            texts = [part["text"] for part in message["content"] if part["type"] == "text"]
            calls = [(p["name"], p["input"]) for p in message["content"] if p["type"] == "tool_use"]
            return "".join(texts), calls, self._usage(message["usage"]), ""
        text, error, usage, named = "", "", dict[str, int](), list[list[str]]()
        for event in events:
            match event:
                case {"type": "message_start", "message": message}:
                    usage.update(message["usage"])
                case {"type": "content_block_start", "content_block": {"name": name}}:
                    named.append([name, ""])
                case {"type": "content_block_delta", "delta": {"text": piece}}:
                    text += piece
                case {"type": "content_block_delta", "delta": {"partial_json": piece}}:
                    named[-1][1] += piece
                case {"type": "message_delta", "usage": spent}:
                    usage.update(spent)
                case {"type": "error", "error": said}:
                    error = said["message"]
                case _:
                    pass
        return text, [(name, json.loads(a)) for name, a in named], self._usage(usage), error

    def _usage(self, usage: Body) -> tuple[int, int, int]:
        cached = usage["cache_read_input_tokens"]
        sent = usage["input_tokens"] + usage["cache_creation_input_tokens"] + cached
        return sent, cached, usage["output_tokens"]


class Responses(Client):
    """OpenAI Responses."""

    path = "/v1/responses"

    def body(self) -> Body:
        tools = [{"type": "function", "name": name} for name in self.tools]
        return {"model": "m", "input": self.messages, "tools": tools, "stream": self.stream}

    def result(self, text: str) -> Body:
        return {"type": "function_call_output", "call_id": "x", "output": text}

    def replied(self, text: str, calls: list[tuple[str, Body]]) -> list[Body]:
        said = {"role": "assistant", "content": [{"type": "output_text", "text": text}]}
        made = [
            {"type": "function_call", "call_id": "x", "name": n, "arguments": json.dumps(a)}
            for n, a in calls
        ]
        return [said, *made]

    def parse(self, events: list[Body]) -> Parsed:
        last = events[-1]["response"] if self.stream else events[0]
        if last["status"] == "failed":
            return "", [], (0, 0, 0), last["error"]["message"]
        done = [e["item"] for e in events if e.get("type") == "response.output_item.done"]
        assert not self.stream or done == last["output"]
        text, calls, usage = "", list[tuple[str, Body]](), last["usage"]
        for item in last["output"]:
            if item["type"] == "message":
                text += "".join(part["text"] for part in item["content"])
            else:
                calls.append((item["name"], json.loads(item["arguments"])))
        sent, cached = usage["input_tokens"], usage["input_tokens_details"]["cached_tokens"]
        return text, calls, (sent, cached, usage["output_tokens"]), ""


class Chat(Client):
    """OpenAI chat completions."""

    path = "/v1/chat/completions"

    def body(self) -> Body:
        tools = [{"type": "function", "function": {"name": name}} for name in self.tools]
        return {"model": "m", "messages": self.messages, "tools": tools, "stream": self.stream}

    def result(self, text: str) -> Body:
        return {"role": "tool", "tool_call_id": "x", "content": text}

    def replied(self, text: str, calls: list[tuple[str, Body]]) -> list[Body]:
        made = [
            {"id": "x", "type": "function", "function": {"name": n, "arguments": json.dumps(a)}}
            for n, a in calls
        ]
        return [{"role": "assistant", "content": text or None, "tool_calls": made}]

    def parse(self, events: list[Body]) -> Parsed:
        text, error, usage, calls = "", "", (0, 0, 0), list[tuple[str, Body]]()
        for event in events:
            error = event.get("error", {}).get("message", error)
            for choice in event.get("choices", ()):
                message = choice.get("delta") or choice.get("message") or {}
                text += message.get("content") or ""
                for call in message.get("tool_calls", ()):
                    function = call["function"]
                    calls.append((function["name"], json.loads(function["arguments"])))
            if spent := event.get("usage"):
                cached = spent["prompt_tokens_details"]["cached_tokens"]
                usage = (spent["prompt_tokens"], cached, spent["completion_tokens"])
        return text, calls, usage, error


class Gemini(Client):
    """Gemini's generateContent."""

    key_header = "x-goog-api-key"

    @property
    def address(self) -> str:
        verb = "streamGenerateContent?alt=sse" if self.stream else "generateContent"
        return f"/v1beta/models/gemini-2.5-flash:{verb}"

    def body(self) -> Body:
        functions = [{"name": name} for name in self.tools]
        return {"contents": self.messages, "tools": [{"functionDeclarations": functions}]}

    def prompt(self, text: str) -> Body:
        return {"role": "user", "parts": [{"text": text}]}

    def result(self, text: str) -> Body:
        given = {"name": "x", "response": {"output": text}}
        return {"role": "user", "parts": [{"functionResponse": given}]}

    def replied(self, text: str, calls: list[tuple[str, Body]]) -> list[Body]:
        made = [{"functionCall": {"name": n, "args": a}} for n, a in calls]
        return [{"role": "model", "parts": [{"text": text}, *made]}]

    def parse(self, events: list[Body]) -> Parsed:
        text, error, usage, calls = "", "", (0, 0, 0), list[tuple[str, Body]]()
        for event in events:
            error = event.get("error", {}).get("message", error)
            for candidate in event.get("candidates", ()):
                for part in candidate["content"]["parts"]:
                    text += part.get("text", "")
                    if call := part.get("functionCall"):
                        calls.append((call["name"], call["args"]))
            if spent := event.get("usageMetadata"):
                cached = spent["cachedContentTokenCount"]
                usage = (spent["promptTokenCount"], cached, spent["candidatesTokenCount"])
        return text, calls, usage, error


CLIENTS: Final = {"anthropic": Anthropic, "chat": Chat, "gemini": Gemini, "responses": Responses}
