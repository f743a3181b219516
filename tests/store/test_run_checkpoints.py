"""Checkpoints of workspaces: of a run that goes on, and of what an ended one left behind."""

import subprocess
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gitcmat.errors import Conflict, UserError
from gitcmat.model.checkpoint import NewFiles
from gitcmat.store.checkpoint import Label, read
from gitcmat.store.git import Git
from gitcmat.store.run_checkpoints import (
    KEPT_OF_A_RUN,
    RunCheckpoints,
    keep_left_behind,
    left_behind,
)
from gitcmat.system import trace
from tests.support.repo import TestRepo
from tests.support.workspaces import PERSON, Desk


@pytest.fixture
def desk(repo: TestRepo) -> Desk:
    repo.commit("Files", {"a.txt": "1\n", "tool.sh": "1\n", ".gitignore": "*.log\n"})
    repo.freeze()
    desk = Desk(repo)
    desk.space.prepare(desk.base, base=desk.base, identity=PERSON, work="r-abcdefgh")
    return desk


@pytest.fixture
def saved(desk: Desk, tmp_path: Path) -> RunCheckpoints:
    return RunCheckpoints(desk.space, desk.base, tmp_path)


def label(number: int = 0) -> Label:
    made_at = datetime(2026, 1, 2, tzinfo=UTC)
    return Label(id=f"c-number{number:02}", name="now", by=PERSON, at=made_at, trailers={})


def anything(_new: NewFiles) -> None:
    """Allow every size."""


def refs(desk: Desk) -> list[str]:
    return [name.rpartition("/")[2] for name in desk.repo.refs("refs/cmat/checkpoints/")]


def test_what_an_agent_does_is_saved_and_nothing_is_touched(
    desk: Desk, saved: RunCheckpoints
) -> None:
    desk.write({"a.txt": "2\n", "new/b.txt": "new\n", "debug.log": "ignored\n"})
    (desk.agent / "tool.sh").chmod(0o755)
    (desk.agent / "link").symlink_to("a.txt")
    desk.git("add", "a.txt")
    indexes = [desk.agent / ".git/index", desk.space.vault.folder / "index"]
    before = [index.read_bytes() for index in indexes]
    commit = saved.save(label(), anything)
    assert commit is not None
    assert [index.read_bytes() for index in indexes] == before
    shown = desk.repo.git("diff-tree", "-r", "--no-commit-id", "--name-status", desk.base, commit)
    assert shown == "M\ta.txt\nA\tlink\nA\tnew/b.txt\nM\ttool.sh"
    assert desk.repo.tip(f"{commit}^1") == desk.base
    assert desk.repo.git("rev-parse", f"{commit}^2^{{tree}}") == desk.repo.git(
        "rev-parse", f"{desk.base}^{{tree}}"
    )
    assert read(Git(desk.repo.git_dir), commit).counts == (4, 2, 4 + len("a.txt"))


def test_where_nothing_has_changed_it_looks_with_one_process_and_saves_nothing(
    desk: Desk, saved: RunCheckpoints, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert saved.save(label(), anything) is None
    desk.write({"a.txt": "2\n", "new.txt": "new\n"})
    assert saved.save(label(1), anything) is not None
    counted = tmp_path / "trace"
    monkeypatch.setenv(trace.VARIABLE, str(counted))
    assert saved.save(label(2), anything) is None
    (looked,) = counted.read_text().splitlines()
    assert " status " in looked
    assert refs(desk) == ["c-number01"]


def test_each_holds_everything_and_brings_only_what_is_new(
    desk: Desk, saved: RunCheckpoints
) -> None:
    desk.write({"first.txt": "first\n"})
    one = saved.save(label(1), anything)
    desk.write({"second.txt": "second\n"})
    (desk.agent / "a.txt").unlink()
    two = saved.save(label(2), anything)
    assert one is not None
    assert two is not None
    assert desk.repo.names(two) == [".gitignore", "README.md", "first.txt", "second.txt", "tool.sh"]
    packs = sorted(desk.repo.git_dir.glob("objects/pack/*.pack"), key=lambda p: p.stat().st_mtime)
    listed = desk.repo.git("verify-pack", "-v", str(packs[-1].with_suffix(".idx")))
    assert listed.count(" blob ") == 1
    desk.repo.git("gc", "-q", "--prune=now")
    assert desk.repo.show(two, "first.txt") == "first\n"


def test_a_checkpoint_that_a_person_deletes_does_not_spoil_the_next(
    desk: Desk, saved: RunCheckpoints
) -> None:
    desk.write({"first.txt": "first\n"})
    assert saved.save(label(1), anything)
    desk.repo.git("update-ref", "-d", "refs/cmat/checkpoints/c-number01")
    desk.repo.git("gc", "-q", "--prune=now")
    desk.write({"second.txt": "second\n"})
    with suppress(UserError):  # the first try may find that what it remembers is gone
        saved.save(label(2), anything)
    commit = desk.repo.refs("refs/cmat/").get("refs/cmat/checkpoints/c-number02")
    commit = commit or saved.save(label(3), anything)
    assert commit is not None
    assert desk.repo.show(commit, "first.txt") == "first\n"
    assert "missing" not in desk.repo.git("fsck", "--connectivity-only")


def test_only_the_newest_of_a_run_are_kept(desk: Desk, saved: RunCheckpoints) -> None:
    for number in range(KEPT_OF_A_RUN + 2):
        desk.write({"a.txt": f"round {number}\n"})
        assert saved.save(label(number), anything)
    assert refs(desk) == [f"c-number{number:02}" for number in range(2, KEPT_OF_A_RUN + 2)]


def test_what_is_too_large_is_refused_before_it_is_read(desk: Desk, saved: RunCheckpoints) -> None:
    desk.write({"new.txt": "12345"})

    def no(new: NewFiles) -> None:
        raise Conflict(f"{new.count} files, {new.size} bytes: {new}")

    with pytest.raises(Conflict, match=r"1 files, 5 bytes: new.txt \(5 bytes\)"):
        saved.save(label(), no)
    assert refs(desk) == []


def test_a_filter_that_an_agent_sets_up_does_not_run(desk: Desk, saved: RunCheckpoints) -> None:
    marker = desk.agent / "ran"
    desk.git("config", "filter.x.clean", f"touch {marker}; cat")
    desk.git("config", "core.fsmonitor", f"touch {marker}; false")
    desk.write({".gitattributes": "* filter=x\n", "a.txt": "2\n"})
    assert saved.save(label(), anything)
    assert not marker.exists()


@pytest.mark.slow
def test_beside_a_gc_that_removes_everything_nothing_is_lost(
    desk: Desk, saved: RunCheckpoints
) -> None:
    stop = desk.repo.path.parent / "stop"
    turn = "git gc -q --prune=now; git reflog expire --expire=now --all"
    loop = f"while [ ! -e {stop} ]; do {turn}; done"
    made = {}
    with desk.repo.as_person():
        where = desk.repo.path
        collecting = subprocess.Popen(["sh", "-c", loop], cwd=where, stderr=subprocess.DEVNULL)
        try:
            for number in range(40):
                desk.write({"a.txt": f"round {number}\n", f"new{number}.txt": f"new {number}\n"})
                with suppress(UserError):  # the next look saves it
                    made[number] = saved.save(label(number), anything)
        finally:
            stop.touch()
            collecting.wait(60)
    desk.repo.git("gc", "-q", "--prune=now")
    kept = list(made.items())[-KEPT_OF_A_RUN:]
    assert len(kept) == KEPT_OF_A_RUN
    for number, commit in kept:
        assert commit is not None
        assert desk.repo.show(commit, f"new{number}.txt") == f"new {number}\n"
        assert desk.repo.show(commit, "new0.txt") == "new 0\n"
    assert "missing" not in desk.repo.git("fsck", "--connectivity-only")


# --- what is left behind --------------------------------------------------------------------


def test_what_was_not_brought_home_is_kept_with_the_agents_commits(desk: Desk) -> None:
    mine = desk.commit("Mine", {"mine.txt": "mine\n"})
    desk.write({"rest.txt": "rest\n"})
    found = left_behind(desk.space, PERSON)
    assert found is not None
    assert (found.start, found.run) == (desk.base, "r-abcdefgh")
    commit = keep_left_behind(desk.space, found, label())
    subprocess.run(["rm", "-rf", desk.space.folder], check=True)
    assert desk.repo.show(commit, "rest.txt") == "rest\n"
    assert desk.repo.git("merge-base", "--is-ancestor", mine, commit) == ""
    assert read(Git(desk.repo.git_dir), commit).counts == (2, 0, 0)
    assert "missing" not in desk.repo.git("fsck", "--connectivity-only")


def test_what_is_home_is_not_kept_again_but_what_came_after_is(desk: Desk) -> None:
    desk.write({"rest.txt": "rest\n"})
    desk.bring_home(desk.collect())
    before = desk.space.may_hold_work
    desk.space.note_home()
    assert (before, desk.space.may_hold_work) == (True, False)
    assert left_behind(desk.space, PERSON) is None
    desk.write({"later.txt": "a person was here\n"})
    found = left_behind(desk.space, PERSON)
    assert found is not None
    assert found.run == ""


def test_an_untouched_workspace_holds_nothing(desk: Desk) -> None:
    assert desk.space.may_hold_work
    assert left_behind(desk.space, PERSON) is None


def test_a_workspace_that_forgot_what_it_is_may_hold_work(desk: Desk) -> None:
    desk.write({"rest.txt": "rest\n"})
    (desk.space.folder / "slot.json").unlink()
    subprocess.run(["rm", "-rf", desk.space.vault.folder], check=True)
    assert desk.space.may_hold_work
    found = left_behind(desk.space, PERSON)
    assert found is not None
    assert "rest.txt" in [change.path for change in found.collected.files]


def test_one_whose_cleaning_was_broken_off_holds_nothing(desk: Desk) -> None:
    desk.space.note_home()
    slot = desk.space.folder / "slot.json"
    slot.rename(slot.with_name("slot.json.old"))
    assert not desk.space.may_hold_work
