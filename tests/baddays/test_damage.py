"""Damaged bytes: what can be read is read, and what cannot stops one task and says so."""

import random
import subprocess
from collections.abc import Callable, Iterator, Mapping
from typing import Final

import pytest

from gitcmat.engine.doctor import doctor
from gitcmat.errors import InvalidData
from gitcmat.model.state import State
from gitcmat.store import documents, layout, records
from gitcmat.store.objects import ObjectWriter
from gitcmat.store.record_tree import write_tree
from gitcmat.store.records import Record
from tests.support.cli import gitcmat
from tests.support.project import Project, task_file
from tests.support.repo import TestRepo
from tests.support.store import blocker, entry, run

SEED: Final = 20_261_121
PAGE: Final = 4096
"""Bytes of a page of SQLite."""
TASK: Final = """\
schema: 1
title: Parse ISO dates in the CLI
prompt: |
  Accept ISO 8601 dates wherever a date is read.
  Also: "quoted", {braces} and ünïcode.
agent: implementer
needs: [date-library]
priority: high
gates: [tests, lint]
paths: [src/cli/**]
attempts: 3
timeout: 30m
"""


def damages(data: bytes, count: int) -> Iterator[bytes]:
    """Yield some `count` damaged versions: a byte replaced, cut off, lines lost or doubled."""
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    lines = data.splitlines(keepends=True)
    for _ in range(count // 4):
        at = chance.randrange(len(data))
        yield data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
        yield data[: chance.randrange(len(data))]
        line = chance.randrange(len(lines))
        yield b"".join(lines[:line] + lines[line + 1 :])
        other = chance.randrange(len(lines))
        yield b"".join([*lines[:other], lines[line], *lines[other:]])


SAMPLES: Final[tuple[Record, ...]] = (
    entry("parse-dates", State.REVIEW, head="a" * 40, base="b" * 40, reason="it: said so"),
    run("r-abcd2345", "parse-dates"),
    blocker("b-abcd2345", "parse-dates"),
)


@pytest.mark.parametrize("record", SAMPLES, ids=lambda record: type(record).__name__)
def test_a_damaged_record_is_read_or_refused_with_its_place(record: Record) -> None:
    key = records.key_of(record)
    refused = []
    for damaged in damages(records.render(record), 300):
        try:
            records.read(key, damaged)
        except InvalidData as error:
            refused.append(error.message)
    assert len(refused) > 100
    assert [text for text in refused if not text.startswith(f"{key.path}:")] == []


def test_a_damaged_task_file_is_read_or_refused_with_its_line() -> None:
    refused = []
    for damaged in damages(TASK.encode(), 400):
        try:
            documents.task(damaged, name="x.yaml")
        except InvalidData as error:
            refused.append(error.message)
    assert len(refused) > 100
    assert [text for text in refused if not text.startswith("x.yaml:")] == []


# --- in the state ---------------------------------------------------------------------------------


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """Three tasks, the third of which is ready for review; then nobody may start any."""
    made = Project(repo)
    made.commit(*(task_file(name, hold=name != "third") for name in ("first", "second", "third")))
    made.step(start=False)
    made.step(only="third")
    made.wait()
    made.step(start=False)
    assert [made.state(name) for name in ("first", "second", "third")] == [
        "pending",
        "pending",
        "review",
    ]
    return made


def overwrite(project: Project, files: Mapping[str, bytes]) -> None:
    """Commit other bytes in place of records, as nobody should."""
    store, git = project.deps.store, project.deps.git
    tip = store.tip()
    assert tip is not None
    writer = ObjectWriter(project.deps.repo, git)
    who = "Nobody <nobody@example.org> 1700000000 +0000"
    tree = write_tree(writer, git, tip, files)
    new = writer.commit(tree=tree, parents=[tip], author=who, committer=who, message="damage")
    writer.publish(store.ref, new, tip)
    store.close()
    project.reopen()


def path_of(project: Project, task: str) -> str:
    found = project.deps.store.read().path(layout.Kind.QUEUE, task)
    assert found is not None
    return found


BROKEN: Final[dict[str, Callable[[bytes], bytes]]] = {
    "cut off": lambda data: data[:-40] + b"[",
    "empty": lambda _: b"",
    "no text": lambda data: b"\xff\xfe" + data,
    "another's": lambda data: data.replace(b"id: first", b"id: third"),
    "of a later version": lambda data: data.replace(b"schema: 1", b"schema: 9", 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("how", BROKEN)
def test_a_damaged_record_stops_its_task_alone_and_is_mended(project: Project, how: str) -> None:
    path = path_of(project, "first")
    before = project.entry("first")
    good = project.deps.git.blob(f"{project.deps.store.tip()}:{path}")
    assert good is not None
    overwrite(project, {path: BROKEN[how](good)})

    report = project.step()
    assert (report.started, report.changed) == ([], [])
    assert project.state("first") == "none"
    assert (project.state("second"), project.state("third")) == ("pending", "review")
    found = doctor(project.deps)
    named = [(one.id, one.where) for one in found.findings if one.fixable]
    assert ("record-damaged", path) in named
    assert found.score < 90
    mended = doctor(project.deps, fix=True)
    assert "record-damaged" in [one.id for one in mended.mended]
    project.reopen()
    assert project.entry("first") == before


@pytest.mark.slow
def test_what_a_damaged_record_is_about_is_said_wherever_it_is_asked_for(project: Project) -> None:
    path = path_of(project, "first")
    overwrite(project, {path: b"id: ["})
    status = gitcmat(project.repo, "status").ok()
    (line,) = [line for line in status.out.splitlines() if path in line]
    assert f"{path}:1: set aside, as it cannot be read: {path}:" in line
    asked = gitcmat(project.repo, "queue", "release", "first")
    assert (asked.code, asked.err.splitlines()[-1]) == (3, "hint: gitcmat doctor --fix")
    assert asked.err.startswith(f"error: The record of first is damaged: {path}:")
    gitcmat(project.repo, "queue", "release", "second").ok()
    again = gitcmat(project.repo, "queue", "add", "again", "--id", "first", "--agent", "coder")
    assert (again.code, again.out) == (3, "")


def test_a_record_whose_object_is_missing_or_broken_stops_its_task_alone(
    project: Project,
) -> None:
    """Loose objects, so that one can be broken: packs hold many."""
    repo, path = project.repo, path_of(project, "first")
    tip = project.deps.store.tip()
    text = project.deps.git.blob(f"{tip}:{path}")
    assert text is not None
    overwrite(project, {path: text + b"# other\n"})
    oid = repo.git("rev-parse", f"{project.deps.store.ref}:{path}")
    for pack in (repo.git_dir / "objects/pack").glob("*.pack"):
        moved = pack.rename(repo.path.parent / pack.name)
        pack.with_suffix(".idx").unlink()
        with moved.open("rb") as file:
            unpack(repo, file.read())
    loose = repo.git_dir / "objects" / oid[:2] / oid[2:]
    held = loose.read_bytes()
    for broken in (None, b"", held[:10], b"x" * len(held)):
        loose.unlink(missing_ok=True)
        if broken is not None:
            loose.write_bytes(broken)
        (repo.git_dir / "cmat/cache.sqlite").unlink(missing_ok=True)
        project.reopen()
        assert project.state("first") == "none"
        assert project.state("third") == "review"
        (aside,) = project.deps.store.read().set_aside().values()
        assert aside.why == f"{path}: its object {oid[:12]} is missing or damaged"
        project.deps.store.close()
    loose.unlink()
    loose.write_bytes(held)
    project.reopen()
    assert [one.id for one in doctor(project.deps, fix=True).mended] == ["cache-damaged"]
    assert project.state("first") == "pending"


def unpack(repo: TestRepo, data: bytes) -> None:
    subprocess.run(["git", "unpack-objects", "-q"], cwd=repo.path, input=data, check=True)


# --- refs and the cache ---------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("content", [b"", b"garbage\n", b"\0" * 41])
def test_a_damaged_ref_of_the_records_is_not_taken_for_no_records(
    project: Project, content: bytes
) -> None:
    ref = project.deps.store.ref
    (project.repo.git_dir / ref).write_bytes(content)
    for command in (("queue", "list"), ("queue", "hold", "second")):
        result = gitcmat(project.repo, *command)
        assert (result.code, result.out) == (3, "")
        assert result.err == (
            f"error: {ref} is damaged, so no records are found.\nhint: gitcmat doctor --fix\n"
        )
    gitcmat(project.repo, "doctor", "--fix").ok()
    project.reopen()
    assert project.state("third") == "review"


@pytest.mark.slow
def test_a_cache_with_a_damaged_page_is_made_anew_or_named(project: Project) -> None:
    gitcmat(project.repo, "queue", "list").ok()
    file = project.repo.git_dir / "cmat/cache.sqlite"
    whole = file.read_bytes()
    right = gitcmat(project.repo, "queue", "list", "all").ok().out
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    for number, at in enumerate(range(0, len(whole), PAGE)):
        damage = chance.randbytes(PAGE) if number % 2 else bytes(PAGE)
        file.write_bytes(whole[:at] + damage + whole[at + PAGE :])
        result = gitcmat(project.repo, "queue", "list", "all")
        if result.code:
            assert result.err.startswith("error: The cache of the records cannot be read: ")
            assert result.err.splitlines()[1:] == ["hint: gitcmat doctor --fix"]
            gitcmat(project.repo, "doctor", "--fix").ok()
            result = gitcmat(project.repo, "queue", "list", "all")
        assert result.ok().out == right
