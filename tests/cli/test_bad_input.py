"""What a person may do wrong, or be in the middle of: whole messages, nothing of theirs lost."""

import contextlib
import os
import threading
from pathlib import Path

import pytest

from tests.support.cli import Result, gitcmat
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

MINE = ("files:.cmat/tasks/*", "index", "refs:refs/heads/main")


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    made.task("a", hold=True)
    made.step(start=False)
    return made


def refused(result: Result, code: int, message: str, hint: str) -> None:
    err = f"error: {message}\nhint: {hint}\n"
    assert (result.code, result.out, result.err) == (code, "", err)


# --- files ----------------------------------------------------------------------------------------

BOMB = "a: &a [x, x]\nb: &b [*a, *a]\ntitle: *b\n"
DEEP = "title: x\nprompt: " + "[" * 50_000 + "\n"
CONFLICT = "<<<<<<< HEAD\ntitle: A\n=======\ntitle: B\n>>>>>>> side\n"
ESCAPE = 'hint: remove it, or write it as an escape in double quotes: "\\x{}"'
TAG = "tag:yaml.org,2002:python/object/apply:os.system"
LONG = "put long texts into a file of the repository and name it in the prompt"

FILES: dict[str, tuple[bytes, str]] = {
    "half written": (b"title: A\nprompt: [unfini", "3: did not find expected ',' or ']'"),
    "binary": (b"\x00\x01", f"1: has a control character (U+0000) ({ESCAPE.format('00')})"),
    "not UTF-8": (b"title: \xff\xfe\n", "1: is not UTF-8 (hint: save it as UTF-8)"),
    "twice": (
        b"title: A\ntitle: B\n",
        "2: key 'title' is there twice (first in line 1) (hint: keep one of them)",
    ),
    "alias bomb": (BOMB.encode(), "1: has an anchor (&a) (hint: write the value out)"),
    "50,000 brackets": (DEEP.encode(), "2: is nested more than 32 levels deep"),
    "a tag": (
        b"title: !!python/object/apply:os.system [id]\n",
        f"1: has a tag ({TAG}) (hint: write plain YAML: keys, lists and text)",
    ),
    "an escape sequence": (
        b"title: \x1b[31mred\n",
        f"1: has a control character (U+001B) ({ESCAPE.format('1b')})",
    ),
    "conflict markers": (
        CONFLICT.encode(),
        "1: has conflict markers (hint: resolve the merge, then try again)",
    ),
    "empty": (b"", "1: is empty (hint: write at least title: or prompt:)"),
    "a list": (b"- title: A\n", "1: is not a mapping (hint: write key: value)"),
    "misspelt": (b"titel: A\n", "1: titel: unknown key (did you mean 'title'?)"),
    "a status": (
        b"title: A\nstatus: done\n",
        "2: status: unknown key (hint: keys that begin with x- are yours)",
    ),
    "newer": (
        b"schema: 7\ntitle: A\n",
        "1: is schema 7, this gitcmat knows 1 (hint: upgrade gitcmat)",
    ),
    "a text for a list": (
        b"title: A\nneeds: b\n",
        "2: needs: expected list, got str (write [b])",
    ),
    "large": (
        b"title: A\nprompt: " + b"x" * 70_000 + b"\n",
        f"1: is larger than 64 KB (hint: {LONG})",
    ),
}


def test_task_files_that_cannot_be_read_are_named_by_line_and_stop_no_other(
    project: Project,
) -> None:
    names = {name: name.replace(" ", "-").replace(",", "").lower() for name in FILES}
    with project.repo.as_person():
        for name, (text, _) in FILES.items():
            (project.repo.path / f".cmat/tasks/{names[name]}.yaml").write_bytes(text)
    project.commit(task_file("good"))
    expected = {f".cmat/tasks/{names[name]}.yaml:{said}" for name, (_, said) in FILES.items()}
    shown = gitcmat(project.repo, "status").ok().out.splitlines()
    assert {line for line in shown if line.startswith(".cmat/")} == expected
    found = gitcmat(project.repo, "status", "--json").ok().json
    assert len(found["problems"]) == len(FILES)
    project.work()
    assert project.state("good") == "review"
    assert set(project.deps.store.read().states()) == {"a", "good"}


NAMES: dict[str, str] = {
    "A.yaml": "differs from a.yaml only by upper and lower case (hint: delete one of them)",
    "..yaml": "'.' is not a task id. (hint: 1 to 63 lower-case letters, digits and dashes)",
    "con.yaml": "'con' is a reserved name on Windows. (hint: choose another id)",
    "b.yml": "is not a task file (hint: name it b.yaml)",
    "sub/c.yaml": (
        "is in a sub-folder, where tasks are not read (hint: git mv it to .cmat/tasks/c.yaml)"
    ),
    "link.yaml": "is a symbolic link (hint: put the file itself there)",
}


def test_files_that_cannot_be_a_task_by_their_names_are_named(
    project: Project, tmp_path: Path
) -> None:
    tasks = project.repo.path / ".cmat" / "tasks"
    with project.repo.as_person():
        (tmp_path / "outside").write_text("title: A\n", encoding="utf-8")
        (tasks / "link.yaml").symlink_to(tmp_path / "outside")
    project.commit({f".cmat/tasks/{n}": "title: A\n" for n in NAMES if n != "link.yaml"})
    shown = gitcmat(project.repo, "status").ok().out.splitlines()
    expected = {f".cmat/tasks/{name}:1: {said}" for name, said in NAMES.items()}
    assert {line for line in shown if line.startswith(".cmat/")} == expected
    project.work()
    assert set(project.deps.store.read().states()) == {"a"}


@pytest.mark.parametrize("name", ["../../evil", "a/b", "/etc/x", ".git", "-x", "a\x1b[31m"])
def test_an_id_that_leads_elsewhere_is_no_id(project: Project, name: str) -> None:
    hint = "1 to 63 lower-case letters, digits and dashes"
    given = gitcmat(project.repo, "task", "add", "X", f"--id={name}")
    refused(given, 3, f"{name!r} is not a task id.", hint)
    asked = gitcmat(project.repo, "task", "show", "--", name)
    refused(asked, 4, f"There is no task {name!r}.", "gitcmat queue list")


def test_control_characters_of_a_task_are_shown_not_obeyed(project: Project) -> None:
    project.commit({".cmat/tasks/b.yaml": 'title: "\\x1b[31mred \\u202eesrever"\nhold: true\n'})
    project.step(start=False)
    out = gitcmat(project.repo, "queue", "list").ok().out
    assert out.splitlines()[-1].endswith("\\x1b[31mred \\u202eesrever")
    assert "\x1b" not in out + gitcmat(project.repo, "task", "show", "b").ok().out


def test_a_folder_of_ours_that_is_a_link_is_neither_read_nor_written(
    project: Project, tmp_path: Path
) -> None:
    repo, away = project.repo, tmp_path / "away"
    with repo.as_person():
        (repo.path / ".cmat").rename(away)
        (repo.path / ".cmat").symlink_to(away)
    before = {p: p.read_bytes() for p in away.rglob("*") if p.is_file()}
    refused(
        gitcmat(repo, "task", "add", "X"),
        3,
        ".cmat is a symbolic link: no task is written through it.",
        "put the folder itself there",
    )
    gitcmat(repo, "queue", "release", "a").ok()
    assert {p: p.read_bytes() for p in away.rglob("*") if p.is_file()} == before
    repo.commit("A link")
    assert ".cmat:1: is a symbolic link" in gitcmat(repo, "status").ok().out
    project.trust()
    project.step(start=False)
    assert project.state("a") == "pending", "it is not withdrawn by that"


# --- what a person may be in the middle of --------------------------------------------------------

MERGE = ("a merge", "git commit, or git merge --abort")
REBASE = ("a rebase", "git rebase --continue or --abort")
PICK = ("a cherry-pick", "git cherry-pick --continue or --abort")
BISECT = ("a bisect", "git bisect reset")


@pytest.mark.parametrize(
    ("command", "under_way"),
    [
        ("merge side", MERGE),
        ("rebase side", REBASE),
        ("cherry-pick side", PICK),
        ("bisect start", BISECT),
    ],
    ids=["merge", "rebase", "cherry-pick", "bisect"],
)
def test_while_something_is_under_way_nothing_is_committed_and_the_queue_works(
    project: Project, command: str, under_way: tuple[str, str]
) -> None:
    repo, (what, how) = project.repo, under_way
    repo.git("switch", "-q", "-c", "side")
    repo.commit("one", {"file": "1\n"})
    repo.switch("main")
    repo.commit("two", {"file": "2\n"})
    with repo.as_person(), contextlib.suppress(AssertionError):
        repo.git(*command.split())
    message = f"Nothing was committed: {what} is under way."
    refused(gitcmat(repo, "task", "add", "X", "--id", "x"), 5, message, how)
    refused(gitcmat(repo, "task", "set", "a", "title=B"), 5, message, how)
    assert not (repo.path / ".cmat/tasks/x.yaml").exists()
    gitcmat(repo, "queue", "priority", "a", "high").ok()
    assert f"no new tasks are taken in: {what} is under way ({how})\n" in (
        gitcmat(repo, "status").ok().out
    )


def test_on_a_detached_head_nothing_is_committed(project: Project) -> None:
    project.repo.git("switch", "-q", "--detach")
    refused(
        gitcmat(project.repo, "task", "add", "X"),
        5,
        "Nothing was committed: HEAD is detached, so a commit would be on no branch.",
        "git switch to a branch",
    )


def test_on_a_branch_without_a_commit_a_task_is_its_first_one(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "new")
    assert gitcmat(repo, "status").ok().out == (
        "no tasks; no daemon is running\n"
        "\n"
        "no new tasks are taken in: main has no commit yet\n"
        "\n"
        "next: gitcmat init\n"
    )
    hint = "--target BRANCH"
    refused(gitcmat(repo, "queue", "add", "X"), 4, "There is no branch main.", "git branch")
    assert hint in gitcmat(repo, "queue", "add", "--help").ok().out.replace("TEXT", "BRANCH")
    assert gitcmat(repo, "task", "add", "X", "--id", "x", changes=MINE).ok().out == "x\n"
    assert repo.names("main") == [".cmat/tasks/x.yaml"]


def test_what_is_staged_half_stays_staged_half(project: Project) -> None:
    repo = project.repo
    repo.commit("file", {"file": "1\n2\n", "other": "x\n"})
    repo.write("file", "1\nstaged\n")
    repo.write("new", "staged\n")
    repo.git("add", "file", "new")
    repo.write("file", "1\nstaged\nnot staged\n")
    repo.git("rm", "-q", "--cached", "other")
    before = (repo.git("diff", "--cached"), repo.git("diff"), repo.status())
    gitcmat(repo, "task", "add", "X", "--id", "x", changes=MINE).ok()
    assert (repo.git("diff", "--cached"), repo.git("diff"), repo.status()) == before
    assert repo.git("show", "--name-only", "--format=") == ".cmat/tasks/x.yaml"


def test_an_index_lock_is_waited_for(project: Project) -> None:
    lock = project.repo.git_dir / "index.lock"
    with project.repo.as_person():
        lock.touch()
        timer = threading.Timer(1.0, lock.unlink)
        timer.start()
        result = gitcmat(project.repo.path, "task", "add", "X", "--id", "x").ok()
        timer.join()
    assert result.err == "committed .cmat/tasks/x.yaml\n"
    assert project.repo.status() == ""


def test_an_index_lock_that_stays_is_named_and_left_alone(project: Project) -> None:
    lock = project.repo.git_dir / "index.lock"
    with project.repo.as_person():
        lock.touch()
    refused(
        gitcmat(project.repo, "task", "add", "X", "--id", "x"),
        5,
        f"Nothing was committed: another git process has held {lock} for 10 seconds.",
        "let it finish; if no git is running any more, remove that file",
    )
    assert lock.exists()
    assert not (project.repo.path / ".cmat/tasks/x.yaml").exists()
    with project.repo.as_person():
        lock.unlink()


def test_a_hook_that_says_no_leaves_the_file_and_says_so(project: Project) -> None:
    repo = project.repo
    with repo.as_person():
        hook = repo.git_dir / "hooks" / "pre-commit"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\necho not on a Friday >&2\nexit 1\n", encoding="utf-8")
        hook.chmod(0o755)
    refused(
        gitcmat(repo, "task", "add", "X", "--id", "x", changes=MINE),
        1,
        ".cmat/tasks/x.yaml was saved but not committed, because git refused:\nnot on a Friday",
        "put that right, then: git add -A -- :/.cmat/tasks/x.yaml && "
        "git commit -m 'Task x: X' -- :/.cmat/tasks/x.yaml",
    )
    assert repo.status() == "A  .cmat/tasks/x.yaml"


def test_git_that_does_not_know_the_person_is_said(project: Project) -> None:
    names = ("GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL")
    env: dict[str, str | None] = {**dict.fromkeys(names), "EMAIL": None}
    env |= {"GIT_CONFIG_COUNT": "1"}
    with project.repo.as_person():
        project.repo.git("config", "user.useConfigOnly", "true")
    refused(
        gitcmat(project.repo, "queue", "hold", "a", env=env),
        3,
        "git does not know who you are.",
        'git config --global user.name "Your Name" and user.email you@example.org',
    )


def test_settings_of_the_persons_own_that_are_wrong_stop_everything(project: Project) -> None:
    project.settings(parallel=2)
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat"
    (folder / "config.yaml").write_text("parallel: 2\ngates: {}\n", encoding="utf-8")
    result = gitcmat(project.repo, "status")
    assert (result.code, result.out) == (3, "")
    assert result.err.startswith("error: ~/.config/gitcmat/config.yaml:2: gates: belongs in ")


def test_settings_that_turn_wrong_leave_the_last_good_ones(project: Project) -> None:
    project.commit({".cmat/config.yaml": "gates: {tests: {runs: [x]}}\n"})
    shown = [
        line for line in gitcmat(project.repo, "status").ok().out.splitlines() if "conf" in line
    ]
    good = project.repo.tip("HEAD~")[:10]
    assert shown == [
        f".cmat/config.yaml:1: gates.tests{what}; using the settings of {good}"
        for what in (".runs: unknown key (did you mean 'run'?)", ": missing key 'run'")
    ]
    gitcmat(project.repo, "queue", "release", "a").ok()
    project.work()
    assert project.state("a") == "review"
