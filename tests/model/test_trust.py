"""What is in a plan, what is not, and how it is shown."""

from dataclasses import replace

import pytest

from gitcmat.model.agent import AgentProfile
from gitcmat.model.gate import Gate
from gitcmat.model.intent import Agent
from gitcmat.model.settings import Config, Defaults, Setup
from gitcmat.model.trust import Plan, describe, difference, named_paths, plan_of, programs_of, shown

PROFILE = AgentProfile(
    name="codemod", command=("python3", "tools/codemod.py"), env={"A": "1"}, pass_env=("TOKEN",)
)
CONFIG = Config(
    gates={"tests": Gate(run=("pytest", "-q"), protect=("tests/**",))},
    setup=Setup(run=(("python3", "-m", "venv", ".venv"),)),
)
FILES = {".cmat/hooks/notify.sh": "a" * 40}
NAMED = {"tools/codemod.py": "b" * 40}


def agents(profile: AgentProfile = PROFILE, system: str = "Be brief.") -> dict[str, Agent]:
    path = f".cmat/agents/{profile.name}.md"
    return {profile.name: Agent(profile=profile, system=system, path=path, blob="c" * 40)}


def plan(
    config: Config = CONFIG,
    profile: AgentProfile = PROFILE,
    *,
    files: dict[str, str] = FILES,
    named: dict[str, str] = NAMED,
    system: str = "Be brief.",
) -> Plan:
    return plan_of(config, agents(profile, system), files=files, named=named)


def test_a_plan_is_one_canonical_text_with_a_digest() -> None:
    assert plan().text == (
        '{"agents":{"codemod":{"argv":["python3","tools/codemod.py"],"env":{"A":"1"},'
        '"pass_env":["TOKEN"],"runs":"command"}},"copy":[],"files":{".cmat/hooks/notify.sh":"'
        + "a" * 40
        + '","tools/codemod.py":"'
        + "b" * 40
        + '"},"gates":{"tests":{"argv":["pytest","-q"],"env":{},"protect":["tests/**"]}},'
        '"schema":1,"setup":[["python3","-m","venv",".venv"]]}'
    )
    assert len(plan().digest) == 64


@pytest.mark.parametrize(
    "other",
    [
        plan(profile=replace(PROFILE, timeout="1h", idle_timeout="5m", description="Other words")),
        plan(system="Be verbose."),
        plan(replace(CONFIG, defaults=Defaults(attempts=9, timeout="2h"))),
        plan(replace(CONFIG, gates={"tests": replace(CONFIG.gates["tests"], timeout="1h")})),
        plan(replace(CONFIG, setup=replace(CONFIG.setup, timeout="1h"))),
        plan(files={**FILES, ".cmat/config.yaml": "d" * 40, ".cmat/agents/codemod.md": "d" * 40}),
        plan(files={**FILES, ".cmat/tasks/a.yaml": "d" * 40, ".cmat/schemas/task.json": "d" * 40}),
    ],
    ids=[
        "limits of agent",
        "prompt",
        "defaults",
        "limit of gate",
        "limit of setup",
        "texts",
        "tasks",
    ],
)
def test_comments_prompts_and_limits_do_not_change_it(other: Plan) -> None:
    assert other == plan()


GATE = CONFIG.gates["tests"]


@pytest.mark.parametrize(
    "other",
    [
        plan(profile=replace(PROFILE, command=("python3", "tools/codemod.py", "-x"))),
        plan(profile=replace(PROFILE, env={"A": "2"})),
        plan(profile=replace(PROFILE, pass_env=())),
        plan(profile=replace(PROFILE, runs="claude")),
        plan(profile=replace(PROFILE, name="other")),
        plan(replace(CONFIG, gates={"tests": replace(GATE, run=("pytest",))})),
        plan(replace(CONFIG, gates={"tests": replace(GATE, env={"B": "1"})})),
        plan(replace(CONFIG, gates={"tests": replace(GATE, protect=())})),
        plan(replace(CONFIG, gates={})),
        plan(replace(CONFIG, setup=Setup())),
        plan(replace(CONFIG, copy=(".env",))),
        plan(files={}),
        plan(files={".cmat/hooks/notify.sh": "e" * 40}),
        plan(files={**FILES, ".cmat/skills/x/run.sh": "e" * 40}),
        plan(files={**FILES, ".cmat/agents/tool/x.py": "e" * 40}),
        plan(named={"tools/codemod.py": "e" * 40}),
    ],
)
def test_everything_else_does(other: Plan) -> None:
    assert other.digest != plan().digest


def test_paths_are_found_wherever_a_command_may_name_one() -> None:
    profile = replace(
        PROFILE,
        command=("./tools/run", "--config=etc/x.toml", "/usr/bin/env", "../up"),
        env={"BASH_ENV": "tools/env.sh"},
    )
    gates = {"g": Gate(run=("sh", "-c", "tools/a.sh | tee log; 'b/c d.sh'"))}
    config = Config(gates=gates, setup=Setup(run=(("make", "-f", "build/Makefile"),)))

    found = named_paths(config, agents(profile))

    wanted = {"tools/run", "etc/x.toml", "tools/env.sh", "tools/a.sh", "build/Makefile", "b/c"}
    assert wanted <= set(found)
    assert not [path for path in found if path.startswith(("/", ".."))]


def test_it_is_shown_whole() -> None:
    assert describe(plan(), {"python3": "/usr/bin/python3", "pytest": None}) == [
        "agents:",
        "  codemod: python3 tools/codemod.py",
        "      program: /usr/bin/python3",
        "      passes: TOKEN",
        "      sets: A=1",
        "gates:",
        "  tests: pytest -q",
        "      program: pytest is not on PATH",
        "      protects: 'tests/**'",
        "setup:",
        "  python3 -m venv .venv",
        "files that may run, with their content as it is now:",
        "  .cmat/hooks/notify.sh  aaaaaaaaaa",
        "  tools/codemod.py  bbbbbbbbbb",
        "All of it runs with your rights, and gates run what the agent wrote.",
    ]
    assert programs_of(plan()) == ("pytest", "python3")


def test_a_plan_without_commands_says_so() -> None:
    empty = plan_of(Config(), {}, files={}, named={})

    assert empty.starts_nothing
    assert describe(empty) == ["nothing is started: no agents, no gates, no setup"]


def test_a_difference_names_what_came_went_and_changed() -> None:
    new = plan_of(
        replace(
            CONFIG,
            gates={"lint": Gate(run=("ruff", "check", "."))},
            copy=(".env",),
        ),
        agents(replace(PROFILE, env={"A": "2"}, pass_env=("TOKEN", "KEY"))),
        files=FILES,
        named={"tools/codemod.py": "e" * 40},
    )

    assert difference(plan(), new) == [
        "~ agent codemod, env A: 1 -> 2",
        "+ agent codemod, pass_env KEY: from your environment",
        "+ gate lint: ruff check .",
        "+ copy .env: into each workspace",
        "~ file tools/codemod.py: bbbbbbbbbb -> eeeeeeeeee",
        "- gate tests: pytest -q",
        "- gate tests, protect 'tests/**': as in the base",
    ]


def test_no_difference_is_no_line() -> None:
    assert difference(plan(), plan()) == []


def test_text_that_would_deceive_the_eye_is_shown_as_escapes() -> None:
    assert shown("rm -rf") == "'rm -rf'"
    assert shown("a\x1b[2Kb\n") == r"$'a\x1b[2Kb\n'"
    assert shown("a\u202eb'") == r"$'a\u202eb\''"
