"""A repository that brings programs with the names of those that gitcmat starts (SAFETY T26)."""

import os
import sys
from pathlib import Path
from typing import Final

import pytest

from gitcmat.store import git_rules
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo

NAMES: Final = ("bwrap", "claude", "codex", "gemini", "git", "gitcmat", "opencode", "tool")
AGENTS: Final = {
    ".cmat/agents/coder.md": "---\nname: coder\nruns: claude\n---\n",
    ".cmat/agents/thinker.md": "---\nname: thinker\nruns: codex\n---\n",
    ".cmat/agents/any.md": '---\nname: any\ncommand: [tool, "--fix"]\n---\n',
    ".cmat/agents/dotted.md": "---\nname: dotted\ncommand: [./tool]\n---\n",
    ".cmat/agents/below.md": "---\nname: below\ncommand: [bin/tool]\n---\n",
}


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file in which each planted program leaves a line."""
    return tmp_path / "planted-programs-started"


@pytest.fixture
def project(repo: TestRepo, canary: Path) -> TestRepo:
    """A repository with its agents allowed, and programs in its root and in its ``bin``."""
    program = f'#!/bin/sh\necho "$0 $*" >> {canary}\nexit 0\n'
    planted = {f"{folder}{name}": program for folder in ("", "bin/") for name in NAMES}
    repo.commit("Programs", {**AGENTS, **planted})
    for path in planted:
        (repo.path / path).chmod(0o755)
    repo.git("update-index", "--chmod=+x", *planted)
    repo.git("commit", "-q", "-m", "They can be started")
    digest = gitcmat(repo, "trust", "--print-digest").ok().out.strip()
    gitcmat(repo, "trust", "--digest", digest).ok()
    return repo


def paths(repo: TestRepo, tmp_path: Path) -> dict[str, str]:
    """Ways in which a PATH may lead into the repository."""
    link = tmp_path / "link"
    link.symlink_to(repo.path / "bin")
    single = tmp_path / "single"
    single.mkdir()
    for name in NAMES:
        (single / name).symlink_to(repo.path / "bin" / name)
    beside = tmp_path / "beside"
    repo.git("worktree", "add", "-q", "--detach", str(beside))
    return {
        "nothing between colons": "",
        "this folder": ".",
        "relative": "bin",
        "relative and up": f"../{repo.path.name}/bin",
        "root": str(repo.path),
        "folder": str(repo.path / "bin"),
        "folder with dots": f"{repo.path}/bin/../bin",
        "linked folder": str(link),
        "linked programs": str(single),
        "linked work tree": str(beside / "bin"),
    }


def usual_path() -> str:
    """The PATH of the tests without the tripwires, which have the names of real agents."""
    return os.pathsep.join(os.environ["PATH"].split(os.pathsep)[1:])


def test_a_program_of_the_repository_is_never_taken_for_an_agent_s(
    project: TestRepo, canary: Path, tmp_path: Path
) -> None:
    for way, path in paths(project, tmp_path).items():
        env = {"PATH": f"{path}{os.pathsep}{usual_path()}"}
        checked = gitcmat(project, "agent", "check", "--probe", "--json", env=env)
        assert checked.code == 1, way
        assert {a["name"]: a["program"] for a in checked.json["agents"]} == dict.fromkeys(
            ("any", "below", "coder", "dotted", "thinker")
        ), way
        listed = gitcmat(project, "agent", "list", "--json", env=env).ok().json["agents"]
        assert {a["program"] for a in listed} == {None}, way
        shown = gitcmat(project, "agent", "show", "coder", env=env).ok().out
        assert "cannot       There is no program `claude` on your PATH" in shown, way
        assert not canary.exists(), f"{way}: {canary.read_text(encoding='utf-8')}"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["any", "coder", "dotted"])
def test_no_run_starts_a_program_of_the_repository(
    project: TestRepo, canary: Path, tmp_path: Path, name: str
) -> None:
    ways = paths(project, tmp_path)
    env = {"PATH": os.pathsep.join((*ways.values(), usual_path()))}
    task = f"title: Do it\nagent: {name}\nattempts: 1\n"
    project.commit("A task", {".cmat/tasks/a.yaml": task})
    ran = gitcmat(project, "run", "now", "a", env=env)
    assert ran.code != 0
    assert "there is no such program outside of the repository" in ran.out + ran.err
    assert not canary.exists(), canary.read_text(encoding="utf-8")


def test_git_is_never_the_repository_s_wherever_gitcmat_is_started(
    project: TestRepo, canary: Path, tmp_path: Path
) -> None:
    below = project.path / "below"
    below.mkdir()
    env = {"PATH": os.pathsep.join((*paths(project, tmp_path).values(), usual_path()))}
    beside = tmp_path / "beside"
    places = (project.path, below, project.path / ".git", beside, beside / "bin")
    starts: list[tuple[Path, tuple[str, ...]]] = [(place, ()) for place in places]
    for where, words in [*starts, (tmp_path, ("-C", str(project.path)))]:
        said = gitcmat(where, *words, "status", "--json", env=env).ok()
        assert said.json["trusted"] is True
    assert not canary.exists(), canary.read_text(encoding="utf-8")


def test_where_the_only_git_is_the_repository_s_there_is_none(
    project: TestRepo, canary: Path
) -> None:
    python = Path(sys.executable).parent
    assert not (python / "git").exists()
    said = gitcmat(project.path, "status", env={"PATH": f"{project.path}/bin:{python}"})
    hint = "install git 2.38 or newer, outside of this repository"
    assert (said.code, said.err) == (4, f"error: git is not installed\nhint: {hint}\n")
    assert not canary.exists()


def test_a_repository_that_is_worked_in_stays_out(
    project: TestRepo, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(project.path / "bin"), prepend=os.pathsep)
    git_rules.program.cache_clear()
    try:
        assert git_rules.program() == str(project.path / "bin/git")
        usual = git_rules.program_at(project.path / "bin")
        assert usual == git_rules.program() != str(project.path / "bin/git")
    finally:
        monkeypatch.undo()
        git_rules.program.cache_clear()
