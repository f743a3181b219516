"""`gitcmat uninstall`: the repository is as it was before `init`, and nothing of value is lost."""

from pathlib import Path

import pytest

from gitcmat.engine.workspaces import place
from tests.support.cli import gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project


def picture(repo: TestRepo) -> dict[str, bytes]:
    """Everything of the git directory but objects, the index and what a commit writes."""
    left_out = ("objects/", "index", "logs/", "COMMIT_EDITMSG", "refs/heads/main")
    found: dict[str, bytes] = {}
    for path in sorted(repo.git_dir.rglob("*")):
        name = path.relative_to(repo.git_dir).as_posix()
        if not name.startswith(left_out):
            found[name] = path.read_bytes() if path.is_file() else b"folder"
    return found


def packs(repo: TestRepo) -> list[str]:
    return sorted(path.name for path in (repo.git_dir / "objects/pack").glob("*.pack"))


@pytest.mark.parametrize("exclude", [b"*.log\n", b"*.log", None], ids=["lines", "no-end", "none"])
def test_the_repository_is_as_before_init(
    repo: TestRepo, home: Path, exclude: bytes | None
) -> None:
    path = repo.git_dir / "info/exclude"
    if exclude is None:
        path.unlink()
        path.parent.rmdir()
    else:
        path.write_bytes(exclude)
    hook = repo.git_dir / "hooks/post-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\n:\n")
    hook.chmod(0o755)
    before = picture(repo)
    gitcmat(repo.path, "init", "--commit").ok()
    gitcmat(repo.path, "hooks", "install").ok()
    project = Project(repo)
    project.commit_task("one", "echo x > x")
    gitcmat(repo.path, "run", "now", "one").ok()
    gitcmat(repo.path, "land", "one", "--override", "test").ok()
    project.commit_task("two", "echo y > y")
    gitcmat(repo.path, "run", "now", "two").ok()
    tip, ours = repo.tip(), repo.refs("refs/cmat/state/").values()
    gitcmat(repo.path, "uninstall", "--yes", "--branches").ok()
    assert picture(repo) == before
    assert repo.tip() == tip
    assert hook.stat().st_mode & 0o777 == 0o755
    assert repo.status() == ""
    repo.git("fsck", "--strict")
    assert repo.read("x") == "x\n"
    (pack,) = packs(repo)  # with what landed: its files, and its commit
    assert "676974636d6174" not in pack, "it is named as ours"
    asked = "".join(f"{oid}\n" for oid in ours)
    gone = repo.git("cat-file", "--batch-check", stdin=asked).splitlines()
    assert gone == [f"{oid} missing" for oid in ours]
    assert not list(home.rglob("*/trust/*")), "what was allowed is remembered"
    assert not list((home / ".cache").rglob("slot.json"))
    again = gitcmat(repo.path, "uninstall", "--yes").ok()
    assert again.out.startswith("There is nothing of gitcmat here.\n")


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with one result in review, on a branch that nothing else has."""
    made = Project(repo)
    made.commit_task("one", "echo x > x")
    gitcmat(repo, "run", "now", "one").ok()
    return made


def test_a_branch_that_nothing_else_has_stays(project: Project) -> None:
    repo = project.repo
    found = gitcmat(repo.path, "uninstall", "--yes").ok()
    assert "Stays: branch cmat/one (to remove it: git branch -D cmat/one)\n" in found.out
    assert repo.show("cmat/one", "x") == "x\n"
    repo.git("fsck", "--strict")
    assert repo.refs("refs/cmat/") == {}


def test_a_merge_that_is_under_way_can_be_finished(project: Project) -> None:
    repo = project.repo
    with repo.as_person():
        repo.git("merge", "-q", "--no-commit", "--no-ff", "cmat/one")
        merged = repo.tip("cmat/one")
        gitcmat(repo.path, "uninstall", "--yes", "--branches").ok()
        repo.git("reflog", "expire", "--all", "--expire=now")
    assert repo.refs("refs/heads/") == {"refs/heads/main": repo.tip()}
    repo.git("commit", "-q", "-m", "Merge it")
    assert repo.tip("HEAD^2") == merged
    repo.git("fsck", "--strict")


def test_packs_that_a_file_of_gits_lists_stay_and_the_next_gc_takes_them(
    project: Project,
) -> None:
    repo = project.repo
    repo.git("commit-graph", "write", "--reachable")
    before, state = packs(repo), next(iter(repo.refs("refs/cmat/state/").values()))
    found = gitcmat(repo.path, "uninstall", "--yes", "--branches").ok()
    assert "Objects that nothing needs any more go with the next git gc.\n" in found.out
    assert packs(repo) == before
    repo.git("gc", "--quiet", "--prune=now")
    gone = repo.git("cat-file", "--batch-check", stdin=f"{state}\n")
    assert gone == f"{state} missing"


def test_nothing_goes_unless_somebody_says_yes(project: Project) -> None:
    refs = project.repo.refs()
    found = gitcmat(project.repo, "uninstall")
    assert found.code == 5
    assert found.out.startswith("To be removed:\n  2 refs below refs/cmat/")
    assert found.err == (
        "error: Nothing was removed: nobody can be asked here.\nhint: gitcmat uninstall --yes\n"
    )
    assert project.repo.refs() == refs


def test_what_is_exported_can_be_brought_back(project: Project, tmp_path: Path) -> None:
    repo, bundle = project.repo, tmp_path / "out.bundle"
    refs = repo.refs("refs/cmat/")
    gitcmat(repo.path, "uninstall", "--yes", "--branches", "--export", str(bundle)).ok()
    assert repo.refs("refs/cmat/") == {}
    assert not repo.has("refs/heads/cmat/one")
    repo.git("fetch", "-q", str(bundle), "refs/cmat/*:refs/cmat/*")
    assert repo.refs("refs/cmat/") == refs


def test_an_export_that_cannot_be_written_removes_nothing(project: Project, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    refs = project.repo.refs()
    found = gitcmat(project.repo, "uninstall", "--yes", "--export", str(tmp_path / "there"))
    assert (found.code, project.repo.refs()) == (5, refs)
    assert found.err == f"error: {tmp_path}/there is there already.\nhint: name another file\n"


def test_nothing_is_removed_under_a_daemon(project: Project, tmp_path: Path) -> None:
    with running(project.repo, "watch", logs=tmp_path / "logs") as daemon:
        daemon.says("watch")
        refs = project.repo.refs()
        found = gitcmat(project.repo.path, "uninstall", "--yes")
        assert (found.code, project.repo.refs()) == (5, refs)
        assert f"(process {daemon.process.pid})" in found.err
        daemon.signal()
        daemon.wait()


def test_workspaces_are_listed_and_removed_but_for_those_in_use(
    project: Project, tmp_path: Path
) -> None:
    repo, go = project.repo, tmp_path / "go"
    folder = place(project.app.deps)
    (listed,) = gitcmat(repo, "workspace", "list", "--json").ok().json["workspaces"]
    assert (listed["name"], listed["state"], listed["task"]) == ("1", "kept for one", "one")
    assert listed["bytes"] > 10_000
    project.commit_task("two", f"while [ ! -e {go} ]; do sleep 0.05; done")
    run = gitcmat(repo, "run", "now", "two", "--background").ok().out.strip()
    used = next(
        one
        for one in gitcmat(repo, "workspace", "list", "--json").ok().json["workspaces"]
        if one["run"] == run
    )
    refused = gitcmat(repo, "workspace", "remove", used["name"])
    assert (refused.code, refused.out) == (5, "")
    assert refused.err == (
        f"error: Nothing was removed: {run} works in workspace {used['name']}.\n"
        f"hint: gitcmat run stop {run}\n"
    )
    busy = gitcmat(repo, "uninstall", "--yes")
    assert busy.err.startswith("error: Nothing was removed: two is active.\n")
    gitcmat(repo, "workspace", "remove", "--all").ok()
    assert [path.name for path in folder.iterdir()] == [used["name"]]
    go.touch()
    gitcmat(repo, "run", "follow", run)
    gitcmat(repo, "status").ok()
    gitcmat(repo, "workspace", "remove", used["name"]).ok()
    assert list(folder.iterdir()) == []
    assert gitcmat(repo, "workspace", "list").ok().out == "There are no workspaces.\n"


def test_while_a_run_without_a_task_works_nothing_goes(repo: TestRepo, tmp_path: Path) -> None:
    project = Project(repo)
    with running(repo, "run", "direct", "fake", "sh: sleep 600", logs=tmp_path / "log"):
        until(lambda: (tmp_path / "log/out.txt").exists() and project.runs(), 30, "the run")
        (run,) = project.runs()
        refused = gitcmat(repo, "uninstall", "--yes")
        assert (refused.code, refused.err) == (
            5,
            (
                f"error: Nothing was removed: {run.id} is under way.\n"
                "hint: gitcmat run stop --all, or wait\n"
            ),
        )
        gitcmat(repo, "run", "stop", "--all").ok()
