"""The workflows that people copy, run for real by act against a GitHub on loopback.

What is not theirs is said in `tests.support.acting`. `npm` and `sudo` are stand-ins, too: the agent
here is a script of the project, and nothing is installed on the machine.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model.forge import MergeMethod
from gitcmat.model.pull import PullState
from tests.support import ci_events
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_act import OnAct, commented
from tests.support.repo import TestRepo

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def there(hub: FakeGitHub, tmp_path: Path, repo: TestRepo) -> OnAct:
    return OnAct(hub, tmp_path, repo)


def test_tasks_that_are_pushed_become_draft_pull_requests(there: OnAct) -> None:
    there.jobs.task("a")
    there.jobs.task("b")
    done = there.pushed().ok()
    assert done.jobs == {
        "plan": "success",
        "run a": "success",
        "run b": "success",
        "publish a": "success",
        "publish b": "success",
    }
    assert {head: (pull.draft, pull.author.login) for head, pull in there.pulls().items()} == {
        "cmat/a": (True, "robot[bot]"),
        "cmat/b": (True, "robot[bot]"),
    }
    assert {task: there.jobs.state(task) for task in "ab"} == {"a": "review", "b": "review"}
    assert there.jobs.claims() == {}
    assert "npm installed" in done.said("run a")
    assert "as root: apt-get install -qq -y bubblewrap" in done.said("run a")
    for words in ("gitcmat plan: 2 ready", "gitcmat run: a, review", "gitcmat publish: b, review"):
        assert words in done.summaries


def test_what_fails_is_recorded_and_holds_nobody_up(there: OnAct) -> None:
    for task in ("a", "bad"):
        there.jobs.task(task)
    done = there.pushed()
    assert done.code == 1
    assert {name: done.jobs[name] for name in ("plan", "run bad", "publish a", "publish bad")} == {
        "plan": "success",
        "run bad": "failure",
        "publish a": "success",
        "publish bad": "success",
    }
    assert [*there.pulls()] == ["cmat/a"]
    assert {task: there.jobs.state(task) for task in ("a", "bad")} == {
        "a": "review",
        "bad": "failed",
    }


def test_a_question_is_on_the_record_and_nothing_else_is_made(there: OnAct) -> None:
    there.jobs.task("asks")
    done = there.pushed().ok()
    assert "asks: Which currency?" in done.said("run asks")
    assert there.jobs.state("asks") == "blocked"


def test_with_nothing_to_do_no_machine_is_started(there: OnAct) -> None:
    done = there.pushed().ok()
    assert done.jobs == {"plan": "success"}
    assert "nothing is ready" in done.said("plan")


def test_a_button_runs_the_task_that_is_named(there: OnAct) -> None:
    there.jobs.task("a")
    there.jobs.task("b")
    event = ci_events.dispatch("pat", "b")
    done = there.act(there.workflow("gitcmat.yml"), event).ok()
    assert set(done.jobs) == {"plan", "run b", "publish b"}


def test_each_hour_what_was_merged_lets_others_start(there: OnAct) -> None:
    there.jobs.task("a")
    there.jobs.task("next", needs=["a"])
    first = there.pushed().ok()
    assert set(first.jobs) == {"plan", "run a", "publish a"}
    (pull,) = there.pulls().values()
    there.stage.forge("rita").pulls.edit(pull.number, draft=False)
    there.stage.forge("rita").pulls.merge(
        pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha
    )
    done = there.act(there.workflow("gitcmat.yml"), ci_events.schedule()).ok()
    assert set(done.jobs) == {"sync", "plan", "run next", "publish next"}
    assert {task: there.jobs.state(task) for task in ("a", "next")} == {
        "a": "done",
        "next": "review",
    }
    assert there.stage.forge().pulls.get(pull.number).state is PullState.MERGED


def test_another_plan_than_the_reviewed_one_starts_nothing(there: OnAct) -> None:
    there.jobs.task("a")
    text = there.workflow("gitcmat.yml", digest="1" * 64)
    done = there.act(text, ci_events.push())
    assert done.jobs == {"plan": "failure"}
    assert f"has the digest {there.jobs.digest}" in done.all
    assert there.jobs.claims() == {}


def test_a_command_in_a_comment_is_taken_in_and_carried_out(there: OnAct) -> None:
    there.jobs.task("a")
    there.pushed().ok()
    (pull,) = there.pulls().values()
    made = there.stage.forge("rita").comments.create(pull.number, "/cmat retry The total is wrong.")
    event = commented(pull.number, made, author=pull.author.login)
    done = there.act(there.workflow("gitcmat-comment.yml"), event).ok()
    assert set(done.jobs) == {"gate", "sync", "plan", "run a", "publish a"}
    assert f"issue_comment on #{pull.number} by rita" in done.said("gate")
    assert [seen.number for seen in there.stage.forge().pulls.open()] == [pull.number]
    assert there.stage.forge().pulls.get(pull.number).head_sha != pull.head_sha


def test_a_comment_by_who_may_not_write_stops_at_the_gate(there: OnAct) -> None:
    there.jobs.task("a")
    number = there.stage.open_issue("rita", "Split")
    made = there.stage.forge("tim").comments.create(number, "/cmat retry")
    done = there.act(there.workflow("gitcmat-comment.yml"), commented(number, made))
    assert done.jobs == {"gate": "failure"}
    assert "'tim', who caused this event, may not write here (triage)." in done.all
    assert there.jobs.tip == ""


def test_what_people_say_to_each_other_starts_no_machine(there: OnAct) -> None:
    number = there.stage.open_issue("rita", "Split")
    made = there.stage.forge("rita").comments.create(number, "I will look at it.")
    text = there.workflow("gitcmat-comment.yml")
    # act alone works out the matrix of a job that is skipped.
    text = text.replace("fromJSON(needs.plan.outputs.tasks || '[]')", "fromJSON('[]')")
    assert there.act(text, commented(number, made)).ok().jobs == {}


def test_an_issue_becomes_work_by_a_label_and_an_approval(there: OnAct) -> None:
    number = there.stage.open_issue("rita", "Split a bill to the cent", "cmat")
    text, event = there.workflow("gitcmat-comment.yml"), ci_events.labelled()
    event.payload["issue"]["number"] = number
    done = there.act(text, event).ok()
    assert done.jobs == {"gate": "success", "sync": "success", "plan": "success"}
    assert f"issues on #{number} by rita" in done.said("gate")
    task = f"issue-{number}-split-a-bill-to-the-cent"
    assert there.jobs.state(task) == "backlog"

    made = there.stage.forge("rita").comments.create(number, "/cmat approve")
    done = there.act(text, commented(number, made)).ok()
    assert {f"run {task}", f"publish {task}"} <= set(done.jobs)
    assert there.jobs.state(task) == "review"
    assert [*there.pulls()] == [f"cmat/{task}"]


def test_pull_requests_are_checked_without_secrets(there: OnAct) -> None:
    there.runner.secrets = {"GITHUB_TOKEN": there.stage.token("rob")}
    text = there.workflow("gitcmat-validate.yml")
    event = ci_events.told("pull_request", "eve", action="opened", pull_request={"number": 1})
    assert there.act(text, event).ok().jobs == {"validate": "success"}
    there.jobs.project.repo.commit("Wrong", {".cmat/tasks/x.yaml": "titel: x\n"})
    there.stage.push_main()
    done = there.act(text, event)
    assert done.jobs == {"validate": "failure"}
    assert ".cmat/tasks/x.yaml:1" in done.said("validate")
