"""`gitcmat review`, as typed: what a person sees of a result, and sending it back."""

import re
import subprocess

import pytest

from gitcmat.cli.difftext import for_terminal
from gitcmat.model.entry import Said
from gitcmat.model.state import State
from tests.support.cli import gitcmat
from tests.support.repo import TestRepo
from tests.support.watched import Project

CONFIG = "schema: 1\ngates:\n  tests: {run: [sh, check.sh]}\n"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """One task in review, which adds x and changes a.txt, and may only do the one."""
    repo.commit("check", {"check.sh": "true\n", "a.txt": "1\n2\n"})
    made = Project(repo, config=CONFIG)
    made.commit_task("do-it", "echo x > x; echo 3 >> a.txt", paths="[a.txt]")
    gitcmat(repo, "run", "now", "do-it").ok()
    return made


def _plain(text: str) -> str:
    return re.sub(r"\d\.\d s", "0.0 s", re.sub(r"\b[0-9a-f]{10}\b", "(commit)", text))


def test_the_list_says_what_the_gates_said(project: Project) -> None:
    found = gitcmat(project.repo, "review", "list").ok()
    assert [line.split("  ")[0] for line in found.out.splitlines()] == ["ID", "do-it"]
    assert re.sub(" +", " ", found.out.splitlines()[1]) == (
        "do-it green (tests) cmat/do-it 2 files +2 -0 outside paths: x Task do-it"
    )
    review = gitcmat(project.repo, "review", "list", "--json").ok().json["reviews"][0]
    assert review["changed"] == {"files": 2, "added": 2, "removed": 0}
    assert review["entry"]["verdict"] == "green"


def test_an_empty_list_is_fine(repo: TestRepo) -> None:
    assert gitcmat(repo, "review", "list").ok().out == "nothing is in review\n"


def test_show_begins_with_what_to_look_at_first(project: Project) -> None:
    repo = project.repo
    repo.switch("cmat/do-it")
    repo.commit("and y", {"y": "y\n"})
    repo.switch("main")
    assert _plain(gitcmat(repo, "review", "show", "do").ok().out) == (
        "do-it  review  Task do-it\n"
        "  ! outside paths: x, y\n"
        "  | Work.\n"
        "  | sh: echo x > x; echo 3 >> a.txt\n"
        "  gates     green (tests)\n"
        "    tests: passed, 0.0 s\n"
        "  branch    cmat/do-it onto main: 3 files +3 -0\n"
        "    (commit) Task do-it (Pat Person)\n"
        "    (commit) and y (Pat Person, yours)\n"
        "    M a.txt\n"
        "    A x\n"
        "    A y\n"
        "  diff      git diff main...cmat/do-it\n"
        "  land      gitcmat land do-it\n"
        '  reject    gitcmat review reject do-it -m "why"\n'
    )
    data = gitcmat(repo, "review", "show", "do-it", "--json").ok().json
    assert [c["by_person"] for c in data["commits"]] == [False, True]
    assert data["marks"] == ["outside paths: x, y"]


def test_the_diff_is_that_of_git_byte_for_byte(project: Project) -> None:
    repo = project.repo
    repo.commit("main goes on", {"other": "other\n"})
    theirs = repo._git("diff", "main...cmat/do-it", keep=True)
    ours = gitcmat(repo, "review", "diff", "do-it").ok().out
    assert ours == theirs
    with repo.as_person():
        subprocess.run(
            ["git", "apply", "--check"], input=ours, text=True, cwd=repo.path, check=True
        )


def test_a_terminal_is_shown_what_a_file_hides() -> None:
    diff = b"diff --git a/x b/x\n+++ b/x\n@@ -1 +1,2 @@\n-a\n"
    diff += b"+b\x1b[8mhidden\x1b[m \xe2\x80\xae\n \xff\n"
    shown = "+++ b/x\n@@ -1 +1,2 @@\n-a\n+b\\x1b[8mhidden\\x1b[m \\u202e\n \\xff\n"
    assert for_terminal(diff, colors=False) == f"diff --git a/x b/x\n{shown}"
    assert for_terminal(diff, colors=True) == (
        "\x1b[1mdiff --git a/x b/x\x1b[m\n\x1b[1m+++ b/x\x1b[m\n\x1b[36m@@ -1 +1,2 @@\x1b[m\n"
        "\x1b[31m-a\x1b[m\n\x1b[32m+b\\x1b[8mhidden\\x1b[m \\u202e\x1b[m\n \\xff\n"
    )


def test_the_diff_can_be_cut_down(project: Project) -> None:
    repo = project.repo
    part = gitcmat(repo, "review", "diff", "do-it", "--", "a.txt").ok().out
    assert part == repo._git("diff", "main...cmat/do-it", "--", "a.txt", keep=True)
    stat = gitcmat(repo, "review", "diff", "do-it", "--stat").ok().out
    assert stat == repo._git("diff", "--stat", "main...cmat/do-it", keep=True)


def test_the_diff_runs_no_program_of_the_repository(project: Project) -> None:
    repo = project.repo
    trap = repo.path.parent / "trapped"
    repo.git("config", "diff.external", f"touch {trap}")
    repo.git("config", "diff.trap.textconv", f"touch {trap}; cat")
    repo.write(".git/info/attributes", "* diff=trap\n")
    assert "+x" in gitcmat(repo, "review", "diff", "do-it").ok().out
    assert not trap.exists()


def test_what_is_sent_back_tells_the_agent_why(project: Project) -> None:
    repo = project.repo
    result = gitcmat(repo, "review", "reject", "do-it", "-m", "use y instead").ok()
    assert result.out == "do-it: pending (sent back at review)\nnext: gitcmat run now do-it\n"
    entry = project.entry("do-it")
    assert entry is not None
    note = entry.notes[-1]
    assert (note.kind, note.text, note.by) == (Said.REJECT, "use y instead", "Pat Person")
    assert "use y instead" in gitcmat(repo, "task", "prompt", "do-it").ok().out
    again = gitcmat(repo, "review", "reject", "do-it", "-m", "once more")
    assert (again.code, again.err) == (
        5,
        (
            "error: do-it is pending; only what is in review can be sent back.\n"
            "hint: gitcmat task show do-it\n"
        ),
    )


def test_sending_back_needs_a_why(project: Project) -> None:
    refused = gitcmat(project.repo, "review", "reject", "do-it", "-m", " ")
    assert (refused.code, refused.err) == (
        2,
        'error: The agent needs to know why.\nhint: gitcmat review reject ID -m "why"\n',
    )
    assert project.state("do-it") is State.REVIEW


def test_what_has_no_work_has_no_review(project: Project) -> None:
    repo = project.repo
    project.commit_task("later", "true")
    gitcmat(repo, "queue", "hold", "do-it")
    gitcmat(repo, "queue", "hold", "later")
    found = gitcmat(repo, "review", "diff", "later")
    assert (found.code, found.err) == (
        5,
        "error: later is pending and has no work yet.\nhint: gitcmat task show later\n",
    )


def test_reading_works_from_a_sub_folder(project: Project) -> None:
    (project.repo.path / "deep").mkdir()
    found = gitcmat(project.repo.path / "deep", "review", "show", "do-it", "--json").ok()
    assert found.json["branch"] == "cmat/do-it"
