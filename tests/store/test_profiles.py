"""Agents of other programs, skills, and the files by which a repository configures programs."""

from typing import Any

import pytest

from gitcmat.app import open_app
from gitcmat.engine import lint, trust
from gitcmat.engine.trust import Look
from gitcmat.model.intent import sole
from gitcmat.store.good import GoodSettings
from gitcmat.store.intent import IntentReader
from tests.support.project import agent_file
from tests.support.repo import TestRepo

CLAUDE = "---\nname: {0}\ndescription: Looks: closely\ntools: Read\n---\nYou are {0}.\n"
SKILL = "---\nname: {0}\ndescription: How to {0}: well\n---\nDo it.\n"
CONFIG = {".cmat/config.yaml": "{}\n"}


def look(repo: TestRepo) -> Look:
    return trust.look(open_app(repo.path).deps)


def files_of(repo: TestRepo) -> list[str]:
    found: dict[str, Any] = look(repo).plan.data["files"]
    return sorted(found)


def test_agents_of_claude_code_are_there_beside_our_own(repo: TestRepo) -> None:
    repo.commit(
        "Agents",
        {
            **CONFIG,
            **agent_file("coder", "cat"),
            ".claude/agents/reviewer.md": CLAUDE.format("reviewer"),
            ".claude/agents/README.md": "Agents.\n",
        },
    )
    found = look(repo).intent
    assert sorted(found.agents) == ["coder", "reviewer"]
    assert (found.agents["reviewer"].profile.runs, found.agents["reviewer"].system) == (
        "claude",
        "You are reviewer.",
    )
    assert look(repo).plan.data["agents"]["reviewer"] == {
        "runs": "claude",
        "argv": ["claude"],
        "env": {},
        "pass_env": [],
        "permissions": "read",
        "tools": ["Read"],
    }
    assert sole(found.agents) == "coder"


def test_agents_of_claude_code_are_never_the_default_by_themselves(repo: TestRepo) -> None:
    repo.commit("Agents", {**CONFIG, ".claude/agents/reviewer.md": CLAUDE.format("reviewer")})
    found = look(repo).intent
    assert (list(found.agents), sole(found.agents)) == (["reviewer"], None)


def test_an_agent_of_ours_wins_and_lint_says_so(repo: TestRepo) -> None:
    repo.commit(
        "Agents",
        {
            **CONFIG,
            **agent_file("reviewer", "cat"),
            ".claude/agents/reviewer.md": CLAUDE.format("reviewer"),
            ".claude/agents/odd.md": "No front matter.\n",
            ".claude/agents/twin.md": CLAUDE.format("first"),
            ".claude/agents/again.md": CLAUDE.format("first"),
            ".claude/agents/bytes.md": "",
        },
    )
    (repo.path / ".claude/agents/bytes.md").write_bytes(b"---\nname: \xff\n---\n")
    repo.commit("Bytes", {})
    deps = open_app(repo.path).deps
    found = look(repo).intent
    assert found.agents["reviewer"].path == ".cmat/agents/reviewer.md"
    assert sorted(found.agents) == ["first", "reviewer"]
    taken = lint.take(deps.repo, deps.git, lint.WORK_TREE)
    assert lint.lint_files(taken) == []
    assert [str(note) for note in lint.notes(taken)] == [
        ".claude/agents/bytes.md:1: is not UTF-8, and is not used",
        ".claude/agents/odd.md:1: has no front matter, and is not used",
        ".claude/agents/reviewer.md:1: is not used, as .cmat/agents/reviewer.md has the same name",
        ".claude/agents/twin.md:1: is not used, as .claude/agents/again.md has the same name",
    ]


def test_what_is_saved_and_not_committed_is_no_agent(repo: TestRepo) -> None:
    repo.commit("Settings", CONFIG)
    repo.write(".claude/agents/reviewer.md", CLAUDE.format("reviewer"))
    assert look(repo).intent.agents == {}


def test_a_change_of_such_an_agent_is_seen_by_one_who_remembers(repo: TestRepo) -> None:
    deps = open_app(repo.path).deps
    reader = IntentReader(deps.repo, deps.git)
    first = repo.commit("One", {**CONFIG, ".claude/agents/one.md": CLAUDE.format("one")})
    assert list(reader.read("refs/heads/main", first).agents) == ["one"]
    second = repo.commit("Two", {".claude/agents/one.md": CLAUDE.format("two")})
    assert list(reader.read("refs/heads/main", second).agents) == ["two"]
    again = IntentReader(deps.repo, deps.git).read("refs/heads/main", second)
    assert again.agents["two"].system == "You are two."
    assert GoodSettings(deps.repo.cmat / "good.json").get("refs/heads/main") is not None


def test_skills_are_named_in_the_prompt_with_their_place(repo: TestRepo) -> None:
    head = '---\n{"name": "coder", "command": ["cat"], "skills": ["ship", "test", "draw"]}\n---\n'
    repo.commit(
        "Skills",
        {
            **CONFIG,
            ".cmat/agents/coder.md": f"{head}You code.\n",
            ".cmat/skills/ship/SKILL.md": SKILL.format("ship"),
            ".claude/skills/ship/SKILL.md": "hidden by ours",
            ".claude/skills/test/SKILL.md": "No front matter.\n",
            ".agents/skills/draw/SKILL.md": SKILL.format("draw"),
            ".agents/skills/draw/tool.py": "print()\n",
        },
    )
    assert look(repo).intent.agents["coder"].system.splitlines() == [
        "You code.",
        "",
        "## Skills",
        "",
        "Read the file of a skill before you do what it is about.",
        "",
        "- ship (`.cmat/skills/ship/SKILL.md`): How to ship: well",
        "- test (`.claude/skills/test/SKILL.md`)",
        "- draw (`.agents/skills/draw/SKILL.md`): How to draw: well",
    ]
    assert files_of(repo) == [
        ".agents/skills/draw/SKILL.md",
        ".agents/skills/draw/tool.py",
        ".claude/skills/ship/SKILL.md",
        ".claude/skills/test/SKILL.md",
        ".cmat/skills/ship/SKILL.md",
    ]


def test_a_skill_that_is_not_there_is_wrong(repo: TestRepo) -> None:
    head = "---\nname: coder\ncommand: [cat]\nskills:\n  - ship\n---\n"
    repo.commit("Agent", {**CONFIG, ".cmat/agents/coder.md": head})
    deps = open_app(repo.path).deps
    (problem,) = lint.lint(deps.repo, deps.git)
    assert str(problem) == ".cmat/agents/coder.md:5: skills: there is no skill 'ship'"
    assert problem.hint == (
        "skills are .cmat/skills/<name>/SKILL.md, .claude/skills/<name>/SKILL.md, "
        ".agents/skills/<name>/SKILL.md"
    )


ALL_CONFIG = {
    ".claude/settings.json": "{}",
    ".claude/hooks/x.sh": "#!/bin/sh\n",
    ".mcp.json": "{}",
    ".codex/config.toml": "",
    ".gemini/settings.json": "{}",
    "opencode.json": "{}",
    ".opencode/plugin/x.js": "",
    ".aider.conf.yml": "",
    "sub/.mcp.json": "{}",
}
OF_CLAUDE = [".claude/hooks/x.sh", ".claude/settings.json", ".mcp.json"]


@pytest.mark.parametrize(
    ("head", "files"),
    [
        ("runs: claude", OF_CLAUDE),
        ("runs: codex", [".codex/config.toml"]),
        ("runs: gemini", [".gemini/settings.json"]),
        ("runs: opencode", [".opencode/plugin/x.js", "opencode.json"]),
        ("command: [cat]", []),
        ("command: [/opt/bin/aider, --yes]", [".aider.conf.yml"]),
        ("command: [sh, -c, 'x | claude -p']", OF_CLAUDE),
        ("runs: acp\ncommand: [x]", sorted(set(ALL_CONFIG) - {"sub/.mcp.json"})),
    ],
)
def test_what_configures_an_agents_program_is_part_of_the_plan(
    repo: TestRepo, head: str, files: list[str]
) -> None:
    agent = f"---\nname: coder\n{head}\n---\n"
    repo.commit("All", {**CONFIG, **ALL_CONFIG, ".cmat/agents/coder.md": agent})
    assert files_of(repo) == files


def test_a_changed_hook_of_claude_code_is_not_allowed_any_more(repo: TestRepo) -> None:
    agent = "---\nname: coder\nruns: claude\n---\n"
    repo.commit("All", {**CONFIG, **ALL_CONFIG, ".cmat/agents/coder.md": agent})
    deps = open_app(repo.path).deps
    found = trust.look(deps)
    trust.allow(deps, found, found.plan.digest)
    assert look(repo).allowed
    repo.commit("A hook", {".claude/hooks/x.sh": "#!/bin/sh\ncurl evil\n"})
    found = look(repo)
    assert not found.allowed
    (line,) = found.changes
    assert line.startswith("~ file .claude/hooks/x.sh: ")


def test_a_link_in_place_of_the_settings_is_part_of_the_plan(repo: TestRepo) -> None:
    agent = "---\nname: coder\nruns: claude\n---\n"
    (repo.path / ".claude").symlink_to("/somewhere/else")
    repo.git("add", ".claude")
    repo.commit("All", {**CONFIG, ".cmat/agents/coder.md": agent})
    assert files_of(repo) == [".claude"]
