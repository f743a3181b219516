"""Members of runs as the loop sees them: made once, whatever was killed, and kept for who waits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gitcmat.engine import claims, delegation
from gitcmat.engine.doctor import doctor
from gitcmat.engine.idle import is_idle
from gitcmat.engine.old_runs import prune
from gitcmat.engine.runfolder import Prompts, RunFolder
from gitcmat.model.delegation import Request
from gitcmat.model.run import Run
from gitcmat.model.state import State
from gitcmat.store import accounts
from gitcmat.system.locks import FileLock, is_locked
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo
from tests.support.wait import until


class Family:
    """A run of the task ``a`` that delegates to ``helper``, with somebody who attends it; its
    agent ends when there is a reply, whose text is its last word.
    """

    def __init__(self, project: Project, go: Path, **helper: str) -> None:
        self.project = project
        self.go = go
        wait = f"until [ -e {go} ]; do sleep 0.05; done"
        project.commit(
            agent_file("coder", "gitcmat delegate helper 'Do it.' --group g --json | tr -d '\\n'"),
            _helper(f"{wait}; echo helped > x; echo done", helper),
        )
        project.trust()
        project.task("a", agent="coder")
        project.step()
        self.parent = project.folder("a")
        self._attended = FileLock(self.parent.attended).acquire()
        (self.request,) = until(lambda: delegation.requests(self.parent), 30, "the request")

    @property
    def member(self) -> Run:
        """The record of the member."""
        found = self.project.deps.store.read().run(self.request.run)
        assert found is not None
        return found

    @property
    def folder(self) -> RunFolder:
        """The folder of the member."""
        return RunFolder(self.project.deps.runs / self.request.run)

    def reply(self) -> dict[str, object]:
        """Take steps until the agent has its reply; return that."""

        def answered() -> bool:
            self.project.step()
            return delegation.is_answered(self.parent, self.request.id)

        until(answered, 30, "the reply")
        path = self.parent.replies / f"{self.request.id}.json"
        found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
        return found

    def close(self) -> None:
        """Let all of them end."""
        self.go.touch()
        self.parent.request_stop()
        self.project.wait()
        self._attended.release()


@pytest.fixture
def family(repo: TestRepo, tmp_path: Path) -> Iterator[Family]:
    made = Family(Project(repo), tmp_path / "go")
    try:
        yield made
    finally:
        made.close()


def test_a_claim_that_was_never_recorded_is_made_anew(family: Family) -> None:
    deps, request = family.project.deps, family.request
    job = replace(
        family.parent.read_job(), run=request.run, run_ref=f"refs/cmat/runs/{request.run}"
    )
    half = claims.prepare(deps, job, Prompts(whole="Half."))
    half.lock.release()  # as the kernel does it for who was killed
    family.project.step()
    assert family.folder.read_prompts().whole != "Half.\n"
    family.go.touch()
    said = family.reply()
    assert (said["outcome"], said["message"], said["group"]) == ("finished", "done", "g")


def test_one_that_was_recorded_and_never_started_is_told_of(family: Family) -> None:
    with pytest.raises(KeyboardInterrupt):
        family.project.reconciler(start=True, launch=_killed)
    assert family.member.outcome is None
    assert family.reply()["outcome"] == "interrupted"


def test_it_is_answered_once_and_by_whoever_looks_next(family: Family) -> None:
    family.project.step()
    family.go.touch()
    until(lambda: family.folder.read_result() is not None, 30, "its end")
    until(lambda: not is_locked(family.folder.lock), 30, "the end of its runner")
    family.project.step(start=False)
    path = family.parent.replies / f"{family.request.id}.json"
    before = path.stat()
    family.project.step(start=False)
    assert path.stat() == before


def test_nothing_is_idle_while_a_member_works_and_its_log_is_kept(family: Family) -> None:
    project = family.project
    report = project.step()
    assert report.started == [family.request.run]
    assert not is_idle(report, project.deps.store.read())
    family.go.touch()
    family.reply()
    project.wait()
    project.settings(limits={"logs": "0MB"})
    prune(project.deps)
    assert family.folder.path.is_dir(), "whoever looks at the parent's result wants to read it"


def test_an_account_that_is_on_hold_is_not_asked(family: Family) -> None:
    now = family.project.clock.now()
    until_then = accounts.hold("helper", now + timedelta(hours=1), "limit", now).astimezone()
    family.project.step()
    assert family.reply()["error"] == (
        f"The account helper is on hold until {until_then:%Y-%m-%d %H:%M}."
    )


def test_what_is_forged_or_damaged_is_nothing(family: Family) -> None:
    good = json.loads(next(family.parent.requests.iterdir()).read_text(encoding="utf-8"))
    for number, wrong in enumerate(
        (
            b"{",
            b"[]",
            json.dumps(good | {"run": "../../../x"}).encode(),
            json.dumps(good | {"run": 3}).encode(),
            json.dumps(good | {"prompt": ""}).encode(),
        )
    ):
        (family.parent.requests / f"9{number}-x.json").write_bytes(wrong)
    lost = Request(**(good | {"id": "lostlost", "run": "r-lostlost", "start": "1" * 40}))
    delegation.write(family.parent, 8, lost)
    # One that names its own parent as its member goes round in no circle.
    own = Request(**(good | {"id": "circlexx", "run": family.parent.path.name}))
    delegation.write(family.parent, 7, own)
    found = list(delegation.family(family.project.deps.runs, family.parent.path.name))
    assert set(found) == {family.request.run, "r-lostlost", family.parent.path.name}
    family.project.step()
    said = json.loads((family.parent.replies / "lostlost.json").read_text(encoding="utf-8"))
    assert "nonexistent object" in said["error"]
    assert not (family.project.deps.runs / "r-lostlost").exists()
    family.go.touch()
    assert family.reply()["outcome"] == "finished"


def test_the_doctor_mends_a_dead_member(family: Family) -> None:
    project = family.project
    with pytest.raises(KeyboardInterrupt):
        project.reconciler(start=True, launch=_killed)
    found = {each.id: each.what for each in doctor(project.deps).findings}
    assert found["run-dead"] == (
        f"a is active, but its run {family.request.run} has no runner any more"
    )
    doctor(project.deps, fix=True)
    assert family.member.outcome == "interrupted"
    assert project.state("a") == State.ACTIVE


def test_one_that_may_do_more_is_refused(repo: TestRepo, tmp_path: Path) -> None:
    family = Family(Project(repo), tmp_path / "go", permissions="all")
    try:
        assert family.reply()["error"] == (
            "helper may do more than this run (permissions: all; here: edit)."
        )
    finally:
        family.close()


def _helper(script: str, fields: Mapping[str, str]) -> dict[str, str]:
    ((path, text),) = agent_file("helper", script).items()
    head = json.loads(text.split("---")[1]) | fields
    return {path: f"---\n{json.dumps(head)}\n---\n"}


def _killed(claim: claims.Claim) -> None:
    claim.lock.release()
    raise KeyboardInterrupt
