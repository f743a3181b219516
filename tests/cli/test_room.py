"""A machine with too little to spare: the daemon waits and says so, `run now` waits and refuses.

No machine has the memory that is asked for here.
"""

import json
import os
import re
from pathlib import Path

import pytest

from gitcmat.model.state import State
from tests.support.cli import gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

TOO_MUCH = "999TB"
SHORT = "#B of memory are free, less than 999TB (limits.memory)"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def limits(**fields: object) -> None:
    """Write the person's own limits."""
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(json.dumps({"limits": fields}), encoding="utf-8")


def steady(text: str) -> str:
    """`text` without what is measured: how much is free, and times of day."""
    text = re.sub(r"[\d.]+[KMGT]?B of memory", "#B of memory", text)
    return re.sub(r"\d\d:\d\d(:\d\d)?", "##:##", text)


def test_the_daemon_waits_says_why_and_since_when_and_goes_on(
    project: Project, tmp_path: Path
) -> None:
    repo = project.repo
    limits(memory=TOO_MUCH)
    with running(repo, "watch", "--every", "3600", logs=tmp_path / "log") as daemon:
        daemon.says("watching")
        project.commit_task("one")
        daemon.says("nothing new is started")
        project.commit_task("two", needs="[one]")
        project.reaches("two", State.PENDING)
        until(lambda: gitcmat(repo, "status", "--json").json["no_room"], 30, "the note")

        listed = gitcmat(repo, "queue", "list").ok().out
        assert re.split(" {2,}", steady(listed).splitlines()[1])[-2:] == [
            f"waits: {SHORT}, since ##:##",
            "Task one",
        ]
        shown = steady(gitcmat(repo, "status").ok().out)
        assert f"\nnothing new is started for now: {SHORT}, since ##:##\n" in shown
        rows = [re.split(" {2,}", line) for line in shown.splitlines() if "Task " in line]
        assert [row[-2] for row in rows] == [f"waits: {SHORT}, since ##:##", "needs one"]
        assert gitcmat(repo, "queue", "list", "--json").json["no_room"]["limit"] == "limits.memory"
        assert project.runs() == []

        limits(memory="1MB")
        project.reaches("one", State.REVIEW)
        daemon.says("one  active → review")
        # A slow commit is noticed before it is done.
        lines = [one for one in daemon.err.splitlines() if "not committed" not in one]
        said = [steady(line) for line in lines]
        assert said[1:] == [
            "##:## one  new → pending",
            f"##:## nothing new is started for now: {SHORT}",
            "##:## two  new → pending",
            f"##:## one  pending → active  {project.runs()[0].id} (fake, attempt 1)",
            "##:## what is ready is started again",
            "##:## one  active → review  no gates; no change",
        ]
        assert gitcmat(repo, "status", "--json").json["no_room"] is None


def test_what_a_daemon_wrote_down_counts_only_while_it_lives(
    project: Project, tmp_path: Path
) -> None:
    limits(memory=TOO_MUCH)
    with running(project.repo, "watch", logs=tmp_path / "log") as daemon:
        project.commit_task("one")
        daemon.says("nothing new is started")
        until(lambda: gitcmat(project.repo, "status", "--json").json["no_room"], 30, "the note")
    assert gitcmat(project.repo, "status", "--json").json["no_room"] is None


@pytest.mark.parametrize("how", [(), ("--background",)])
def test_a_run_by_name_waits_and_then_refuses(project: Project, how: tuple[str, ...]) -> None:
    limits(memory=TOO_MUCH, wait="1s")
    project.commit_task("one")
    result = gitcmat(project.repo, "run", "now", "one", *how)
    assert (result.code, result.out) == (5, "")
    assert steady(result.err).splitlines() == [
        f"one waits: {SHORT}; for 1s at most",
        f"error: one was not started: {SHORT}, also after 1s.",
        "hint: try again later, or change what is enough: gitcmat config set limits.memory …",
    ]
    assert (project.state("one"), project.runs()) == (State.PENDING, [])


def test_a_run_by_name_starts_when_there_is_room(project: Project, tmp_path: Path) -> None:
    limits(memory=TOO_MUCH)
    project.commit_task("one", "echo x > x")
    with running(project.repo, "run", "now", "one", logs=tmp_path / "log") as waiting:
        waiting.says("one waits:")
        limits(memory="1MB")
        assert waiting.wait().code == 0
    assert project.state("one") is State.REVIEW


def test_ctrl_c_ends_the_waiting(project: Project, tmp_path: Path) -> None:
    limits(memory=TOO_MUCH)
    project.commit_task("one")
    with running(project.repo, "run", "now", "one", logs=tmp_path / "log") as waiting:
        waiting.says("one waits:")
        waiting.signal()
        assert waiting.wait().code == 130
    assert (project.state("one"), project.runs()) == (State.PENDING, [])


def test_disk_and_load_count_too(project: Project) -> None:
    project.commit_task("one")
    for field, value in (("disk", "999TB"), ("load", 0.001)):
        limits(wait="1s", **{field: value})
        result = gitcmat(project.repo, "run", "now", "one")
        if field == "disk" or os.getloadavg()[0] > 0.01:
            assert result.code == 5
            assert f"(limits.{field}), also after 1s." in result.err


def test_a_limit_of_one_repository_leaves_the_others_of_all_as_they_are(
    project: Project,
) -> None:
    limits(memory="2GB", disk="3GB")
    gitcmat(project.repo, "config", "set", "limits.disk", "4GB").ok()
    listed = gitcmat(project.repo, "config", "get", "limits", "--json").ok().json["settings"]
    by_key = {one["key"]: one["value"] for one in listed}
    assert (by_key["limits.memory"], by_key["limits.disk"]) == ("2GB", "4GB")
    wrong = gitcmat(project.repo, "config", "set", "limits.dsk", "1GB")
    assert wrong.code == 3
    assert "unknown key (did you mean 'disk'?)" in wrong.err
