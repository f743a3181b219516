"""`gitcmat checkpoint`, as typed: every word it says, and what it leaves behind."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine import workspaces
from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

BACK = ("files", "index")


def _refused(result: Result, code: int, message: str, hint: str) -> None:
    assert (result.code, result.out) == (code, "")
    assert result.err == f"error: {message}\nhint: {hint}\n"


def _plain(text: str) -> str:
    text = re.sub(r"c-[a-z2-7]{8}", "c-xxxxxxxx", text)
    text = re.sub(r"\b[0-9a-f]{40}\b", "(commit)", text)
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "(time)", text)
    return re.sub(r"\b[0-9a-f]{10}\b", "(short)", text)


def _create(repo: TestRepo, name: str, *more: str) -> Any:
    return gitcmat(repo, "checkpoint", "create", name, *more, "--json").ok().json["checkpoint"]


def test_create_says_what_it_saved_and_the_way_back(repo: TestRepo) -> None:
    repo.write("README.md", "changed\n")
    repo.write("new.txt", "new\n")
    result = gitcmat(repo, "checkpoint", "create", "before the move").ok()
    assert _plain(result.out) == (
        "c-xxxxxxxx: 2 paths differ from HEAD, 1 of them new\n"
        "back to it: gitcmat checkpoint restore c-xxxxxxxx\n"
    )
    assert result.err == ""
    listed = _plain(gitcmat(repo, "checkpoint", "list").ok().out)
    assert re.sub(" +", " ", listed) == (
        "ID CREATED WHY FILES ON NAME\nc-xxxxxxxx (time) manual 2 main before the move\n"
    )
    shown = gitcmat(repo, "checkpoint", "show", "before the move").ok()
    assert _plain(shown.out) == (
        "c-xxxxxxxx  before the move\n"
        "  made      (time) by Pat Person (manual)\n"
        "  on        main at (commit)\n"
        "  files     2 paths differ from HEAD, 1 of them new\n"
        "  diff      git diff HEAD refs/cmat/checkpoints/c-xxxxxxxx\n"
        "  staged    git diff HEAD refs/cmat/checkpoints/c-xxxxxxxx^2\n"
        "  one file  git show refs/cmat/checkpoints/c-xxxxxxxx:PATH\n"
        "  restore   gitcmat checkpoint restore c-xxxxxxxx --dry-run\n"
    )


def test_there_and_back_again(repo: TestRepo) -> None:
    repo.write("new.txt", "then\n")
    _create(repo, "then")
    repo.write("new.txt", "now\n")
    repo.write("later.txt", "now\n")
    planned = gitcmat(repo, "checkpoint", "restore", "then", "--dry-run").ok()
    assert _plain(planned.out) == (
        "c-xxxxxxxx would change 2 files, 0 staged\n  D later.txt\n  M new.txt\n"
    )
    done = gitcmat(repo, "checkpoint", "restore", "then", changes=BACK).ok()
    assert _plain(done.out) == (
        "restored c-xxxxxxxx (then): 2 files, 0 staged\n"
        "undo: gitcmat checkpoint restore --undo (what was there is c-xxxxxxxx)\n"
    )
    assert (repo.status(), repo.read("new.txt")) == ("?? new.txt", "then\n")
    gitcmat(repo, "checkpoint", "restore", "--undo", changes=BACK).ok()
    assert (repo.read("new.txt"), repo.read("later.txt")) == ("now\n", "now\n")


def test_what_was_committed_in_between_is_named(repo: TestRepo) -> None:
    found = _create(repo, "then")
    repo.commit("later", {"later.txt": "1\n"})
    done = gitcmat(repo, "checkpoint", "restore", found["id"], "--json", changes=BACK).ok().json
    assert done["files"] == [{"status": "D", "path": "later.txt"}]
    assert (done["head"], done["staged"]) == (repo.tip(), 1)
    assert done["saved"]["why"] == "before restore"
    again = gitcmat(repo, "checkpoint", "restore", found["id"], "--dry-run").ok()
    assert again.out == (
        f"{found['id']} would change 0 files, 0 staged\n"
        f"HEAD stays at {repo.tip()[:10]}; the checkpoint was made at {found['head'][:10]}, so "
        "what was committed in between shows as a change\n"
    )


def test_restore_wants_one_thing(repo: TestRepo) -> None:
    for args in ((), ("c-x", "--undo")):
        _refused(
            gitcmat(repo, "checkpoint", "restore", *args),
            2,
            "Name a checkpoint, or give --undo.",
            "gitcmat checkpoint list",
        )
    _refused(
        gitcmat(repo, "checkpoint", "restore", "--undo"),
        4,
        "Nothing has been restored here.",
        "gitcmat checkpoint list",
    )


def test_ids_may_be_cut_short_and_names_are_no_ids(repo: TestRepo) -> None:
    one, two = _create(repo, "same"), _create(repo, "same")
    short = one["id"][:6]
    assert gitcmat(repo, "checkpoint", "show", short, "--json").ok().json["checkpoint"] == one
    both = ", ".join(sorted((one["id"], two["id"])))
    _refused(
        gitcmat(repo, "checkpoint", "show", "c-"),
        4,
        f"'c-' may be {both}.",
        "write more of the id",
    )
    _refused(
        gitcmat(repo, "checkpoint", "show", "same"),
        4,
        "There is no checkpoint 'same'.",
        "gitcmat checkpoint list",
    )


def test_very_many_new_files_are_asked_about_first(repo: TestRepo) -> None:
    folder = repo.path / "many"
    folder.mkdir()
    for number in range(1_001):
        folder.joinpath(f"{number}.txt").write_text("12345", encoding="utf-8")
    folder.joinpath("7.txt").write_text("1234567", encoding="utf-8")
    _refused(
        gitcmat(repo, "checkpoint", "create", "many"),
        5,
        "Nothing was saved: so much that is new needs a yes (files: 1,001, MB: 0.0). "
        "The largest: many/7.txt (7 bytes), many/0.txt (5 bytes), many/1.txt (5 bytes).",
        "name what is no work in .gitignore, or: --yes, or: --limit MB",
    )
    assert repo.refs("refs/cmat/checkpoints/") == {}
    assert _create(repo, "many", "--limit", "1")["new_files"] == 1_001
    assert gitcmat(repo, "checkpoint", "create", "many", "--limit", "0.001").code == 5
    assert _create(repo, "many", "--yes")["new_bytes"] == 5_007


def test_a_restore_saves_no_large_tree_unasked(repo: TestRepo) -> None:
    found = _create(repo, "small")
    large = repo.path / "large.bin"
    with repo.as_person(), large.open("wb") as file:
        file.truncate(50_000_001)
    result = gitcmat(repo, "checkpoint", "restore", found["id"])
    said = (
        "error: Nothing was saved: so much that is new needs a yes (files: 1, MB: 50.0). "
        "The largest: large.bin (50.0 MB).\n"
    )
    assert result.err.startswith(said)
    assert large.exists()
    gitcmat(repo, "checkpoint", "restore", found["id"], "--yes", changes=BACK).ok()
    assert not large.exists()


def test_diff_says_tasks_and_files(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit_task("stays", hold="true")
    project.commit_task("moves", hold="true")
    gitcmat(repo, "status").ok()
    gitcmat(repo, "task", "approve", "stays", "moves")
    one = _create(repo, "one")
    project.commit_task("comes", hold="true")
    gitcmat(repo, "queue", "cancel", "moves").ok()
    two = _create(repo, "two")
    found = gitcmat(repo, "checkpoint", "diff", one["id"], two["id"], "--json").ok().json
    assert found["tasks"] == {
        "added": ["comes"],
        "removed": [],
        "changed": [{"id": "moves", "old": "pending", "new": "cancelled"}],
        "unchanged": ["stays"],
    }
    assert found["files"] == [{"status": "A", "path": ".cmat/tasks/comes.yaml"}]
    assert (one["tasks"], two["tasks"]) == (2, 2)
    text = gitcmat(repo, "checkpoint", "diff", "one", "two", "--", "README.md").ok()
    assert text.out == "task comes: added\ntask moves: pending -> cancelled\n1 tasks unchanged\n"
    whole = gitcmat(repo, "checkpoint", "diff", "one", "two").ok().out
    assert whole.endswith(repo.git("diff", one["ref"], two["ref"]) + "\n")


@pytest.mark.parametrize("quoted", [None, "true", "false"])
def test_the_files_of_a_diff_are_those_of_git_byte_for_byte(
    repo: TestRepo, quoted: str | None
) -> None:
    if quoted is not None:
        repo.git("config", "core.quotePath", quoted)
    one = _create(repo, "one")
    repo.write("größe.txt", "new\n")
    repo.write('with "quotes"\tand tab', "new\n")
    two = _create(repo, "two")
    for how in ((), ("--stat",)):
        ours = gitcmat(repo, "checkpoint", "diff", "one", "two", *how).ok().out
        theirs = repo._git("diff", *how, one["ref"], two["ref"], keep=True)
        assert ours == f"0 tasks unchanged\n{theirs}"


def test_records_are_put_back_only_when_asked(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit_task("held", hold="true")
    project.commit_task("dropped", hold="true")
    found = _create(repo, "then")
    gitcmat(repo, "queue", "priority", "held", "critical").ok()
    gitcmat(repo, "queue", "cancel", "dropped").ok()
    gitcmat(repo, "checkpoint", "restore", found["id"], changes=BACK).ok()
    entry = project.entry("held")
    assert entry is not None
    assert entry.priority == "critical"
    done = gitcmat(repo, "checkpoint", "restore", found["id"], "--records", changes=BACK).ok()
    assert "task held: priority critical -> normal\n" in done.out
    assert "task dropped: is cancelled, was pending: gitcmat queue rerun dropped\n" in done.out
    entry = project.entry("held")
    assert entry is not None
    assert entry.priority == "normal"
    assert project.state("dropped") is State.CANCELLED


def test_what_gitcmat_made_is_pruned_and_what_a_person_named_stays(repo: TestRepo) -> None:
    found = _create(repo, "named")
    repo.write("a.txt", "1\n")
    gitcmat(repo, "checkpoint", "restore", found["id"], changes=BACK).ok()
    assert gitcmat(repo, "checkpoint", "prune").ok().out == "nothing to delete\n"
    said = gitcmat(repo, "checkpoint", "prune", "--keep", "0", "--dry-run").ok()
    expected = f"c-xxxxxxxx: would be deleted (before restoring {found['id']})\n"
    assert re.sub("^c-[a-z2-7]{8}", "c-xxxxxxxx", said.out) == expected
    gitcmat(repo, "checkpoint", "prune", "--older", "0").ok()
    assert list(repo.refs("refs/cmat/checkpoints/")) == [found["ref"]]


def test_delete_takes_the_ref_and_says_how_to_bring_it_back(repo: TestRepo) -> None:
    found = _create(repo, "x")
    result = gitcmat(repo, "checkpoint", "delete", found["id"]).ok()
    back = f"git update-ref {found['ref']} {found['commit']}"
    assert result.out == f"{found['id']}: deleted; until git gc: {back}\n"
    assert repo.refs("refs/cmat/checkpoints/") == {}
    assert gitcmat(repo, "checkpoint", "list").ok().out == "no checkpoints\n"
    assert gitcmat(repo, "checkpoint", "delete", found["id"]).code == 4


def test_the_record_is_shown_in_the_view_until_it_is_deleted(repo: TestRepo) -> None:
    Project(repo)
    found = _create(repo, "x")
    shown = repo.path / f".cmat/checkpoints/{found['id']}.yaml"
    assert f"id: {found['id']}\nname: x\n" in shown.read_text(encoding="utf-8")
    gitcmat(repo, "checkpoint", "delete", found["id"]).ok()
    assert not shown.exists()


def test_an_empty_ref_is_named_with_the_command_that_mends_it(repo: TestRepo) -> None:
    found = _create(repo, "x")
    path = repo.git_dir / found["ref"]
    path.write_bytes(b"")
    result = gitcmat(repo, "checkpoint", "list").ok()
    mend = f"rm -- {path} && git update-ref {found['ref']} {found['commit']}"
    assert result.err == (
        f"warning: {found['ref']} is broken, and git stumbles over it. To mend it: {mend}\n"
    )
    found_json = gitcmat(repo, "checkpoint", "list", "--json").ok().json
    assert found_json["broken"] == [{"ref": found["ref"], "repair": mend}]
    second = _create(repo, "made beside it")
    subprocess.run(mend, shell=True, cwd=repo.path, check=True)  # noqa: S602 - as a person pastes it
    assert repo.refs("refs/cmat/checkpoints/") == {
        found["ref"]: found["commit"],
        second["ref"]: second["commit"],
    }
    assert gitcmat(repo, "checkpoint", "list").ok().err == ""


def test_a_ref_that_is_gone_is_marked(repo: TestRepo) -> None:
    found = _create(repo, "x")
    repo.git("update-ref", "-d", found["ref"])
    assert "its ref is gone" in gitcmat(repo, "checkpoint", "list").ok().out
    listed = gitcmat(repo, "checkpoint", "list", "--json").ok().json
    assert listed["missing"] == [found["id"]]
    repo.git("gc", "-q", "--prune=now")
    _refused(
        gitcmat(repo, "checkpoint", "restore", found["id"]),
        4,
        f"The files of {found['id']} are gone: there is no commit {found['commit']}.",
        f"gitcmat checkpoint delete {found['id']}",
    )
    gitcmat(repo, "checkpoint", "delete", found["id"]).ok()


def test_a_landing_saves_a_dirty_work_tree_first(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit_task("do-it", "echo x > x")
    gitcmat(repo, "run", "now", "do-it").ok()
    repo.write("mine.txt", "mine\n")
    done = gitcmat(repo, "land", "do-it", changes=("refs:refs/heads/main", *BACK)).ok()
    said = f"c-xxxxxxxx: saved what is not committed in {repo.path}\n"
    assert re.sub("c-[a-z2-7]{8}", "c-xxxxxxxx", done.err).endswith(said)
    (found,) = gitcmat(repo, "checkpoint", "list", "--json").ok().json["checkpoints"]
    assert (found["why"], found["task"], found["files"]) == ("before landing", "do-it", 1)
    assert repo.show(found["ref"], "mine.txt") == "mine\n"


@pytest.mark.parametrize("name", ["", "two\nlines"])
def test_a_name_that_is_none_is_refused(repo: TestRepo, name: str) -> None:
    assert gitcmat(repo, "checkpoint", "create", name).code == 3


def test_those_of_a_run_that_goes_on_are_listed_shown_and_compared(
    repo: TestRepo, tmp_path: Path
) -> None:
    project = Project(repo)
    go = tmp_path / "go"
    gitcmat(repo, "config", "set", "checkpoint_every", "1s").ok()
    steps = f"echo 1 > one.txt\nwhile [ ! -e {go} ]; do sleep 0.05; done\necho 2 > two.txt"
    project.commit_task("do-it", f"{steps}\nwhile [ -e {go} ]; do sleep 0.05; done")
    run = gitcmat(repo, "run", "now", "do-it", "--background").ok().out.strip()
    first = until(lambda: _listed(repo), 30, "a checkpoint")[0]
    assert first["name"].startswith("do-it after 0:00:")
    assert first["name"].endswith(f" of {run}")
    assert (first["why"], first["task"], first["run"]) == ("interval", "do-it", run)
    assert (first["files"], first["new_files"], first["new_bytes"]) == (1, 1, 2)
    shown = gitcmat(repo, "checkpoint", "show", first["id"][:7]).ok().out
    assert f"  task      do-it, run {run}\n" in shown
    go.touch()
    until(lambda: len(_listed(repo)) > 1, 30, "another checkpoint")
    second = _listed(repo)[0]
    changed = gitcmat(repo, "checkpoint", "diff", first["id"], second["id"], "--json").ok().json
    assert changed["files"] == [{"status": "A", "path": "two.txt"}]
    # A look at old ones leaves those of a living run alone: it may drop them itself.
    assert gitcmat(repo, "checkpoint", "prune").ok().out == "nothing to delete\n"
    assert project.app.deps.store.read().checkpoints() == []
    go.unlink()
    until(lambda: not project.alive(run), 30, "the end of the run")
    gitcmat(repo, "checkpoint", "prune").ok()
    recorded = project.app.deps.store.read().checkpoints()
    assert [c.id for c in recorded] == [second["id"], first["id"]]
    gitcmat(repo, "checkpoint", "restore", first["id"], changes=BACK).ok()
    assert repo.status() == "?? one.txt"


def test_a_workspace_is_removed_only_once_what_lies_in_it_is_saved(repo: TestRepo) -> None:
    project = Project(repo)
    project.commit_task("do-it", "echo x > x")
    gitcmat(repo, "run", "now", "do-it").ok()
    space = gitcmat(repo, "workspace", "list", "--json").ok().json["workspaces"][0]["path"]
    clean = gitcmat(repo, "workspace", "remove", "1").ok()
    assert clean.out == f"removed 1: {space}\n"
    project.commit_task("again", "echo y > y")
    gitcmat(repo, "run", "now", "again").ok()
    Path(space, "tree/by-hand.txt").write_text("somebody looked in\n")
    removed = gitcmat(repo, "workspace", "remove", "1").ok()
    (found,) = _listed(repo)
    assert removed.out == (
        f"removed 1: {space}\n"
        f"what lay in it and was nowhere else: gitcmat checkpoint show {found['id']}\n"
    )
    assert (found["why"], found["name"]) == ("before clean-up", "left in workspace 1")
    assert not Path(space).exists()
    repo.git("gc", "-q", "--prune=now")
    assert repo.show(found["ref"], "by-hand.txt") == "somebody looked in\n"
    assert repo.show(found["ref"], "y") == "y\n"


def test_one_that_was_fetched_from_elsewhere_is_a_checkpoint_like_others(
    repo: TestRepo, tmp_path: Path
) -> None:
    remote = TestRepo(tmp_path / "remote.git", bare=True)
    _create(repo, "before")  # so that the next one has records of its time
    repo.write("new.txt", "new\n")
    found = _create(repo, "shared")
    repo.git("push", "-q", str(remote.path), "main", found["ref"])
    other = TestRepo(tmp_path / "other")
    refs = "refs/cmat/checkpoints/*:refs/cmat/checkpoints/*"
    other.git("pull", "-q", str(remote.path), "main")
    other.git("fetch", "-q", str(remote.path), refs)
    other.write("new.txt", "other\n")
    mine = _create(other, "mine")
    assert [c["name"] for c in _listed(other)] == ["mine", "shared"]
    compared = gitcmat(other, "checkpoint", "diff", mine["id"], found["id"])
    assert compared.ok().out == other.git("diff", mine["ref"], found["ref"]) + "\n"
    assert compared.err == (
        "warning: Tasks are not compared. The records of that time, "
        f"{found['state']}, are not in this repository.\n"
    )
    gitcmat(other, "checkpoint", "restore", "shared", changes=BACK).ok()
    assert other.read("new.txt") == "new\n"
    # Without a plus git never overwrites one: they are made once.
    other.git("update-ref", found["ref"], mine["commit"])
    with pytest.raises(AssertionError, match="exit 1"):
        other.git("fetch", "-q", str(remote.path), refs)
    assert other.tip(found["ref"]) == mine["commit"]


def test_the_work_of_a_lost_run_is_not_uninstalled_unsaved(repo: TestRepo, tmp_path: Path) -> None:
    project = Project(repo)
    project.commit_task("do-it", "echo x > x")
    gitcmat(repo, "run", "now", "do-it").ok()
    (space,) = workspaces.list_spaces(project.app.deps, project.app.deps.store.read())
    slot = space.path / "slot.json"
    slot.write_text(slot.read_text().replace('"work": ""', '"work": "r-lost2345"'))
    listed = gitcmat(repo, "workspace", "list", "--json").ok().json["workspaces"]
    assert listed[0]["state"] == "holds work of r-lost2345"
    Path(space.path, "tree/lost.txt").write_text("lost\n")
    _refused(
        gitcmat(repo, "uninstall", "--yes"),
        5,
        "Nothing was removed: workspace 1 holds work of r-lost2345 that is nowhere else.",
        "--export FILE saves it too; gitcmat workspace remove 1 makes it a checkpoint",
    )
    bundle = tmp_path / "out.bundle"
    gitcmat(repo.path, "uninstall", "--yes", "--export", str(bundle)).ok()
    assert not space.path.exists()
    repo.git("fetch", "-q", str(bundle), "refs/cmat/*:refs/cmat/*")
    (ref,) = repo.refs("refs/cmat/checkpoints/")
    assert repo.show(ref, "lost.txt") == "lost\n"


def _listed(repo: TestRepo) -> Any:
    return gitcmat(repo, "checkpoint", "list", "--json").ok().json["checkpoints"]
