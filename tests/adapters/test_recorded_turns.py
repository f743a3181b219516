"""Each adapter reads what the real program printed (tests/fixtures/streams) as what it was."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.adapters.agents import make_agent
from gitcmat.adapters.agents.lines import refused, until
from gitcmat.model.job import RunOutcome
from gitcmat.model.permission import about, question
from gitcmat.model.usage import Spend, Usage
from gitcmat.ports import Agent, End, Heard, Said, Spent, Started, Troubled, Used

STREAMS: Final = Path(__file__).parents[1] / "fixtures/streams"
INDEX: Final[dict[str, Any]] = json.loads((STREAMS / "recordings.json").read_text(encoding="utf-8"))
KINDS: Final = {".jsonl", ".txt"}
FILES: Final = {path.stem: path for path in STREAMS.iterdir() if path.suffix in KINDS}
LINES: Final = sorted(FILES)
ADAPTERS: Final = {"mini": "mini-swe-agent"}
"""The beginning of a name → the adapter, where that is called otherwise."""

OUTCOMES: Final = {
    RunOutcome.FINISHED: """
        claude_agents claude_denied claude_hooks claude_json claude_mcp claude_recovers
        claude_red_shell claude_resume claude_shell claude_text claude_write
        claude_write_accept_edits codex_danger codex_denied codex_outside codex_patch
        codex_read_only codex_recovers codex_red_shell codex_resume
        codex_resume_after_shell codex_shell codex_text codex_write gemini_red_shell
        gemini_resume gemini_shell gemini_shell_yolo gemini_text gemini_write
        gemini_write_yolo opencode_bash opencode_outside opencode_recovers
        opencode_red_shell opencode_resume opencode_shell opencode_text opencode_write
        aider_read_only aider_recovers aider_shell aider_text aider_write
        mini_recovers mini_red_shell mini_shell mini_text mini_write
    """,
    RunOutcome.LIMITED: """
        claude_429 claude_429_plain claude_key_usage_limit claude_no_credit claude_spend_limit
        claude_usage_limit codex_429 codex_429_plain codex_midway codex_spend_limit
        codex_usage_limit codex_usage_limit_days gemini_429 gemini_recovers gemini_spend_limit
        gemini_usage_limit opencode_429 opencode_429_plain opencode_spend_limit
        opencode_usage_limit aider_429 aider_spend_limit aider_usage_limit mini_429
        mini_spend_limit mini_usage_limit opencode_waits
    """,
    RunOutcome.CANNOT_START: "claude_401 codex_401 gemini_401 opencode_401 aider_401 mini_401",
    RunOutcome.OVER_BUDGET: "claude_max_budget",
}
"""What is not named has failed."""

EXPECTED: Final = {name: outcome for outcome, names in OUTCOMES.items() for name in names.split()}


PATIENT: Final = ("aider", "mini", "opencode")
HEEDED: Final = {"opencode"}
"""Whose standard error is read, too."""

CLIS: Final = ("claude", "codex", "gemini", "opencode")
GOOD: Final = tuple(f"{cli}_{what}" for cli in CLIS for what in ("shell", "write", "text"))


def agent_of(name: str) -> Agent:
    cli = name.split("_", maxsplit=1)[0]
    return make_agent(ADAPTERS.get(cli, cli))


def heard(name: str) -> tuple[list[Heard], End]:
    agent = agent_of(name)
    said = list(read(agent, FILES[name].read_text(encoding="utf-8")))
    if INDEX[name]["cli"] in HEEDED:
        said += read(agent, INDEX[name]["stderr"])
    return said, agent.end(INDEX[name]["code"], INDEX[name]["stderr"])


def read(agent: Agent, text: str) -> list[Heard]:
    return [one for line in text.splitlines() for one in agent.read(line)]


@pytest.mark.parametrize("name", LINES)
def test_a_turn_ended_as_it_did(name: str) -> None:
    _, end = heard(name)
    assert end.outcome is EXPECTED.get(name, RunOutcome.FAILED), end
    assert end.message or end.questions
    assert "\n" not in end.message
    assert end.no_session is name.endswith("_resume_missing")


@pytest.mark.parametrize("name", GOOD)
def test_a_good_turn_tells_session_tools_words_and_tokens(name: str) -> None:
    events, end = heard(name)
    kinds = {type(event) for event in events}
    assert {Started, Said, Spent} <= kinds
    assert (Used in kinds) is not name.endswith("_text")
    assert all(event.session for event in events if isinstance(event, Started))
    assert end.said.strip()
    spent = [event.spend for event in events if isinstance(event, Spent)]
    assert all(spend.usage is not None and spend.usage.total > 0 for spend in spent)
    told = [event.spend for event in events if isinstance(event, Spent) and event.whole] or spent
    assert all((spend.usd is None) is name.startswith(("codex", "gemini")) for spend in told)


@pytest.mark.parametrize("name", LINES)
def test_a_stream_that_breaks_off_anywhere_is_no_good_end(name: str) -> None:
    lines = FILES[name].read_text(encoding="utf-8").splitlines()
    for length in range(len(lines)):
        agent = agent_of(name)
        read(agent, "\n".join(lines[:length]))
        assert agent.end(-9, "").outcome is not RunOutcome.FINISHED
        agent = agent_of(name)
        for line in lines[:length]:
            list(agent.read(line[: len(line) // 2]))


def spends(name: str) -> list[Spent]:
    return [event for event in heard(name)[0] if isinstance(event, Spent)]


def test_the_cost_of_a_session_of_claude_is_the_whole_sessions() -> None:
    usage = Usage(input=200, output=40)
    spend = Spend(usage=usage, usd=0.0016, model="claude-opus-5-5")
    assert spends("claude_resume")[-1] == Spent(spend=spend, whole=True)


def test_claude_tells_what_each_message_used_once_while_it_works() -> None:
    model = "claude-opus-5-5"
    first, second = Usage(input=100, output=1), Usage(input=50, cache_read=1000, cache_write=200)
    assert spends("claude_shell")[:-1] == [  # its first message is printed in two parts
        Spent(spend=Spend(usage=first, model=model, at_least=True)),
        Spent(spend=Spend(usage=second + Usage(output=1), model=model, at_least=True)),
    ]
    models = [event.spend.model for event in spends("claude_agents")[:-2]]
    assert "claude-haiku-5-5" in models  # a part of its own has a model and a price of its own


def test_a_cost_that_claude_made_up_is_not_its_cost() -> None:
    """It has no price of the model, and says that of another one's."""
    text = FILES["claude_shell"].read_text(encoding="utf-8")
    guessed = text.replace('"costBasis":"list"', '"costBasis":"unknown"')
    assert guessed != text
    heard = read(agent_of("claude"), guessed)
    *_, last = (event for event in heard if isinstance(event, Spent))
    usage = Usage(input=150, cache_read=1000, cache_write=200, output=27)
    assert last == Spent(spend=Spend(usage=usage, model="claude-opus-5-5"), whole=True)


def test_codex_counts_what_came_from_a_cache_as_input_too() -> None:
    usage = Usage(input=350, cache_read=1000, output=27)
    assert spends("codex_shell") == [Spent(spend=Spend(usage=usage), whole=True)]


def test_each_step_of_opencode_is_paid_by_itself() -> None:
    assert [event.spend.usd for event in spends("opencode_shell")] == [0.00014, 0.000264]
    assert not any(event.whole for event in spends("opencode_shell"))


def test_aider_tells_its_model_its_edits_and_its_tokens() -> None:
    events, end = heard("aider_write")
    words = "I write.\n\nnotes/new.txt\n\n```\none\n\ntwo\n\n```"
    spend = Spend(usage=Usage(input=1250, output=7), model="openai/fake-model")
    assert events == [
        Started(model="openai/fake-model"),
        Said(text=words),
        Spent(spend=spend),
        Used(tool="edit", about="notes/new.txt"),
    ]
    assert (end.message, end.said) == ("I write.", words)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("aider_empty", "Empty response received from LLM. Check your provider account?"),
        ("aider_malformed", "Only 3 reflections allowed, stopping."),
        ("aider_outside", "Cmd('git') failed due to: exit code(128)"),
        ("aider_sigint_in_answer", "it was interrupted"),
        (
            "aider_offline",
            "litellm.InternalServerError: InternalServerError: OpenAIException - Connection error.",
        ),
    ],
)
def test_aider_exits_well_and_has_not_done_it(name: str, message: str) -> None:
    assert INDEX[name]["code"] == 0
    assert heard(name)[1].message == message


def test_mini_swe_agent_tells_its_commands_and_tokens_of_each_kind() -> None:
    events, end = heard("mini_shell")
    model = "openai/fake-model"
    first, second = Usage(input=100, output=20), Usage(input=250, cache_read=1000, output=7)
    assert events == [
        Started(model=model),
        Said(text="I look."),
        Used(tool="bash", about="echo hello > hello.txt; cat hello.txt"),
        Spent(spend=Spend(usage=first, model=model)),
        Said(text="All done."),
        Used(tool="bash", about="echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"),
        Spent(spend=Spend(usage=second, model=model)),
    ]
    assert (end.message, end.said) == ("All done.", "All done.")


WAITS: Final = {
    "aider_spend_limit",
    "aider_usage_limit",
    "mini_spend_limit",
    "mini_usage_limit",
    "opencode_waits",
}
"""Here the program waits, or tries again and again, for what no turn should wait for."""


@pytest.mark.parametrize("name", [name for name in LINES if name.startswith(tuple(PATIENT))])
def test_a_program_that_waits_for_the_end_of_a_limit_is_ended(name: str) -> None:
    agent = agent_of(name)
    text = FILES[name].read_text(encoding="utf-8")
    for line in (text + INDEX[name]["stderr"] * (INDEX[name]["cli"] in HEEDED)).splitlines():
        if any(isinstance(one, Troubled) and one.hopeless for one in agent.read(line)):
            end = agent.end(-15, "")
            assert (end.outcome, bool(end.message)) == (RunOutcome.LIMITED, True)
            break
    else:
        assert name not in WAITS


def test_a_refusal_that_ended_the_work_is_a_question() -> None:
    asked = question("Bash(git commit --allow-empty -m x)")
    assert heard("claude_denied")[1].questions == (asked,)
    asked = refused("write(/home/dev/repo.txt)")
    assert heard("opencode_outside")[1].questions == (asked,)
    assert not about(asked), "OpenCode takes no permission for one call"


@pytest.mark.parametrize(
    ("name", "wait"),
    [
        ("claude_usage_limit", timedelta(hours=2)),
        ("codex_usage_limit", timedelta(hours=2)),
        ("codex_usage_limit_days", timedelta(days=3)),
        ("claude_spend_limit", timedelta(days=1)),
    ],
)
def test_a_limit_tells_when_it_ends(name: str, wait: timedelta) -> None:
    """The recordings were made on 2026-11-21, with limits that end so long after that."""
    _, end = heard(name)
    assert end.until is not None
    if "days" in name or "claude" in name:  # the others tell a time of day alone
        at = datetime(2026, 11, 21, 12, 30, tzinfo=UTC) + wait
        assert abs(end.until - at) < timedelta(minutes=40)


NOW: Final = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("Please retry in 5s.", NOW + timedelta(seconds=5)),
        ("try again in 1.5m", NOW + timedelta(seconds=90)),
        ("usage limit reached, resets in 3s", NOW + timedelta(seconds=3)),
        ("regain access on 2026-11-22 at 12:28 UTC.", datetime(2026, 11, 22, 12, 29, tzinfo=UTC)),
        ("5-hour limit · resets 2:27pm (UTC)", datetime(2026, 11, 21, 14, 28, tzinfo=UTC)),
        ("resets 9am (UTC)", datetime(2026, 11, 22, 9, 1, tzinfo=UTC)),
        ("resets 12am (UTC)", datetime(2026, 11, 22, 0, 1, tzinfo=UTC)),
        ("resets 12pm (UTC)", NOW + timedelta(minutes=1)),
        ("resets 11:59am (UTC)", datetime(2026, 11, 22, 12, 0, tzinfo=UTC)),
        ("try again later", None),
        ("on 2026-13-40 at 99:99 UTC", None),
        ("retry in 99999999999999999999999999s", None),
    ],
)
def test_a_time_is_read_from_what_is_said(said: str, at: datetime | None) -> None:
    assert until(said, NOW) == at
