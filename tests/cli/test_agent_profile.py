"""What a profile of an agent may not say: no variable, no secret, no program."""

from pathlib import Path

import pytest

from tests.cli.test_agent import agent, refused, trusted
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo


@pytest.mark.parametrize(
    ("head", "said"),
    [
        ('env: {"A=B": x}', "env: 'A=B' is no name of a variable"),
        ('env: {"": x}', "env: '' is no name of a variable"),
        ("env: {1A: x}", "env: '1A' is no name of a variable"),
        ('pass_env: ["A B", X]', "pass_env: 'A B' is no name of a variable"),
        ("pass_env: [X=1]", "pass_env: 'X=1' is no name of a variable"),
    ],
)
def test_a_name_that_no_variable_can_have_is_named_by_its_line(
    repo: TestRepo, head: str, said: str
) -> None:
    text = f"---\nname: coder\ncommand: [cat]\n{head}\n---\n"
    repo.commit("An agent", {".cmat/agents/coder.md": text})
    hint = "letters, digits and underscores, and no digit first, such as API_KEY"
    found = gitcmat(repo, "lint")
    assert (found.code, found.out) == (1, f".cmat/agents/coder.md:4: {said}\n  hint: {hint}\n")
    shown = gitcmat(repo, "agent", "show", "coder")
    assert refused(shown) == (3, f".cmat/agents/coder.md:4: {said}", hint)
    run = gitcmat(repo, "run", "direct", "coder", "hello")
    none = "no good settings are known for main: nothing starts"
    wrong = f"The settings are wrong:\n.cmat/agents/coder.md:4: {said}; {none}"
    assert refused(run) == (3, wrong, "gitcmat lint")


def test_a_value_that_no_variable_can_hold_is_refused(repo: TestRepo) -> None:
    text = '---\nname: coder\ncommand: [cat]\nenv: {A: "x\\0y"}\n---\n'
    repo.commit("An agent", {".cmat/agents/coder.md": text})
    assert gitcmat(repo, "lint").out == (
        ".cmat/agents/coder.md:4: env: a value has a NUL character\n"
        "  hint: take it out: no variable can hold it\n"
    )


TOKEN = "ghp_" + "a1B2" * 9


def test_a_secret_is_not_written_into_a_profile(repo: TestRepo) -> None:
    for pair in ("API_KEY=correct-horse", f"MODE={TOKEN}"):
        name = pair.partition("=")[0]
        found = gitcmat(repo, "agent", "add", "coder", "--command", "cat", "--env", pair)
        assert refused(found) == (
            3,
            f"{name} looks like a secret, and the profile is committed.",
            f"use --pass-env {name}: the value stays in your environment",
        )
    assert not (repo.path / ".cmat").exists()
    for pair in ("MODE=test", "MAX_TOKEN=100", "API_KEY=/run/key"):
        name = pair.partition("=")[0].lower().replace("_", "-")
        gitcmat(repo, "agent", "add", name, "--command", "cat", "--env", pair, changes=("files",))


def test_a_secret_in_a_committed_file_is_a_warning_that_does_not_repeat_it(repo: TestRepo) -> None:
    gates = f"gates:\n  tests:\n    run: [cat]\n    env:\n      MODE: {TOKEN}\n"
    text = f"---\nname: coder\ncommand: [cat]\nenv:\n  A: b\n  API_KEY: hunter-{TOKEN}\n---\n"
    trusted(repo, {".cmat/agents/coder.md": text, ".cmat/config.yaml": gates})
    said = "env: API_KEY looks like a secret, and this file is committed"
    hint = "pass_env: [API_KEY] hands yours through; whoever had the file knows this one"
    found = gitcmat(repo, "lint").ok()
    assert found.out.splitlines() == [
        f"note: .cmat/agents/coder.md:6: {said}",
        f"note: .cmat/config.yaml:5: gates.tests.env: {said[5:].replace('API_KEY', 'MODE')}",
    ]
    checked = gitcmat(repo, "agent", "check").ok()
    assert checked.out.splitlines()[2:] == [f"  note: {said}", f"    hint: {hint}"]
    listed = gitcmat(repo, "agent", "list").ok()
    assert "hunter" not in found.out + checked.out + listed.out


@pytest.mark.parametrize(
    ("text", "mode", "why"),
    [
        ("vm\n", 0o755, "it is text without a first line such as #!/bin/sh"),
        ("", 0o755, "it is text without a first line such as #!/bin/sh"),
        ("#!/bin/sh\n", 0o644, "it is not executable"),
        (None, 0o755, "it is no file"),
    ],
)
def test_what_is_no_program_is_said_to_be_none(
    repo: TestRepo, tmp_path: Path, text: str | None, mode: int, why: str
) -> None:
    program = tmp_path / "thing"
    if text is None:
        program.mkdir()
    else:
        program.write_text(text, encoding="utf-8")
    program.chmod(mode)
    trusted(repo, agent("coder", command=[str(program)]))
    said = f"Cannot start `{program}`: {why}."
    hint = "name another program in command:, or make this one executable: chmod +x"
    listed = gitcmat(repo, "agent", "list", "--json").ok()
    assert listed.json["agents"][0]["program"] is None
    assert "  program cannot be executed  " in gitcmat(repo, "agent", "list").ok().out
    checked = gitcmat(repo, "agent", "check")
    assert (checked.code, checked.out.splitlines()) == (
        1,
        ["coder: cannot work so", f"  wrong: {said}", f"    hint: {hint}"],
    )
    run = gitcmat(repo, "run", "direct", "coder", "hello")
    assert run.code != 0
    assert said in run.out + run.err
