"""Joining packs changes where objects lie and nothing else, whoever reads or tidies meanwhile."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from gitcmat.store.objects import FILE, ObjectWriter
from gitcmat.store.packjoin import join_packs
from gitcmat.store.packs import drop_dead_keeps, own_packs
from tests.support.repo import TestRepo
from tests.support.writer import WHO, Writer


def written(repo: TestRepo, count: int) -> Writer:
    writer = Writer(repo.path)
    for number in range(count):
        writer.add(f"{number}.yaml")
    assert len(own_packs(writer.repo)) == count
    return writer


@pytest.mark.parametrize("object_format", ["sha1", "sha256"])
def test_many_packs_become_one_with_every_object(tmp_path: Path, object_format: str) -> None:
    repo = TestRepo(tmp_path / "either", object_format=object_format)
    writer = written(repo, 4)
    lost, commit = writer.prepare("lost.yaml", writer.tip())
    lost.publish("refs/cmat/runs/r-aaaaaaaa", commit, None)
    repo.git("update-ref", "-d", "refs/cmat/runs/r-aaaaaaaa")
    before = repo.git("rev-list", "--objects", "--all").splitlines()

    assert join_packs(writer.repo, writer.git, more_than=3) == 5

    assert len(own_packs(writer.repo)) == 1
    assert repo.git("rev-list", "--objects", "--all").splitlines() == before
    assert writer.git.blob(commit) is not None, "what nothing reaches is for gc to judge"
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert list((writer.repo.cmat / "tmp").iterdir()) == []


def test_few_packs_stay_as_they_are(repo: TestRepo) -> None:
    writer = written(repo, 3)
    assert join_packs(writer.repo, writer.git, more_than=3) == 0
    assert len(own_packs(writer.repo)) == 3


def test_what_holds_nearly_everything_is_not_copied_again(repo: TestRepo) -> None:
    writer = written(repo, 4)
    large = ObjectWriter(writer.repo, writer.git)
    data = os.urandom(1_000_000)
    tree = large.tree([(FILE, "data", large.blob(data))])
    commit = large.commit(tree=tree, parents=[], author=WHO, committer=WHO, message="large")
    large.publish("refs/cmat/runs/r-aaaaaaaa", commit, None)
    packs = sorted(own_packs(writer.repo), key=lambda pack: pack.stat().st_size)
    assert join_packs(writer.repo, writer.git, more_than=3) == 4
    assert packs[-1] in own_packs(writer.repo)
    assert len(own_packs(writer.repo)) == 2
    assert len(writer.names()) == 4


def test_packs_of_a_person_are_not_touched(repo: TestRepo) -> None:
    repo.git("repack", "-adq")
    theirs = set((repo.git_dir / "objects/pack").iterdir())
    writer = written(repo, 2)
    join_packs(writer.repo, writer.git, more_than=1)
    assert theirs < set((repo.git_dir / "objects/pack").iterdir())


def test_a_repack_by_the_person_takes_our_packs_and_nothing_goes_wrong(repo: TestRepo) -> None:
    writer = written(repo, 3)
    repo.git("repack", "-adq")
    assert own_packs(writer.repo) == []
    assert join_packs(writer.repo, writer.git, more_than=0) == 0
    writer.add("more.yaml")
    assert len(writer.names()) == 4


def test_nothing_is_joined_while_a_gc_is_at_work(repo: TestRepo) -> None:
    writer = written(repo, 3)
    pid = repo.git_dir / "gc.pid"
    pid.write_text("1 host")
    assert join_packs(writer.repo, writer.git, more_than=1) == 0
    yesterday = time.time() - 86_400
    os.utime(pid, (yesterday, yesterday))
    assert join_packs(writer.repo, writer.git, more_than=1) == 3
    pid.unlink()


def test_packs_that_an_index_over_many_names_are_left_to_it(repo: TestRepo) -> None:
    writer = written(repo, 3)
    repo.git("multi-pack-index", "write")
    writer.add("a.yaml")
    writer.add("b.yaml")
    assert join_packs(writer.repo, writer.git, more_than=1) == 2
    assert len(own_packs(writer.repo)) == 4
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert len(writer.names()) == 5


def test_a_reader_at_work_finds_the_objects_in_the_new_place(repo: TestRepo) -> None:
    writer = written(repo, 3)
    oids = [line.split()[0] for line in repo.git("rev-list", "--objects", "--all").splitlines()]
    with subprocess.Popen(
        ["git", "cat-file", "--batch-check"],
        cwd=repo.path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        bufsize=1,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        answers = []
        for number, oid in enumerate(oids):
            if number == 1:
                assert join_packs(writer.repo, writer.git, more_than=1) == 3
            reader.stdin.write(f"{oid}\n")
            answers.append(reader.stdout.readline())
        reader.stdin.close()
    assert [line for line in answers if "missing" in line] == []


@pytest.mark.parametrize("step", ["joined", "kept", "placed", "visible", "synced"])
def test_a_joining_that_stops_on_the_way_loses_nothing(repo: TestRepo, step: str) -> None:
    writer = written(repo, 3)

    def stop(now: str) -> None:
        if now == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        join_packs(writer.repo, writer.git, more_than=1, on_step=stop)

    drop_dead_keeps(writer.repo)
    assert repo.git("fsck", "--strict", "--no-dangling") == ""
    assert len(writer.names()) == 3
    assert "garbage: 0" in repo.git("count-objects", "-v")
    join_packs(writer.repo, writer.git, more_than=1)
    assert len(own_packs(writer.repo)) == 1
