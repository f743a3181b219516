"""What the writer makes is what git would have made, and it is there as a whole or not at all."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, Repository, discover
from gitcmat.store.objects import (
    FILE,
    FOLDER,
    LINK,
    PROGRAM,
    SUBMODULE,
    ObjectWriter,
    signature,
)
from tests.support.repo import TestRepo
from tests.support.writer import REF, WHO, Writer


@pytest.fixture(params=["sha1", "sha256"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> TestRepo:
    """An empty repository, of each kind of ids."""
    return TestRepo(tmp_path / "either", object_format=request.param)


def opened(repo: TestRepo) -> tuple[Repository, Git]:
    repository = discover(repo.path)
    return repository, Git(repository.common_dir)


def test_git_reads_back_what_was_written_and_finds_no_fault(either: TestRepo) -> None:
    writer = ObjectWriter(*opened(either))
    contents = {
        "empty": b"",
        "small": b"a\n",
        "16 bytes": b"x" * 16,
        "2048 bytes": b"y" * 2048,
        "largest stored": bytes(range(256)) * 255 + b"z" * 255,
        "compressed": b"zero\0" * 20_000,
    }
    blobs = {name: writer.blob(data) for name, data in contents.items()}
    tree = writer.tree((FILE, name, oid) for name, oid in blobs.items())
    commit = writer.commit(tree=tree, parents=[], author=WHO, committer=WHO, message="all sizes")
    writer.publish(REF, commit, None)

    assert opened(either)[1].blobs(blobs.values()) == {
        blobs[name]: data for name, data in contents.items()
    }
    assert either.git("fsck", "--strict", "--no-dangling").splitlines() == []
    assert either.names(REF) == sorted(contents)


def test_folders_are_sorted_as_git_sorts_them(either: TestRepo) -> None:
    writer = ObjectWriter(*opened(either))
    blob = writer.blob(b"text\n")
    inner = writer.tree([(FILE, "file", blob)])
    commit = writer.commit(tree=inner, parents=[], author=WHO, committer=WHO, message="a submodule")
    tree = writer.tree(
        [
            (FILE, "a0", blob),
            ("040000", "a", inner),
            (FILE, "a.b", blob),
            (PROGRAM, "run.sh", blob),
            (LINK, "näme", blob),
            (SUBMODULE, "sub", commit),
            (FOLDER, "B", inner),
        ]
    )
    top = writer.commit(tree=tree, parents=[commit], author=WHO, committer=WHO, message="top")
    writer.publish(REF, top, None)

    assert either.git("fsck", "--strict", "--no-dangling") == ""
    listed = either.git("-c", "core.quotePath=false", "ls-tree", REF).splitlines()
    assert [line.split("\t")[1] for line in listed] == [
        "B",
        "a.b",
        "a",
        "a0",
        "näme",
        "run.sh",
        "sub",
    ]


def test_a_commit_says_who_when_why_and_after_what(either: TestRepo) -> None:
    writer = ObjectWriter(*opened(either))
    tree = writer.tree([])
    when = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=-3, minutes=-30)))
    ann = signature("Ann <Other>\n", "ann@example.org", when)
    bob = signature("Bob", "bob@example.org", when.astimezone(UTC))
    first = writer.commit(tree=tree, parents=[], author=ann, committer=bob, message="first")
    second = writer.commit(tree=tree, parents=[], author=bob, committer=bob, message="second")
    merge = writer.commit(
        tree=tree, parents=[first, second], author=ann, committer=bob, message="Öne\n\nmore\n\n"
    )
    writer.publish(REF, merge, None)

    shown = either.git("log", "-1", "--format=%P%n%an|%ae|%ai%n%cn|%ci%n%B", REF)
    assert shown.splitlines() == [
        f"{first} {second}",
        "Ann Other|ann@example.org|2026-03-01 12:00:00 -0330",
        "Bob|2026-03-01 15:30:00 +0000",
        "Öne",
        "",
        "more",
    ]
    assert either.git("fsck", "--strict", "--no-dangling") == ""


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".git", ".GIT", "nul\0"])
def test_a_name_that_no_folder_may_have_is_refused(repo: TestRepo, name: str) -> None:
    writer = ObjectWriter(*opened(repo))
    blob = writer.blob(b"")
    with pytest.raises(ValueError, match="cannot be a name in this tree"):
        writer.tree([(FILE, name, blob)])


def test_a_name_cannot_be_there_twice_even_as_file_and_folder(repo: TestRepo) -> None:
    writer = ObjectWriter(*opened(repo))
    blob = writer.blob(b"")
    folder = writer.tree([(FILE, "x", blob)])
    with pytest.raises(ValueError, match="'a' cannot be a name in this tree"):
        writer.tree([(FILE, "a", blob), (FOLDER, "a", folder)])


@pytest.mark.parametrize("mode", ["", "100664", "0", "40755"])
def test_only_the_modes_that_git_writes_are_taken(repo: TestRepo, mode: str) -> None:
    writer = ObjectWriter(*opened(repo))
    with pytest.raises(ValueError, match="is not a mode of a tree entry"):
        writer.tree([(mode, "a", writer.blob(b""))])


@pytest.mark.parametrize("who", ["", "Ann", "Ann <a@b> now", "A\nB <a@b> 1 +0000", "<a> <b> 1 +0"])
def test_a_signature_that_could_forge_a_header_is_refused(repo: TestRepo, who: str) -> None:
    writer = ObjectWriter(*opened(repo))
    with pytest.raises(ValueError, match="is not `name <email> seconds zone`"):
        writer.commit(tree=writer.tree([]), parents=[], author=who, committer=WHO, message="m")


def test_a_message_that_would_be_cut_short_is_refused(repo: TestRepo) -> None:
    writer = ObjectWriter(*opened(repo))
    with pytest.raises(ValueError, match="a commit message cannot hold a NUL"):
        writer.commit(
            tree=writer.tree([]), parents=[], author=WHO, committer=WHO, message="seen\0unseen"
        )


def test_nothing_is_on_the_disk_before_the_publication(repo: TestRepo) -> None:
    before = sorted(repo.git_dir.rglob("*"))
    Writer(repo.path).prepare("a.yaml", None)
    assert sorted(repo.git_dir.rglob("*")) == before


def test_the_second_of_two_writers_gets_a_conflict_and_changes_nothing(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    first = writer.add("first.yaml")
    late, commit = writer.prepare("late.yaml", first)
    second = writer.add("second.yaml")

    with pytest.raises(Conflict) as caught:
        late.publish(REF, commit, first)

    assert caught.value.message == (
        f"{REF} was moved by somebody else: it is at {second}, not at {first}."
    )
    assert writer.tip() == second
    assert list((repo.git_dir / "objects/pack").glob("*.keep")) == []
    assert list((repo.git_dir / "cmat/tmp").iterdir()) == []
    assert "garbage: 0" in repo.git("count-objects", "-v")
    repo.git("gc", "--prune=now", "--quiet")
    assert writer.git.blob(commit) is None
    assert writer.names() == {"first.yaml", "second.yaml"}


def test_a_ref_that_must_be_new_is_made_once(repo: TestRepo) -> None:
    writer = Writer(repo.path)
    objects, commit = writer.prepare("a.yaml", None)
    objects.publish(REF, commit, None)
    objects.publish(REF, commit, None)  # as somebody does who cannot know that it is done
    objects, another = writer.prepare("b.yaml", None)
    with pytest.raises(Conflict, match=f"it is at {commit}, not at nothing"):
        objects.publish(REF, another, None)
