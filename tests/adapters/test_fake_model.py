"""The fake model says the same in every dialect, and lets nothing pass that must not happen."""

import http.client
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.support.fakemodel.model import KEY
from tests.support.fakemodel.scenario import (
    Answer,
    Failure,
    Run,
    Script,
    Usage,
    Use,
    Write,
    scripts_of,
)
from tests.support.fakemodel.server import FakeModel
from tests.support.modelclients import CLIENTS, Anthropic, Chat, Client, Reply, Responses
from tests.support.wait import until

WORK: Final = Script(
    (
        Answer("I look.", (Run("ls"), Write("a.txt", "one\n"))),
        Answer("Done.", usage=Usage(50, 7, 1000, 200)),
    )
)


@pytest.fixture(params=sorted(CLIENTS))
def kind(request: pytest.FixtureRequest) -> type[Client]:
    return CLIENTS[request.param]


@pytest.mark.parametrize("stream", [True, False])
def test_text_calls_and_usage_come_in_every_dialect(kind: type[Client], *, stream: bool) -> None:
    with FakeModel(WORK) as model:
        client = kind(model.port, stream)
        first = client.say("Do it.")
        second = client.give("a.txt")
    assert first.text == "I look."
    assert [(name, "ls" in str(arguments)) for name, arguments in first.calls] == [
        ("Bash", True),
        ("Write", False),
    ]
    assert first.calls[1][1] == {"file_path": "a.txt", "content": "one\n"}
    assert (second.text, second.calls) == ("Done.", ())
    assert (first.usage, second.usage) == ((100, 0, 20), (1250, 1000, 7))
    assert [(asked.turn, asked.prompt) for asked in model.asked] == [(0, "Do it."), (1, "Do it.")]
    assert "a.txt" in model.asked[1].results[0]


@pytest.mark.parametrize(
    ("failure", "statuses"),
    [
        ("bad_key", {400, 401}),
        ("no_credit", {400, 429}),
        ("overloaded", {503, 529}),
        ("rate_limit", {429}),
        ("server_error", {500}),
        ("spend_limit", {400, 429}),
        ("usage_limit", {429}),
    ],
)
def test_a_failure_comes_as_often_as_it_should(
    kind: type[Client], failure: str, statuses: set[int]
) -> None:
    with FakeModel(Script((Answer("At last.", failure=Failure(failure, times=2)),))) as model:
        client = kind(model.port)
        replies = [client.say("Do it."), client.send(), client.send()]
    assert {reply.status for reply in replies[:2]} <= statuses
    assert all(reply.error for reply in replies[:2])
    assert replies[2].text == "At last."


def test_a_failure_in_the_middle_of_a_stream_is_told_there(kind: type[Client]) -> None:
    failure = Failure("overloaded", midway=True)
    with FakeModel(Script((Answer("Some words.", failure=failure),))) as model:
        reply = kind(model.port).say("Do it.")
    assert reply.status == 200
    assert "overloaded" in reply.error.lower()


def test_a_limit_says_when_it_passes() -> None:
    script = Script((Answer(failure=Failure("usage_limit", resets_in=7200)),))
    with FakeModel(script) as model:
        plan = Anthropic(model.port).say("Do it.").headers
        Responses(model.port).say("Do it.")
    assert plan["retry-after"] == "7200"
    assert plan["anthropic-ratelimit-unified-status"] == "rejected"
    assert int(plan["anthropic-ratelimit-unified-reset"]) > 1_700_000_000


@pytest.mark.parametrize("stream", [True, False])
def test_a_broken_answer_can_be_told_from_a_whole_one(kind: type[Client], *, stream: bool) -> None:
    with FakeModel(Script((Answer("Some words.", breaks=True),))) as model:
        assert kind(model.port, stream).say("Do it.").broken


def test_an_answer_hangs_until_it_is_released(kind: type[Client]) -> None:
    replies: list[Reply] = []
    with FakeModel(Script((Answer("Some words.", hangs=True),))) as model:
        client = kind(model.port)
        asking = threading.Thread(target=lambda: replies.append(client.say("Do it.")))
        asking.start()
        until(lambda: model.hanging == 1, what="the answer to hang")
        assert replies == []
        model.release()
        asking.join()
    assert [reply.text for reply in replies] == ["Some words."]


def test_each_prompt_has_its_own_script_and_begins_at_its_first_turn(kind: type[Client]) -> None:
    scripts = (
        Script((Answer("Blue it is."),), asks="Blue"),
        Script((Answer("", (Run("ls"),)), Answer("Which colour?")), asks="Paint"),
    )
    with FakeModel(*scripts) as model:
        client = kind(model.port)
        client.say("Paint it.")
        assert client.give("nothing").text == "Which colour?"
        assert client.say("Blue.").text == "Blue it is."
    assert [(asked.turn, asked.prompts) for asked in model.asked] == [(0, 1), (1, 1), (0, 2)]


def test_accounts_are_told_apart_by_their_keys(kind: type[Client]) -> None:
    scripts = (
        Script((Answer(failure=Failure("rate_limit")),), account="spent"),
        Script((Answer("Here."),)),
    )
    with FakeModel(*scripts) as model:
        assert kind(model.port, key=f"{KEY}-spent").say("Do it.").status == 429
        assert kind(model.port, key=f"{KEY}-other").say("Do it.").text == "Here."


def test_what_a_client_adds_to_a_prompt_is_no_prompt(kind: type[Client]) -> None:
    with FakeModel(WORK) as model:
        client = kind(model.port)
        client.messages.append(client.prompt("<reminder>\nBe good.\n</reminder>"))
        client.say("Do it.")
        client.messages.append(client.result("a.txt"))
        client.messages.append(client.prompt("<reminder>\nBe good.\n</reminder>"))
        assert client.send().text == "Done."


@pytest.mark.parametrize(
    ("offered", "call", "wanted"),
    [
        ("exec_command", Run("ls"), {"cmd": "ls"}),
        ("shell", Run("ls"), {"command": ["bash", "-lc", "ls"]}),
        ("run_shell_command", Run("ls"), {"command": "ls"}),
        ("write", Write("a", "x"), {"filePath": "a", "content": "x"}),
        ("write_file", Write("a", "x"), {"file_path": "a", "content": "x"}),
        ("mcp__gitcmat__ask", Use("ask", {"question": "Why?"}), {"question": "Why?"}),
        (
            "exec_command",
            Write("a", "x\n"),
            {
                "cmd": "apply_patch <<'PATCH'\n*** Begin Patch\n*** Add File: a\n+x\n"
                "*** End Patch\nPATCH"
            },
        ),
    ],
)
def test_a_call_takes_the_tool_that_is_offered(
    offered: str, call: Run | Write | Use, wanted: dict[str, object]
) -> None:
    with FakeModel(Script((Answer("", (call,)),))) as model:
        reply = Responses(model.port, tools=(offered,)).say("Do it.")
    assert reply.calls == ((offered, wanted),)


def test_a_client_without_tools_gets_files_in_words() -> None:
    with FakeModel(Script((Answer("Here:", (Write("a.txt", "x\n"),)),))) as model:
        reply = Chat(model.port, tools=()).say("Do it.")
    assert reply.text == "Here:\na.txt\n```\nx\n```\n"


def test_a_file_is_written_where_the_client_works() -> None:
    with FakeModel(Script((Answer("", (Write("a.txt", "x"),)),))) as model:
        client = Anthropic(model.port)
        client.messages.append({"role": "system", "content": " - Primary working directory: /w\n"})
        reply = client.say("Do it.")
    assert reply.calls[0][1]["file_path"] == "/w/a.txt"


def _get(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/v1/models", headers={"host": "h"})
    connection.getresponse().read()
    connection.close()


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (_get, "a request that nobody expects: GET /v1/models at h"),
        (
            lambda port: Chat(port, host="api.openai.com").say("Do it."),
            "a request that nobody expects: POST /v1/chat/completions at api.openai.com",
        ),
        (
            lambda port: Anthropic(port, key="sk-ant-real").say("Do it."),
            "the header x-api-key came with something else than a dummy key",
        ),
        (
            lambda port: Chat(port).say("Something else."),
            "chat: no script for the prompt 'Something else.' ('')",
        ),
        (
            lambda port: Responses(port, tools=()).say("Do it."),
            "",
        ),
        (
            lambda port: Responses(port, tools=("view",)).say("Ask."),
            "responses: no tool 'ask' among ('view',)",
        ),
    ],
)
def test_what_must_not_happen_fails_the_test(act: Callable[[int], object], complaint: str) -> None:
    model = FakeModel(
        Script((Answer("", (Run("ls"),)),), asks="Do it."),
        Script((Answer("", (Use("ask", {}),)),), asks="Ask."),
    )
    with model:
        act(model.port)
        found, model.wrong = model.wrong, []
    assert found == ([complaint] if complaint else [])


def test_a_test_fails_by_itself_when_something_was_wrong() -> None:
    with (
        pytest.raises(AssertionError, match="nobody expects: GET /v1/models"),
        FakeModel() as model,
    ):
        _get(model.port)


def test_a_turn_that_no_script_has_is_wrong(kind: type[Client]) -> None:
    model = FakeModel(Script((Answer("", (Run("ls"),)),)))
    with model:
        client = kind(model.port)
        client.say("Do it.")
        assert client.give("a.txt").status == 400
        found, model.wrong = model.wrong, []
    (name,) = (name for name, client_of in CLIENTS.items() if client_of is kind)
    assert found == [f"{name}: turn 1 of the script that asks ''"]


def test_a_script_can_be_read_from_json() -> None:
    data = [
        {
            "asks": "Do",
            "answers": [
                {
                    "text": "t",
                    "calls": [
                        {"run": "ls"},
                        {"write": "a", "content": "x"},
                        {"use": "ask", "with": {"q": 1}},
                    ],
                    "usage": {"input": 1},
                },
                {"failure": {"kind": "overloaded", "times": 1}},
            ],
        }
    ]
    assert scripts_of(data) == (
        Script(
            (
                Answer("t", (Run("ls"), Write("a", "x"), Use("ask", {"q": 1})), Usage(input=1)),
                Answer(failure=Failure("overloaded", times=1)),
            ),
            asks="Do",
        ),
    )
    with pytest.raises(ValueError, match="no failure of kind 'sulks'; known: bad_key, "):
        scripts_of([{"answers": [{"failure": {"kind": "sulks"}}]}])


def test_it_is_also_a_program(tmp_path: Path) -> None:
    script, port_file, requests = (tmp_path / name for name in ("script", "port", "requests"))
    script.write_text(json.dumps([{"answers": [{"text": "Hello."}]}]), encoding="utf-8")
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.support.fakemodel", "--script", str(script)),
            *("--port-file", str(port_file), "--requests", str(requests)),
        ],
        cwd=Path(__file__).parents[2],
        stderr=subprocess.PIPE,
    )
    with process:
        until(port_file.exists, what="the port")
        port = int(port_file.read_text(encoding="utf-8"))
        said = Chat(port).say("Do it.").text
        _get(port)
        process.terminate()
        _, err = process.communicate(timeout=20)
    assert (said, process.returncode) == ("Hello.", 1)
    assert err.decode() == (
        "to the fake model:\na request that nobody expects: GET /v1/models at h\n"
    )
    kept = [json.loads(line) for line in requests.read_text(encoding="utf-8").splitlines()]
    assert [(one["method"], one["status"]) for one in kept] == [("POST", 200), ("GET", 404)]
