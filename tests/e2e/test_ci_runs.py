"""What a job that runs a task hands on, and what becomes of it in the one that publishes."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ci_jobs import Jobs, told
from tests.support.ci_parcel import BOT
from tests.support.cli import running
from tests.support.fakegithub.server import FakeGitHub
from tests.support.repo import TestRepo
from tests.support.wait import until


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


COMMITTING = """\
cd "$CMAT_WORKSPACE"
echo one > one.txt
git add one.txt
git -c user.name=Eve -c user.email=eve@example.org commit -q -m "Fixes #1, says @pat

Cmat-Task: other
::add-mask::x"
echo two > two.txt
"""


def test_commits_of_an_agent_are_sealed_and_published(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, script=COMMITTING)
    jobs.task("x", title="Close it, fixes #7")
    [offer] = jobs.plan().ok().tasks
    assert offer["lease"] == ""

    jobs.run(offer).ok()
    assert jobs.publish(offer).ok().outputs["pull"] == "1"

    form = "--format=%an <%ae>%n%cn <%ce>%n%B--"
    log = jobs.bare.git("log", "--reverse", form, f"{offer['sha']}..refs/heads/cmat/x")
    run = jobs.entry("x")
    assert run is not None
    assert log.splitlines() == [
        *(BOT, BOT),
        "F\u200bixes #1, says @\u200bpat",
        "",
        "> Cmat-Task: other",
        "\u200b::add-mask::x",
        "--",
        *(BOT, BOT),
        "Close it, f\u200bixes #7",
        "",
        "Cmat-Task: x",
        f"Cmat-Run: {run.run}",
        "Assisted-by: coder",
        "--",
    ]


def test_work_that_holds_a_secret_never_leaves_the_machine(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    key = "key-of-the-model-12345"
    script = 'k=key-of; echo "$k-the-model-12345" | tee "$CMAT_WORKSPACE/key.txt"'
    jobs = Jobs(hub, tmp_path, repo, script=script, attempts=1)
    jobs.task("x")
    [offer] = jobs.plan("--leases", "true").ok().tasks

    ran = jobs.run(offer, env={"CMAT_AGENT_KEYS": "MODEL_API_KEY", "MODEL_API_KEY": key})

    assert (ran.code, ran.outputs["outcome"], ran.outputs["bundle"]) == (1, "failed", "")
    left = [path.name for path in jobs.out(offer).iterdir()]
    assert left == ["report.json"]
    report = (jobs.out(offer) / "report.json").read_text()
    assert key not in report + ran.summary + ran.result.out + ran.result.err
    [run] = json.loads(report)["runs"]
    assert run["result"]["message"] == (
        "its work holds a secret (key.txt), so nothing of it was handed on"
    )
    assert jobs.publish(offer).ok().outputs["outcome"] == "failed"
    assert jobs.state("x") == "failed"
    assert key not in jobs.bare.git("cat-file", "--batch-all-objects", "--batch")


COMMANDING = r"""
question='Which?\\n::add-mask::x\\n see ##[set-output name=y]z'
ask='{"nonce":"%s","kind":"ask","question":"'$question'"}\n'
printf "$ask" "$CMAT_NONCE" >> "$CMAT_INBOX"
"""


def test_a_question_is_no_command_of_the_runner(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, script=COMMANDING)
    jobs.task("x")
    [offer] = jobs.plan().ok().tasks

    ran, published = jobs.run(offer).ok(), jobs.publish(offer).ok()

    for done in (ran, published):
        assert done.outputs["outcome"] == "question"
        assert "  asks: Which?\n\\u200b::add-mask::x\n see #\\u200b#[set-output" in done.result.out


def test_a_run_that_fails_is_reported_and_recorded(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, script="echo trying; exit 3", attempts=2)
    jobs.task("x")
    [offer] = jobs.plan("--leases", "true").ok().tasks

    ran = jobs.run(offer)

    assert (ran.code, ran.outputs["outcome"], ran.outputs["bundle"]) == (1, "failed", "")
    assert len(json.loads((jobs.out(offer) / "report.json").read_text())["runs"]) == 2
    published = jobs.publish(offer).ok()
    assert published.outputs["outcome"] == "failed"
    assert published.outputs["pull"] == ""
    entry = jobs.entry("x")
    assert entry is not None
    assert (entry.state, entry.attempt) == ("failed", 2)
    assert jobs.claims() == {}


def test_a_job_that_is_ended_hands_on_what_there_is_and_holds_nothing_up(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    mark = tmp_path / "begun"
    script = f'echo half > "$CMAT_WORKSPACE/half.txt"; touch {mark}; exec tail -f /dev/null'
    jobs = Jobs(hub, tmp_path, repo, script=script)
    jobs.task("x")
    [offer] = jobs.plan("--leases", "true").ok().tasks
    place = jobs.checkout()
    env, _ = jobs.job(place, "run")
    env |= {"GITHUB_TOKEN": jobs.stage.token("rob"), "CMAT_OUT": str(jobs.out(offer))}
    env |= told(offer)

    with running(place, "ci", "run", logs=tmp_path / "logs", env=env) as job:
        until(mark.exists, 60, "the agent")
        job.signal(signal.SIGTERM)
        assert job.wait().code == 130

    assert jobs.publish(offer).ok().outputs["outcome"] == "waiting"
    entry = jobs.entry("x")
    assert entry is not None
    assert (entry.state, entry.hold, entry.attempt) == ("pending", False, 0)
    assert entry.reason == "its job was ended"
    run = f"refs/cmat/runs/{entry.run}"
    assert "half.txt" in jobs.bare.git("ls-tree", "--name-only", run).split()
    assert jobs.claims() == {}


def test_a_sync_removes_claims_that_nobody_needs_any_more(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo)
    jobs.task("x")
    jobs.task("y")
    jobs.plan("--leases", "true").ok()
    for task in ("x", "y"):
        # Of long ago, by a node that nobody understands.
        commit = jobs.bare.git("commit-tree", "HEAD^{tree}", "-m", "claim of another kind")
        jobs.bare.git("update-ref", f"refs/cmat/claims/{task}", commit)
    jobs.project.repo.delete(".cmat/tasks/x.yaml")
    jobs.project.repo.commit("Do not want x")
    jobs.stage.push_main()

    jobs.sync().ok()

    assert (jobs.state("x"), jobs.state("y")) == ("cancelled", "pending")
    assert list(jobs.claims()) == ["y"]
    [offer] = jobs.plan("--leases", "true").ok().tasks
    assert offer["task"] == "y"


def test_a_claim_that_is_lost_runs_nothing_and_publishes_nothing(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo)
    jobs.task("x")
    [offer] = jobs.plan("--leases", "true").ok().tasks
    jobs.run(offer).ok()
    jobs.bare.git("update-ref", "-d", "refs/cmat/claims/x")

    ran, published = jobs.run(offer), jobs.publish(offer)

    for step in (ran, published):
        assert (step.code, step.result.out) == (5, "")
        assert step.result.err.splitlines()[0] == (
            "error: The claim on x is nobody's any more: it ran out, or its work was published."
        )
    assert jobs.state("x") == "pending"
    assert "refs/heads/cmat/x" not in jobs.bare.refs()


def test_a_token_that_may_not_write_claims_nothing_and_says_so(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo)
    jobs.task("x")
    before = jobs.bare.refs()

    planned = jobs.plan("--leases", "true", env={"GITHUB_TOKEN": jobs.stage.token("rob")}).ok()

    [offer] = planned.tasks
    assert (offer["task"], offer["lease"], offer["state"]) == ("x", "", "")
    assert "the token may not write: nothing is claimed" in planned.summary
    assert jobs.bare.refs() == before


def test_a_sync_finishes_what_a_publish_that_was_killed_had_begun(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo)
    jobs.task("x")
    [offer] = jobs.plan("--leases", "true").ok().tasks
    jobs.run(offer).ok()
    # Killed behind the one push that counts: no pull request was asked for yet.
    jobs.publish(offer, "--pull", "off").ok()
    assert (jobs.state("x"), jobs.bare.refs().get("refs/heads/cmat/x")) == ("review", None)

    jobs.sync().ok()
    jobs.sync().ok()

    [pull] = jobs.stage.forge().pulls.of_branch("cmat/x")
    entry = jobs.entry("x")
    assert entry is not None
    assert entry.pull is not None
    assert (pull.number, pull.draft, pull.head_sha) == (1, True, entry.head)


@pytest.mark.parametrize(
    ("name", "value", "code", "words"),
    [
        ("CMAT_TASK", "../x", 3, "'../x' is not a task id."),
        ("CMAT_TASK", "x\n::set-env name=a::b", 3, "'x\\n::set-env name=a::b' is not a task id."),
        ("CMAT_SHA", "main", 3, "CMAT_SHA: 'main' is no whole commit id."),
        ("CMAT_STATE", "$(id)", 3, "CMAT_STATE: '$(id)' is no whole commit id."),
        ("CMAT_LEASE", "1" * 39, 3, f"CMAT_LEASE: '{'1' * 39}' is no whole commit id."),
        ("CMAT_NODE", "../ci", 2, "node: '../ci' is no id: lower-case letters, digits and dashes."),
        ("CMAT_REMOTE", "--upload-pack=x", 2, "remote is the name of a remote."),
        ("CMAT_AUTHOR", "Eve\n<e@e>", 2, "author: 'Eve\\n<e@e>' is not `Name <name@host>`."),
        (
            "CMAT_AGENT_KEYS",
            "GITHUB_TOKEN",
            2,
            "agent-keys: GITHUB_TOKEN is for the workflow, and for no agent.",
        ),
        (
            "CMAT_AGENT_KEYS",
            "ACTIONS_RUNTIME_URL",
            2,
            "agent-keys: ACTIONS_RUNTIME_URL is for the workflow, and for no agent.",
        ),
        ("CMAT_TRUST_DIGEST", "1" * 64, 5, f"The workflow trusts {'1' * 64}; what main would "),
        ("CMAT_BRANCH", "--all", 4, "The remote 'origin' has no branch --all."),
    ],
)
def test_what_a_job_is_told_is_checked(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo, name: str, value: str, code: int, words: str
) -> None:
    jobs = Jobs(hub, tmp_path, repo)
    jobs.task("x")
    offer = {"task": "x", "sha": repo.tip("main"), "state": "", "lease": ""}
    ran = jobs.run(offer, env={name: value})
    first = ran.result.err.splitlines()[0]
    assert (ran.code, ran.outputs) == (code, {})
    assert first.startswith(f"error: {words}")
