"""Objects survive whatever ends their writer and whatever git tidies up meanwhile."""

import hashlib
import os
import time
from pathlib import Path
from typing import Final

import pytest

from gitcmat.errors import Conflict, InvalidData, NotFound
from gitcmat.store.objects import FILE, ObjectWriter
from gitcmat.store.packjoin import join_packs
from gitcmat.store.packs import (
    STEPS,
    Arrival,
    RefMove,
    adopt_pack,
    drop_dead_keeps,
    own_packs,
    pack_folder,
    publish_pack,
)
from tests.support.repo import TestRepo
from tests.support.writer import DIED, REF, WHO, Writer, start

RUN = "refs/cmat/runs/r-aaaaaaaa"


def left_behind(repo: TestRepo) -> list[str]:
    """What is neither a whole pack nor anything of git's own, also of packs that never arrived."""
    packs = {p.name for p in (repo.git_dir / "objects/pack").iterdir()}
    whole = {name for name in packs if {Path(name).stem + s for s in (".pack", ".idx")} <= packs}
    loose = {name for name in packs - whole if "676974636d6174" in name}
    keeps = {name for name in packs if name.endswith(".keep")}
    return sorted(loose | keeps | {p.name for p in (repo.git_dir / "cmat/tmp").iterdir()})


@pytest.mark.parametrize("step", STEPS)
def test_a_writer_that_dies_at_any_step_leaves_a_sound_repository(
    repo: TestRepo, step: str
) -> None:
    writer = Writer(repo.path)
    before = writer.add("before.yaml")

    assert start(repo.path, "dead", 1, die_at=step).wait() == DIED

    moved = STEPS.index(step) >= STEPS.index("moved")
    assert (writer.tip() != before) == moved
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    repo.git("gc", "--prune=now", "--quiet")
    assert repo.git("fsck", "--strict", "--no-dangling") == ""

    writer.add("after.yaml")
    drop_dead_keeps(writer.repo)
    assert left_behind(repo) == []
    repo.git("gc", "--prune=now", "--quiet")
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert writer.names() == {"before.yaml", "after.yaml", *(["dead-0.yaml"] if moved else [])}


def test_no_object_is_lost_while_four_write_and_gc_runs(repo: TestRepo) -> None:
    writers = [start(repo.path, f"w{number}", 60) for number in range(4)]
    rounds = 0
    while any(process.poll() is None for process in writers):
        repo.git("gc", "--prune=now", "--quiet")
        rounds += 1

    assert [process.returncode for process in writers] == [0, 0, 0, 0]
    assert rounds > 3
    assert Writer(repo.path).names() == {f"w{w}-{i}.yaml" for w in range(4) for i in range(60)}
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert left_behind(repo) == []


@pytest.mark.slow
def test_a_thousand_commits_leave_few_packs_and_no_loose_objects(repo: TestRepo) -> None:
    before = int(repo.git("count-objects").split()[0])
    writer = Writer(repo.path)
    tip = writer.tip()
    most = 0
    for number in range(1000):
        objects = ObjectWriter(writer.repo, writer.git)
        blob = objects.blob(f"number: {number}\n".encode())
        commit = objects.commit(
            tree=objects.tree([(FILE, "state.yaml", blob)]),
            parents=[tip] if tip else [],
            author=WHO,
            committer=WHO,
            message=f"number {number}",
        )
        objects.publish(REF, commit, tip)
        tip = commit
        if number % 7 == 0:
            join_packs(writer.repo, writer.git)
        most = max(most, len(own_packs(writer.repo)))

    assert most < 60
    assert int(repo.git("count-objects").split()[0]) == before
    assert repo.git("rev-list", "--count", REF) == "1000"
    assert repo.git("fsck", "--strict", "--no-dangling") == ""


def test_the_keep_of_a_living_writer_is_left_alone(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    objects, _ = writer.prepare("a.yaml", None)
    with Arrival(writer.repo) as arrival:
        arrival.pack.write_bytes(objects._pack())
        arrival.make_index(writer.git)
        assert drop_dead_keeps(writer.repo) == 0
        arrival.place()
        assert drop_dead_keeps(writer.repo) == 0
        keeps = list(pack_folder(writer.repo).glob("*.keep"))
        assert len(keeps) == 1
        assert keeps[0].read_text().startswith("gitcmat ")
        repo.git("gc", "--prune=now", "--quiet")
        assert keeps[0].with_suffix(".pack").exists()
    assert left_behind(repo) == []
    repo.git("gc", "--prune=now", "--quiet")
    assert own_packs(writer.repo) == []


def test_keeps_of_a_person_are_not_ours_to_drop(repo: TestRepo) -> None:
    repo.git("repack", "-adq")
    folder = repo.git_dir / "objects/pack"
    keep = next(folder.glob("*.pack")).with_suffix(".keep")
    keep.write_text("")
    assert drop_dead_keeps(Writer(repo.path).repo) == 0
    assert keep.exists()


def test_old_temp_files_are_dropped_and_young_ones_are_not(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    writer.add("a.yaml")
    cmat = writer.repo.cmat
    (cmat / "view").mkdir()
    names = ("tmp/old", ".old.json.x.tmp", "view/.old.x.tmp", "tmp/new", ".new.json.x.tmp", "old")
    paths = [cmat / name for name in names]
    for path in paths:
        path.write_bytes(b"half")
        if "old" in path.name:
            long_ago = time.time() - 90_000
            os.utime(path, (long_ago, long_ago))
    assert drop_dead_keeps(writer.repo) == 3
    assert [path.exists() for path in paths] == [False] * 3 + [True] * 3


def test_a_ref_does_not_move_to_objects_that_did_not_arrive(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    objects, commit = writer.prepare("a.yaml", None)
    absent = "1" * 40
    with pytest.raises(NotFound, match=f"lacks 1 of 2 objects, first {absent}"):
        publish_pack(
            writer.repo, writer.git, objects._pack(), [commit, absent], RefMove(REF, commit, None)
        )
    assert writer.tip() is None


# --- packs from elsewhere -------------------------------------------------------------------


_HEAD: Final = b"PACK\0\0\0\2\0\0\0\0"
EMPTY: Final = _HEAD + hashlib.sha1(_HEAD, usedforsecurity=False).digest()


def from_workspace(repo: TestRepo, tmp_path: Path) -> tuple[str, str, bytes]:
    """A commit made in a private repository, its base, and the pack that brings it home."""
    base = repo.tip()
    space = TestRepo(tmp_path / "space")
    (space.git_dir / "objects/info/alternates").write_text(f"{repo.git_dir}/objects\n")
    space.git("reset", "-q", "--hard", base)
    commit = space.commit("work", {"src/a.py": "print()\n"})
    packed = Writer(space.path).git.run(
        "pack-objects", "--revs", "--stdout", "-q", input=f"{commit}\n^{base}\n".encode()
    )
    return base, commit, packed.out


def test_work_from_elsewhere_comes_home_as_a_pack(repo: TestRepo, tmp_path: Path) -> None:
    base, commit, stream = from_workspace(repo, tmp_path)
    writer = Writer(repo.path)
    writer.git.update_ref(RUN, base, None)
    steps: list[str] = []

    adopt_pack(
        writer.repo, writer.git, stream, RefMove(RUN, commit, base, "home"), on_step=steps.append
    )

    assert tuple(steps) == STEPS
    assert repo.names(RUN) == ["README.md", "src/a.py"]
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert left_behind(repo) == []


def test_a_pack_file_is_moved_home(repo: TestRepo, tmp_path: Path) -> None:
    _, commit, stream = from_workspace(repo, tmp_path)
    writer = Writer(repo.path)
    file = tmp_path / "home.pack"
    file.write_bytes(stream)
    adopt_pack(writer.repo, writer.git, file, RefMove(RUN, commit, None))
    assert not file.exists()
    assert repo.tip(RUN) == commit


def test_an_attempt_that_changed_nothing_moves_its_ref_without_a_pack(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    tip = repo.tip()
    adopt_pack(writer.repo, writer.git, EMPTY, RefMove(RUN, tip, None))
    assert repo.tip(RUN) == tip
    assert own_packs(writer.repo) == []


def test_a_pack_for_a_ref_that_moved_is_a_conflict(repo: TestRepo, tmp_path: Path) -> None:
    base, commit, stream = from_workspace(repo, tmp_path)
    writer = Writer(repo.path)
    with pytest.raises(Conflict):
        adopt_pack(writer.repo, writer.git, stream, RefMove(RUN, commit, base))
    assert not repo.has(RUN)
    assert left_behind(repo) == []


def test_a_damaged_pack_is_refused(repo: TestRepo, tmp_path: Path) -> None:
    _, commit, stream = from_workspace(repo, tmp_path)
    writer = Writer(repo.path)
    with pytest.raises(InvalidData) as caught:
        adopt_pack(writer.repo, writer.git, stream[:-30], RefMove(RUN, commit, None))
    assert caught.value.message.startswith(
        f"The objects for {RUN} were not taken in, because git refuses them: fatal: "
    )
    assert not repo.has(RUN)
    assert own_packs(writer.repo) == []


def refuse_torn(writer: Writer) -> None:
    """Hold that a pack which lacks an object is refused, and one that lacks everything."""
    objects = ObjectWriter(writer.repo, writer.git)
    absent = "1" * 40
    tree = objects.tree([(FILE, "a", absent)])
    commit = objects.commit(tree=tree, parents=[], author=WHO, committer=WHO, message="torn")
    move = RefMove(f"{RUN}-torn", commit, None)
    with pytest.raises(InvalidData, match=f"missing blob object '{absent}'"):
        adopt_pack(writer.repo, writer.git, objects._pack(), move)
    with pytest.raises(InvalidData, match="because git refuses them"):
        adopt_pack(writer.repo, writer.git, EMPTY, RefMove(move.ref, "2" * 40, None))
    assert writer.git.ref(move.ref) is None


def test_a_pack_that_lacks_an_object_is_refused(repo: TestRepo) -> None:
    refuse_torn(Writer(repo.path))


@pytest.mark.parametrize("text", ["", f"{'1' * 40}\n", "garbage\n"])
def test_a_broken_ref_keeps_no_work_from_coming_home(
    repo: TestRepo, tmp_path: Path, text: str
) -> None:
    """Of 0 bytes after a power cut, pointing at nothing, or holding no id."""
    base, commit, stream = from_workspace(repo, tmp_path)
    broken = repo.git_dir / "refs/cmat/checkpoints/c-abcd2345"
    with repo.as_person():
        broken.parent.mkdir(parents=True)
        broken.write_text(text)
    writer = Writer(repo.path)
    writer.git.update_ref(RUN, base, None)
    adopt_pack(writer.repo, writer.git, stream, RefMove(RUN, commit, base, "home"))
    assert writer.git.ref(RUN) == commit
    refuse_torn(writer)
    with repo.as_person():
        broken.unlink()


def test_a_tree_that_would_write_into_a_git_folder_is_refused(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    objects = ObjectWriter(writer.repo, writer.git)
    hook = objects.blob(b"#!/bin/sh\n")
    tree = objects._add("tree", b"100755 .git\0" + bytes.fromhex(hook))
    commit = objects.commit(tree=tree, parents=[], author=WHO, committer=WHO, message="evil")
    with pytest.raises(InvalidData, match=r"hasDotgit: contains '\.git'"):
        adopt_pack(writer.repo, writer.git, objects._pack(), RefMove(RUN, commit, None))
    assert not repo.has(RUN)
    assert own_packs(writer.repo) == []
