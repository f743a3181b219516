"""From a profile and the person's settings to a run in a sandbox, and what people are told."""

import os
from pathlib import Path
from typing import Final

import pytest

from gitcmat.engine.doctor import doctor
from gitcmat.errors import InvalidData
from gitcmat.model.health import Severity
from gitcmat.model.sandbox import Network, SandboxMode, SandboxWish
from gitcmat.store import documents
from tests.support.boxed import bubblewrap
from tests.support.cli import gitcmat
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

PROFILE: Final = """\
---
name: boxed
command: [sh, -c, "{script}"]
{sandbox}
---
You work.
"""
OUTSIDE: Final = "echo x > new.txt; echo x > $HOME/mark && echo wrote || echo kept in"


def of(sandbox: str) -> SandboxMode | SandboxWish | None:
    """What a profile with this line says of its sandbox."""
    text = PROFILE.format(script="true", sandbox=sandbox)
    return documents.agent(text.encode(), name="boxed.md", stem="boxed")[0].sandbox


def settle(home: Path, text: str) -> None:
    (home / ".config/gitcmat/config.yaml").write_text(text, encoding="utf-8")


def break_bwrap(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a bwrap that does not work, before any other."""
    fake = folder / "fake/bwrap"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho 'bwrap: not today' >&2\nexit 1\n", encoding="utf-8")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with one task for an agent ``boxed``; it is not trusted yet."""
    return Project(repo)


def give(project: Project, sandbox: str) -> None:
    """Let the agent say this of its sandbox, and have a task."""
    project.repo.commit(
        "An agent",
        {
            ".cmat/agents/boxed.md": PROFILE.format(script=OUTSIDE, sandbox=sandbox),
            **task_file("one", agent="boxed"),
        },
    )
    project.repo.freeze()


def run(project: Project) -> str:
    """Run the task; what `run show` says of its sandbox."""
    digest = gitcmat(project.repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(project.repo, "trust", "--digest", digest).ok()
    gitcmat(project.repo, "run", "now", "one")
    lines = gitcmat(project.repo, "run", "show", "one").ok().out.splitlines()
    return next(line for line in lines if line.startswith("  sandbox ")).split(maxsplit=1)[1]


@pytest.mark.parametrize("word", ["off", "bwrap", "auto"])
def test_a_profile_says_it_in_a_word(word: str) -> None:
    assert of(f"sandbox: {word}") is SandboxMode(word)


def test_a_profile_says_it_in_full_or_not_at_all() -> None:
    assert of("sandbox: {network: model, hosts: [a.example], write: [/srv/x]}") == SandboxWish(
        network=Network.MODEL, hosts=("a.example",), write=("/srv/x",)
    )
    assert of("model: x") is None


@pytest.mark.parametrize(
    ("sandbox", "said"),
    [
        (
            "sandbox: bwarp",
            "sandbox: 'bwarp' is not one of off, bwrap, auto (did you mean 'bwrap'?)",
        ),
        ("sandbox: {netwrk: none}", "sandbox.netwrk: unknown key (did you mean 'network'?)"),
        ("sandbox: {network: all}", "sandbox.network: 'all' is not one of none, model, full"),
        ("sandbox: {read: [x]}", "sandbox: 'x' is not a whole path: write it from / or ~/"),
    ],
)
def test_what_makes_no_sense_is_named_by_its_line(sandbox: str, said: str) -> None:
    with pytest.raises(InvalidData) as caught:
        of(sandbox)
    assert caught.value.message == f"boxed.md:4: {said}"


def test_the_plan_shows_what_an_agent_wishes_and_a_change_of_it_is_a_new_plan(
    project: Project,
) -> None:
    give(project, "sandbox: {network: model, hosts: [a.example], read: [~/x], write: [/srv/y z]}")
    shown = gitcmat(project.repo, "trust").out
    before = gitcmat(project.repo, "trust", "--print-digest").ok().out
    wish = "bwrap, network model; hosts a.example; reads '~/x'; writes '/srv/y z'"
    assert f"sandbox: {wish}\n" in shown
    give(project, "sandbox: off")
    assert gitcmat(project.repo, "trust", "--print-digest").ok().out != before


def test_a_profile_that_says_nothing_does_what_the_settings_say(
    project: Project, home: Path
) -> None:
    bubblewrap()
    settle(home, "sandbox: auto\n")
    give(project, "model: x")
    assert run(project) == "bwrap, network full"
    assert "\nkept in\n" in gitcmat(project.repo, "run", "show", "one", "--log").out
    assert not (home / "mark").exists()
    assert gitcmat(project.repo, "run", "show", "one", "--json").json["run"]["sandbox"] == (
        "bwrap, network full"
    )


def test_a_profile_wins_over_the_settings(project: Project, home: Path) -> None:
    bubblewrap()
    settle(home, "sandbox: bwrap\n")
    give(project, "sandbox: off")
    assert run(project) == "off"
    assert (home / "mark").exists()


def test_where_there_is_none_it_is_off_and_said(
    project: Project, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle(home, "{}\n")
    break_bwrap(tmp_path, monkeypatch)
    give(project, "model: x")
    assert run(project) == "off, bubblewrap does not work here (not today)"
    log = gitcmat(project.repo, "run", "show", "one", "--log").out
    assert "[gitcmat] sandbox: off, bubblewrap does not work here (not today)\n" in log


def test_who_insists_on_it_starts_nothing_without_it(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    break_bwrap(tmp_path, monkeypatch)
    give(project, "sandbox: {network: none}")
    digest = gitcmat(project.repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(project.repo, "trust", "--digest", digest).ok()
    done = gitcmat(project.repo, "run", "now", "one")
    assert (
        "The agent is to work in a sandbox, and there is none: "
        "bubblewrap does not work here (not today)" in done.out + done.err
    ), (done.out, done.err)
    assert project.runs("one") == []


def test_an_agent_that_is_run_directly_is_kept_in_as_well(project: Project, home: Path) -> None:
    bubblewrap()
    give(project, "sandbox: bwrap")
    digest = gitcmat(project.repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(project.repo, "trust", "--digest", digest).ok()
    done = gitcmat(project.repo, "run", "direct", "boxed", "Do it").ok()
    assert "kept in" in done.out
    assert not (home / "mark").exists()


def test_the_doctor_says_what_this_machine_can_do(
    project: Project, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said() -> tuple[Severity, str, str]:
        project.reopen()
        found = next(f for f in doctor(project.deps).findings if f.id == "sandbox")
        return found.severity, found.what, found.how

    settle(home, "sandbox: auto\n")
    bubblewrap()
    assert said() == (
        Severity.INFO,
        "Agents work in a sandbox of bubblewrap unless their profile says otherwise",
        "",
    )
    settle(home, "sandbox: off\n")
    assert said()[1] == (
        "bubblewrap works here; agents are not kept in it unless their profile says so"
    )
    break_bwrap(tmp_path, monkeypatch)
    why = "There is no sandbox for agents here: bubblewrap does not work here (not today)"
    assert said() == (Severity.INFO, why, "")
    settle(home, "sandbox: bwrap\n")
    assert said() == (Severity.SERIOUS, f"{why}; without one these start nothing: coder", "")
