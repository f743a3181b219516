"""Whatever an agent leaves comes out whole or marked, and nothing that it planted runs."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gitcmat.store import leftovers
from gitcmat.store.collected import Collected, Mark
from tests.support.repo import TestRepo
from tests.support.workspaces import Desk

FILES = {
    "README.md": "# A project\n",
    "src/a.py": "a = 1\n",
    "src/b.py": "b = 1\n",
    ".gitignore": "*.log\nbuild/\n",
}


@pytest.fixture
def desk(repo: TestRepo) -> Desk:
    repo.commit("Files", FILES)
    repo.freeze()
    desk = Desk(repo)
    desk.prepare()
    return desk


def files(collected: Collected) -> list[str]:
    return [f"{change.status} {change.path}" for change in collected.files]


def test_untouched_files_are_no_change(desk: Desk) -> None:
    collected = desk.collect()
    assert collected.head == desk.base
    assert collected.commits == 0
    assert collected.details == {Mark.NO_CHANGE: ("the tree is that of the base",)}
    assert collected.is_plain


def test_what_is_left_over_becomes_one_commit_of_the_person(desk: Desk) -> None:
    desk.write({"src/a.py": "a = 2\n", "src/new.py": "n\n", "x.log": "noise\n"})
    (desk.agent / "src/b.py").unlink()
    collected = desk.collect()
    assert files(collected) == ["M src/a.py", "D src/b.py", "A src/new.py"]
    assert (collected.commits, collected.details) == (1, {})
    assert collected.ignored == ("x.log",)
    assert desk.vault("log", "-1", "--format=%P%n%an <%ae>%n%cn <%ce>%n%B", collected.head) == (
        f"{desk.base}\nPat Person <pat@example.org>\nPat Person <pat@example.org>\n"
        "Work on parse-dates\n\nCmat-Task: parse-dates\nCmat-Run: r-abcdefgh\n\n"
    )


def test_commits_of_the_agent_are_kept_and_the_rest_lies_on_top(desk: Desk) -> None:
    first = desk.commit("Mine", {"src/a.py": "a = 2\n"})
    desk.write({"src/b.py": "b = 2\n"})
    collected = desk.collect()
    assert desk.vault("rev-parse", f"{collected.head}^").strip() == first
    assert desk.vault("log", "-1", "--format=%an", first) == "Pat Person\n"
    assert (collected.commits, collected.details) == (2, {})
    assert files(collected) == ["M src/a.py", "M src/b.py"]


def test_a_commit_on_another_branch_that_is_checked_out_counts(desk: Desk) -> None:
    desk.git("switch", "-q", "-c", "feature")
    tip = desk.commit("Mine", {"src/a.py": "a = 2\n"})
    collected = desk.collect()
    assert (collected.head, collected.details) == (tip, {})


def test_collecting_twice_gives_the_same_tree(desk: Desk) -> None:
    desk.commit("Mine", {"src/a.py": "a = 2\n"})
    desk.write({"src/b.py": "b = 2\n"})
    first, second = desk.collect(), desk.collect()
    assert (second.tree, second.files, second.commits) == (first.tree, first.files, 2)


def test_commits_in_another_name_are_kept_and_named(desk: Desk) -> None:
    desk.write({"src/a.py": "a = 2\n"})
    desk.git("-c", "user.name=Robot", "-c", "user.email=r@x", "commit", "-q", "-am", "Mine")
    collected = desk.collect()
    assert collected.details == {Mark.OTHER_AUTHOR: ("Robot <r@x>",)}
    assert collected.is_plain


# --- wrecked repositories -----------------------------------------------------------------------


def _no_index(desk: Desk) -> None:
    (desk.agent / ".git/index").write_bytes(b"wreck")


def _held_lock(desk: Desk) -> None:
    (desk.agent / ".git/index.lock").touch()


def _hide_by_flags(desk: Desk) -> None:
    desk.git("update-index", "--assume-unchanged", "src/a.py")
    desk.git("update-index", "--skip-worktree", "src/b.py")


def _hide_by_exclude(desk: Desk) -> None:
    (desk.agent / ".git/info/exclude").write_text("*\n")


def _hide_by_sparse(desk: Desk) -> None:
    desk.git("config", "core.sparseCheckout", "true")
    (desk.agent / ".git/info/sparse-checkout").write_text("nothing\n")


def _hide_by_work_tree(desk: Desk) -> None:
    desk.git("config", "core.worktree", "/nowhere")


def _hide_by_bare(desk: Desk) -> None:
    desk.git("config", "core.bare", "true")


def _hide_by_attributes(desk: Desk) -> None:
    (desk.agent / ".git/info/attributes").write_text("* filter=nothing -diff\n")


def _broken_config(desk: Desk) -> None:
    (desk.agent / ".git/config").write_text("[[[")


def _replaced_commit(desk: Desk) -> None:
    empty = desk.git("commit-tree", desk.git("mktree"), "-m", "empty")
    desk.git("replace", desk.base, empty)


@pytest.mark.parametrize(
    "wreck",
    [
        *(_no_index, _held_lock, _hide_by_flags, _hide_by_exclude, _hide_by_sparse),
        *(_hide_by_work_tree, _hide_by_bare, _hide_by_attributes, _broken_config),
        _replaced_commit,
    ],
)
def test_nothing_done_to_its_repository_hides_work(
    desk: Desk, wreck: Callable[[Desk], None]
) -> None:
    wreck(desk)
    desk.write({"src/a.py": "a = 2\n", "src/b.py": "b = 2\n", "new.py": "n\n"})
    collected = desk.collect()
    assert files(collected) == ["A new.py", "M src/a.py", "M src/b.py"]
    assert collected.details == {}


@pytest.mark.parametrize("how", ["deleted", "a file", "a link", "no HEAD", "HEAD is a pipe"])
def test_without_a_readable_repository_the_files_are_taken_and_a_person_is_asked(
    desk: Desk, how: str
) -> None:
    desk.commit("Mine", {"src/a.py": "a = 2\n"})
    git = desk.agent / ".git"
    if how.startswith(("no HEAD", "HEAD")):
        (git / "HEAD").unlink()
        if how == "HEAD is a pipe":
            os.mkfifo(git / "HEAD")
    else:
        git.rename(desk.agent.parent / "elsewhere")
        if how == "a file":
            git.write_text(f"gitdir: {desk.agent.parent / 'elsewhere'}\n")
        elif how == "a link":
            git.symlink_to(desk.agent.parent / "elsewhere")
    collected = desk.collect()
    assert files(collected) == ["M src/a.py"]
    assert collected.details == {Mark.NO_HISTORY: ("no commit could be read from .git",)}
    assert not collected.is_plain


@pytest.mark.parametrize("how", ["alternates", "a folder", "a file"])
def test_objects_of_others_are_not_fetched_for_an_agent(
    desk: Desk, make_repo: Callable[[str], TestRepo], how: str
) -> None:
    hidden = make_repo("in a place that a sandbox hides")
    hidden.commit("Secret", {"key.txt": "honey\n"})
    tree = hidden.git("rev-parse", "HEAD^{tree}")
    objects, theirs = desk.agent / ".git/objects", hidden.git_dir / "objects"
    if how == "alternates":
        with (objects / "info/alternates").open("a") as file:
            file.write(f"{theirs}\n")
    for part in theirs.glob("??"):
        if how == "a folder" and not (objects / part.name).exists():
            (objects / part.name).symlink_to(part)
        for file_of_it in part.iterdir() if how == "a file" else ():
            (objects / part.name).mkdir(exist_ok=True)
            (objects / part.name / file_of_it.name).symlink_to(file_of_it)
    tip = desk.git("commit-tree", tree, "-p", desk.base, "-m", "Unseen")
    desk.git("update-ref", "HEAD", tip)
    desk.write({"src/a.py": "a = 2\n"})
    collected = desk.collect()
    assert files(collected) == ["M src/a.py"]
    assert collected.details == {Mark.NO_HISTORY: (tip,)}
    assert not desk.space.vault.git.ok("cat-file", "-e", tree)


def test_damaged_objects_cost_the_history_but_not_the_files(desk: Desk) -> None:
    tip = desk.commit("Mine", {"src/a.py": "a = 2\n"})
    blob = desk.git("rev-parse", "HEAD:src/a.py")
    loose = desk.agent / ".git/objects" / blob[:2] / blob[2:]
    loose.chmod(0o600)
    loose.write_bytes(b"wreck")
    collected = desk.collect()
    assert files(collected) == ["M src/a.py"]
    assert collected.details == {Mark.NO_HISTORY: (tip,)}


@pytest.mark.parametrize("how", ["emptied", "removed", "a link to another folder"])
def test_a_deleted_workspace_is_no_deletion_of_the_project(
    desk: Desk, tmp_path: Path, how: str
) -> None:
    shutil.rmtree(desk.agent)
    if how == "emptied":
        desk.agent.mkdir()
    elif how != "removed":
        (tmp_path / "other").mkdir()
        desk.agent.symlink_to(tmp_path / "other")
    collected = desk.collect()
    assert (collected.head, collected.files) == (desk.base, ())
    assert collected.marks == (Mark.DELETED,)
    assert not collected.is_plain


# --- history --------------------------------------------------------------------------------


def test_a_rewritten_history_gives_its_files_on_the_start(desk: Desk) -> None:
    desk.git("switch", "-q", "--orphan", "new")
    tip = desk.commit("All anew", {"src/a.py": "a = 2\n"})
    collected = desk.collect()
    assert collected.details == {Mark.REWRITTEN: (tip,)}
    assert desk.vault("rev-parse", f"{collected.head}^").strip() == desk.base
    assert desk.names(collected.head) == ["src/a.py"]
    assert collected.commits == 1


@pytest.mark.parametrize("how", ["switched back", "stashed", "detached and lost"])
def test_work_left_elsewhere_is_kept_and_asked_about(desk: Desk, how: str) -> None:
    if how == "stashed":
        desk.write({"src/a.py": "a = 2\n"})
        desk.git("stash")
        tip, name = desk.git("rev-parse", "stash"), "stash@{0}"
    else:
        tip, name = desk.commit("Mine", {"src/a.py": "a = 2\n"}), "refs/heads/work"
        desk.git("checkout", "-q", desk.base)
    if how == "detached and lost":
        desk.git("pack-refs", "--all")
    collected = desk.collect()
    assert collected.details[Mark.ELSEWHERE] == (f"{name} {tip}",)
    assert collected.marks == (Mark.NO_CHANGE, Mark.ELSEWHERE)
    ref = desk.bring_home(collected)
    assert desk.repo.show(f"{ref}^2", "src/a.py") == "a = 2\n"
    assert desk.repo.show(ref, "src/a.py") == "a = 1\n"


def test_a_branch_made_at_the_start_is_no_work(desk: Desk) -> None:
    desk.git("branch", "idea")
    assert desk.collect().marks == (Mark.NO_CHANGE,)


def test_a_merge_left_with_conflicts_is_never_plain(desk: Desk) -> None:
    desk.commit("Mine", {"src/a.py": "a = 2\n"})
    desk.git("switch", "-q", "-c", "other", desk.base)
    desk.commit("Theirs", {"src/a.py": "a = 3\n"})
    desk.git("merge", "work", ok=False)
    collected = desk.collect()
    assert collected.details == {
        Mark.UNFINISHED: ("merge",),
        Mark.CONFLICTS: ("src/a.py",),
    }
    assert "<<<<<<<" in desk.show(collected.head, "src/a.py")


def test_conflict_markers_are_found_without_a_merge_but_not_where_the_base_has_them(
    repo: TestRepo,
) -> None:
    marked = "<<<<<<< ours\n1\n=======\n2\n>>>>>>> theirs\n"
    repo.commit("Files", {"docs.txt": marked, "title.rst": "Title\n=======\n"})
    desk = Desk(repo)
    desk.prepare()
    desk.write({"docs.txt": marked + "more\n", "title.rst": "Titel\n=======\n", "c.py": marked})
    assert desk.collect().details == {Mark.CONFLICTS: ("c.py",)}


# --- odd files ------------------------------------------------------------------------------


def test_a_nested_repository_gives_its_files_and_is_marked(desk: Desk) -> None:
    nested = desk.agent / "vendor/lib"
    nested.mkdir(parents=True)
    desk.git("init", "-q", "vendor/lib")
    desk.write({"vendor/lib/x.py": "x\n", "vendor/lib/deep/y.py": "y\n", "vendor/lib/z.log": ""})
    desk.git("init", "-q", "vendor/lib/deep/er")
    desk.write({"vendor/lib/deep/er/w.py": "w\n"})
    desk.git("-C", "vendor/lib", "add", "x.py")
    desk.git("-C", "vendor/lib", *_ME, "commit", "-q", "-m", "x")
    collected = desk.collect()
    assert files(collected) == [
        "A vendor/lib/deep/er/w.py",
        "A vendor/lib/deep/y.py",
        "A vendor/lib/x.py",
    ]
    assert collected.details == {Mark.NESTED: ("vendor/lib", "vendor/lib/deep/er")}


def test_a_nested_repository_committed_as_a_number_is_unfolded(desk: Desk) -> None:
    desk.git("init", "-q", "lib")
    desk.write({"lib/x.py": "x\n"})
    desk.git("-C", "lib", "add", "x.py")
    desk.git("-C", "lib", *_ME, "commit", "-q", "-m", "x")
    desk.commit("With lib", {})
    collected = desk.collect()
    assert files(collected) == ["A lib/x.py"]
    assert collected.details == {Mark.NESTED: ("lib",)}


def test_a_submodule_is_left_alone_until_its_own_history_moves(
    repo: TestRepo, make_repo: Callable[[str], TestRepo], tmp_path: Path
) -> None:
    library = make_repo("library")
    allow = ("-c", "protocol.file.allow=always")
    repo.git(*allow, "submodule", "add", "-q", str(library.path), "lib")
    repo.commit("With lib")
    canary = tmp_path / "canary"
    planted = tmp_path / "planted"
    planted.write_text(f"#!/bin/sh\ntouch {canary}\n")
    planted.chmod(0o755)
    desk = Desk(repo)
    desk.prepare()
    assert list((desk.agent / "lib").iterdir()) == []
    desk.git(*allow, "submodule", "--quiet", "update", "--init")
    desk.git("-C", "lib", "config", "core.fsmonitor", str(planted))
    assert desk.collect().marks == (Mark.NO_CHANGE,)
    desk.write({"lib/new": "n\n"})
    desk.git("-C", "lib", *_ME, "-c", "core.fsmonitor=false", "add", "new")
    desk.git("-C", "lib", *_ME, "-c", "core.fsmonitor=false", "commit", "-q", "-m", "n")
    canary.unlink(missing_ok=True)
    collected = desk.collect()
    assert collected.details[Mark.NESTED] == ("lib",)
    assert collected.head == desk.base
    desk.prepare()
    assert list((desk.agent / "lib").iterdir()) == []
    assert not canary.exists()


def test_over_a_thousand_new_files_are_taken_and_marked(desk: Desk) -> None:
    desk.write({f"out/{n}.txt": f"{n}\n" for n in range(1001)})
    collected = desk.collect()
    assert len(collected.files) == 1001
    assert collected.details == {Mark.LARGE: ("1001 new files, 3895 bytes",)}


def test_over_twenty_megabytes_are_taken_and_marked(desk: Desk) -> None:
    (desk.agent / "big.bin").write_bytes(bytes(20_000_001))
    collected = desk.collect()
    assert files(collected) == ["A big.bin"]
    assert collected.details == {Mark.LARGE: ("1 new files, 20000001 bytes",)}


def test_names_that_are_no_text_and_odd_kinds_of_files_survive(desk: Desk) -> None:
    names = ["line\nbreak", 'quo"te', "tab\there", " space ", "-dash", "back\\slash"]
    desk.write({f"odd/{name}": "x\n" for name in names})
    raw = os.fsencode(desk.agent) + b"/odd/\xff\xfe"
    Path(os.fsdecode(raw)).write_text("x\n")
    (desk.agent / "loop").symlink_to("loop")
    (desk.agent / "run.sh").write_text("#!/bin/sh\n")
    (desk.agent / "run.sh").chmod(0o755)
    os.mkfifo(desk.agent / "pipe")
    collected = desk.collect()
    assert collected.details == {}
    assert desk.names(collected.head) == sorted(
        [*FILES, "loop", "run.sh", "odd/\udcff\udcfe", *(f"odd/{name}" for name in names)]
    )
    modes = desk.vault("ls-tree", collected.head, "loop", "run.sh").split()[::4]
    assert [mode for mode in modes if mode.isdigit()] == ["120000", "100755"]
    ref = desk.bring_home(collected)
    assert desk.repo.tip(ref) == collected.head


def test_a_file_for_a_folder_a_folder_for_a_file_a_link_for_a_folder_and_a_pipe(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "FIRST_SECONDS", 1.0)
    shutil.rmtree(desk.agent / "src")
    (tmp_path / "src").mkdir()
    (tmp_path / "src/a.py").write_text("secret\n")
    (desk.agent / "src").symlink_to(tmp_path / "src")
    (desk.agent / "README.md").unlink()
    desk.write({"README.md/now": "a folder\n"})
    (desk.agent / ".gitignore").unlink()
    os.mkfifo(desk.agent / ".gitignore")
    collected = desk.collect()
    assert desk.names(collected.head) == ["README.md/now", "src"]
    assert desk.show(collected.head, "src") == str(tmp_path / "src")


def test_files_nobody_may_read_are_opened_and_named(desk: Desk) -> None:
    desk.write({"secret.txt": "s\n"})
    (desk.agent / "secret.txt").chmod(0)
    collected = desk.collect()
    assert files(collected) == ["A secret.txt"]
    assert collected.details == {Mark.OPENED: ("secret.txt",)}


def test_names_that_git_refuses_do_not_stop_the_rest(desk: Desk) -> None:
    desk.write({"git~1/x": "x\n", "fine": "f\n"})
    collected = desk.collect()
    assert files(collected) == ["A fine"]
    assert collected.details == {Mark.REFUSED: ("git~1/x",)}


def test_an_encoding_that_git_does_not_know_does_not_stop_it(desk: Desk) -> None:
    desk.write({".gitattributes": "*.py working-tree-encoding=NONSENSE\n", "src/a.py": "a = 2\n"})
    collected = desk.collect()
    assert files(collected) == ["A .gitattributes", "M src/a.py"]
    assert desk.show(collected.head, "src/a.py") == "a = 2\n"


def test_facts_of_gitcmat_are_never_collected(desk: Desk) -> None:
    desk.write({".cmat/queue/pending/x.yaml": "x\n", ".cmat/tasks/y.yaml": "title: y\n"})
    assert files(desk.collect()) == ["A .cmat/tasks/y.yaml"]


@pytest.mark.parametrize("attributes", ["* text\n", "* text=auto eol=crlf\n", "*.py ident\n"])
def test_files_that_are_only_touched_are_no_change(repo: TestRepo, attributes: str) -> None:
    """Files committed with the wrong line ends look changed to git."""
    path = repo.path / "dos.py"
    path.write_bytes(b"$Id$ one\r\ntwo\r\n")
    repo.commit("Files", {"unix.py": "$Id$ one\ntwo\n"})
    repo.commit("Attributes", {".gitattributes": attributes})
    desk = Desk(repo)
    desk.base = repo.git("commit-tree", "-m", "raw", _raw_tree(repo, attributes))
    desk.prepare()
    for name in ("dos.py", "unix.py"):
        os.utime(desk.agent / name, (1, 1))
    assert desk.collect().marks == (Mark.NO_CHANGE,)


def _raw_tree(repo: TestRepo, attributes: str) -> str:
    blobs = {"dos.py": b"$Id$ one\r\ntwo\r\n", "unix.py": b"$Id$ one\ntwo\n"}
    blobs[".gitattributes"] = attributes.encode()
    rows = []
    for name, data in blobs.items():
        oid = repo.git("hash-object", "-w", "--stdin", "--no-filters", stdin=data.decode())
        rows.append(f"100644 blob {oid}\t{name}\n")
    return repo.git("mktree", stdin="".join(rows))


# --- what is planted ------------------------------------------------------------------------

_ME = ("-c", "user.name=R", "-c", "user.email=r@x")


def test_nothing_that_an_agent_planted_runs(desk: Desk, tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    script = tmp_path / "planted"
    script.write_text(f'#!/bin/sh\necho "$0 $*" >> {canary}\ncat\n')
    script.chmod(0o755)
    plant = str(script)
    desk.git("init", "-q", "sub")
    desk.write({"sub/x": "x\n"})
    desk.git("-C", "sub", "add", "x")
    desk.git("-C", "sub", *_ME, "commit", "-q", "-m", "x")
    desk.write({".gitattributes": "* filter=evil diff=evil merge=evil\n", "src/a.py": "a = 2\n"})
    desk.commit("Mine", {"src/b.py": "b = 2\n"})
    for where in (".", "sub"):
        for key in (
            *("core.fsmonitor", "filter.evil.clean", "filter.evil.smudge", "filter.evil.process"),
            *("diff.evil.textconv", "diff.evil.command", "diff.external", "merge.evil.driver"),
            *("gpg.program", "core.pager", "core.editor", "core.sshCommand", "alias.status"),
        ):
            desk.git("-C", where, "config", key, plant)
        desk.git("-C", where, "config", "filter.evil.required", "true")
        desk.git("-C", where, "config", "commit.gpgSign", "true")
        desk.git("-C", where, "config", "core.hooksPath", str(tmp_path / "hooks"))
    (tmp_path / "hooks").mkdir()
    for hook in ("pre-commit", "reference-transaction", "post-index-change", "post-checkout"):
        for folder in (tmp_path / "hooks", desk.agent / ".git/hooks"):
            shutil.copy(script, folder / hook)
    desk.write({"src/a.py": "a = 3\n", "sub/x": "changed\n", "sub/y": "new\n"})
    canary.unlink(missing_ok=True)
    collected = desk.collect()
    desk.bring_home(collected)
    desk.space.check_out(collected.head)
    desk.space.overlay(desk.base, ["src/**"])
    desk.space.restore()
    desk.prepare()
    assert not canary.exists()
    assert desk.show(collected.head, "src/a.py") == "a = 3\n"
    assert desk.show(collected.head, "sub/x") == "changed\n"
