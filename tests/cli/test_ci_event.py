"""`gitcmat ci gate`, and the gate before other jobs, as a workflow types them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import ci_events
from tests.support.ci_events import Told
from tests.support.ci_jobs import Jobs, told
from tests.support.cli import gitcmat
from tests.support.fakegithub.server import FakeGitHub
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo

REF = "5eed" * 10


@pytest.fixture
def jobs(repo: TestRepo, tmp_path: Path) -> Iterator[Jobs]:
    with FakeGitHub() as hub:
        yield Jobs(hub, tmp_path, repo)


def by(event: Told, jobs: Jobs) -> dict[str, str | None]:
    """The variables of a job that an event started."""
    sha = jobs.bare.tip("refs/heads/main")
    event.env["GITHUB_SHA"] = sha
    if "after" in event.payload:
        event.payload["after"] = sha
    return {**event.at(jobs.folder), **jobs.write_token()}


def test_an_event_that_passes_says_so(jobs: Jobs) -> None:
    sha = jobs.bare.tip("refs/heads/main")
    done = jobs.step("gate", env=by(ci_events.dispatch("rita", "split"), jobs)).ok()
    assert done.result.out == f"workflow_dispatch by rita, at {sha}\n"
    assert done.outputs == {"sha": sha, "task": "split"}
    assert done.summary == "### gitcmat gate: workflow\\_dispatch by rita\n\n".replace(
        "\\_", "&#95;"
    )


@pytest.mark.parametrize("verb", ["gate", "plan", "sync"])
def test_an_event_that_is_refused_starts_nothing(jobs: Jobs, verb: str) -> None:
    jobs.task("x")
    before = jobs.bare.refs()
    done = jobs.step(verb, env=by(ci_events.push("tim"), jobs))
    assert done.code == 5
    assert done.result.err == (
        "error: 'tim', who caused this event, may not write here (triage).\n"
        "hint: ask somebody who may\n"
    )
    assert (done.outputs, done.summary) == ({}, "")
    assert jobs.bare.refs() == before


@pytest.mark.parametrize("verb", ["gate", "plan", "run", "publish", "sync"])
def test_machines_of_ones_own_are_refused_in_each_job(jobs: Jobs, verb: str) -> None:
    offer = {"task": "x", "sha": "1" * 40, "state": "", "lease": ""}
    env = {**by(ci_events.push(), jobs), "RUNNER_ENVIRONMENT": "self-hosted"}
    env["CMAT_ALLOW_SELF_HOSTED"] = "true"
    there = {**told(offer), "CMAT_OUT": str(jobs.out(offer)), "CMAT_IN": str(jobs.out(offer))}
    done = jobs.step(verb, env={**env, **there} if verb in ("run", "publish") else env)
    assert done.code == 5
    assert done.result.err.startswith("error: This runner is self-hosted, and the repository is ")


def test_without_an_event_there_is_no_gate_to_pass(jobs: Jobs) -> None:
    done = jobs.step("gate", env={**dict.fromkeys(ci_events.push().env, ""), **jobs.write_token()})
    assert done.code == 5
    assert done.result.err.startswith("error: The event '' starts no work.\n")


def test_a_plan_by_hand_needs_no_event(jobs: Jobs) -> None:
    jobs.task("x")
    nothing = dict.fromkeys((*ci_events.push().env, "GITHUB_EVENT_PATH"), "")
    done = jobs.plan(env={**nothing, "GITHUB_REPOSITORY": "pat/project"}).ok()
    assert [offer["task"] for offer in done.tasks] == ["x"]


def test_a_plan_offers_the_task_that_is_asked_for(jobs: Jobs) -> None:
    jobs.task("x")
    jobs.task("y")
    done = jobs.step("plan", env=by(ci_events.dispatch("pat", "y"), jobs)).ok()
    assert [offer["task"] for offer in done.tasks] == ["y"]


def test_workflows_are_printed_and_written_when_asked(repo: TestRepo) -> None:
    Project(repo)
    shown = gitcmat(repo, "ci", "workflows", "--ref", REF).ok()
    assert shown.out.startswith("# .github/workflows/gitcmat-comment.yml\n# Commands in comments")
    written = gitcmat(repo, "ci", "workflows", "--ref", REF, "--write", changes=("files",)).ok()
    assert written.out == (
        ".github/workflows/gitcmat-comment.yml: new\n"
        ".github/workflows/gitcmat-validate.yml: new\n"
        ".github/workflows/gitcmat.yml: new\n"
    )
    again = gitcmat(repo, "ci", "workflows", "--ref", "v1", "--write")
    assert again.code == 3
    assert again.err == (
        "error: 'v1' is no commit of gitcmat.\n"
        "hint: name one that you have looked at, by all its 40 digits; a tag may be moved\n"
    )


def test_what_is_pushed_after_the_plan_is_no_part_of_the_run(jobs: Jobs) -> None:
    jobs.task("x")
    reviewed = {"CMAT_TRUST_DIGEST": jobs.digest}
    [offer] = jobs.plan("--leases", "true").ok().tasks
    jobs.project.repo.commit("Another agent", agent_file("coder", "echo evil > evil.txt"))
    jobs.stage.push_main()

    late = jobs.run(offer)
    assert late.code == 5
    assert "what main would start has the digest" in late.result.err

    jobs.run(offer, env=reviewed).ok()
    jobs.publish(offer, env=reviewed).ok()
    assert jobs.bare.git("merge-base", "main", "cmat/x") == offer["sha"]
    assert jobs.bare.git("diff", "--name-only", offer["sha"], "cmat/x") == "x.txt"
