"""`gitcmat trust` shows what may start, and allows exactly that."""

import os
import pty
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Result, gitcmat
from tests.support.repo import TestRepo

CONFIG = "gates:\n  tests:\n    run: [nosuch-program, tools/check.py]\n"
AGENT = "---\nname: mod\ncommand: [sh, tools/mod.sh]\npass_env: [MY_KEY]\n---\nWork.\n"
FILES = {
    ".cmat/config.yaml": CONFIG,
    ".cmat/agents/mod.md": AGENT,
    "tools/mod.sh": "true\n",
    "tools/check.py": "pass\n",
}
NOBODY = """\
error: Nothing was allowed: nobody can be asked here.
hint: in scripts: gitcmat trust --digest "$(gitcmat trust --print-digest)"
"""


@pytest.fixture
def planned(repo: TestRepo) -> TestRepo:
    repo.commit("Use gitcmat", FILES)
    return repo


def digest(repo: TestRepo) -> str:
    return gitcmat(repo, "trust", "--print-digest").ok().out.strip()


def blob(repo: TestRepo, path: str) -> str:
    return repo.git("rev-parse", f"HEAD:{path}")[:10]


def shell() -> str:
    found = next(p for f in os.environ["PATH"].split(":") if (p := Path(f, "sh")).exists())
    return str(found)


def typed(repo: TestRepo, answer: str) -> Result:
    """Run `gitcmat trust` at a terminal and type an answer."""
    ours, theirs = pty.openpty()
    os.write(ours, f"{answer}\n".encode())
    with repo.guarded():
        done = subprocess.run(
            [*PROGRAM, "trust"],
            cwd=repo.path,
            stdin=theirs,
            capture_output=True,
            text=True,
            check=False,
        )
    os.close(theirs)
    os.close(ours)
    return Result(done.returncode, done.stdout, done.stderr)


def test_it_shows_the_whole_plan_and_refuses_where_nobody_can_be_asked(planned: TestRepo) -> None:
    done = gitcmat(planned, "trust")
    assert (done.code, done.err) == (5, NOBODY)
    assert done.out == (
        f"The plan of main at {planned.tip()[:10]}:\n\n"
        "  agents:\n"
        "    mod: sh tools/mod.sh\n"
        f"        program: {shell()}\n"
        "        passes: MY_KEY\n"
        "  gates:\n"
        "    tests: nosuch-program tools/check.py\n"
        "        program: nosuch-program is not on PATH\n"
        "  files that may run, with their content as it is now:\n"
        f"    tools/check.py  {blob(planned, 'tools/check.py')}\n"
        f"    tools/mod.sh  {blob(planned, 'tools/mod.sh')}\n"
        "  All of it runs with your rights, and gates run what the agent wrote.\n"
        "  A workspace's own .venv/bin comes before these programs.\n\n"
        "Nothing was allowed here until now.\n"
        f"Digest: {digest(planned)}\n"
    )


def test_a_person_allows_it_by_typing_the_name_of_the_repository(planned: TestRepo) -> None:
    for wrong in ("", "y", "yes"):
        done = typed(planned, wrong)
        assert done.code == 5
        assert done.err.endswith(
            "error: Nothing was allowed.\nhint: gitcmat trust, and type project\n"
        )
    done = typed(planned, "project").ok()
    assert done.out.endswith("\nAllowed.\n")
    assert "Type project to allow this: " in done.err
    assert gitcmat(planned, "trust").ok().out.endswith("\nIt is allowed.\n")


def test_a_script_allows_it_by_its_whole_digest(planned: TestRepo) -> None:
    wrong = gitcmat(planned, "trust", "--digest", digest(planned)[:12])
    assert wrong.code == 5
    assert wrong.err == (
        f"error: The plan of main has the digest {digest(planned)}, not {digest(planned)[:12]}.\n"
        "hint: gitcmat trust, to see what it is\n"
    )
    assert gitcmat(planned, "trust", "--digest", digest(planned)).ok().out == "Allowed.\n"
    listed = gitcmat(planned, "trust", "--list", "--json").ok().json
    assert [plan["digest"] for plan in listed["plans"]] == [digest(planned)]


def test_a_changed_plan_shows_what_changed_and_needs_a_new_permission(planned: TestRepo) -> None:
    gitcmat(planned, "trust", "--digest", digest(planned)).ok()
    old = blob(planned, "tools/mod.sh")
    planned.commit(
        "Change",
        {
            ".cmat/config.yaml": "setup: {run: [[make]]}\n",
            "tools/mod.sh": "evil\n",
        },
    )
    done = gitcmat(planned, "trust")
    assert (done.code, done.err) == (5, NOBODY)
    new = blob(planned, "tools/mod.sh")
    changes = done.out.partition("allowed last:\n")[2].splitlines()
    assert changes[:-1] == [
        "  + setup 1: make",
        f"  ~ file tools/mod.sh: {old} -> {new}",
        "  - gate tests: nosuch-program tools/check.py",
        f"  - file tools/check.py: {blob(planned, 'tools/check.py')}",
    ]


def test_comments_and_prompts_change_nothing(planned: TestRepo) -> None:
    gitcmat(planned, "trust", "--digest", digest(planned)).ok()
    planned.commit(
        "Words",
        {".cmat/config.yaml": f"# mine\n{CONFIG}", ".cmat/agents/mod.md": f"{AGENT}More.\n"},
    )
    assert gitcmat(planned, "trust").ok().out.endswith("\nIt is allowed.\n")


def test_what_is_saved_and_not_committed_is_named_and_is_no_part_of_it(planned: TestRepo) -> None:
    before = digest(planned)
    planned.write(".cmat/config.yaml", "gates: {evil: {run: [evil]}}\n")
    done = gitcmat(planned, "trust")
    assert (
        "\nSaved but not committed, and so no part of it:\n  .cmat/config.yaml (changed)\n"
        in done.out
    )
    assert "evil" not in done.out
    assert digest(planned) == before


def test_a_repository_that_starts_nothing_needs_no_permission(repo: TestRepo) -> None:
    assert gitcmat(repo, "trust").ok().out == (
        f"The plan of main at {repo.tip()[:10]}:\n\n"
        "  nothing is started: no agents, no gates, no setup\n\n"
        "It needs no permission.\n"
    )


def test_everything_can_be_forgotten(planned: TestRepo) -> None:
    assert gitcmat(planned, "trust", "--list").ok().out == "Nothing is allowed.\n"
    gitcmat(planned, "trust", "--digest", digest(planned)).ok()
    assert gitcmat(planned, "trust", "--forget").ok().out == (
        "Forgot 1 plan: nothing new is started until you allow it. What runs goes on.\n"
    )
    assert gitcmat(planned, "trust").code == 5
    again = gitcmat(planned, "trust", "--forget")
    assert (again.code, again.err) == (
        5,
        "error: Nothing is allowed here, so there is nothing to forget.\n",
    )


def test_wrong_settings_have_no_plan(repo: TestRepo) -> None:
    repo.commit("Wrong", {".cmat/config.yaml": "gate: {}\n"})
    done = gitcmat(repo, "trust")
    assert done.code == 3
    assert done.err == (
        "error: The settings of main are wrong, so there is no plan:\n"
        ".cmat/config.yaml:1: gate: unknown key (did you mean 'gates'?); "
        "no good settings are known for main: nothing starts\n"
        "hint: gitcmat lint\n"
    )


def test_the_last_right_settings_hold_while_those_of_the_tip_are_wrong(planned: TestRepo) -> None:
    good, allowed = planned.tip(), digest(planned)
    planned.commit("Wrong", {".cmat/config.yaml": "gate: {}\n"})
    done = gitcmat(planned, "trust")
    assert done.out.splitlines()[:2] == [
        f"The settings of main at {planned.tip()[:10]} are wrong (gitcmat lint).",
        f"The plan is that of {good[:10]}, the last with right ones:",
    ]
    assert digest(planned) == allowed


def test_a_branch_that_agents_write_is_never_trusted(planned: TestRepo) -> None:
    planned.git("switch", "-q", "-c", "cmat/some-task")
    done = gitcmat(planned, "trust", "--print-digest")
    assert (done.code, done.err) == (
        5,
        (
            "error: cmat/some-task is a branch that agents write: "
            "nothing is ever started from it.\n"
            "hint: git switch to a branch of your own\n"
        ),
    )


def test_without_a_branch_or_a_commit_there_is_nothing_to_trust(
    planned: TestRepo, tmp_path: Path
) -> None:
    planned.git("checkout", "-q", "--detach")
    done = gitcmat(planned, "trust")
    assert (done.code, done.err) == (
        5,
        (
            "error: HEAD is detached, so there is no branch whose plan could be trusted.\n"
            "hint: git switch to a branch\n"
        ),
    )
    empty = gitcmat(TestRepo(tmp_path / "empty"), "trust")
    assert (empty.code, empty.err) == (
        4,
        "error: main has no commit, so there is nothing to trust yet.\nhint: git commit\n",
    )


def test_text_that_would_change_what_a_terminal_shows_is_made_visible(repo: TestRepo) -> None:
    repo.commit("x", {".cmat/config.yaml": 'gates: {a: {run: [sh, "\\u202Ehs.live\\e[2K"]}}\n'})
    assert "    a: sh $'\\u202ehs.live\\x1b[2K'\n" in gitcmat(repo, "trust").out
