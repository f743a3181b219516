"""Called with another repository in the environment, from a hook, below a ceiling."""

from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Env, gitcmat
from tests.support.journey import Journey, refused, same
from tests.support.repo import TestRepo


@pytest.fixture
def other(tmp_path: Path) -> TestRepo:
    """Another repository, in which nothing may change; it ends as it was made."""
    made = TestRepo(tmp_path / "other")
    made.commit("Start", {"README.md": "# Other\n"})
    made.freeze()
    return made


def pointing_at(other: TestRepo) -> Env:
    """What a hook of `other`, or a careless script, leaves in the environment."""
    return {
        "GIT_DIR": str(other.git_dir),
        "GIT_WORK_TREE": str(other.path),
        "GIT_INDEX_FILE": str(other.git_dir / "index"),
        "GIT_OBJECT_DIRECTORY": str(other.git_dir / "objects"),
        "GIT_COMMON_DIR": str(other.git_dir),
        "GIT_NAMESPACE": "elsewhere",
        "GIT_PREFIX": "sub/",
        "GIT_CONFIG_PARAMETERS": "'core.bare=true'",
        "GIT_LITERAL_PATHSPECS": "1",
        "GIT_SHALLOW_FILE": "/nowhere",
        "GIT_GRAFT_FILE": "/nowhere",
        "GIT_EXTERNAL_DIFF": "/nowhere",
        "GIT_DEFAULT_HASH": "sha256",
    }


def test_a_repository_in_the_environment_is_neither_read_nor_written(
    repo: TestRepo, other: TestRepo
) -> None:
    journey = Journey(repo, env=pointing_at(other))
    journey.prepare()
    journey.whole()
    other.check()
    assert not (other.git_dir / "cmat").exists()


@pytest.mark.slow
def test_an_agent_gets_none_of_it(repo: TestRepo, other: TestRepo) -> None:
    journey = Journey(repo, env=pointing_at(other))
    journey.prepare()
    journey.add("looks", "env | grep ^GIT_ > seen.txt || echo nothing > seen.txt")
    journey.work("looks")
    journey.land("looks")
    assert repo.read("seen.txt") == "nothing\n"


def test_outside_of_a_repository_the_one_in_the_environment_is_named_as_not_read(
    other: TestRepo, tmp_path: Path
) -> None:
    refused(
        gitcmat(tmp_path, "status", env={"GIT_DIR": str(other.git_dir)}),
        4,
        f"{tmp_path} is not in a git repository.",
        "gitcmat -C DIR; GIT_DIR is not read",
    )


def test_a_ceiling_of_the_persons_holds(repo: TestRepo) -> None:
    repo.write("sub/deep/x.py", "")
    deep = repo.path / "sub/deep"
    gitcmat(deep, "status", env={"GIT_CEILING_DIRECTORIES": str(repo.path.parent)}).ok()
    refused(
        gitcmat(deep, "status", env={"GIT_CEILING_DIRECTORIES": str(repo.path / "sub")}),
        4,
        f"{deep} is not in a git repository.",
        "git init",
    )


# --- from a hook ------------------------------------------------------------------------------


def hook(repo: TestRepo, name: str, *lines: str) -> None:
    """Write a hook of the person's; `gitcmat` in it is the program under test."""
    program = " ".join(PROGRAM)
    text = "\n".join(["#!/bin/sh", f'gitcmat() {{ {program} "$@"; }}', *lines, ""])
    path = repo.git_dir / "hooks" / name
    with repo.as_person():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)


def test_from_a_hook_each_command_works_in_the_repository_it_is_typed_in(
    repo: TestRepo, other: TestRepo, tmp_path: Path
) -> None:
    journey = Journey(repo)
    journey.prepare()
    log = tmp_path / "log.txt"
    hook(
        repo,
        "post-commit",
        f"env | grep -c ^GIT_INDEX_FILE >> {log}",
        f"gitcmat queue add 'From a hook' --id from-$(git rev-parse --short=4 HEAD) >> {log}",
        f"gitcmat -C {other.path} status | head -n 1 >> {log}",
    )
    repo.write("a", "a\n")
    repo.write("b", "b\n")
    repo.git("add", "a", "b")
    repo.git("commit", "-q", "-m", "only a", "--", "a")  # git sets GIT_INDEX_FILE for its hooks
    first = repo.git("rev-parse", "--short=4", "HEAD")
    assert repo.status() == "A  b"
    assert log.read_text() == f"1\nfrom-{first}\nno tasks; no daemon is running\n"
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    repo.git("-C", str(linked), "commit", "-q", "--allow-empty", "-m", "in the linked one")
    second = repo.git("rev-parse", "--short=4", "side")
    listed = journey.type("queue", "list", "--json").ok().json["entries"]
    found = {e["id"]: e["target"] for e in listed}
    same(found, {f"from-{first}": "refs/heads/main", f"from-{second}": "refs/heads/side"})
    other.check()


@pytest.mark.slow
def test_during_a_rebase_a_hook_may_look_and_nothing_new_is_taken_in(
    repo: TestRepo, tmp_path: Path
) -> None:
    journey = Journey(repo)
    journey.prepare()
    log = tmp_path / "log.txt"
    repo.git("switch", "-q", "-c", "topic")
    repo.commit("one", {"one": "1\n"})
    repo.commit("two", {".cmat/tasks/new.yaml": "title: New\n"})
    repo.switch("main")
    repo.commit("more", {"more": "1\n"})
    repo.switch("topic")
    hook(repo, "post-commit", f"gitcmat status | grep 'no new' >> {log}", "gitcmat queue add X")
    hook(repo, "post-rewrite", f"gitcmat status | head -n 1 >> {log}")
    repo.git("rebase", "-q", "--force-rebase", "main")
    assert log.read_text() == (
        "no new tasks are taken in: a rebase is under way (git rebase --continue or --abort)\n" * 2
        + "no tasks; no daemon is running\n"
    )
    assert repo.git("log", "--format=%s", "-3") == "two\none\nmore"
    assert journey.type("status").ok().out.startswith("no tasks;")
