"""The doctor: each planted defect is named, costs points, is mended, and is gone after it."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from gitcmat.engine import hooks
from gitcmat.engine.doctor import Checkup, doctor
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.workspaces import place
from gitcmat.model.health import Finding
from gitcmat.model.state import State
from gitcmat.store.exclude import remove_excluded
from gitcmat.store.packs import Arrival
from gitcmat.system.locks import is_locked
from tests.support.escapes import holders, new_mark
from tests.support.project import Project, agent_file, task_file
from tests.support.repo import TestRepo
from tests.support.wait import until

LONG_AGO: Final = 7200
KNOWN: Final = {"sandbox", "runs-size", "untrusted"}
"""What a healthy repository may be told."""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with one task in review."""
    made = Project(repo)
    made.task("first", agent="coder")
    made.work()
    assert made.state("first") == "review"
    return made


def look(project: Project, *, fix: bool = False) -> Checkup:
    project.reopen()
    return doctor(project.deps, fix=fix)


def ids(found: Checkup) -> set[str]:
    return {one.id for one in found.findings} - KNOWN


def named(found: Checkup, finding_id: str) -> Finding:
    return next(one for one in found.findings if one.id == finding_id)


def age(path: Path, seconds: float = LONG_AGO) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then), follow_symlinks=False)


def everything(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- planted, one by one --------------------------------------------------------------------------


def state_ref(project: Project) -> Path:
    return project.deps.repo.common_dir / project.deps.store.ref


def empty_state_ref(project: Project) -> None:
    state_ref(project).write_bytes(b"")


def torn_state_ref(project: Project) -> None:
    state_ref(project).write_bytes(b"\0" * 41)


def state_ref_to_nothing(project: Project) -> None:
    state_ref(project).write_text("1234567890" * 4 + "\n")


def no_state_ref(project: Project) -> None:
    state_ref(project).unlink()


def empty_run_ref(project: Project) -> None:
    run = project.entry("first").run
    (project.deps.repo.common_dir / f"refs/cmat/runs/{run}").write_bytes(b"")


def empty_stray_ref(project: Project) -> None:
    path = project.deps.repo.common_dir / "refs/cmat/runs/r-zzzzzzzz"
    path.write_bytes(b"")


def empty_branch(project: Project) -> None:
    (project.deps.repo.common_dir / "refs/heads/cmat/first").write_bytes(b"")


def no_node(project: Project) -> None:
    (project.deps.repo.cmat / "node.json").write_bytes(b"")


def stale_lock(project: Project) -> None:
    lock = state_ref(project).with_name(f"{state_ref(project).name}.lock")
    lock.write_bytes(b"")
    age(lock)


def stale_keep(project: Project) -> None:
    with Arrival(project.deps.repo) as arrival:
        name = arrival.pack.stem
    keep = project.deps.repo.common_dir / f"objects/pack/{name}.keep"
    keep.write_bytes(b"gitcmat 1\n")
    age(keep)


def old_temporary_file(project: Project) -> None:
    left = project.deps.repo.cmat / ".good.json.abcdefgh.tmp"
    left.write_bytes(b"{")
    age(left)


def old_landing_folder(project: Project) -> None:
    left = project.deps.repo.cmat / "landing/abcdefgh"
    left.mkdir(parents=True)
    age(left)


def torn_cache(project: Project) -> None:
    (project.deps.repo.cmat / "cache.sqlite").write_bytes(b"no database" * 500)


def lying_cache(project: Project) -> None:
    with closing(sqlite3.connect(project.deps.repo.cmat / "cache.sqlite")) as db:
        db.execute("DELETE FROM record WHERE id = 'first'")
        db.commit()


def no_view(project: Project) -> None:
    shutil.rmtree(project.path / ".cmat/queue")


def no_exclude(project: Project) -> None:
    remove_excluded(project.deps.repo)


def hook_overwritten(project: Project) -> None:
    hooks.install(project.deps.repo)
    path = hooks.look(project.deps.repo).folder / "post-commit"
    path.write_text("#!/bin/sh\nexit 0\n")


def all_hooks_removed(project: Project) -> None:
    hooks.install(project.deps.repo)
    for path in hooks.look(project.deps.repo).folder.iterdir():
        if not path.name.endswith(".sample"):
            path.unlink()


def run_folder_without_record(project: Project) -> None:
    old = project.folder("first").path
    stray = old.with_name("r-aaaaaaaa")
    shutil.copytree(old, stray)
    (stray / "job.json").write_text((old / "job.json").read_text().replace(old.name, stray.name))
    age(stray)


def claim_without_record(project: Project) -> None:
    stray = project.deps.runs / "r-bbbbbbbb"
    stray.mkdir()
    age(stray)


def workspace_without_use(project: Project) -> None:
    stray = place(project.deps) / "99"
    (stray / "tree").mkdir(parents=True)
    age(stray)


def too_many_refs(project: Project) -> None:
    tip = project.repo.tip()
    folder = project.deps.repo.common_dir / "refs/cmat/checkpoints"
    folder.mkdir(exist_ok=True)
    for n in range(2001):
        (folder / f"c-{n}").write_text(f"{tip}\n")


PLANTED: Final[dict[Callable[[Project], None], str]] = {
    empty_state_ref: "ref-broken",
    torn_state_ref: "ref-broken",
    state_ref_to_nothing: "ref-broken",
    no_state_ref: "state-lost",
    empty_run_ref: "ref-broken",
    empty_stray_ref: "ref-broken",
    empty_branch: "ref-broken",
    no_node: "node-lost",
    stale_lock: "lock-stale",
    stale_keep: "keep-stale",
    old_temporary_file: "temporary-left",
    old_landing_folder: "temporary-left",
    torn_cache: "cache-damaged",
    lying_cache: "cache-damaged",
    no_view: "view-missing",
    no_exclude: "exclude-missing",
    hook_overwritten: "hooks-changed",
    all_hooks_removed: "hooks-changed",
    run_folder_without_record: "run-folder-orphaned",
    claim_without_record: "run-folder-orphaned",
    workspace_without_use: "workspace-orphaned",
    too_many_refs: "refs-many",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_defect_is_named_costs_points_is_mended_and_stays_away(
    project: Project, plant: Callable[[Project], None]
) -> None:
    project.repo.allow("hooks:*")
    before = project.entry("first")
    refs = project.repo.refs()
    project.reopen()
    project.deps.store.read()
    project.deps.store.close()
    plant(project)
    sick = look(project)
    assert ids(sick) == {PLANTED[plant]}
    assert sick.score < 100
    mended = look(project, fix=True)
    assert {one.id for one in mended.mended} == {PLANTED[plant]}
    assert (ids(mended), mended.score, mended.failed) == (set(), 100, ())
    again = look(project, fix=True)
    assert (ids(again), again.score, again.mended) == (set(), 100, ())
    assert project.entry("first") == before
    if plant is not too_many_refs:
        assert project.repo.refs() == refs
    project.repo.git("gc", "--quiet", "--prune=now")


# --- runs -----------------------------------------------------------------------------------------


@pytest.fixture
def live(project: Project, tmp_path: Path) -> Iterator[RunFolder]:
    """A run that lives until the end of the test; the line that ``go`` waits for never comes."""
    go, mark = tmp_path / "go", new_mark()
    work = f"touch {tmp_path}/seen; while [ ! -e {go} ]; do sleep 0.05; done; : {mark}"
    project.commit(agent_file("slow", work), task_file("second", agent="slow"))
    project.trust()
    project.step()
    until((tmp_path / "seen").exists, 30, "the agent")
    yield project.folder("second")
    go.touch()
    project.wait()


def test_a_healthy_repository_with_a_live_run_is_well_before_and_after(
    project: Project, live: RunFolder
) -> None:
    for fix in (False, True, False):
        found = look(project, fix=fix)
        assert (found.score, ids(found), found.mended) == (100, set(), ())
        assert is_locked(live.lock)
        assert project.state("second") == "active"


def test_looking_writes_nothing(project: Project, live: RunFolder) -> None:
    torn_cache(project)
    no_view(project)
    stale_lock(project)
    project.deps.store.close()
    git_dir = project.deps.repo.common_dir
    names = ("log", "processes", "events.jsonl")
    log = {str((live.path / name).relative_to(git_dir)) for name in names}
    before = everything(git_dir)
    found = look(project)
    after = everything(git_dir)
    assert ids(found) == {"cache-damaged", "view-missing", "lock-stale"}
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed <= log


def test_a_dead_run_is_salvaged_while_another_one_lives(
    project: Project, live: RunFolder, tmp_path: Path
) -> None:
    mark = new_mark()
    work = f'echo half > "$CMAT_WORKSPACE/half"; touch {tmp_path}/there; sleep 1000; : {mark}'
    project.commit(agent_file("dying", work), task_file("third", agent="dying"))
    project.trust()
    project.step()
    until((tmp_path / "there").exists, 30, "the agent")
    folder = project.folder("third")
    kill_runner(folder)
    sick = look(project)
    assert ids(sick) == {"run-dead", "process-orphaned"}
    assert sick.score == 70
    mended = look(project, fix=True)
    assert (ids(mended), mended.score) == (set(), 100)
    assert holders(mark) == []
    assert project.state("third") == "pending"
    assert project.repo.show(f"refs/cmat/runs/{folder.path.name}", "half") == "half\n"
    assert is_locked(live.lock)
    assert project.state("second") == "active"


def kill_runner(folder: RunFolder) -> None:
    """SIGKILL whoever holds the lock of a run."""
    name = os.fsencode(folder.path)
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if name in (process / "cmdline").read_bytes():
                os.kill(int(process.name), signal.SIGKILL)
    until(lambda: not is_locked(folder.lock), 20, "the death of the runner")


# --- what is left alone ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["index.lock", "HEAD.lock", "config.lock", "packed-refs.lock"])
def test_locks_of_the_person_are_named_and_never_removed(project: Project, name: str) -> None:
    project.repo.allow(f"git:{name}")
    lock = project.deps.repo.common_dir / name
    lock.write_bytes(b"")
    age(lock)
    found = look(project, fix=True)
    assert ids(found) == {"lock-foreign"}
    assert named(found, "lock-foreign").how == f"if no git is at work: rm {lock}"
    assert (found.score, found.mended) == (95, ())
    assert lock.exists()


def test_damaged_refs_of_the_person_are_named_and_left_alone(project: Project) -> None:
    with project.repo.as_person():
        project.repo.git("branch", "--create-reflog", "theirs")
        tip = project.repo.tip("theirs")
        (project.repo.git_dir / "refs/tags/empty one").write_bytes(b"")
    before = everything(project.repo.git_dir / "refs")
    theirs = project.repo.git_dir / "refs/heads/theirs"
    empty = project.repo.git_dir / "refs/tags/empty one"
    theirs.write_bytes(b"")
    project.repo.allow("refs:refs/heads/theirs")
    found = look(project, fix=True)
    assert ids(found) == {"ref-foreign"}
    rest = "it is not gitcmat's, and git fetch and git gc fail while it is there"
    put_back = f"git update-ref refs/heads/theirs {tip}"
    assert {one.what: one.how for one in found.findings if one.id == "ref-foreign"} == {
        f"refs/heads/theirs is a file of 0 bytes; {rest}": (
            f"if no git is at work: rm {theirs} && {put_back}"
        ),
        f"refs/tags/empty one is a file of 0 bytes; {rest}": (
            f"if no git is at work: rm '{empty}'"
        ),
    }
    assert (found.score, found.mended) == (90, ())
    assert everything(project.repo.git_dir / "refs") == before | {"heads/theirs": b""}
    theirs.write_text(f"{tip}\n")
    empty.unlink()
    assert ids(look(project)) == set()


def test_a_lock_of_ours_that_is_young_or_held_open_is_no_finding(project: Project) -> None:
    lock = state_ref(project).with_name("n-other.lock")
    lock.write_bytes(b"")
    assert ids(look(project, fix=True)) == set()
    age(lock)
    with lock.open("rb"):
        assert ids(look(project, fix=True)) == set()
        assert lock.exists()
    assert ids(look(project)) == {"lock-stale"}


def test_without_any_state_left_nothing_else_is_judged_or_removed(project: Project) -> None:
    empty_state_ref(project)
    run = project.deps.runs
    before = sorted(run.iterdir())
    for pack in (project.deps.repo.common_dir / "objects/pack").iterdir():
        pack.unlink()
    project.reopen()
    found = doctor(project.deps, fix=True)
    assert ids(found) == {"ref-broken"}
    (_, why), *others = found.failed
    assert not others
    assert why.startswith("No state of n-")
    assert (found.score, found.well) == (75, False)
    assert sorted(run.iterdir()) == before


def test_a_copy_gets_a_node_of_its_own(project: Project, tmp_path: Path) -> None:
    shutil.copytree(project.path, tmp_path / "copy", symlinks=True)
    copy = Project.of(tmp_path / "copy")
    assert ids(look(copy)) == {"node-copied"}
    assert {one.id for one in look(copy, fix=True).mended} == {"node-copied"}
    assert copy.deps.store.node != project.deps.store.node
    assert copy.state("first") == "review"
    assert copy.ids(State.ACTIVE) == []
