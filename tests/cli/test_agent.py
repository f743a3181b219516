"""`gitcmat agent`: what is there, how a new one is written, and whether they can work."""

import json
import os
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from gitcmat.adapters.agents import AGENTS, make_agent
from gitcmat.model.agent import PROGRAMS
from gitcmat.store import accounts, documents
from gitcmat.system import clock
from tests.support import spender
from tests.support.cli import Result, gitcmat
from tests.support.repo import TestRepo

TESTED = make_agent("claude").tested["claude"]
KEY = {"ANTHROPIC_API_KEY": "a-key-of-nobody"}

CLAUDE = """\
#!/bin/sh
if [ "$*" = --version ]; then
    env > "{seen}"
    pwd >> "{seen}"
    echo "{says}"
    exit {code}
fi
exec {python} {spender} "{script}" "$@"
"""


def fake_claude(folder: Path, says: str = f"{TESTED} (Claude Code)", code: int = 0) -> Path:
    """A program in the place of Claude Code; what it saw when asked for its version is in
    ``seen``, what it says in a turn is in ``script``.
    """
    folder.mkdir(exist_ok=True)
    text = CLAUDE.format(
        seen=folder / "seen",
        says=says,
        code=code,
        python=sys.executable,
        spender=Path(spender.__file__).resolve(),
        script=folder / "script",
    )
    program = folder / "claude"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    return program


@pytest.fixture
def bin_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH, with Claude Code in it."""
    folder = tmp_path / "bin"
    fake_claude(folder)
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


def agent(name: str, body: str = "", **head: Any) -> dict[str, str]:
    """The file of an agent."""
    front = json.dumps({"name": name, **head})
    return {f".cmat/agents/{name}.md": f"---\n{front}\n---\n{body}"}


def trusted(repo: TestRepo, *files: dict[str, str]) -> TestRepo:
    """The repository with these files committed and allowed."""
    repo.commit("Agents", {path: text for some in files for path, text in some.items()})
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    return repo


def refused(result: Result) -> tuple[int, str, str]:
    """Exit code, message and hint."""
    found = re.fullmatch(r"error: (.*)\nhint: (.*)\n", result.err, re.DOTALL)
    assert found, result.err
    return result.code, found[1], found[2]


# --- add ----------------------------------------------------------------------------------------


def test_an_agent_is_written_and_neither_committed_nor_allowed(repo: TestRepo) -> None:
    made = gitcmat(
        repo,
        *("agent", "add", "coder", "--runs", "claude", "--model", "opus", "--usd", "1.5"),
        *("--tool", "Bash(make test)", "--pass-env", "ANTHROPIC_API_KEY", "--env", "MODE=a: b"),
        changes=("files",),
    ).ok()
    assert made.out == (
        "wrote .cmat/agents/coder.md; nothing of it is used before you have committed and "
        "allowed it:\n"
        "  git add .cmat/agents/coder.md && git commit -m 'Add the agent coder'\n"
        "  gitcmat trust\n"
        "  gitcmat agent check coder\n"
    )
    text = repo.read(".cmat/agents/coder.md")
    profile, system, _ = documents.agent(text.encode(), name="x", stem="coder")
    assert (profile.runs, profile.model, profile.tools) == ("claude", "opus", ("Bash(make test)",))
    assert (profile.env, profile.pass_env) == ({"MODE": "a: b"}, ("ANTHROPIC_API_KEY",))
    assert profile.budget is not None
    assert (profile.budget.usd, system) == (1.5, "Change only what the task names.")
    assert repo.status() == "?? .cmat/agents/coder.md"
    (row,) = gitcmat(repo, "agent", "list").ok().out.splitlines()[1:2]
    assert row.split()[:2] == ["coder", "claude"]
    assert "not committed" in row


@pytest.mark.parametrize("kind", sorted(AGENTS))
def test_what_is_written_is_valid_and_so_is_what_its_comments_propose(
    repo: TestRepo, kind: str
) -> None:
    words = () if PROGRAMS[kind] else ("--exec", "my-agent --acp 'two words'")
    gitcmat(repo, "agent", "add", "one", "--runs", kind, *words, changes=("files",)).ok()
    text = repo.read(".cmat/agents/one.md")
    profile, _, _ = documents.agent(text.encode(), name="x", stem="one")
    assert profile.runs == kind
    assert profile.argv == (PROGRAMS[kind] or ("my-agent", "--acp", "two words"))
    proposed, count = re.subn(r"^# (\w+: )", r"\1", text, flags=re.MULTILINE)
    assert count >= 1
    documents.agent(proposed.encode(), name="x", stem="one")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("Coder", "--runs", "claude"),
            (3, "'Coder' is not an agent's name", "1 to 63 lower-case letters, digits and dashes"),
        ),
        (
            ("../x", "--runs", "claude"),
            (3, "'../x' is not an agent's name", "1 to 63 lower-case letters, digits and dashes"),
        ),
        (("x",), (2, "Say what runs it.", "gitcmat agent add x --runs claude")),
        (
            ("x", "--exec", "'a"),
            (2, "--command cannot be read: No closing quotation.", "close the quotes"),
        ),
        (
            ("x", "--runs", "claude", "--env", "A"),
            (2, "--env 'A' is not NAME=VALUE.", "--env MODE=test"),
        ),
    ],
)
def test_what_such_a_file_may_not_say_is_not_written(
    repo: TestRepo, words: tuple[str, ...], said: tuple[int, str, str]
) -> None:
    assert refused(gitcmat(repo, "agent", "add", *words)) == said
    assert repo.status() == ""


def test_values_are_judged_by_the_reader_of_profiles(repo: TestRepo) -> None:
    wrong = gitcmat(repo, "agent", "add", "x", "--runs", "claude", "--timeout", "soon")
    assert (wrong.code, wrong.err) == (
        3,
        "error: timeout: 'soon' is not a duration (write 90s, 30m or 1h30m)\n",
    )
    wrong = gitcmat(repo, "agent", "add", "x", "--runs", "acp")
    assert (wrong.code, wrong.err) == (
        3,
        "error: runs: acp needs command: [program, argument, …]\n",
    )
    assert repo.status() == ""


def test_a_file_that_is_there_is_never_overwritten(repo: TestRepo) -> None:
    repo.write(".cmat/agents/x.md", "mine")
    again = gitcmat(repo, "agent", "add", "x", "--runs", "claude")
    assert refused(again) == (
        5,
        "There is a file .cmat/agents/x.md already.",
        "edit it: $EDITOR .cmat/agents/x.md",
    )
    assert repo.read(".cmat/agents/x.md") == "mine"


def test_an_agent_of_claude_code_that_it_hides_is_named(repo: TestRepo) -> None:
    repo.commit("One of Claude Code", {".claude/agents/x.md": "---\nname: x\n---\nHi.\n"})
    made = gitcmat(repo, "agent", "add", "x", "--runs", "claude", "--json", changes=("files",))
    assert made.ok().json["hides"] == ".claude/agents/x.md"


# --- list, show, generate-json ------------------------------------------------------------------


def test_the_list_says_of_each_what_holds(repo: TestRepo, bin_: Path) -> None:
    trusted(
        repo,
        agent("coder", runs="claude", model="opus", permissions="all", sandbox="bwrap"),
        agent("fixer", command=["sh", "fix.sh"]),
        agent("lost", command=["no-such-program"]),
        {".claude/agents/coder.md": "---\nname: coder\n---\n"},
        {".claude/agents/looker.md": "---\nname: looker\ntools: Read, Grep\n---\nLook.\n"},
    )
    repo.write(
        ".cmat/agents/fixer.md", agent("fixer", command=["sh", "-e"])[".cmat/agents/fixer.md"]
    )
    repo.write(".cmat/agents/new.md", agent("new", command=["sh"])[".cmat/agents/new.md"])
    repo.write(".cmat/agents/wrong.md", "---\nname: wrong\nruns: claude\nmodle: opus\n---\n")
    found = gitcmat(repo, "agent", "list", "--json").ok().json
    told = {(a["name"], a["path"].split("/")[0]): a for a in found["agents"]}
    assert {key: (a["standing"], a["valid"], a["trusted"]) for key, a in told.items()} == {
        ("coder", ".cmat"): ("committed", True, True),
        ("coder", ".claude"): ("not used", False, False),
        ("fixer", ".cmat"): ("changed, not committed", True, True),
        ("looker", ".claude"): ("committed", True, True),
        ("lost", ".cmat"): ("committed", True, True),
        ("new", ".cmat"): ("not committed", True, False),
        ("wrong", ".cmat"): ("not committed", False, False),
    }
    assert told["fixer", ".cmat"]["argv"] == ["sh", "fix.sh"]
    assert told["looker", ".claude"]["permissions"] == "read"
    assert told["coder", ".cmat"]["program"] == str(bin_ / "claude")
    assert told["lost", ".cmat"]["program"] is None
    lines = gitcmat(repo, "agent", "list").ok().out.splitlines()
    assert [line.split("  ")[0] for line in lines[1:8]] == [
        *("coder", "fixer", "looker", "lost", "new", "wrong", "coder"),
    ]
    states = {line.split()[0]: line for line in lines[1:7]}
    assert re.search(r" opus +all +bwrap +ready +\.cmat", states["coder"])
    assert "ready; changed, not committed" in states["fixer"]
    assert "program not found" in states["lost"]
    assert "wrong: modle: unknown key (did you mean 'model'?)" in states["wrong"]
    assert "is not used, as .cmat/agents/coder.md has the same name" in lines[7]
    assert lines[9:] == [".cmat/agents/wrong.md:4: modle: unknown key (did you mean 'model'?)"]


def test_without_trust_the_list_says_how(repo: TestRepo) -> None:
    repo.commit("One", agent("fixer", command=["sh"]))
    out = gitcmat(repo, "agent", "list").ok().out
    assert re.search(r"^fixer .* not trusted +\.cmat/agents/fixer\.md$", out, re.MULTILINE)
    assert out.endswith(
        "\nthe plan of main is not trusted, so none of them starts: gitcmat trust\n"
    )


def test_where_there_is_no_branch_the_list_says_why(repo: TestRepo) -> None:
    repo.commit("One", agent("fixer", command=["sh"]))
    repo.git("checkout", "-q", "--detach")
    repo.write(".cmat/agents/new.md", agent("new", command=["sh"])[".cmat/agents/new.md"])
    out = gitcmat(repo, "agent", "list").ok().out
    assert re.search(r"^fixer .* not trusted +\.cmat/agents/fixer\.md$", out, re.MULTILINE)
    assert re.search(r"^new .* not committed +\.cmat/agents/new\.md$", out, re.MULTILINE)
    assert out.endswith("\nHEAD is detached, so there is no branch whose plan could be trusted.\n")
    assert refused(gitcmat(repo, "agent", "check"))[0] == 5


def test_the_settings_before_a_mistake_stay_in_use(repo: TestRepo) -> None:
    repo.commit("One", agent("fixer", "Fix.\n", command=["sh"]))
    gitcmat(repo, "status").ok()
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    repo.commit("A mistake", {".cmat/agents/fixer.md": "---\nname: fixer\nruns: foxer\n---\n"})
    (one,) = gitcmat(repo, "agent", "list", "--json").ok().json["agents"]
    assert (one["standing"], one["valid"], one["trusted"]) == ("committed", False, True)
    assert one["argv"] == ["sh"]
    assert gitcmat(repo, "agent", "check").code == 0


def test_one_is_shown_whole_and_no_value_of_a_variable(
    repo: TestRepo, bin_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-of-nobody")
    trusted(
        repo,
        agent(
            "coder",
            "Be careful.\nBe quick.\n",
            runs="claude",
            env={"MODE": "hunter2"},
            pass_env=["ANTHROPIC_API_KEY", "OTHER_KEY"],
            tools=["Bash(make test)"],
            timeout="45m",
        ),
    )
    text, told = (
        gitcmat(repo, "agent", "show", "coder", *words).ok().out for words in ((), ("--json",))
    )
    assert "hunter2" not in text + told
    assert "a-key-of-nobody" not in text + told
    shown = json.loads(told)["agent"]
    assert shown["program"] == str(bin_ / "claude")
    assert shown["arguments"][:3] == ["-p", "--output-format", "stream-json"]
    assert (shown["system"], shown["timeout_seconds"]) == ("Be careful.\nBe quick.", 2700)
    assert (shown["sandbox"], shown["sandbox_now"]) == ("off", "off")
    assert {"MODE", "ANTHROPIC_API_KEY", "PATH", "HOME"} <= set(shown["environment"])
    assert shown["not_set_here"] == ["OTHER_KEY"]
    assert (shown["unknown"], shown["tested"]) == ([], {"claude": TESTED})
    assert shown["state"] == [".claude/", ".claude.json"]
    lines = text.splitlines()
    assert lines[0] == "coder  .cmat/agents/coder.md  ready"
    assert f"  program      {bin_ / 'claude'}" in lines
    assert "  time         45 min, 10 min without a word" in lines
    assert "  hands on     ANTHROPIC_API_KEY, OTHER_KEY (not set here)" in lines
    assert lines[-3:] == ["  is told before each task:", "  | Be careful.", "  | Be quick."]


def test_an_agent_that_is_not_there_is_guessed(repo: TestRepo) -> None:
    repo.commit("One", agent("coder", runs="claude"))
    assert refused(gitcmat(repo, "agent", "show", "codr")) == (
        4,
        "There is no agent 'codr' (did you mean 'coder'?).",
        "agents: coder",
    )
    repo.write(".cmat/agents/coder.md", "---\nname: coder\n---\n")
    repo.write(".cmat/agents/bad.md", "nothing")
    wrong = gitcmat(repo, "agent", "show", "bad")
    assert refused(wrong) == (
        3,
        ".cmat/agents/bad.md:1: has no front matter",
        "begin with ---, name: and ---",
    )


def test_all_is_generated_as_json_with_the_errors(repo: TestRepo) -> None:
    repo.commit("One", agent("fixer", "Fix it.\n", command=["sh"], skills=["care"]))
    found = gitcmat(repo, "agent", "generate-json")
    assert found.code == 1
    assert found.json["errors"] == [
        {
            "path": ".cmat/agents/fixer.md",
            "line": 2,
            "text": "skills: there is no skill 'care'",
            "hint": "skills are .cmat/skills/<name>/SKILL.md, .claude/skills/<name>/SKILL.md, "
            ".agents/skills/<name>/SKILL.md",
        }
    ]
    (one,) = found.json["agents"]
    assert (one["name"], one["system"]) == ("fixer", "Fix it.")
    assert one["profile"]["command"] == ["sh"]
    skill = {".cmat/skills/care/SKILL.md": "---\nname: care\n---\nBe careful.\n"}
    repo.commit("The skill", {**skill, ".claude/agents/none.md": "Hello."})
    found = gitcmat(repo, "agent", "generate-json").ok()
    assert (found.json["errors"], len(found.json["agents"])) == ([], 1)
    assert [note["text"] for note in found.json["notes"]] == [
        "has no front matter, and is not used"
    ]


# --- check --------------------------------------------------------------------------------------


def test_nothing_is_started_of_what_is_not_allowed(repo: TestRepo, bin_: Path) -> None:
    repo.write(".cmat/agents/coder.md", agent("coder", runs="claude")[".cmat/agents/coder.md"])
    assert refused(gitcmat(repo, "agent", "check", "coder", "--probe")) == (
        5,
        ".cmat/agents/coder.md is not committed, so nothing of it is started.",
        "git add .cmat/agents/coder.md && git commit, then gitcmat trust",
    )
    repo.git("add", ".cmat")
    repo.git("commit", "-q", "-m", "An agent")
    code, _, hint = refused(gitcmat(repo, "agent", "check", "coder", "--probe"))
    assert (code, hint) == (5, "gitcmat trust")
    assert refused(gitcmat(repo, "agent", "check"))[0] == 5
    assert not (bin_ / "seen").exists()
    assert spender.starts(bin_ / "script") == []


def test_a_program_is_asked_for_its_version_in_an_empty_place_without_a_key(
    repo: TestRepo, bin_: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-of-nobody")
    monkeypatch.setenv("GITCMAT_SECRET", "1")
    trusted(repo, agent("coder", runs="claude", env={"MODE": "x"}, pass_env=["ANTHROPIC_API_KEY"]))
    checked = gitcmat(repo, "agent", "check").ok()
    assert checked.out == (
        f"coder: nothing is wrong\n  {bin_ / 'claude'}, version {TESTED}, which was tested\n"
    )
    *variables, where = (bin_ / "seen").read_text(encoding="utf-8").splitlines()
    names = {line.partition("=")[0] for line in variables}
    assert names <= {
        *("PATH", "HOME", "LANG", "TERM", "TMPDIR", "USER", "LOGNAME"),
        *("DISABLE_AUTOUPDATER", "PWD", "OLDPWD", "SHLVL", "_"),
    }
    assert not Path(where).is_relative_to(repo.path)
    assert not Path(where).exists()
    assert spender.starts(bin_ / "script") == []


@pytest.mark.parametrize(
    ("version", "age"), [("2.1.330", "newer"), ("10.0.0", "newer"), ("2.0.9", "older")]
)
def test_another_version_than_the_tested_one_is_said(
    repo: TestRepo, bin_: Path, version: str, age: str
) -> None:
    fake_claude(bin_, f"{version} (Claude Code)")
    trusted(repo, agent("coder", runs="claude", pass_env=list(KEY)))
    (one,) = gitcmat(repo, "agent", "check", "--json", env=KEY).ok().json["agents"]
    assert (one["version"], one["tested"], one["fine"]) == (version, TESTED, True)
    assert one["findings"] == [
        {
            "weight": "note",
            "text": f"claude {version} is {age} than {TESTED}, with which gitcmat was tested",
            "hint": "if it behaves oddly: gitcmat agent check --probe",
        }
    ]


def test_a_program_that_cannot_say_its_version_cannot_work(repo: TestRepo, bin_: Path) -> None:
    fake_claude(bin_, "node: not found", code=127)
    trusted(repo, agent("coder", runs="claude", pass_env=list(KEY)))
    checked = gitcmat(repo, "agent", "check", env=KEY)
    assert (checked.code, checked.out.splitlines()[0]) == (1, "coder: cannot work so")
    assert "  wrong: `claude --version` exited 127 and said: node: not found" in checked.out


def test_a_program_that_is_not_there_cannot_work(repo: TestRepo) -> None:
    trusted(repo, agent("coder", runs="acp", command=["no-such-program"]))
    checked = gitcmat(repo, "agent", "check", "coder")
    assert checked.code == 1
    assert checked.out.splitlines()[:3] == [
        "coder: cannot work so",
        "  wrong: There is no program `no-such-program` on your PATH outside of the repository.",
        "    hint: install it, or name it: command: [/path/to/it]",
    ]


def test_any_program_is_not_asked_for_a_version_that_it_may_take_for_work(repo: TestRepo) -> None:
    trusted(repo, agent("any", command=["sh", "-c", "touch started"]))
    checked = gitcmat(repo, "agent", "check").ok()
    assert re.fullmatch(
        r"any: nothing is wrong\n  /\S+/sh, not asked for its version\n", checked.out
    )


@pytest.mark.usefixtures("bin_")
def test_what_is_missing_of_a_login_is_said(repo: TestRepo, home: Path) -> None:
    trusted(
        repo,
        agent("bare", runs="claude"),
        agent("keyed", runs="claude", pass_env=["ANTHROPIC_API_KEY"]),
    )

    def notes(env: dict[str, str]) -> dict[str, list[str]]:
        found = gitcmat(repo, "agent", "check", "--json", env=env).ok().json["agents"]
        return {a["name"]: [f["text"] for f in a["findings"]] for a in found}

    nowhere = (
        "no login is to be seen: neither ~/.claude/.credentials.json nor any of ANTHROPIC_API_KEY, "
        "ANTHROPIC_AUTH_TOKEN, CLAUDE_CODE_OAUTH_TOKEN, CLAUDE_CODE_USE_BEDROCK, "
        "CLAUDE_CODE_USE_VERTEX"
    )
    unset = "pass_env: ANTHROPIC_API_KEY is not set here"
    assert notes({}) == {"bare": [nowhere], "keyed": [unset, nowhere]}
    kept = "ANTHROPIC_API_KEY is set here, and is not handed on to it"
    assert notes(KEY) == {"bare": [kept], "keyed": []}
    (home / ".claude").mkdir()
    (home / ".claude/.credentials.json").write_text("{}", encoding="utf-8")
    assert notes({}) == {"bare": [], "keyed": [unset]}


@pytest.mark.usefixtures("bin_")
def test_a_variable_that_nobody_may_have_and_an_account_on_hold_are_said(repo: TestRepo) -> None:
    trusted(
        repo,
        agent("coder", runs="claude", pass_env=["SSH_AUTH_SOCK"]),
        agent("other", runs="claude", pass_env=["ANTHROPIC_API_KEY"], account="work"),
    )
    until = accounts.hold("work", None, "limit", clock.now())
    checked = gitcmat(repo, "agent", "check", "--json", env=KEY)
    assert checked.code == 1
    first, second = checked.json["agents"]
    assert first["findings"][0] == {
        "weight": "wrong",
        "text": "The variable SSH_AUTH_SOCK may not be given to agents or gates by a repository.",
        "hint": "Remove it there, or allow it in your own settings.",
    }
    assert second["findings"] == [
        {
            "weight": "note",
            "text": f"its account work is on hold until {until:%H:%M:%S} UTC",
            "hint": "gitcmat queue resume --account work",
        }
    ]


# --- a probe ------------------------------------------------------------------------------------


def test_a_probe_takes_one_turn_in_an_empty_folder_and_says_what_it_cost(
    repo: TestRepo, bin_: Path
) -> None:
    spender.write_script(bin_ / "script", {"usd": 0.0012, "in": 100, "out": 20})
    trusted(repo, agent("coder", "Do much.\n", runs="claude", pass_env=list(KEY)))
    checked = gitcmat(repo, "agent", "check", "coder", "--probe", env=KEY).ok()
    assert checked.err == "coder: takes a turn that does nothing, 180 s at most\n"
    assert re.fullmatch(
        rf"coder: nothing is wrong\n  {bin_ / 'claude'}, version {TESTED}, which was tested\n"
        r"  a turn: finished: Done\.\n"
        r"    \d+\.\d s, sandbox off, cost \$0\.0012, tokens: 100 in, 20 out\n",
        checked.out,
    )
    (args,) = spender.starts(bin_ / "script")
    assert not any("ready" in word for word in args)
    assert repo.status() == ""


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (
            {"limit": "You've hit your usage limit, resets in 2h"},
            "provider limit: You've hit your usage limit, resets in 2h",
        ),
        ({"over": True}, "over budget: used what it may cost (budget)"),
    ],
)
def test_a_probe_that_does_not_end_well_says_no(
    repo: TestRepo, bin_: Path, start: dict[str, Any], said: str
) -> None:
    spender.write_script(bin_ / "script", start)
    trusted(repo, agent("coder", runs="claude", pass_env=list(KEY)))
    checked = gitcmat(repo, "agent", "check", "--probe", env=KEY)
    assert (checked.code, checked.out.splitlines()[0]) == (1, "coder: cannot work so")
    assert f"  a turn: {said}\n" in checked.out


def test_what_a_probe_leaves_running_is_ended(repo: TestRepo, tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    script = f"cat; sleep 600 & echo $! > {mark}"
    trusted(repo, agent("any", command=["sh", "-c", script]))
    gitcmat(repo, "agent", "check", "--probe").ok()
    assert not Path("/proc", mark.read_text(encoding="utf-8").strip()).exists()
