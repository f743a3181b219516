"""From a committed file to an entry: whose tasks run, edits, withdrawal, branches, needs."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine import blockers, queue, tasks
from gitcmat.errors import Conflict, InvalidData, NotFound, Usage
from gitcmat.model.blocker import BlockerKind
from gitcmat.model.events import Cancelled, Rejected
from gitcmat.model.state import State
from gitcmat.model.task import Priority
from gitcmat.model.usage import Session
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo

WAIT = "while [ ! -e {go} ]; do sleep 0.05; done"
"""An agent that waits for a file."""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


# --- whose tasks run ------------------------------------------------------------------------------


def test_a_task_that_was_committed_here_runs(project: Project) -> None:
    project.task("a")
    project.work()
    assert project.state("a") == "review"
    assert project.repo.show("refs/heads/cmat/a", "a.txt") == "work\n"


def test_a_task_that_a_pull_brings_waits_until_it_is_approved(
    project: Project, tmp_path: Path
) -> None:
    _pull(project, tmp_path, {**task_file("theirs"), **task_file("also")})
    project.work()
    assert project.ids() == ["also", "theirs"]
    assert (project.state("theirs"), project.why("theirs")) == ("backlog", "waits for approval")
    assert tasks.approve(project.deps, (), every=True, exclude=["also"]) == ["theirs"]
    project.work()
    assert (project.state("theirs"), project.state("also")) == ("review", "backlog")


def test_a_merge_of_a_branch_that_was_made_here_needs_no_approval(project: Project) -> None:
    project.repo.git("switch", "-q", "-c", "side")
    project.task("mine")
    project.repo.switch("main")
    project.step()
    assert project.state("mine") == "none"
    project.repo.git("merge", "-q", "--no-ff", "--no-edit", "side")
    project.work()
    assert project.state("mine") == "review"


def test_an_edit_that_a_pull_brings_has_to_be_approved_again(
    project: Project, tmp_path: Path
) -> None:
    project.task("a", hold=True)
    project.step()
    _pull(project, tmp_path, task_file("a", prompt="rm -rf", hold=False))
    project.work()
    assert (project.state("a"), project.why("a")) == ("backlog", "waits for approval")
    assert tasks.approve(project.deps, ["a"], every=False, exclude=()) == ["a"]
    project.work()
    assert project.state("a") == "review"


def test_an_approval_counts_for_the_content_that_was_seen(project: Project, tmp_path: Path) -> None:
    _pull(project, tmp_path, task_file("a"))
    project.step()
    tasks.approve(project.deps, ["a"], every=False, exclude=())
    _pull(project, tmp_path, task_file("a", prompt="other"))
    project.work()
    assert project.state("a") == "backlog"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wanted": ()}, "Name the tasks, or say --all."),
        ({"wanted": ["a"], "every": True}, "Name the tasks, or say --all."),
        ({"wanted": ["a"], "exclude": ["a"]}, "--exclude goes with --all."),
    ],
    ids=["none", "both", "excluded"],
)
def test_an_approval_that_could_mean_two_things_is_refused(
    project: Project, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(Usage) as refused:
        tasks.approve(project.deps, **{"every": False, "exclude": (), **given})
    assert refused.value.message == message


def _pull(project: Project, tmp_path: Path, files: dict[str, str]) -> None:
    """Let somebody else commit files, in a repository of theirs, and pull them."""
    theirs = tmp_path / "theirs"
    if not theirs.exists():
        project.repo.git("clone", "-q", str(project.repo.path), str(theirs))
    other = TestRepo(theirs)
    other.git("pull", "-q", "--no-rebase", str(project.repo.path), "main")
    other.commit("theirs", files)
    project.repo.git("pull", "-q", "--no-rebase", str(theirs), "main")


# --- edits ----------------------------------------------------------------------------------------


def test_an_edit_reaches_what_has_not_started(project: Project) -> None:
    project.task("a", hold=True)
    project.step()
    project.task("a", prompt="Do more.", priority="high")
    project.step(start=False)
    entry = project.entry("a")
    assert (entry.task.prompt, entry.priority, entry.hold) == ("Do more.", Priority.HIGH, False)


def test_an_edit_of_a_running_task_is_marked_and_waits_for_the_next_attempt(
    project: Project, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    project.commit(agent_file("slow", f"{WAIT.format(go=go)}; cat > said.txt; exit 1"))
    project.trust()
    project.task("a", agent="slow", prompt="First.")
    project.step()
    project.task("a", agent="slow", prompt="Second.")
    project.step()
    assert (project.state("a"), project.entry("a").edited_since) == ("active", True)
    go.touch()
    project.wait()
    project.clock.later(5)
    project.step()
    project.clock.later(5)
    project.step()
    project.wait()
    assert "Second." in project.folder("a").read_prompts().whole
    assert not project.entry("a").edited_since


def test_an_edit_of_what_is_at_review_or_done_changes_nothing(project: Project) -> None:
    project.task("a")
    project.work()
    project.task("a", prompt="other")
    project.work()
    assert (project.state("a"), project.entry("a").task.prompt) == ("review", "")


def test_a_file_that_stops_to_parse_withdraws_nothing_and_says_why(project: Project) -> None:
    project.task("a", hold=True)
    project.step()
    project.commit({".cmat/tasks/a.yaml": "title: [half\n"})
    report = project.step()
    assert project.state("a") == "pending"
    assert report.wants is not None
    assert [str(p) for p in report.wants.problems] == [
        ".cmat/tasks/a.yaml:2: did not find expected ',' or ']'"
    ]


# --- withdrawal -----------------------------------------------------------------------------------


def test_a_deleted_file_withdraws_what_has_not_started(project: Project) -> None:
    project.task("a", hold=True)
    project.step()
    project.repo.git("rm", "-q", ".cmat/tasks/a.yaml")
    project.commit()
    project.step()
    assert (project.state("a"), project.entry("a").reason) == (
        "cancelled",
        "its task file was deleted",
    )


@pytest.fixture
def running(project: Project, tmp_path: Path) -> Path:
    """A task ``a`` that runs until the file that is returned is made; its task file is deleted."""
    go = tmp_path / "go"
    project.commit(agent_file("slow", f"{WAIT.format(go=go)}; echo x > x.txt"))
    project.trust()
    project.task("a", agent="slow")
    project.step()
    project.repo.git("rm", "-q", ".cmat/tasks/a.yaml")
    project.commit()
    project.step()
    return go


def test_a_deleted_file_of_a_running_task_is_asked_about_once(
    project: Project, running: Path
) -> None:
    project.step()
    (asked,) = project.asked("a")
    assert (asked.kind, asked.question) == (
        BlockerKind.WITHDRAWN,
        "The task file of a was deleted while it runs. Keep the run?",
    )
    assert project.state("a") == "active"
    running.touch()
    project.work()
    assert project.state("a") == "review"


def test_a_run_that_is_to_be_kept_is_not_asked_about_again(project: Project, running: Path) -> None:
    blockers.answer(project.deps, project.asked("a")[0].id, "keep")
    project.step()
    project.reopen()
    project.step()
    assert project.asked("a") == []
    running.touch()
    project.work()
    assert project.state("a") == "review"


def test_a_run_that_is_not_to_be_kept_is_ended(project: Project, running: Path) -> None:
    assert not running.exists()
    blockers.answer(project.deps, project.asked("a")[0].id, "cancel")
    project.work()
    assert (project.state("a"), project.entry("a").reason) == (
        "cancelled",
        "its task file was deleted",
    )
    assert project.runs("a") == ["stopped"]


def test_a_word_that_the_question_does_not_take_is_refused(project: Project, running: Path) -> None:
    asked = project.asked("a")[0].id
    with pytest.raises(Conflict) as refused:
        blockers.answer(project.deps, asked, "yes")
    assert (refused.value.message, refused.value.hint) == (
        f"'yes' is no answer to {asked}.",
        "one of: keep, cancel",
    )
    assert [b.id for b in project.asked("a")] == [asked]
    running.touch()
    project.work()


# --- branches -------------------------------------------------------------------------------------


def test_a_switch_to_another_branch_withdraws_nothing_and_goes_on(project: Project) -> None:
    project.repo.branch("before")
    project.task("a")
    project.step(start=False)
    project.repo.switch("before")
    project.work()
    assert project.state("a") == "review"


def test_a_task_of_another_branch_comes_in_when_that_is_checked_out(project: Project) -> None:
    project.repo.git("switch", "-q", "-c", "side")
    project.task("b")
    project.repo.switch("main")
    project.step(start=False)
    assert project.state("b") == "none"
    project.repo.switch("side")
    project.step(start=False)
    assert (project.state("b"), project.entry("b").target) == ("pending", "refs/heads/side")


def test_a_source_that_is_deleted_puts_its_entries_on_hold_until_it_is_back(
    project: Project,
) -> None:
    project.repo.git("switch", "-q", "-c", "side")
    project.task("b")
    project.step(start=False)
    tip = project.repo.tip()
    project.repo.switch("main")
    project.repo.git("branch", "-q", "-D", "side")
    assert project.work().started == []
    assert (project.state("b"), project.why("b")) == (
        "pending",
        "its source refs/heads/side is gone",
    )
    project.repo.branch("side", tip)
    project.work()
    assert project.state("b") == "review"


def test_nothing_new_is_taken_in_while_head_is_detached_or_a_merge_is_under_way(
    project: Project,
) -> None:
    project.task("a")
    project.repo.git("switch", "-q", "--detach")
    report = project.step(start=False)
    assert project.state("a") == "none"
    assert report.wants is not None
    assert report.wants.sources.why_no_new == "HEAD is detached (git switch to a branch)"
    project.repo.switch("main")
    project.step(start=False)
    assert project.state("a") == "pending"


def test_a_branch_for_review_is_no_source(project: Project) -> None:
    project.task("a")
    project.work()
    project.repo.switch("cmat/a")
    project.commit(task_file("planted"))
    report = project.step()
    assert project.state("planted") == "none"
    assert report.wants is not None
    assert report.wants.sources.why_no_new == (
        "cmat/a is a branch for review: tasks are not read from it"
    )


# --- needs ----------------------------------------------------------------------------------------


def test_a_task_starts_when_what_it_needs_has_landed(project: Project) -> None:
    project.commit(task_file("first"), task_file("second", needs=["first"]))
    project.work()
    assert project.ids(State.REVIEW) == ["first"]
    assert (project.state("second"), project.why("second")) == ("pending", "needs first")
    landed = project.land("first")
    project.work()
    assert project.state("second") == "review"
    assert project.entry("second").base == landed


def test_a_landing_that_was_rewound_is_no_landing(project: Project) -> None:
    project.commit(task_file("first"), task_file("second", needs=["first"], hold=True))
    project.work()
    project.land("first")
    project.repo.git("reset", "-q", "--hard", "HEAD~1")
    project.task("second", needs=["first"])
    project.work()
    assert (project.state("second"), project.why("second")) == ("pending", "needs first")


def test_an_unknown_need_keeps_a_task_in_the_backlog_until_it_appears(project: Project) -> None:
    project.task("second", needs=["first"])
    project.work()
    assert (project.state("second"), project.why("second")) == (
        "backlog",
        "needs first, which is not known",
    )
    project.task("first")
    project.work()
    assert (project.state("first"), project.state("second")) == ("review", "pending")


def test_tasks_that_need_each_other_say_so(project: Project) -> None:
    project.commit(task_file("a", needs=["b"]), task_file("b", needs=["a"]))
    project.work()
    assert project.why("a") == "needs b, in a circle: a -> b -> a"
    assert project.why("b") == "needs a, in a circle: b -> a -> b"


def test_a_need_that_was_cancelled_is_asked_about_and_each_word_does_what_it_says(
    project: Project,
) -> None:
    names = ("retry", "without", "cancel")
    needy = [task_file(name, needs=["first"]) for name in names]
    project.commit(task_file("first", hold=True), *needy)
    project.step()
    project.happen("first", Cancelled(reason="no", by="Pat"))
    project.step()
    asked = {name: project.asked(name)[0] for name in names}
    assert asked["retry"].question == "retry needs first, which is cancelled. What now?"
    assert {project.state(name) for name in names} == {"blocked"}
    blockers.answer(project.deps, asked["cancel"].id, "cancel")
    blockers.answer(project.deps, asked["without"].id, "Go on.")
    blockers.answer(project.deps, asked["retry"].id, "retry it")
    assert [project.state(n) for n in ("cancel", "without", "retry", "first")] == [
        "cancelled",
        "pending",
        "pending",
        "pending",
    ]
    queue.hold(project.deps, "first", on=False)
    project.work()
    assert [project.state(n) for n in ("without", "retry", "first")] == [
        "review",
        "pending",
        "review",
    ]


# --- task add, task set, prune --------------------------------------------------------------------


def test_a_circle_of_needs_is_refused_when_it_is_typed(project: Project) -> None:
    project.repo.allow("files:.cmat/tasks/*", "index", "refs:refs/heads/main")
    tasks.add(project.deps, {"title": "A"}, wanted_id="a", request_id=None)
    tasks.add(project.deps, {"title": "B", "needs": ["a"]}, wanted_id="b", request_id=None)
    project.step(start=False)
    with pytest.raises(InvalidData) as refused:
        tasks.change(project.deps, "a", {"needs": ["b"]})
    assert refused.value.message == "The needs go in a circle: a -> b -> a."
    assert "needs" not in project.repo.read(".cmat/tasks/a.yaml")


def test_a_change_keeps_comments_and_order(project: Project) -> None:
    project.repo.allow("files:.cmat/tasks/*", "index", "refs:refs/heads/main")
    text = "# Mine.\nprompt: x  # short\nhold: true\npriority: low\n"
    project.commit({".cmat/tasks/a.yaml": text})
    tasks.change(project.deps, "a", {"priority": "high", "hold": None, "title": "A: b"})
    assert project.repo.read(".cmat/tasks/a.yaml") == (
        "# Mine.\nprompt: x  # short\npriority: high\ntitle: 'A: b'\n"
    )


@pytest.mark.parametrize(
    ("fields", "kind", "message", "hint"),
    [
        (
            {"agent": "codr"},
            NotFound,
            "There is no agent 'codr' (did you mean 'coder'?).",
            "agents: coder",
        ),
        (
            {"gates": ["test"]},
            NotFound,
            "There is no gate 'test' (did you mean 'tests'?).",
            "gates: lint, tests",
        ),
        ({"needs": ["b"]}, InvalidData, "a needs b, which is not known.", "gitcmat queue list"),
        ({"needs": ["a"]}, InvalidData, "a needs itself.", "gitcmat queue list"),
    ],
    ids=["agent", "gate", "unknown", "itself"],
)
def test_a_name_that_does_not_exist_is_refused_and_nothing_is_written(
    repo: TestRepo,
    fields: dict[str, object],
    kind: type[NotFound | InvalidData],
    message: str,
    hint: str,
) -> None:
    project = Project(repo, config_file({"tests": ["true"], "lint": ["true"]}))
    with pytest.raises(kind) as refused:
        tasks.add(project.deps, {"title": "A", **fields}, wanted_id="a", request_id=None)
    assert (refused.value.message, refused.value.hint) == (message, hint)


def test_what_is_finished_is_pruned_in_one_commit(project: Project) -> None:
    project.commit(task_file("a"), task_file("b", hold=True))
    project.work()
    project.land("a")
    project.repo.allow("files:.cmat/tasks/*", "index", "refs:refs/heads/main")
    gone, commit = tasks.prune(project.deps)
    assert (gone, commit) == (["a"], project.repo.tip())
    assert project.repo.git("show", "--name-status", "--format=%s", commit) == (
        "Prune 1 finished tasks\n\nD\t.cmat/tasks/a.yaml"
    )
    project.work()
    assert (project.state("a"), project.state("b")) == ("done", "pending")


def test_a_task_whose_file_was_pruned_can_be_run_again(project: Project) -> None:
    project.task("a")
    project.work()
    project.land("a")
    project.repo.allow("files:.cmat/tasks/*", "index", "refs:refs/heads/main")
    tasks.prune(project.deps)
    project.work()
    queue.rerun(project.deps, "a")
    project.work()
    assert (project.state("a"), project.entry("a").marks) == ("review", ())
    assert project.repo.tip("refs/heads/cmat/a") == project.entry("a").head


def test_a_task_that_runs_again_is_withdrawn_with_its_file(project: Project) -> None:
    project.task("a")
    project.work()
    project.land("a")
    queue.rerun(project.deps, "a")
    queue.hold(project.deps, "a", on=True)
    project.step()
    project.repo.git("rm", "-q", ".cmat/tasks/a.yaml")
    project.commit()
    project.step()
    assert project.state("a") == "cancelled"


def test_what_was_edited_is_told_anew_to_an_agent_with_a_session(project: Project) -> None:
    project.task("a")
    project.work()
    with project.deps.store.change("test", by=project.deps.actor) as change:
        run = change.run(str(change.entry("a").run))
        assert run is not None
        change.put(replace(run, session=Session(id="s-1")))
    project.happen("a", Rejected(text="more", by="Pat"))
    project.task("a", prompt="Something else.")

    project.step()
    project.wait()

    assert project.folder("a").read_job().session.id == ""
    prompt = project.folder("a").read_prompts()
    assert "Something else." in prompt.whole
    assert prompt.more == ""
    assert not project.entry("a").edited_since
