"""`gitcmat init` writes `.cmat/` and nothing else of the person's."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.app import open_app
from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat
from tests.support.repo import TestRepo
from tests.support.store import PAT, entry

FILES = (
    ".cmat/config.yaml",
    ".cmat/.gitignore",
    ".cmat/agents/README.md",
    ".cmat/tasks/README.md",
    ".cmat/schemas/agent.json",
    ".cmat/schemas/config.json",
    ".cmat/schemas/task.json",
)
CHANGES = ("files:.cmat", "files:.cmat/*", "hooks:*")
COMMITS = (*CHANGES, "refs:refs/heads/main", "index")
FACTS = (
    "queue",
    "blockers",
    "checkpoints",
    "runs",
    "subtasks",
    "memory",
    "sessions",
    "batches",
)

WROTE = "\n".join(
    [
        *(f"  {path}" for path in FILES),
        "  .git/info/exclude (hides the folders that gitcmat writes itself)",
    ]
)
HOOKS = (
    "Installed git hooks that wake gitcmat and refuse a commit of wrong files below .cmat/ "
    "(gitcmat hooks remove undoes it)."
)
NEXT = """\
Next:
  write an agent: gitcmat agent add NAME --runs claude (or see .cmat/agents/README.md)
  git add .cmat && git commit -m "Use gitcmat"
  gitcmat trust
"""
NOTHING = """\
Looked for and did not find:
  a project to test: no pyproject.toml, setup.py, package.json, go.mod, Cargo.toml, no test_*.py
"""
WITH_TESTS = {"app.py": "", "tests/test_app.py": "import unittest\n"}


def init(repo: TestRepo, *args: str, changes: tuple[str, ...] = CHANGES) -> Result:
    return gitcmat(repo, "init", *args, changes=changes)


def refused(done: Result, code: int) -> str:
    assert (done.code, done.out) == (code, "")
    return done.err


def test_a_project_with_tests_gets_its_gates(repo: TestRepo) -> None:
    repo.commit("Tests", WITH_TESTS)
    done = init(repo).ok()
    assert done.out == (
        "Found Python (tests/test_app.py):\n"
        "  tests  python3 -m unittest discover -s tests\n"
        f"Wrote in {repo.path}:\n{WROTE}\n{HOOKS}\n"
        "Trusted on this machine: what these files may start, as they are now.\n" + NEXT
    )
    assert repo.read(".cmat/config.yaml") == (
        """\
# yaml-language-server: $schema=schemas/config.json
#
# What gitcmat may start in this repository, and what holds for every task. Only what is committed
# is used, and only after `gitcmat trust` on the machine where it is to run.
schema: 1

# Commands that judge a result, one after the other: a program and its arguments, no shell line.
# To have files read as they were before an agent's work: protect: [tests/conftest.py]
gates:
  tests:
    run: [python3, -m, unittest, discover, -s, tests]

# What makes a workspace ready: run when one is made, and when a file that `when` names has changed.
# setup:
#   run:
#     - [make, deps]
#   when: [deps.txt]

# Paths that stay in a workspace from one task to the next.
# keep: [build]

# What holds for a task that does not say otherwise.
# defaults:
#   agent: implementer
#   attempts: 3
#   timeout: 30m
"""
    )
    assert repo.read(".cmat/.gitignore").splitlines()[1:] == [f"/{name}/" for name in FACTS]
    exclude = (repo.git_dir / "info/exclude").read_text()
    assert all(f"/.cmat/{name}/\n" in exclude for name in FACTS)
    assert repo.status().splitlines() == sorted(f"?? {path}" for path in FILES)


def test_a_folder_without_a_known_stack_is_fine(repo: TestRepo) -> None:
    done = init(repo).ok()
    assert done.out == f"{NOTHING}Wrote in {repo.path}:\n{WROTE}\n{HOOKS}\n{NEXT}"
    assert "\ngates: {}\n" in repo.read(".cmat/config.yaml")


def test_what_it_writes_is_right_by_its_own_check_and_by_the_schemas(repo: TestRepo) -> None:
    repo.commit("Go", {"package.json": '{"scripts": {"test": "true: #"}}', **WITH_TESTS})
    init(repo).ok()
    linted = gitcmat(repo, "--json", "lint").ok().json
    assert linted["problems"] == []
    for kind in ("agent", "config", "task"):
        schema = json.loads(repo.read(f".cmat/schemas/{kind}.json"))
        assert schema["additionalProperties"] is False
        assert "schema" in schema["properties"]


def test_detection_can_be_left_out(repo: TestRepo) -> None:
    repo.commit("Tests", WITH_TESTS)
    done = init(repo, "--no-detect").ok()
    assert done.out == f"Wrote in {repo.path}:\n{WROTE}\n{HOOKS}\n{NEXT}"
    assert "\ngates: {}\n" in repo.read(".cmat/config.yaml")


def test_a_script_gets_all_of_it_as_json(repo: TestRepo) -> None:
    repo.commit("Tests", WITH_TESTS)
    assert init(repo, "--json").ok().json == {
        "schema": 1,
        "root": str(repo.path),
        "written": list(FILES),
        "kept": [],
        "stacks": [{"name": "Python", "file": "tests/test_app.py"}],
        "setup": [],
        "gates": {"tests": ["python3", "-m", "unittest", "discover", "-s", "tests"]},
        "not_found": [],
        "branch_prefix": "cmat",
        "hooks": {"installed": True, "why_not": ""},
        "trusted": True,
        "commit": None,
    }


def test_it_commits_only_when_asked_and_only_its_own_files(repo: TestRepo) -> None:
    repo.write("mine.txt", "staged\n")
    repo.git("add", "mine.txt")
    done = init(repo, "--commit", changes=COMMITS).ok()
    assert done.out.splitlines()[-4:] == [
        f"Committed as {repo.tip()[:10]}.",
        "Next:",
        "  write an agent: gitcmat agent add NAME --runs claude (or see .cmat/agents/README.md)",
        "  gitcmat trust",
    ]
    assert repo.git("show", "--format=%s", "--name-only").splitlines()[2:] == sorted(FILES)
    assert repo.git("log", "-1", "--format=%s") == "Use gitcmat"
    assert repo.status() == "A  mine.txt"


def test_what_an_earlier_init_wrote_is_committed_later(repo: TestRepo) -> None:
    init(repo, changes=COMMITS).ok()
    done = init(repo, "--commit", changes=COMMITS).ok()
    assert f"Committed as {repo.tip()[:10]}." in done.out.splitlines()
    assert repo.git("show", "--format=%s", "--name-only").splitlines()[2:] == sorted(FILES)
    assert repo.status() == ""


def test_a_second_init_is_refused_unless_forced(repo: TestRepo) -> None:
    init(repo, "--commit", changes=COMMITS).ok()
    assert refused(init(repo), 5) == (
        f"error: This repository is prepared already: {repo.path}/.cmat/config.yaml is there.\n"
        "hint: gitcmat init --force, to write it anew\n"
    )
    repo.commit("Own", {".cmat/config.yaml": "gates: {}\n"})
    repo.commit("Tests", WITH_TESTS)
    done = init(repo, "--force").ok()
    assert f"Wrote in {repo.path}:\n  .cmat/config.yaml\nLeft as they are:\n" in done.out
    assert "unittest" in repo.read(".cmat/config.yaml")
    assert "Trusted" not in done.out, "there was a .cmat/ before"


def test_forcing_never_loses_what_is_saved_and_not_committed(repo: TestRepo) -> None:
    init(repo, "--commit", changes=COMMITS).ok()
    repo.write(".cmat/config.yaml", "# my work of an hour\n")
    assert refused(init(repo, "--force"), 5) == (
        "error: Nothing was written: .cmat/config.yaml is saved but not committed, "
        "and would be lost.\n"
        "hint: commit it, or move it away\n"
    )


def test_files_that_a_person_has_made_before_stay(repo: TestRepo) -> None:
    repo.write(".cmat/agents/README.md", "mine\n")
    done = init(repo).ok()
    assert "Left as they are:\n  .cmat/agents/README.md\n" in done.out
    assert repo.read(".cmat/agents/README.md") == "mine\n"
    assert "Trusted" not in done.out


def test_it_works_before_the_first_commit_and_says_what_is_missing(tmp_path: Path) -> None:
    empty = TestRepo(tmp_path / "empty")
    done = init(empty).ok()
    assert "  (this branch has no commit yet: no task starts before there is one)\n" in done.out
    empty.git("add", ".cmat")
    empty.git("commit", "-q", "-m", "Use gitcmat")


def test_it_can_make_the_first_commit(tmp_path: Path) -> None:
    empty = TestRepo(tmp_path / "empty")
    done = gitcmat(empty, "init", "--commit", changes=COMMITS).ok()
    assert "no commit yet" not in done.out
    assert empty.names("HEAD") == sorted(FILES)


def test_a_bare_repository_is_refused(tmp_path: Path) -> None:
    bare = TestRepo(tmp_path / "bare.git", bare=True)
    assert refused(gitcmat(bare, "init"), 4) == (
        f"error: {bare.path} is a bare repository, and .cmat/ is made in a work tree.\n"
        "hint: gitcmat init in a clone of it, or in one of its work trees (git worktree add)\n"
    )


def test_outside_of_a_repository_it_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "nowhere").mkdir()
    assert refused(gitcmat(tmp_path / "nowhere", "init"), 4) == (
        f"error: {tmp_path}/nowhere is not in a git repository.\nhint: git init\n"
    )


def test_from_a_sub_directory_it_prepares_the_whole_repository(repo: TestRepo) -> None:
    (repo.path / "src").mkdir()
    with repo.guarded(*CHANGES):
        gitcmat(repo.path / "src", "init").ok()
    assert (repo.path / ".cmat/config.yaml").exists()


def test_in_a_linked_work_tree_it_says_where_tasks_come_from(
    repo: TestRepo, tmp_path: Path
) -> None:
    linked = tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    with repo.guarded("hooks:*"):
        done = gitcmat(linked, "init").ok()
    note = f"Note: tasks are taken from the branch that is checked out in {repo.path}.\n"
    assert note in done.out
    assert (linked / ".cmat/config.yaml").exists()
    assert not (repo.path / ".cmat").exists()
    assert (repo.git_dir / "cmat/view/home").read_text() == "worktrees/linked\n"


@pytest.mark.parametrize("what", ["a symbolic link", "a file"])
def test_a_cmat_that_is_no_folder_is_refused(repo: TestRepo, tmp_path: Path, what: str) -> None:
    if what == "a file":
        repo.write(".cmat", "x")
    else:
        (tmp_path / "elsewhere").mkdir()
        with repo.as_person():
            (repo.path / ".cmat").symlink_to(tmp_path / "elsewhere")
    assert refused(init(repo), 3) == (
        f"error: {repo.path}/.cmat is {what}, not a folder.\nhint: move it away\n"
    )


def test_a_folder_inside_that_leads_out_is_not_followed(repo: TestRepo, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (repo.path / ".cmat").mkdir()
    (repo.path / ".cmat/schemas").symlink_to(tmp_path / "elsewhere")
    assert refused(init(repo), 3) == (
        f"error: The path '.cmat/schemas/agent.json' leads out of {repo.path}.\n"
        "hint: Name a path inside that folder.\n"
    )
    assert not list((tmp_path / "elsewhere").iterdir())


def test_where_a_branch_is_named_cmat_another_prefix_is_proposed(repo: TestRepo) -> None:
    repo.branch("cmat")
    done = init(repo).ok()
    assert "Branches for review are gitcmat/<task>: there is a branch named cmat.\n" in done.out
    assert repo.read(".cmat/config.yaml").endswith(
        "\n# There is a branch named cmat, so the branches for review cannot be cmat/<task>.\n"
        "branch:\n  prefix: gitcmat\n"
    )


def test_where_git_ignores_dot_files_it_says_so(repo: TestRepo) -> None:
    repo.commit("Ignore", {".gitignore": ".*\n"})
    assert "Note: git ignores .cmat/ here, so it takes git add --force.\n" in init(repo).ok().out


def own_hook(repo: TestRepo) -> str:
    hook = repo.git_dir / "hooks/pre-commit"
    hook.write_text("#!/bin/sh\n")
    hook.chmod(0o755)
    return "you have a hook pre-commit of your own"


def hooks_path(repo: TestRepo) -> str:
    repo.git("config", "core.hooksPath", "tools/hooks")
    return f"core.hooksPath is set, so git runs the hooks of {repo.path}/tools/hooks"


def lefthook(repo: TestRepo) -> str:
    repo.write("lefthook.yml", "pre-commit: {}\n")
    return "lefthook manages the hooks here (lefthook.yml)"


@pytest.mark.parametrize("obstacle", [own_hook, hooks_path, lefthook])
def test_hooks_of_the_person_are_never_touched(
    repo: TestRepo, obstacle: Callable[[TestRepo], str]
) -> None:
    why = obstacle(repo)
    done = init(repo, changes=("files:.cmat", "files:.cmat/*")).ok()
    assert f"Installed no git hooks, which gitcmat does not need: {why}.\n" in done.out


def test_what_it_trusted_needs_no_further_permission_once_committed(repo: TestRepo) -> None:
    repo.commit("Tests", {**WITH_TESTS, "discover": "a file that a command names by chance\n"})
    init(repo).ok()
    repo.commit("Use gitcmat")
    done = gitcmat(repo, "trust").ok()
    assert done.out.splitlines()[-1] == "It is allowed."


def test_a_change_before_the_commit_does_need_it(repo: TestRepo) -> None:
    repo.commit("Tests", WITH_TESTS)
    init(repo).ok()
    text = repo.read(".cmat/config.yaml").replace("discover", "discover, -v")
    repo.commit("Use gitcmat", {".cmat/config.yaml": text})
    assert gitcmat(repo, "trust").code == 5


def test_a_repository_that_came_with_a_cmat_is_not_trusted(repo: TestRepo) -> None:
    repo.commit("Theirs", {".cmat/config.yaml": "gates: {a: {run: [evil]}}\n"})
    repo.git("rm", "-q", "-r", ".cmat")
    assert "Trusted" not in init(repo).ok().out


def test_it_is_refused_while_something_is_active_even_when_forced(repo: TestRepo) -> None:
    init(repo, "--commit", changes=COMMITS).ok()
    app = open_app(repo.path)
    with app.deps.store.change("claim", by=PAT) as change:
        change.put(entry("one", State.ACTIVE))
    assert refused(init(repo, "--force"), 5) == (
        "error: Nothing was written: a task is active.\n"
        "hint: gitcmat run stop --all, or wait for them\n"
    )
