"""Where commands may be typed: folders, linked work trees, bare repositories, outside of any."""

import subprocess
from pathlib import Path

import pytest

from tests.support.cli import PROGRAM, Result, gitcmat
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo

LIST = """\
ID  STATE    PRIORITY  AGENT  NOTE  TITLE
a   pending  normal                 a
"""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    made.task("a")
    made.step(start=False)
    return made


def refused(result: Result, code: int, message: str, hint: str) -> None:
    err = f"error: {message}\nhint: {hint}\n"
    assert (result.code, result.out, result.err) == (code, "", err)


def test_a_command_works_below_the_repository_and_from_outside_with_a_folder(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    repo.write("src/deep/x.py", "")
    assert gitcmat(repo.path / "src" / "deep", "queue", "list").ok().out == LIST
    assert gitcmat(tmp_path, "-C", str(repo.path), "queue", "list").ok().out == LIST
    assert gitcmat(repo.path / "src", "-C", "deep", "queue", "list").ok().out == LIST
    assert gitcmat(repo.git_dir, "queue", "list").ok().out == LIST
    link = tmp_path / "link"
    link.symlink_to(repo.path)
    assert gitcmat(link, "queue", "list").ok().out == LIST


def test_a_linked_work_tree_is_the_same_repository(project: Project, tmp_path: Path) -> None:
    repo, linked = project.repo, tmp_path / "linked"
    repo.git("worktree", "add", "-q", "-b", "side", str(linked))
    assert gitcmat(linked, "queue", "list").ok().out == LIST
    gitcmat(linked, "queue", "hold", "a").ok()
    assert project.entry("a").hold
    assert not (linked / ".cmat" / "queue").exists()
    tip = repo.tip()
    with repo.as_person():
        result = gitcmat(linked, "task", "add", "B", "--id", "b", "--agent", "coder").ok()
    assert result.out == "b\n"
    assert result.err == (
        "committed .cmat/tasks/b.yaml\n"
        "warning: b is not taken in now: new tasks are read from main\n"
    )
    assert repo.tip("main") == tip
    assert repo.git("show", "--format=%s", "--name-only", "side") == (
        "Task b: B\n\n.cmat/tasks/b.yaml"
    )
    assert project.state("b") == "none"


def test_a_bare_repository_has_a_queue_of_its_own(tmp_path: Path, repo: TestRepo) -> None:
    repo.commit("Use gitcmat", {**config_file(), **agent_file("coder", "true"), **task_file("a")})
    bare = TestRepo(tmp_path / "bare", bare=True)
    bare.git("fetch", "-q", str(repo.path), "main:main")
    assert "waits for approval" not in gitcmat(bare, "status").ok().out
    result = gitcmat(bare, "queue", "add", "B", "--id", "b").ok()
    assert result.out == "b\n"
    states = gitcmat(bare, "queue", "list", "--json").ok().json["entries"]
    assert {e["id"]: e["state"] for e in states} == {"a": "backlog", "b": "pending"}
    refused(
        gitcmat(bare, "task", "add", "C"),
        5,
        "A bare repository has no work tree to write a task file in.",
        "gitcmat queue add",
    )
    assert sorted(p.name for p in bare.path.iterdir() if p.name.startswith(".cmat")) == []


def test_outside_of_a_repository_a_command_says_so(tmp_path: Path) -> None:
    refused(gitcmat(tmp_path, "status"), 4, f"{tmp_path} is not in a git repository.", "git init")
    refused(
        gitcmat(tmp_path, "-C", "nowhere", "status"),
        4,
        "There is no folder nowhere.",
        "name another one",
    )
    file = tmp_path / "file"
    file.touch()
    refused(
        gitcmat(tmp_path, "-C", "file", "status"), 4, "There is no folder file.", "name another one"
    )
    found = gitcmat(tmp_path, "--json", "status")
    assert (found.code, found.err) == (4, "")
    assert found.json == {
        "schema": 1,
        "error": {
            "message": f"{tmp_path} is not in a git repository.",
            "suggestion": "git init",
            "exit_code": 4,
        },
    }


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (["stauts"], "No such command 'stauts'. Did you mean 'status'?", "gitcmat --help"),
        (["xyz"], "No such command 'xyz'.", "gitcmat --help"),
        (["queue", "lst"], "No such command 'lst'. Did you mean 'list'?", "gitcmat queue --help"),
        (
            ["status", "--jsn"],
            "No such option '--jsn'. Did you mean '--json'?",
            "gitcmat status --help",
        ),
        (["task", "show"], "Missing argument 'TASK'.", "gitcmat task show --help"),
        (
            ["queue", "get", "a", "b"],
            "Got unexpected extra argument (b)",
            "gitcmat queue get --help",
        ),
    ],
    ids=range(6),
)
def test_a_line_that_cannot_be_read_is_refused_with_the_help_to_ask(
    repo: TestRepo, args: list[str], message: str, hint: str
) -> None:
    refused(gitcmat(repo, *args), 2, message, hint)


def test_a_noun_alone_shows_its_help(repo: TestRepo) -> None:
    result = gitcmat(repo, "queue")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: gitcmat queue [OPTIONS] COMMAND [ARGS]...\n")
    assert gitcmat(repo, "queue", "--help").ok().err == ""


def test_git_finds_it_as_a_command_of_its_own(project: Project) -> None:
    assert project.repo.git("cmat", "queue", "list") + "\n" == LIST


def test_a_second_list_parses_nothing_and_one_after_a_change_parses_one(
    project: Project, tmp_path: Path
) -> None:
    project.commit(*(task_file(f"t{n}") for n in range(30)))
    project.step(start=False)
    trace = tmp_path / "trace.txt"

    def parsed(*args: str) -> int:
        gitcmat(project.repo, *args, env={"GITCMAT_TRACE": str(trace)}).ok()
        lines = trace.read_text(encoding="utf-8").splitlines()
        trace.unlink()
        return sum(line.startswith("yaml ") for line in lines)

    assert parsed("queue", "list") == 31
    assert parsed("queue", "list") == 0
    gitcmat(project.repo, "queue", "hold", "t7").ok()
    assert parsed("queue", "list") <= 1
    assert parsed("queue", "list") == 0


def test_a_look_at_the_status_asks_git_where_and_what_and_parses_nothing(
    project: Project, tmp_path: Path
) -> None:
    names = [f"t{n}" for n in range(30)]
    project.commit(*(task_file(name) for name in names))
    project.step(start=False)
    gitcmat(project.repo, "queue", "list").ok()
    trace = tmp_path / "trace.txt"

    gitcmat(project.repo, "status", env={"GITCMAT_TRACE": str(trace)}).ok()

    lines = [line.split() for line in trace.read_text(encoding="utf-8").splitlines()]
    asked = [next(w for w in words[2:] if w[0] != "-") for words in lines if words[0] == "process"]
    assert asked == ["rev-parse", "ls-tree", "cat-file"]
    saved = [Path(words[1]).stem for words in lines if words[0] == "read" and "tasks" in words[1]]
    assert sorted(n for n in saved if n in names) == sorted(names)
    own = [["yaml", "~/.config/gitcmat/config.yaml"]]  # the person's, kept nowhere else
    assert [words for words in lines if words[0] == "yaml"] == own


def test_in_a_folder_that_is_gone_every_command_says_so(repo: TestRepo) -> None:
    gone = repo.path / "gone"
    script = 'mkdir "$0" && cd "$0" && rmdir "$0" && exec "$@"'
    for command in (("status",), ("queue", "list", "all"), ("hooks", "status"), ("config", "list")):
        done = subprocess.run(
            ["sh", "-c", script, str(gone), *PROGRAM, *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (4, "")
        said = "error: The folder that you are in is gone.\nhint: cd to another one\n"
        assert done.stderr == said
