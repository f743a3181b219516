"""What the summary of a job links to: the task, the run, the pull request, where they are known."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from gitcmat.cli.workflow import Workflow
from tests.support.ci_jobs import Jobs
from tests.support.fakegithub.server import FakeGitHub
from tests.support.repo import TestRepo

SHA: Final = "5eed" * 10
WHERE: Final = {"GITHUB_SERVER_URL": "https://github.example", "GITHUB_REPOSITORY": "pat/project"}
RUN: Final = {"GITHUB_RUN_ID": "7", "GITHUB_RUN_ATTEMPT": "2"}


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


def test_links_lead_into_the_repository_that_the_runner_names() -> None:
    workflow = Workflow(WHERE | RUN)
    there = "https://github.example/pat/project"
    assert workflow.task_link("x", SHA) == f"[x]({there}/blob/{SHA}/.cmat/tasks/x.yaml)"
    assert workflow.run_link == f"[run 7]({there}/actions/runs/7/attempts/2)"


@pytest.mark.parametrize("missing", sorted(WHERE))
def test_where_the_repository_is_not_known_there_are_words_alone(missing: str) -> None:
    workflow = Workflow(WHERE | RUN | {missing: ""})
    assert (workflow.task_link("x", SHA), workflow.run_link) == ("x", "run 7")


def test_outside_of_a_workflow_there_is_no_run() -> None:
    assert Workflow({}).run_link == ""


def test_what_is_linked_is_text_whatever_it_is_called() -> None:
    assert Workflow(WHERE).link("a](http://evil)", "pull", "1") == (
        "[a&#93;(http:\u200b//evil)](https://github.example/pat/project/pull/1)"
    )


def test_the_summary_of_a_run_leads_to_its_task_its_log_and_then_its_pull_request(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, gates={"tests": ["true"]})
    jobs.task("x")
    [offer] = jobs.plan().ok().tasks

    first = jobs.run(offer).ok()

    there = f"{hub.url}/pat/project"
    task = f"[x]({there}/blob/{offer['sha']}/.cmat/tasks/x.yaml)"
    run = f"[run 2]({there}/actions/runs/2/attempts/1)"
    lines = first.summary.splitlines()
    assert lines[:5] == [
        "### gitcmat run: x, review",
        "",
        f"{task}, {run}",
        "",
        "| Run | Agent | Outcome | Gates |  |",
    ]
    jobs.publish(offer).ok()
    hub.review(jobs.stage.repo, 1, "rita", "CHANGES_REQUESTED", "Please rename it.")
    jobs.sync().ok()
    [offer] = jobs.plan().ok().tasks
    again = jobs.run(offer, env={"GITHUB_RUN_ID": "9"}).ok()
    run = f"[run 9]({there}/actions/runs/9/attempts/1)"
    assert again.summary.splitlines()[2] == f"{task}, {run}, [pull request 1]({there}/pull/1)"
