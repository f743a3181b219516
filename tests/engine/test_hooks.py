"""Our hooks wake the daemon and check `.cmat/`; a person's own run as before, and come back."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gitcmat.engine import hooks
from gitcmat.engine.hooks import HookState
from gitcmat.errors import Conflict
from gitcmat.store.git import Repository, discover
from tests.support.repo import TestRepo

NAMES = ("post-checkout", "post-commit", "post-merge", "post-rewrite", "pre-commit")
BY_HAND = 'to wake gitcmat from your own hooks: touch "$(git rev-parse --git-common-dir)/cmat/wake"'


def opened(repo: TestRepo) -> Repository:
    return discover(repo.path)


def put(path: Path, text: str, mode: int = 0o755) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def woken(repo: TestRepo) -> bool:
    wake = repo.git_dir / "cmat/wake"
    there = wake.exists()
    wake.unlink(missing_ok=True)
    return there


@pytest.fixture
def hooked(repo: TestRepo) -> TestRepo:
    (repo.git_dir / "cmat").mkdir()
    hooks.install(opened(repo))
    return repo


def test_what_changes_a_branch_wakes_the_daemon(hooked: TestRepo) -> None:
    hooked.commit("More", {"a.txt": "x\n"})
    assert woken(hooked)
    hooked.git("switch", "-q", "-c", "side")
    assert woken(hooked)
    hooked.commit("Side", {"b.txt": "x\n"})
    hooked.switch("main")
    woken(hooked)
    hooked.git("merge", "-q", "--ff-only", "side")
    assert woken(hooked)
    hooked.git("commit", "-q", "--amend", "-m", "Other words")
    assert woken(hooked)


def test_a_linked_work_tree_wakes_the_same_daemon(hooked: TestRepo, tmp_path: Path) -> None:
    hooked.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    woken(hooked)
    subprocess.run(
        ["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=tmp_path / "linked", check=True
    )
    assert woken(hooked)


def test_where_gitcmat_was_never_used_nothing_is_written(repo: TestRepo) -> None:
    hooks.install(opened(repo))
    repo.commit("More")
    assert not (repo.git_dir / "cmat").exists()


def test_waking_starts_no_process(hooked: TestRepo) -> None:
    hook = hooked.git_dir / "hooks/post-commit"
    done = subprocess.run(
        ["/bin/sh", str(hook)], env={"PATH": ""}, cwd=hooked.path, capture_output=True, check=True
    )
    assert (done.stdout, done.stderr) == (b"", b"")
    assert woken(hooked)


def test_a_read_only_folder_breaks_nothing(hooked: TestRepo) -> None:
    (hooked.git_dir / "cmat/wake").mkdir()
    hooked.commit("More")


def test_the_person_s_hooks_are_called_first_with_arguments_and_input(repo: TestRepo) -> None:
    folder = repo.git_dir / "hooks"
    before = {
        "post-commit": '#!/bin/sh\necho "commit $#" >> seen.txt\n',
        "post-rewrite": '#!/bin/sh\necho "rewrite $1 $(wc -w)" >> seen.txt\n',
        "pre-commit": "#!/bin/sh\n[ ! -e forbidden ]\n",
    }
    for name, text in before.items():
        put(folder / name, text)
    put(folder / "post-merge", "not executable\n", mode=0o644)
    found = hooks.install(opened(repo))
    assert found.states == {
        "post-checkout": HookState.OURS,
        "post-commit": HookState.CHAINED,
        "post-merge": HookState.CHAINED,
        "post-rewrite": HookState.CHAINED,
        "pre-commit": HookState.CHAINED,
    }
    repo.commit("More")
    repo.git("commit", "-q", "--amend", "--allow-empty", "-m", "Other words")
    assert repo.read("seen.txt") == "commit 0\ncommit 0\nrewrite amend 2\n"
    repo.write("forbidden", "")
    with pytest.raises(AssertionError):
        repo.commit("No")
    removed = hooks.remove(opened(repo))
    assert removed.states["post-checkout"] is HookState.ABSENT
    assert {name: (folder / name).read_text() for name in before} == before
    assert (folder / "post-merge").read_text() == "not executable\n"
    assert not os.access(folder / "post-merge", os.X_OK)
    assert not [path for path in folder.iterdir() if "gitcmat" in path.name]


def test_installing_twice_and_removing_twice_changes_nothing_more(hooked: TestRepo) -> None:
    folder = hooked.git_dir / "hooks"
    first = {name: (folder / name).stat().st_mtime_ns for name in NAMES}
    assert hooks.install(opened(hooked)).installed
    assert {name: (folder / name).stat().st_mtime_ns for name in NAMES} == first
    hooks.remove(opened(hooked))
    assert set(hooks.remove(opened(hooked)).states.values()) == {HookState.ABSENT}


def test_pre_commit_installed_after_us_still_calls_what_was_there_before_us(
    repo: TestRepo,
) -> None:
    """The framework moves our hook to `.legacy` and calls it there."""
    folder = repo.git_dir / "hooks"
    put(folder / "post-commit", "#!/bin/sh\ntouch first\n")
    hooks.install(opened(repo))
    (folder / "post-commit").rename(folder / "post-commit.legacy")
    put(folder / "post-commit", '#!/bin/sh\nexec "${0%/*}/post-commit.legacy"\n')
    repo.commit("More")
    assert (repo.path / "first").exists()


@pytest.mark.parametrize(
    ("file", "manager"),
    [
        (".husky/pre-commit", "husky"),
        ("lefthook.yml", "lefthook"),
        (".overcommit.yml", "overcommit"),
    ],
)
def test_a_hook_manager_is_left_alone_unless_forced(
    repo: TestRepo, file: str, manager: str
) -> None:
    repo.write(file, "x\n")
    with pytest.raises(Conflict) as caught:
        hooks.install(opened(repo))
    name = file.partition("/")[0]
    assert caught.value.message == (
        f"No hook was installed: {manager} manages the hooks here ({name})."
    )
    assert hooks.look(opened(repo)).why_not == f"{manager} manages the hooks here ({name})"
    assert not hooks.look(opened(repo)).free
    assert hooks.install(opened(repo), force=True).installed


def test_a_hook_of_pre_commit_works_on_when_it_is_called_by_ours(repo: TestRepo) -> None:
    repo.write(".pre-commit-config.yaml", "repos: []\n")
    text = '#!/bin/sh\n# File generated by pre-commit\nHERE=$(cd "$(dirname "$0")" && pwd)\n'
    theirs = put(repo.git_dir / "hooks/pre-commit", text + 'echo "$HERE" > where.txt\n')
    hooks.install(opened(repo), force=True)
    repo.commit("More")
    assert repo.read("where.txt") == f"{theirs.parent}\n"


def test_other_hooks_than_those_of_the_repository_are_never_touched(repo: TestRepo) -> None:
    repo.git("config", "core.hooksPath", ".husky/_")
    for force in (False, True):
        with pytest.raises(Conflict) as caught:
            hooks.install(opened(repo), force=force)
        assert caught.value.message == (
            "No hook was installed: core.hooksPath is set, so git runs the hooks of "
            f"{repo.path}/.husky/_."
        )
        assert caught.value.hint == BY_HAND
    assert not (repo.path / ".husky").exists()


def test_a_folder_of_hooks_that_others_share_is_never_touched(
    repo: TestRepo, tmp_path: Path
) -> None:
    folder = repo.git_dir / "hooks"
    for sample in folder.iterdir():
        sample.unlink()
    folder.rmdir()
    (tmp_path / "shared").mkdir()
    folder.symlink_to(tmp_path / "shared")
    with pytest.raises(Conflict) as caught:
        hooks.install(opened(repo), force=True)
    assert caught.value.message == (
        f"No hook was installed: {folder} is a link to {tmp_path}/shared, "
        "which is not this repository's alone."
    )


def test_a_hook_that_asks_for_its_own_name_is_not_moved(repo: TestRepo) -> None:
    theirs = put(repo.git_dir / "hooks/post-merge", '#!/bin/sh\nrun "$(basename "$0")"\n')
    with pytest.raises(Conflict) as caught:
        hooks.install(opened(repo))
    assert caught.value.message == (
        f"No hook was installed: {theirs} asks for its own name, "
        "which would be another one when ours calls it."
    )
    assert hooks.look(opened(repo)).states["post-commit"] is HookState.ABSENT


def test_when_somebody_has_replaced_ours_both_hooks_of_the_person_stay(repo: TestRepo) -> None:
    folder = repo.git_dir / "hooks"
    put(folder / "pre-commit", "#!/bin/sh\n# first\n")
    hooks.install(opened(repo))
    put(folder / "pre-commit", "#!/bin/sh\n# second\n")
    with pytest.raises(Conflict) as caught:
        hooks.install(opened(repo))
    assert caught.value.message == (
        "No hook was installed: both pre-commit and pre-commit.before-gitcmat are in "
        f"{folder}, so somebody has replaced ours."
    )
    hooks.remove(opened(repo))
    assert (folder / "pre-commit").read_text() == "#!/bin/sh\n# second\n"
    assert (folder / "pre-commit.before-gitcmat").read_text() == "#!/bin/sh\n# first\n"


BROKEN = "titel: x\n"
PROBLEM = ".cmat/tasks/a.yaml:1: titel: unknown key (did you mean 'title'?)"


def said_by_commit(repo: TestRepo, *args: str) -> str:
    with pytest.raises(AssertionError) as caught:
        repo.git("commit", "-m", "Task", *args)
    return str(caught.value)


def test_a_wrong_task_file_is_not_committed(hooked: TestRepo) -> None:
    hooked.write(".cmat/tasks/a.yaml", BROKEN)
    hooked.git("add", ".cmat")
    assert PROBLEM in said_by_commit(hooked)
    hooked.write(".cmat/tasks/a.yaml", "title: x\nagent: a\n")
    hooked.write(".cmat/agents/a.md", "---\nname: a\ncommand: [cat]\n---\n")
    assert PROBLEM in said_by_commit(hooked), "what is staged counts, not what is saved"
    hooked.git("add", ".cmat")
    hooked.git("commit", "-q", "-m", "Task")


def test_a_refusal_says_who_speaks_first_and_the_way_out_last(hooked: TestRepo) -> None:
    hooked.write(".cmat/agents/x.md", "---\nname: x\ncommand: [cat]\nkommand: [cat]\n---\n")
    hooked.git("add", ".cmat")
    done = subprocess.run(
        ["git", "commit", "-q", "-m", "Agent"],
        cwd=hooked.path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert (done.stdout + done.stderr) == (
        "gitcmat: nothing was committed, because this is wrong below .cmat/:\n"
        ".cmat/agents/x.md:4: kommand: unknown key (did you mean 'command'?)\n"
        "gitcmat: put it right and git add it, or commit as it is: git commit --no-verify\n"
    )
    hooked.git("commit", "-q", "--no-verify", "-m", "Agent")


def test_what_git_is_about_to_commit_is_judged_also_without_the_index(hooked: TestRepo) -> None:
    """`git commit -a` and `git commit PATH` have an index of their own."""
    hooked.write(".cmat/tasks/a.yaml", "title: x\nagent: a\n")
    hooked.write(".cmat/agents/a.md", "---\nname: a\ncommand: [cat]\n---\n")
    hooked.commit("Task")
    hooked.write(".cmat/tasks/a.yaml", BROKEN)
    assert PROBLEM in said_by_commit(hooked, "-a")
    assert PROBLEM in said_by_commit(hooked, "--", ".cmat/tasks/a.yaml")


def test_a_commit_of_other_files_is_not_held_up_by_a_wrong_one(hooked: TestRepo) -> None:
    hooked.write(".cmat/tasks/a.yaml", BROKEN)
    hooked.git("add", ".cmat")
    hooked.git("commit", "-q", "-m", "Task", "--no-verify")
    hooked.write("a.txt", "x\n")
    hooked.git("add", "a.txt")
    hooked.git("commit", "-q", "-m", "Other")


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(None, id="missing"),
        pytest.param("#!/bin/sh\nexit 1\n", id="broken"),
        pytest.param(
            '#!/bin/sh\ncase "$*" in *--version*) ;; *) exec sleep 60 ;; esac\n', id="slow"
        ),
        pytest.param('#!/bin/sh\ncase "$*" in *--version*) ;; *) exit 70 ;; esac\n', id="a bug"),
    ],
)
def test_no_commit_is_held_up_because_gitcmat_is_not_well(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, program: str | None
) -> None:
    python = tmp_path / "python it's"
    if program is not None:
        put(python, program)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setattr(hooks, "CHECK_SECONDS", 1)
    hooks.install(opened(repo))
    repo.write(".cmat/tasks/a.yaml", BROKEN)
    repo.git("add", ".cmat")
    begun = time.monotonic()
    repo.git("commit", "-q", "-m", "Task")
    assert time.monotonic() - begun < 20


def test_the_check_is_not_led_to_another_repository_by_git_s_variables(
    hooked: TestRepo, tmp_path: Path
) -> None:
    """In a linked work tree git sets GIT_DIR for its hooks."""
    hooked.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "linked"))
    put(tmp_path / "linked/.cmat/tasks/a.yaml", BROKEN, mode=0o644)
    subprocess.run(["git", "add", ".cmat"], cwd=tmp_path / "linked", check=True)
    done = subprocess.run(
        ["git", "commit", "-q", "-m", "x"],
        cwd=tmp_path / "linked",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert PROBLEM in done.stderr
