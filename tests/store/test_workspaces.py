"""A workspace is a fresh checkout each time, whatever was done in it and wherever its host lies."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.errors import Conflict, InvalidData, NotFound, UserError
from gitcmat.store.collected import Mark
from gitcmat.store.git import discover
from gitcmat.store.slots import slot_folder
from gitcmat.store.workspaces import Workspace
from tests.support.repo import TestRepo
from tests.support.workspaces import PERSON, Desk, snapshot

FILES = {
    "README.md": "# A project\n",
    "src/a.py": "a = 1\n",
    "src/deep/er/b.py": "b = 1\n",
    ".gitignore": "*.log\n.venv/\n.env\n",
}


@pytest.fixture
def desk(repo: TestRepo) -> Desk:
    repo.commit("Files", FILES)
    (repo.path / "run.sh").write_text("#!/bin/sh\n")
    (repo.path / "run.sh").chmod(0o755)
    (repo.path / "link").symlink_to("src/a.py")
    repo.commit("Kinds")
    repo.freeze()
    return Desk(repo)


def checkout(repo: TestRepo, commit: str, tmp_path: Path) -> dict[str, str]:
    """What a fresh checkout of a commit looks like."""
    fresh = tmp_path / f"fresh-{commit[:10]}"
    shutil.rmtree(fresh, ignore_errors=True)
    subprocess.run(["git", "clone", "-q", "-n", repo.path, fresh], check=True)
    subprocess.run(["git", "-C", fresh, "checkout", "-q", commit], check=True)
    return snapshot(fresh)


# --- a fresh one ----------------------------------------------------------------------------


def test_it_is_a_checkout_on_a_branch_of_its_own_that_knows_nothing_of_the_host(
    desk: Desk, tmp_path: Path
) -> None:
    desk.repo.branch("theirs")
    desk.repo.git("tag", "v1")
    desk.repo.git("tag", "-a", "-m", "Two", "v2")
    desk.repo.git("config", "core.pager", "less")
    later = desk.repo.commit("Later", {"later": "l\n"})
    desk.repo.git("tag", "v3")
    prepared = desk.prepare(desk.base)
    assert (prepared.fresh, prepared.changed, prepared.missing) == (True, (), ())
    assert snapshot(desk.agent) == checkout(desk.repo, desk.base, tmp_path)
    assert desk.git("status", "--porcelain", "--branch") == "## work"
    assert desk.git("remote") == ""
    assert desk.git("for-each-ref", "--format=%(refname)").split() == [
        "refs/heads/work",
        "refs/tags/v1",
        "refs/tags/v2",
    ]
    assert desk.git("describe") == "v2"
    assert desk.git("log", "--format=%H").splitlines()[0] == desk.base != later
    assert desk.git("config", "--get", "core.pager", ok=False) == ""
    assert desk.git("var", "GIT_AUTHOR_IDENT").startswith("Pat Person <pat@example.org> ")
    assert desk.git("fsck", "--strict", "--no-dangling") == ""


def test_it_lies_outside_of_the_repository(repo: TestRepo, home: Path) -> None:
    host = discover(repo.path)
    folder = slot_folder(home / "spaces", host, 3)
    assert folder.parent.parent == home / "spaces"
    assert folder.parent.name.startswith("project-")
    assert folder.name == "3"
    for inside in (repo.path, repo.path / "x/y", repo.git_dir / "cmat"):
        with pytest.raises(UserError, match="lies inside the repository"):
            slot_folder(inside, host, 1)


def test_a_commit_that_the_host_does_not_have_is_not_found(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.prepare("0" * 39 + "1")


def test_an_odd_name_of_the_person_survives_their_settings(repo: TestRepo) -> None:
    desk = Desk(repo)
    name = 'Pat "the\\x" # ; Person'
    who = type(PERSON)(name=name, email="pat@example.org")
    desk.space.prepare(desk.base, base=desk.base, identity=who)
    assert desk.git("config", "user.name") == name


# --- used again -----------------------------------------------------------------------------


def _clutter(desk: Desk) -> None:
    desk.commit("Mine", {"src/a.py": "a = 2\n", "mine.py": "m\n"})
    desk.git("stash", "push", "-u", "-q", ok=False)
    desk.git("tag", "mine")
    desk.git("branch", "idea")
    desk.git("config", "core.fsmonitor", "/bin/false")
    desk.git("config", "user.name", "Someone Else")
    desk.write({".git/hooks/pre-commit": "#!/bin/sh\nexit 1\n", ".git/info/attributes": "* -text"})
    desk.write({"x.log": "x", "new/deep/file": "x", "src/.git/config": "[core]\n", "src/n": ""})
    desk.git("init", "-q", "nested")
    desk.write({"nested/x": "x\n"})
    os.mkfifo(desk.agent / "pipe")
    shutil.rmtree(desk.agent / "src/deep")
    (desk.agent / "src/deep").symlink_to(desk.repo.path)
    (desk.agent / "README.md").unlink()
    (desk.agent / "README.md").mkdir()
    (desk.agent / "run.sh").chmod(0o644)
    (desk.agent / "link").unlink()
    os.mkfifo(desk.agent / "link")


def _wreck_index(desk: Desk) -> None:
    (desk.agent / ".git/index").write_bytes(b"wreck")


def _delete_repository(desk: Desk) -> None:
    shutil.rmtree(desk.agent / ".git")
    desk.write({"src/a.py": "a = 2\n"})


def _link_repository(desk: Desk) -> None:
    (desk.agent / ".git").rename(desk.agent.parent / "gone")
    (desk.agent / ".git").symlink_to(desk.agent.parent / "gone")


def _leave_a_merge(desk: Desk) -> None:
    desk.commit("Mine", {"src/a.py": "a = 2\n"})
    desk.git("switch", "-q", "-c", "other", desk.base)
    desk.commit("Theirs", {"src/a.py": "a = 3\n"})
    desk.git("merge", "work", ok=False)


def _close_folders(desk: Desk) -> None:
    desk.write({"src/deep/er/b.py": "b = 2\n", "new/x": "x\n"})
    for name in ("src/deep/er", "src", "new"):
        (desk.agent / name).chmod(0o500 if name == "src" else 0)
    (desk.agent / "README.md").chmod(0)


def _change_without_a_trace(desk: Desk) -> None:
    path = desk.agent / "src/a.py"
    before = path.stat()
    path.write_text("a = 9\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize(
    "spoil",
    [
        *(_clutter, _wreck_index, _delete_repository, _link_repository, _leave_a_merge),
        *(_close_folders, _change_without_a_trace),
    ],
)
@pytest.mark.parametrize("collected", [False, True])
def test_used_again_it_is_like_new(
    desk: Desk, tmp_path: Path, spoil: Callable[[Desk], None], *, collected: bool
) -> None:
    desk.prepare()
    spoil(desk)
    if collected:
        desk.collect()
    prepared = desk.prepare()
    assert not prepared.fresh
    assert snapshot(desk.agent) == checkout(desk.repo, desk.base, tmp_path)
    assert desk.git("status", "--porcelain", "--branch", "--ignored") == "## work"
    assert desk.git("for-each-ref", "--format=%(refname)") == "refs/heads/work"
    assert desk.git("stash", "list") == ""
    assert desk.git("config", "user.name") == "Pat Person"
    assert desk.git("config", "--get", "core.fsmonitor", ok=False) == ""
    assert list((desk.agent / ".git/hooks").iterdir()) == []
    assert desk.collect().marks == (Mark.NO_CHANGE,)


def _delete_tree(desk: Desk) -> None:
    shutil.rmtree(desk.agent)


def _delete_vault_index(desk: Desk) -> None:
    (desk.space.vault.folder / "index").write_bytes(b"wreck")


def _delete_slot(desk: Desk) -> None:
    (desk.space.folder / "slot.json").write_text("{}")


def _link_tree(desk: Desk) -> None:
    desk.agent.rename(desk.agent.parent / "elsewhere")
    desk.agent.symlink_to(desk.agent.parent / "elsewhere")


@pytest.mark.parametrize("wreck", [_delete_tree, _delete_vault_index, _delete_slot, _link_tree])
def test_a_damaged_one_is_moved_aside_and_made_anew(
    desk: Desk, tmp_path: Path, wreck: Callable[[Desk], None]
) -> None:
    desk.prepare()
    desk.space.note_setup("digest")
    wreck(desk)
    prepared = desk.prepare()
    assert (prepared.fresh, prepared.set_up) == (True, "")
    assert snapshot(desk.agent) == checkout(desk.repo, desk.base, tmp_path)


def test_the_slot_of_another_repository_is_not_used_again(
    desk: Desk, make_repo: Callable[[str], TestRepo]
) -> None:
    desk.prepare()
    other = make_repo("other")
    space = Workspace(discover(other.path), desk.space.folder)
    assert space.prepare(other.tip(), base=other.tip(), identity=PERSON).fresh


def test_it_moves_between_commits_that_share_no_file(desk: Desk, tmp_path: Path) -> None:
    desk.prepare()
    desk.write({"src/a.py": "a = 2\n", "other": "in the way\n"})
    desk.repo.git("rm", "-q", "-r", ".")
    second = desk.repo.commit("Other", {"other/file": "o\n", "src": "now a file\n"})
    for commit in (second, desk.base):
        assert not desk.prepare(commit).fresh
        assert snapshot(desk.agent) == checkout(desk.repo, commit, tmp_path)


def test_kept_paths_stay_and_are_not_collected(desk: Desk) -> None:
    keep = [".venv", "**/node_modules/", "web/cache"]
    desk.prepare(keep=keep)
    kept = {
        ".venv/bin/python": "p",
        "pkg/node_modules/m/index.js": "m",
        "web/cache/c": "c",
        ".venv/lib/.git/HEAD": "ref: x",
    }
    desk.write({**kept, "web/other": "o", "pkg/x.log": "x", "src/a.py": "a = 2\n"})
    collected = desk.collect()
    assert [change.path for change in collected.files] == ["src/a.py", "web/other"]
    assert collected.ignored == ("pkg/x.log",)
    desk.prepare(keep=keep)
    there = snapshot(desk.agent)
    assert kept.keys() <= there.keys()
    assert not {"web/other", "pkg/x.log"} & there.keys()


def test_what_a_program_keeps_for_itself_is_no_work_and_no_news(desk: Desk) -> None:
    desk.prepare()
    desk.write({".aider.tags.cache.v4/cache.db": "c", ".aider.conf.yml": "model: m\n"})
    collected = desk.collect()
    assert [change.path for change in collected.files] == [".aider.conf.yml"]
    assert collected.ignored == ()


def test_ignored_files_are_copied_from_the_person_and_never_collected(desk: Desk) -> None:
    desk.repo.write(".env", "SECRET=1\n")
    desk.repo.write("local/conf/a", "a\n")
    desk.repo.write("src/a.py", "person's edit\n")
    (desk.repo.path / "local/out").symlink_to("/etc/passwd")
    (desk.repo.path / "local/in").symlink_to("conf/a")
    desk.repo.allow("files:*", "git:*")
    copy = [".env", "local", "absent", "src/a.py"]
    assert desk.prepare(copy=copy).missing == ("absent",)
    assert (desk.agent / ".env").read_text() == "SECRET=1\n"
    assert (desk.agent / "local/in").read_text() == "a\n"
    assert not os.path.lexists(desk.agent / "local/out")
    assert (desk.agent / "src/a.py").read_text() == "a = 1\n"
    assert desk.git("status", "--porcelain") == ""
    desk.write({".env": "SECRET=2\n"})
    assert (desk.collect().marks, desk.collect().ignored) == ((Mark.NO_CHANGE,), ())
    desk.prepare(copy=copy)
    assert (desk.agent / ".env").read_text() == "SECRET=1\n"


@pytest.mark.parametrize("path", ["../secret", "/etc/passwd", ".git/config", "out/passwd"])
def test_nothing_is_copied_from_outside_of_the_repository(desk: Desk, path: str) -> None:
    (desk.repo.path / "out").symlink_to("/etc")
    desk.repo.allow("files:*")
    with pytest.raises(InvalidData):
        desk.prepare(copy=[path])


def test_it_says_what_changed_since_its_setup(desk: Desk) -> None:
    assert desk.prepare().set_up == ""
    desk.write({"made.log": "by setup\n"})
    desk.space.note_setup("one")
    desk.write({"lock.json": "1\n", "x.log": "new\n"})
    assert desk.collect().ignored == ("x.log",)
    again = desk.prepare()
    assert (again.set_up, again.changed) == ("one", ("lock.json",))
    later = desk.repo.commit("Later", {"src/a.py": "a = 5\n"})
    assert desk.prepare(later).changed == ("lock.json", "src/a.py")
    desk.space.note_setup("two")
    assert desk.prepare(later).changed == ()
    assert desk.prepare(later).set_up == "two"


# --- gates ----------------------------------------------------------------------------------


def test_gates_see_the_commit_and_can_have_paths_of_the_base(desk: Desk) -> None:
    desk.repo.commit("Tests", {"tests/t.py": "assert 1\n", "tests/u.py": "assert 2\n"})
    desk.base = desk.repo.tip()
    desk.prepare()
    desk.commit("Mine", {"src/a.py": "a = 2\n", "tests/t.py": "pass\n", "tests/new.py": "n\n"})
    desk.write({"x.log": "built\n", "rest.py": "r\n"})
    desk.git("stash", "push", "-q", "--", "src/a.py", ok=False)
    (desk.agent / "tests/u.py").unlink()
    collected = desk.collect()
    desk.space.check_out(collected.head)
    assert desk.git("rev-parse", "HEAD") == collected.head
    assert desk.git("status", "--porcelain") == ""
    assert (desk.agent / "x.log").exists()
    seen = snapshot(desk.agent)

    differing = desk.space.overlay(desk.base, ["tests/**", "nothing/*"])
    assert differing == ("tests/new.py", "tests/t.py", "tests/u.py")
    assert (desk.agent / "tests/t.py").read_text() == "assert 1\n"
    assert (desk.agent / "tests/u.py").read_text() == "assert 2\n"
    assert not (desk.agent / "tests/new.py").exists()
    assert (desk.agent / "src/a.py").read_text() == "a = 2\n"
    desk.write({"src/a.py": "spoilt by a gate\n", "left/by": "a gate\n"})
    desk.space.restore()
    assert snapshot(desk.agent) == seen


# --- home -----------------------------------------------------------------------------------


def test_a_result_comes_home_whole_and_nothing_else_changes(desk: Desk) -> None:
    desk.prepare()
    desk.commit("Mine", {"src/a.py": "a = 2\n"})
    desk.write({"src/c.py": "c = 1\n"})
    collected = desk.collect()
    ref = desk.bring_home(collected)
    assert desk.repo.tip(ref) == collected.head
    assert desk.repo.git("fsck", "--strict", "--connectivity-only") == ""
    assert desk.repo.show(ref, "src/c.py") == "c = 1\n"
    assert list(desk.repo.git_dir.glob("objects/pack/*.keep")) == []
    desk.bring_home(collected)  # as somebody does who cannot know that it is done
    desk.write({"src/c.py": "c = 2\n"})
    with pytest.raises(Conflict):
        desk.bring_home(desk.collect())


def test_a_second_attempt_goes_on_from_the_first(desk: Desk) -> None:
    desk.prepare()
    desk.write({"src/a.py": "a = 2\n"})
    first = desk.collect()
    desk.bring_home(first)
    assert not desk.prepare(first.head).fresh
    desk.write({"src/c.py": "c\n"})
    second = desk.collect(start=first.head)
    assert [change.path for change in second.files] == ["src/a.py", "src/c.py"]
    assert second.commits == 1
    ref = desk.bring_home(second, "r-second22")
    assert desk.repo.git("rev-list", "--count", f"{desk.base}..{ref}") == "2"


def test_a_result_that_was_never_brought_home_does_not_disturb_the_next(desk: Desk) -> None:
    desk.prepare()
    desk.write({"src/a.py": "a = 2\n", "deep/in/x": "x\n"})
    desk.collect()
    assert not desk.prepare().fresh
    desk.write({"src/a.py": "a = 3\n"})
    collected = desk.collect()
    assert [change.path for change in collected.files] == ["src/a.py"]
    desk.bring_home(collected)


# --- hosts ----------------------------------------------------------------------------------


def round_trip(desk: Desk) -> None:
    assert desk.prepare().fresh
    desk.commit("Mine", {"mine.py": "m\n"})
    desk.write({"rest.py": "r\n"})
    collected = desk.collect()
    assert collected.details == {}
    ref = desk.bring_home(collected)
    assert desk.repo.show(ref, "rest.py") == "r\n"
    assert not desk.prepare(collected.head).fresh


def test_a_sha256_host(tmp_path: Path) -> None:
    repo = TestRepo(tmp_path / "host", object_format="sha256")
    repo.commit("Files", FILES)
    round_trip(Desk(repo))


@pytest.mark.parametrize("name", ["with space", "line\nbreak", 'quo"te', "co:lon", "#hash", "ü\\b"])
def test_a_host_at_an_odd_path(tmp_path: Path, name: str) -> None:
    repo = TestRepo(tmp_path / name)
    repo.commit("Files", FILES)
    round_trip(Desk(repo))


def test_a_workspace_at_an_odd_path(
    repo: TestRepo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / 'c:a"c\nhe'))
    round_trip(Desk(repo))


def test_a_linked_work_tree_as_host(repo: TestRepo, tmp_path: Path) -> None:
    repo.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    (repo.path / ".env").write_text("SECRET=1\n")
    desk = Desk(repo, at=tmp_path / "side")
    round_trip(desk)
    assert desk.prepare(copy=[".env"]).missing == ()


def test_a_bare_host(tmp_path: Path, repo: TestRepo) -> None:
    bare = TestRepo(tmp_path / "bare.git", bare=True)
    repo.git("push", "-q", str(bare.path), "main")
    desk = Desk(bare)
    round_trip(desk)
    assert desk.prepare(copy=[".env"]).missing == (".env",)


def test_a_shallow_host(tmp_path: Path, repo: TestRepo) -> None:
    repo.commit("Second", FILES)
    shallow = TestRepo(tmp_path / "shallow")
    shallow.git("fetch", "-q", "--depth=1", f"file://{repo.path}", "main")
    shallow.git("reset", "-q", "--hard", "FETCH_HEAD")
    desk = Desk(shallow)
    round_trip(desk)
    desk.prepare()
    assert desk.git("rev-list", "--count", "HEAD") == "1"


def test_a_partial_host_says_how_to_get_what_it_lacks(tmp_path: Path, repo: TestRepo) -> None:
    repo.commit("Files", FILES)
    repo.git("config", "uploadpack.allowFilter", "true")
    repo.git("config", "uploadpack.allowAnySHA1InWant", "true")
    path = tmp_path / "partial"
    command = ["git", "clone", "-q", "-n", "--filter=blob:none", f"file://{repo.path}", str(path)]
    subprocess.run(command, check=True)
    host = discover(path)
    space = Workspace(host, slot_folder(tmp_path / "spaces", host, 1))
    with pytest.raises(NotFound) as refused:
        space.prepare(repo.tip(), base=repo.tip(), identity=PERSON)
    assert refused.value.hint == f"git -C {path} archive {repo.tip()} > /dev/null"
    subprocess.run(refused.value.hint, shell=True, check=True)  # noqa: S602 - as a person would
    assert space.prepare(repo.tip(), base=repo.tip(), identity=PERSON).fresh


def test_a_host_that_borrows_its_objects_itself(tmp_path: Path, repo: TestRepo) -> None:
    borrower = TestRepo(tmp_path / "borrower")
    alternates = borrower.git_dir / "objects/info/alternates"
    alternates.write_text(f"{repo.git_dir / 'objects'}\n")
    borrower.git("reset", "-q", "--hard", repo.tip())
    round_trip(Desk(borrower))


def test_pointers_stay_pointers_and_settings_of_the_person_do_not_reach_the_files(
    repo: TestRepo, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = home / "gitconfig"
    settings.write_text(
        '[core]\n\tautocrlf = true\n[filter "lfs"]\n\tclean = false\n\tsmudge = false\n'
        "\trequired = true\n[commit]\n\tgpgSign = true\n[gpg]\n\tprogram = false\n"
    )
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    repo.commit("Pointer", {"big.bin": pointer, ".gitattributes": "*.bin filter=lfs -text\n"})
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    desk = Desk(repo)
    desk.prepare()
    assert (desk.agent / "big.bin").read_text() == pointer
    (desk.agent / "big.bin").touch()
    assert desk.git("status", "--porcelain") == ""
    desk.commit("Mine", {"unix.txt": "one\ntwo\n"})
    collected = desk.collect()
    assert desk.show(collected.head, "unix.txt") == "one\ntwo\n"
    assert desk.show(collected.head, "big.bin") == pointer


# --- what an agent can do to its host from here ----------------------------------------------


def test_nothing_done_with_git_in_a_workspace_reaches_the_person(desk: Desk) -> None:
    desk.repo.write("src/a.py", "stashed\n")
    desk.repo.git("stash", "-q")
    desk.repo.branch("theirs")
    desk.prepare()
    for command in (
        *("stash drop", "stash clear", "branch -D main theirs", "branch -f main HEAD"),
        *("config core.fsmonitor /bin/false", "config --local user.name X", "push origin HEAD"),
        *("gc -q --prune=now", "prune", "repack -a -d -q", "update-ref -d refs/heads/main"),
        *("worktree add ../agents-own", "reflog expire --expire=now --all", "tag -d v1"),
    ):
        desk.git(*command.split(), ok=False)
    desk.repo.check()
    assert desk.repo.git("fsck", "--strict") == ""
