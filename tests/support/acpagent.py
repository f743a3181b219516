"""A small agent that speaks the Agent Client Protocol and does what its prompt says.

A line ``acp: [...]`` of the prompt is one step; a prompt without any has it do the session's last
steps again. It keeps its sessions in ``~/.acpagent``. Argument ``forgetful``: it has none to go on
with; ``login``: it wants a login; ``odd``: it answers with another version; ``loads``: it can load
sessions and not resume them, telling what was said in them again.

Steps: say TEXT · think TEXT · ask KIND WHAT [PATH] · call KIND TITLE · read PATH ·
write PATH TEXT · spend USD · error CODE MESSAGE [DATA] · stop REASON · die CODE · print LINE ·
wait · hang · server.
"""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, Final, NoReturn

MODES: Final = frozenset(sys.argv[1:])
HOME: Final = Path.home() / ".acpagent"


class Cancelled(Exception):
    """The client wants the turn to end."""


class Refused(Exception):
    """An error to be the answer."""

    def __init__(self, code: int, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.error = {"code": code, "message": message, "data": data}


class Agent:
    def __init__(self) -> None:
        self.session = ""
        self.servers: list[Any] = []
        self.number = 0
        self.calls = 0
        self.turns = 0

    def serve(self) -> None:
        while True:
            message = receive()
            if "method" not in message or "id" not in message:
                continue
            try:
                result = self.answer(message["method"], message.get("params") or {})
            except Refused as error:
                send({"id": message["id"], "error": error.error})
            else:
                send({"id": message["id"], "result": result})

    def answer(self, method: str, params: dict[str, Any]) -> Any:
        match method:
            case "initialize":
                able: dict[str, Any] = {}
                if "forgetful" not in MODES:
                    able = {"loadSession": True, "sessionCapabilities": {"resume": {}}}
                if "loads" in MODES:
                    able.pop("sessionCapabilities")
                return {
                    "protocolVersion": 7 if "odd" in MODES else 1,
                    "agentCapabilities": able,
                    "agentInfo": {"name": "small", "version": "1"},
                }
            case "session/new":
                if "login" in MODES:
                    raise Refused(-32000, "Authentication required")
                self.session = f"sess:{os.getpid()}.{time.monotonic_ns()}"
                self.servers = params["mcpServers"]
                self.keep([])
                model = {"id": "model", "name": "Model", "category": "model", "type": "select"}
                options = [{"value": name, "name": name} for name in ("large", "small")]
                chosen = {**model, "currentValue": "large", "options": options}
                return {"sessionId": self.session, "configOptions": [chosen]}
            case "session/set_config_option":
                sys.stderr.write(f"model {params['value']}\n")
                return {"configOptions": []}
            case "session/load" | "session/resume":
                self.session = params["sessionId"]
                if not self.file.exists():
                    raise Refused(-32002, "Resource not found")
                if method == "session/load":
                    self.say("What I said before.")
                return {}
            case "session/prompt":
                return self.prompt(params["prompt"][0]["text"])
            case _:
                raise Refused(-32601, "Method not found")

    @property
    def file(self) -> Path:
        return HOME / f"{self.session.replace(':', '-')}.json"

    def keep(self, steps: list[Any]) -> None:
        HOME.mkdir(exist_ok=True)
        self.file.write_text(json.dumps(steps), encoding="utf-8")

    def prompt(self, text: str) -> dict[str, Any]:
        found = [line[5:] for line in text.splitlines() if line.startswith("acp: ")]
        steps = [json.loads(line) for line in found]
        if steps:
            self.keep(steps)
        else:
            steps = json.loads(self.file.read_text(encoding="utf-8"))
            self.say(f"I go on. {len(text)} characters are new. ")
        try:
            for name, *about in steps:
                stop = getattr(self, name)(*about)
                if stop:
                    return {"stopReason": stop}
        except Cancelled:
            return {"stopReason": "cancelled"}
        return {"stopReason": "end_turn"}

    def say(self, text: str) -> None:
        for word in text.split(" "):
            content = {"type": "text", "text": f"{word} "}
            self.update("agent_message_chunk", content=content, messageId=f"m{self.calls}")

    def think(self, text: str) -> None:
        self.update("agent_thought_chunk", content={"type": "text", "text": text})

    def call(self, kind: str, title: str) -> None:
        self.calls += 1
        number = f"call-{self.calls}"
        about = {"toolCallId": number, "kind": kind, "title": title}
        self.update("tool_call", **about, status="in_progress")
        self.update("tool_call_update", toolCallId=number, status="completed")

    def ask(self, kind: str, what: str, path: str = "") -> None:
        self.calls += 1
        number = f"call-{self.calls}"
        about: dict[str, Any] = {"toolCallId": number, "kind": kind, "title": what}
        if path:
            about["locations"] = [{"path": str(Path.cwd() / path)}]
        self.update("tool_call", **about, status="pending", rawInput={"command": what})
        options = [
            {"optionId": "always", "name": "Always", "kind": "allow_always"},
            {"optionId": "yes", "name": "Yes", "kind": "allow_once"},
            {"optionId": "no", "name": "No", "kind": "reject_once"},
        ]
        asked = {"toolCall": {"toolCallId": number}, "options": options}
        outcome = self.request("session/request_permission", asked)["result"]["outcome"]
        if outcome["outcome"] == "cancelled":
            raise Cancelled
        allowed = outcome["optionId"] == "yes"
        status = "completed" if allowed else "failed"
        self.update("tool_call_update", toolCallId=number, status=status)
        if allowed and kind == "execute":
            (Path.cwd() / "ran.txt").write_text(f"{what}\n", encoding="utf-8")
        self.say(f"{'Did' if allowed else 'May not do'} {what}.")

    def read(self, path: str) -> None:
        answer = self.request("fs/read_text_file", {"path": str(Path.cwd() / path)})
        self.say(f"Read {answer.get('result', answer.get('error'))}.")

    def write(self, path: str, text: str) -> None:
        about = {"path": str(Path.cwd() / path), "content": text}
        answer = self.request("fs/write_text_file", about)
        self.say(f"Wrote {answer.get('result', answer.get('error'))}.")

    def spend(self, usd: float) -> None:
        self.update("usage_update", used=10, size=1000, cost={"amount": usd, "currency": "USD"})

    def server(self) -> None:
        self.say(f"Servers: {json.dumps(self.servers)}")

    def error(self, code: int, message: str, data: Any = None) -> NoReturn:
        raise Refused(code, message, data)

    def stop(self, reason: str) -> str:
        return reason

    def die(self, code: int) -> NoReturn:
        sys.stderr.write("something broke\n")
        os._exit(code)

    def print(self, line: str) -> None:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def wait(self) -> NoReturn:
        self.say("Waiting.")
        while receive().get("method") != "session/cancel":
            pass
        Path("cancelled.txt").touch()
        raise Cancelled

    def hang(self) -> NoReturn:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        self.say("Hanging.")
        while True:
            time.sleep(1)

    def update(self, what: str, **about: Any) -> None:
        params = {"sessionId": self.session, "update": {"sessionUpdate": what, **about}}
        send({"method": "session/update", "params": params})

    def request(self, method: str, params: dict[str, Any]) -> dict[str, Any]:
        self.number += 1
        number = f"agent-{self.number}"
        send({"id": number, "method": method, "params": {"sessionId": self.session, **params}})
        while True:
            message = receive()
            if message.get("id") == number and "method" not in message:
                return message


def receive() -> dict[str, Any]:
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    message: dict[str, Any] = json.loads(line)
    return message


def send(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    Agent().serve()
