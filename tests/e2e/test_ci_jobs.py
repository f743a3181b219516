"""The jobs of a workflow on a GitHub: plan, run, publish, sync, each as a program of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ci_jobs import Jobs
from tests.support.fakegithub.server import FakeGitHub
from tests.support.repo import TestRepo


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


def test_a_task_comes_from_a_commit_to_a_pull_request(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, gates={"tests": ["sh", "-c", "test -e x.txt"]})
    jobs.task("x")

    planned = jobs.plan("--leases", "true").ok()
    [offer] = planned.tasks
    assert offer["task"] == "x"
    assert offer["lease"] == jobs.claims()["x"]

    ran = jobs.run(offer).ok()
    assert ran.outputs["outcome"] == "review"

    published = jobs.publish(offer).ok()
    assert published.outputs["outcome"] == "review"
    assert published.outputs["pull"] == "1"
    assert jobs.state("x") == "review"
    assert jobs.claims() == {}

    again = jobs.plan().ok()
    assert again.tasks == []
