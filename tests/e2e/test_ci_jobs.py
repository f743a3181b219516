"""The jobs of a workflow on a GitHub: plan, run, publish, sync, each as a program of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model.forge import MergeMethod
from tests.support.ci_jobs import STATE, Jobs
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

    ran = jobs.run(offer, env={"PYTHONPROFILEIMPORTTIME": "1"}).ok()
    assert ran.outputs["outcome"] == "review"
    imported = {line.rpartition("|")[2].strip() for line in ran.result.err.splitlines()}
    assert "gitcmat.engine.ci_run" in imported
    assert not imported & {"github", "jwt", "requests", "urllib3"}

    published = jobs.publish(offer).ok()
    assert published.outputs["outcome"] == "review"
    assert published.outputs["pull"] == "1"
    assert jobs.state("x") == "review"
    assert jobs.claims() == {}

    again = jobs.plan().ok()
    assert again.tasks == []


def test_an_issue_comes_from_its_label_to_a_pull_request_that_closes_it(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, gates={"tests": ["true"]})
    number = jobs.stage.open_issue("mallory", "Add x", "cmat")
    task = f"issue-{number}-add-x"

    jobs.sync("--label", "cmat").ok()
    assert jobs.state(task) == "backlog"
    assert jobs.plan().ok().tasks == []
    jobs.stage.forge("rob").comments.create(number, "/cmat approve")
    jobs.sync("--label", "cmat").ok()
    assert jobs.plan().ok().tasks == [], "who may only read approves nothing"
    jobs.stage.forge("rita").comments.create(number, "/cmat approve")
    jobs.sync("--label", "cmat").ok()

    [offer] = jobs.plan().ok().tasks
    assert offer["task"] == task
    jobs.run(offer).ok()
    published = jobs.publish(offer).ok()

    assert published.outputs["outcome"] == "review"
    [pull] = jobs.stage.forge().pulls.open()
    assert f"\nCloses #{number}\n" in pull.body
    jobs.sync("--label", "cmat").ok()
    [check] = jobs.stage.forge().checks.list(pull.head_sha)
    assert (check.name, str(check.state)) == ("gitcmat / tests", "passed")


EVIL = """\
env > {out}/env.txt
for pid in /proc/[0-9]*; do tr '\\0' '\\n' < $pid/environ; done > {out}/all.txt 2>/dev/null
for name in GITHUB_ENV GITHUB_OUTPUT GITHUB_PATH GITHUB_STATE GITHUB_STEP_SUMMARY; do
  eval file=\\$$name
  test -n "$file" && echo EVIL=1 >> "$file"
done
for file in {temp}/env {temp}/path {temp}/output {temp}/step_summary; do
  echo EVIL=1 >> "$file"
done
rm {temp}/output && ln -s {out}/elsewhere {temp}/output
echo "::set-output name=outcome::evil"
echo "::add-mask::work"
echo "::stop-commands::mine"
echo "::mine::"
echo "##[set-env name=EVIL;]1"
echo "::error::from the agent"
printf '::notice::no line end'
echo work > "$CMAT_WORKSPACE/x.txt"
"""


def test_an_agent_cannot_speak_to_the_workflow(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    out, temp = tmp_path / "found", tmp_path / "temp-checkout-2-run"
    out.mkdir()
    jobs = Jobs(hub, tmp_path, repo, script=EVIL.format(out=out, temp=temp))
    jobs.task("x")
    [offer] = jobs.plan().ok().tasks
    secrets = {
        "ACTIONS_RUNTIME_TOKEN": "runtime-token-1",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "id-token-1",
        "ACTIONS_CACHE_URL": "https://cache.example",
        "GITHUB_TOKEN": jobs.stage.token("rob"),
        "OTHER_API_KEY": "other-key-1",
        "MODEL_API_KEY": "model-key-1",
        "CMAT_AGENT_KEYS": "MODEL_API_KEY",
        "CMAT_TRANSCRIPT": "true",
        "SOMETHING": "else-1",
    }

    ran = jobs.run(offer, env=secrets).ok()

    seen = (out / "env.txt").read_text().splitlines()
    names = {line.partition("=")[0] for line in seen if "=" in line}
    assert not {name for name in names if name.startswith(("GITHUB_", "ACTIONS_", "RUNNER_"))}
    assert not names & {*secrets, "CMAT_LEASE", "CMAT_STATE", "CMAT_OUT"}
    found = (out / "all.txt").read_bytes()
    for name in set(secrets) - {"CMAT_AGENT_KEYS", "CMAT_TRANSCRIPT", "MODEL_API_KEY"}:
        assert secrets[name].encode() not in found, name
    assert (temp / "env").read_text() == ""
    assert (temp / "path").read_text() == ""
    assert not (out / "elsewhere").exists()
    assert "EVIL" not in ran.summary
    assert set(ran.outputs) == {"outcome", "bundle", "report"}
    assert ran.outputs["outcome"] == "review"
    lines = ran.result.err.splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("::stop-commands::"))
    word = lines[first].removeprefix("::stop-commands::")
    last = lines.index(f"::{word}::")
    commands = [n for n, line in enumerate(lines) if "::" in line or "##[" in line]
    assert all(first <= n <= last for n in commands)
    assert len(word) == 48
    assert "::error::from the agent" in lines
    assert ran.result.out.startswith("x: review")


ASKING = """\
case "$(cat)" in
  *"rename it"*"Which name?"*) mv "$CMAT_WORKSPACE/x.txt" "$CMAT_WORKSPACE/z.txt" ;;
  *"rename it"*) printf '{"nonce":"%s","kind":"ask","question":"Which name?"}\\n' "$CMAT_NONCE" \
      >> "$CMAT_INBOX" ;;
  *) echo work > "$CMAT_WORKSPACE/$CMAT_TASK.txt" ;;
esac
"""


def _again(jobs: Jobs, outcome: str) -> None:
    """Plan, run and publish what is ready: one task."""
    [offer] = jobs.plan("--leases", "true").ok().tasks
    assert jobs.run(offer).outputs["outcome"] == outcome
    assert jobs.publish(offer).ok().outputs["outcome"] == outcome


@pytest.mark.slow
def test_the_whole_story_review_question_answer_merge_and_what_needs_it(
    hub: FakeGitHub, tmp_path: Path, repo: TestRepo
) -> None:
    jobs = Jobs(hub, tmp_path, repo, script=ASKING)
    jobs.task("x")
    jobs.task("y", needs=["x"])
    _again(jobs, "review")
    assert (jobs.state("x"), jobs.state("y")) == ("review", "pending")

    hub.review(jobs.stage.repo, 1, "rita", "CHANGES_REQUESTED", "Please rename it.")
    jobs.sync().ok()
    assert jobs.state("x") == "pending"
    _again(jobs, "question")
    assert jobs.plan().ok().tasks == []

    asked = [c.body for c in jobs.stage.repo.comments.values() if "Which name?" in c.body]
    assert len(asked) == 1
    jobs.sync().ok()
    assert [c.body for c in jobs.stage.repo.comments.values() if "Which name?" in c.body] == asked
    hub.comment(jobs.stage.repo, 1, "rita", "/cmat answer z.txt")
    jobs.sync().ok()
    assert jobs.state("x") == "pending"
    _again(jobs, "review")
    tip = jobs.bare.tip("refs/heads/cmat/x")
    assert jobs.bare.git("ls-tree", "--name-only", tip).splitlines()[-1] == "z.txt"
    pulls = jobs.stage.forge().pulls
    assert [pull.number for pull in pulls.of_branch("cmat/x")] == [1]
    assert pulls.get(1).head_sha == tip

    pulls.edit(1, draft=False)
    jobs.stage.forge("rita").pulls.merge(1, method=MergeMethod.SQUASH, head_sha=tip)
    jobs.sync().ok()
    assert (jobs.state("x"), jobs.state("y")) == ("done", "pending")
    assert not [ref for ref in jobs.bare.refs() if ref.startswith("refs/cmat/runs/")]
    [offer] = jobs.plan().ok().tasks
    assert offer["task"] == "y"
    history = jobs.bare.git("log", "--format=%P", STATE).splitlines()
    assert all(len(parents.split()) <= 1 for parents in history)
