"""The past, the events and `undo`, as a person types them."""

import json
import re
import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Final

import pytest

from gitcmat.model.state import State
from tests.support.cli import Result, gitcmat, running
from tests.support.repo import TestRepo
from tests.support.watched import Project

MAIN: Final = ("refs:refs/heads/main", "index", "files", "git:ORIG_HEAD")
"""What a landing and `task add` may change of the person's."""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    made = Project(repo)
    for name in ("a", "b"):
        gitcmat(repo, "queue", "add", f"Task {name}", "--id", name, "--agent", "fake").ok()
    return made


def ok(project: Project, *args: str) -> str:
    """The output of a command, with what differs by time made alike."""
    text = gitcmat(project.repo, *args).ok().out
    text = re.sub(r"\b[0-9a-f]{10}\b", "(commit)", text)
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "(time)", text)


def refused(result: Result, code: int, message: str, hint: str) -> None:
    """Hold that a command printed nothing but this error."""
    assert (result.code, result.out, result.err) == (code, "", f"error: {message}\nhint: {hint}\n")


# --- the past -------------------------------------------------------------------------------------


def test_lists_can_be_read_as_they_were(project: Project) -> None:
    ok(project, "task", "block", "a", "--reason", "Which?")
    ok(project, "queue", "cancel", "a", "b")
    assert ok(project, "queue", "list") == "nothing\n"
    assert ok(project, "queue", "list", "--at", "~1").splitlines() == [
        "as of (time) ((commit))",
        "",
        "ID  STATE    PRIORITY  AGENT  NOTE               TITLE",
        "a   blocked  normal    fake   asked by a person  Task a",
        "b   pending  normal    fake                      Task b",
    ]
    assert ok(project, "blocker", "list") == "no open questions\n"
    assert ok(project, "blocker", "list", "--at", "~1").splitlines()[3].endswith("Which?")
    assert ok(project, "status", "--at", "~2").splitlines()[2] == "2 pending"
    shown = ok(project, "task", "show", "a", "--at", "~2").splitlines()
    assert shown == ["as of (time) ((commit))", "", "a  pending  Task a", *shown[3:]]


def test_the_past_as_json_says_which_and_leaves_out_what_is_computed_now(project: Project) -> None:
    ok(project, "queue", "hold", "a")
    status = gitcmat(project.repo, "status", "--at", "~1", "--json").ok().json
    assert sorted(status) == sorted(
        (
            "schema",
            "at",
            "counts",
            "active",
            "also_at_work",
            "sandboxes",
            "waiting",
            "review",
            "pulls",
            "finished",
            "blockers",
        )
    )
    assert "waits" not in status["waiting"][0]
    shown = gitcmat(project.repo, "task", "show", "a", "--at", "~1", "--json").ok().json
    assert "hold" not in shown["entry"] or shown["entry"]["hold"] is False
    assert sorted(shown["at"]) == ["commit", "time"]
    assert "waits" not in shown


HINT: Final = "hint: gitcmat task show b, or a later --at"


def test_a_task_of_later_was_not_there(project: Project) -> None:
    entry = gitcmat(project.repo, "task", "show", "b", "--json").ok().json["entry"]
    came = f"{datetime.fromisoformat(entry['created']).astimezone():%Y-%m-%d %H:%M:%S}"
    result = gitcmat(project.repo, "task", "show", "b", "--at", "~1")
    said = re.sub(r"at \S+ \S+ \([0-9a-f]{10}\)", "at (then)", result.err)
    assert (result.code, result.out, said) == (
        4,
        "",
        f"error: b did not exist yet at (then); it came at {came}.\n{HINT}\n",
    )


def test_what_never_was_there_was_not_there_then_either(project: Project) -> None:
    result = gitcmat(project.repo, "task", "show", "nothing", "--at", "~1")
    refused(result, 4, "There is no task 'nothing'.", "gitcmat queue list")


# --- events ---------------------------------------------------------------------------------------


def test_events_say_who_did_what_and_how(project: Project) -> None:
    ok(project, "queue", "priority", "a", "high")
    ok(project, "task", "block", "b", "--reason", "Which?")
    ok(project, "queue", "cancel", "b", "--reason", "no more")
    rows = [line.split("  ", 2) for line in ok(project, "events").splitlines()]
    by = "[Pat Person, by command]"
    assert [row[2].strip() for row in rows if "blocker" not in row[2]] == [
        f"task.new          a  pending: Task a  {by}",
        f"task.new          b  pending: Task b  {by}",
        f"task.changed      a  priority: normal -> high  {by}",
        f"task.moved        b  pending -> blocked (asked by a person)  {by}",
        f"task.moved        b  blocked -> cancelled (no more)  {by}",
    ]


def _who(project: Project) -> list[str]:
    """Each event as ``what it is: what happened [who, how]``."""
    events = gitcmat(project.repo, "events", "--json").ok().json["events"]
    return [f"{e['type']} {e['what']} [{e['who']['name']}, {e['via']}]" for e in events]


def test_what_a_person_typed_or_committed_is_by_them(repo: TestRepo) -> None:
    project = Project(repo)
    adds = ("refs:refs/heads/main", "index", "files")
    gitcmat(repo, "task", "add", "Do it", "--id", "a", "--agent", "fake", changes=adds).ok()
    ok(project, "run", "now", "a", "-q")
    by_command, by_commit = "[Pat Person, command]", "[Pat Person, commit]"
    assert _who(project) == [
        f"task.new pending: Do it {by_commit}",
        f"task.moved pending -> active {by_command}",
        f"run.started fake, attempt 1 {by_command}",
        "task.moved active -> review [gitcmat, gitcmat]",
        "run.ended finished [gitcmat, gitcmat]",
    ]
    log = [row.split() for row in ok(project, "task", "log", "a").splitlines()[1:]]
    assert [row[1] for row in log] == ["gitcmat", "Pat", "gitcmat"]


def test_what_somebody_else_committed_is_by_them(repo: TestRepo) -> None:
    project = Project(repo)
    ann = {"GIT_AUTHOR_NAME": "Ann Other", "GIT_AUTHOR_EMAIL": "ann@example.org"}
    text = "schema: 1\ntitle: {}\nagent: fake\nhold: true\n"

    def change(**titles: str) -> None:
        for name, title in titles.items():
            repo.write(f".cmat/tasks/{name}.yaml", text.format(title))
        repo.git("add", ".cmat/tasks")
        repo.git("commit", "-qm", "Tasks", env=ann)
        ok(project, "queue", "priority", "x", "high")

    ok(project, "queue", "add", "X", "--id", "x", "--agent", "fake")
    change(a="One", b="Two")
    repo.git("switch", "-qc", "side")
    repo.write(".cmat/tasks/c.yaml", text.format("Three"))
    repo.git("add", ".cmat/tasks")
    repo.git("commit", "-qm", "On the side", env=ann)
    repo.git("switch", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "-m", "Merge", "side")
    change(a="Another one")
    repo.git("rm", "-q", ".cmat/tasks/b.yaml")
    repo.git("commit", "-qm", "Not that", env=ann)
    ok(project, "queue", "release", "a")
    by = "[Ann Other, commit]"
    assert sorted(e for e in _who(project) if by in e) == [
        f"task.changed task, source {by}",
        f"task.moved pending -> cancelled (its task file was deleted) {by}",
        f"task.new pending: One {by}",
        f"task.new pending: Three {by}",
        f"task.new pending: Two {by}",
    ]


def test_what_a_person_approved_is_by_them(repo: TestRepo) -> None:
    project = Project(repo)
    text = "schema: 1\ntitle: Theirs\nagent: fake\nhold: true\n"
    with repo.as_person():
        other = repo.path.parent / "other"
        subprocess.run(["git", "clone", "-q", str(repo.path), str(other)], check=True)
        (other / ".cmat" / "tasks").mkdir()
        (other / ".cmat" / "tasks" / "a.yaml").write_text(text)
        subprocess.run(["git", "-C", str(other), "add", "."], check=True)
        subprocess.run(["git", "-C", str(other), "commit", "-qm", "Task"], check=True)
        repo.git("pull", "-q", "--ff-only", str(other), "main")
    ok(project, "task", "approve", "a")
    assert _who(project) == [
        "task.new backlog: Theirs [Pat Person, commit]",
        "task.moved backlog -> pending [Pat Person, command]",
    ]


def test_events_go_on_from_any_of_them(project: Project) -> None:
    ok(project, "queue", "hold", "a")
    ok(project, "queue", "cancel", "a", "b")
    every = gitcmat(project.repo, "events", "--json").ok().json["events"]
    kinds = [e["type"] for e in every]
    assert kinds == ["task.new", "task.new", "task.changed", "task.moved", "task.moved"]
    for number, event in enumerate(every):
        since = gitcmat(project.repo, "events", "--since", event["id"], "--json").ok().json
        assert since == {"schema": 1, "events": every[number + 1 :], "more": False}
        until = gitcmat(project.repo, "events", "--until", event["id"], "--json").ok().json
        assert until["events"] == every[: number + 1]


def test_events_are_chosen_by_task_type_time_and_number(project: Project) -> None:
    ok(project, "queue", "cancel", "a", "b")

    def ids(*args: str) -> list[str]:
        events = gitcmat(project.repo, "events", "--json", *args).ok().json["events"]
        return [f"{e['type']} {e['task']}" for e in events]

    assert ids("--task", "a") == ["task.new a", "task.moved a"]
    assert sorted(ids("--type", "task.moved")) == ["task.moved a", "task.moved b"]
    assert ids("--type", "run") == []
    assert ids("--since", "2 hours ago", "--limit", "1") == ["task.new a"]
    assert ids("--limit", "3")[0] == "task.new b"
    assert ids("--until", "2037-01-01", "--type", "task.new") == ["task.new a", "task.new b"]
    result = gitcmat(project.repo, "events", "--type", "tusk")
    assert (result.code, result.err.splitlines()[0]) == (
        2,
        "error: There are no events of type 'tusk'.",
    )


def test_events_tell_of_runs_and_of_saved_files(project: Project) -> None:
    ok(project, "config", "set", "quiet", "0")
    file = ".cmat/queue/pending/b.yaml"
    text = project.repo.read(file).replace("priority: normal", "priority: low")
    project.repo.write(file, text)
    ok(project, "run", "now", "a", "-q")
    events = gitcmat(project.repo, "events", "--since", "~2000", "--json")
    assert events.code == 4
    events = gitcmat(project.repo, "events", "--json").ok()
    told = [(e["type"], e["what"], e["via"]) for e in events.json["events"]]
    assert ("task.changed", "priority: normal -> low", "edit") in told
    assert [t for t in told if t[0].startswith("run")] == [
        ("run.started", "fake, attempt 1", "command"),
        ("run.ended", "finished", "gitcmat"),
    ]


def test_follow_prints_what_comes_until_ctrl_c(project: Project, tmp_path: Path) -> None:
    follow = ("events", "--follow", "--json", "--limit", "1")
    with running(project.repo, *follow, logs=tmp_path / "log") as following:
        following.says('"task": "b"')
        ok(project, "queue", "hold", "a")
        following.says('"task.changed"')
        following.signal(signal.SIGINT)
        result = following.wait()
    assert (result.code, result.err) == (0, "")
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert [(e["type"], e["did"]) for e in lines] == [
        ("task.new", "queue add b"),
        ("task.changed", "hold a"),
    ]


# --- undo -----------------------------------------------------------------------------------------


def test_undo_takes_back_one_command_after_the_other(project: Project) -> None:
    ok(project, "queue", "hold", "a")
    ok(project, "queue", "cancel", "a", "b")
    back = ["  a: pending (was cancelled)", "  b: pending (was cancelled)"]
    said = sorted(ok(project, "undo", "--dry-run").splitlines())
    assert said == [*back, "would take back: cancel a b, of (time)"]
    assert project.state("a") is State.CANCELLED
    said = sorted(ok(project, "undo").splitlines())
    assert said == [*back, "took back: cancel a b, of (time)"]
    assert ok(project, "undo") == "took back: hold a, of (time)\n  a: no longer on hold\n"
    assert ok(project, "undo") == "took back: queue add b, of (time)\n  b: cancelled\n"
    assert project.state("a") is State.PENDING
    assert project.repo.git("fsck", "--strict", "--no-dangling") == ""


def test_undo_says_what_of_a_task_is_as_before(project: Project) -> None:
    ok(project, "queue", "priority", "a", "high")
    ok(project, "queue", "hold", "a")
    ok(project, "queue", "release", "a")
    assert ok(project, "undo").splitlines()[1:] == ["  a: on hold again"]
    assert ok(project, "undo").splitlines()[1:] == ["  a: no longer on hold"]
    assert ok(project, "undo", "--dry-run").splitlines()[1:] == ["  a: priority high -> normal"]
    assert ok(project, "undo").splitlines()[1:] == ["  a: priority high -> normal"]


def test_undo_opens_an_answered_question_again(project: Project) -> None:
    blocker = ok(project, "task", "block", "a", "--reason", "Which?").strip()
    ok(project, "blocker", "answer", blocker, "this one")
    assert sorted(ok(project, "undo").splitlines()[1:]) == [
        "  a: blocked (was pending)",
        f"  {blocker}: open again",
    ]
    assert ok(project, "blocker", "list").splitlines()[1].startswith(f"{blocker}  open")
    assert "answer: |" in project.repo.read(f".cmat/blockers/{blocker}.yaml")


def test_undo_leaves_what_has_moved_on(project: Project) -> None:
    ok(project, "queue", "hold", "a")
    ok(project, "run", "now", "a", "-q")
    refused(
        gitcmat(project.repo, "undo"),
        5,
        "a has moved on since (it is review); nothing was taken back.",
        "gitcmat events --task a",
    )
    assert project.state("a") is State.REVIEW


def test_undo_names_what_takes_a_landing_back(project: Project) -> None:
    project.commit_task("do", "echo x > x")
    old = project.repo.tip()
    ok(project, "run", "now", "do", "-q")
    gitcmat(project.repo, "land", "do", changes=MAIN).ok()
    refused(
        gitcmat(project.repo, "undo"),
        5,
        "The last was `land do`, which `undo` does not take back.",
        f"on main: git reset --keep {old}",
    )
    project.repo.commit("More")
    assert gitcmat(project.repo, "undo").err.splitlines()[1] == (
        f"hint: on main: git revert {project.repo.tip('main~')}"
    )


def test_undo_leaves_commits_on_the_branch_to_git(project: Project) -> None:
    added = ("task", "add", "Another", "--id", "another")
    gitcmat(project.repo, *added, changes=MAIN).ok()
    result = gitcmat(project.repo, "undo")
    hint = f"git revert {project.repo.tip()[:10]}"
    refused(result, 5, "The last was a commit on your branch: Task another: Another", hint)


def test_without_a_command_there_is_nothing_to_take_back(repo: TestRepo) -> None:
    refused(
        gitcmat(repo, "undo"), 6, "There is no command of yours to take back.", "gitcmat events"
    )


def test_before_anything_was_recorded_there_are_no_events(repo: TestRepo) -> None:
    assert gitcmat(repo, "events").ok().out == "nothing\n"
    assert gitcmat(repo, "events", "--json").json["events"] == []
