"""R24: no event of a file ever arrives, and all the same everything happens, only later."""

from pathlib import Path
from typing import Final

from gitcmat.model.state import State
from tests.support.cli import gitcmat, running
from tests.support.repo import TestRepo
from tests.support.wait import until
from tests.support.watched import Project

DEAF: Final = """\
import os, sys
if "watch" in sys.orig_argv:
    from watchdog.observers.api import BaseObserver, ObservedWatch
    from watchdog.observers import Observer

    def schedule(self, handler, path, *, recursive=False, event_filter=None, **more):
        with open(os.environ["DEAF_NOTE"], "a") as note:
            note.write(f"{path}\\n")
        return ObservedWatch(path, recursive=recursive, event_filter=event_filter)

    Observer.schedule = schedule
    Observer.unschedule = lambda self, watch: None
"""
"""Run by Python before the daemon: watches are accepted, and nothing ever comes of them."""


def test_without_a_single_event_all_gets_done(repo: TestRepo, tmp_path: Path) -> None:
    project = Project(repo)
    (tmp_path / "sitecustomize.py").write_text(DEAF)
    note = tmp_path / "note"
    env = {"PYTHONPATH": str(tmp_path), "DEAF_NOTE": str(note)}
    # -P keeps the current folder off the path, not what PYTHONPATH names.
    with running(repo, "watch", "--every", "0.5", logs=tmp_path / "log", env=env) as daemon:
        daemon.says("watching")
        until(note.exists, what="the daemon to ask for events")
        for number in range(3):
            project.commit_task(f"task-{number}", f"echo {number} > {number}.txt")
        project.commit_task("last", "echo x > x.txt", needs="[task-0]")
        for number in range(3):
            project.reaches(f"task-{number}", State.REVIEW)
        gitcmat(repo, "land", "task-0", changes=("refs:refs/heads/main", "index", "files"))
        project.reaches("last", State.REVIEW)
        view = repo.path / ".cmat/queue/review/task-1.yaml"
        until(view.exists, what="the view to follow")
