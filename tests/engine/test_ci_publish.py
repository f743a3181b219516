"""What becomes of a result that may be published."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gitcmat.engine import ci_plan
from gitcmat.engine.ci_claimed import Stale
from gitcmat.errors import Conflict, InvalidData, UserError
from gitcmat.model.ci import Outcome
from tests.support.ci_parcel import RUN, STATE, Parcel
from tests.support.ci_racer import nodes

Told = dict[str, Any]
CLAIM = "refs/cmat/claims/x"


@pytest.fixture
def parcel(tmp_path: Path) -> Parcel:
    made = Parcel(tmp_path)
    made.empty()
    return made


def test_honest_work_comes_to_review_and_its_claim_ends(parcel: Parcel) -> None:
    head = parcel.file(b"src/tool.sh", b"#!/bin/sh\n", b"100755")
    parcel.honest(head)

    done = parcel.publish()

    assert (done.outcome, done.state) == (Outcome.REVIEW, parcel.remote.tip(STATE))
    entry = parcel.entry("x")
    assert (entry.state, entry.head, entry.base, entry.run) == ("review", head, parcel.start, RUN)
    assert (entry.verdict, entry.marks, entry.attempt) == ("green", (), 1)
    refs = parcel.remote.refs()
    assert refs[f"refs/cmat/runs/{RUN}"] == head
    assert CLAIM not in refs
    assert parcel.remote.git("fsck", "--full", "--strict", "--no-dangling") == ""


def test_what_can_be_worked_out_is_not_taken_from_the_report(parcel: Parcel) -> None:
    head = parcel.file(b"docs/elsewhere.md")
    report = parcel.honest(head)
    report["runs"][0]["result"] |= {
        "tree": "1" * 40,
        "commits": 99,
        "files": [],
        "marks": [],
        "session": {"id": "mine"},
    }
    parcel.say(report)

    entry = parcel.publish().entry

    assert entry.marks == ("outside paths: docs/elsewhere.md",)
    assert entry.tree == parcel.remote.git("rev-parse", f"{head}^{{tree}}")


@pytest.mark.parametrize("told", [0, 1])
def test_a_gate_that_was_asked_for_and_is_not_told_of_is_not_green(
    parcel: Parcel, told: int
) -> None:
    report = parcel.honest()
    result = report["runs"][0]["result"]
    result["gates"] = result["gates"][:told]
    parcel.say(report)
    assert parcel.publish().entry.verdict == "not checked"


@pytest.mark.parametrize(
    ("change", "outcome", "state"),
    [
        ({"outcome": "failed", "message": "exit code 3", "gates": []}, "waiting", "pending"),
        ({"outcome": "asked", "questions": ["Which one?"], "gates": []}, "question", "blocked"),
        ({"outcome": "provider limit", "gates": []}, "waiting", "pending"),
        ({"outcome": "interrupted", "gates": []}, "waiting", "pending"),
    ],
)
def test_each_end_of_a_run_is_recorded(
    parcel: Parcel, change: Told, outcome: str, state: str
) -> None:
    report = parcel.report(parcel.start)
    report["runs"][0]["result"] |= change
    parcel.say(report)

    done = parcel.publish()

    assert (done.outcome, parcel.entry("x").state) == (outcome, state)
    assert [blocker.question for blocker in done.questions] == change.get("questions", [])
    assert CLAIM not in parcel.remote.refs()


def test_several_attempts_are_replayed_one_after_the_other(parcel: Parcel) -> None:
    first = parcel.commit(message=b"Try\n")
    tree = parcel.tree({b"src/c.py": (b"100644", parcel.blob(b"3\n"))}, first)
    head = parcel.commit(tree, parents=(first,), message=b"Try again\n")
    parcel.bundle(head)
    report = parcel.report(first)
    second = json.loads(json.dumps(report["runs"][0]))
    second |= {"run": "r-bcdefghi", "start": first}
    second["result"] |= {"run": "r-bcdefghi", "head": head}
    report["runs"][0]["result"]["gates"][0] |= {"outcome": "failed", "exit_code": 1}
    report["runs"].append(second)
    parcel.say(report)

    entry = parcel.publish().entry

    assert (entry.state, entry.attempt, entry.run) == ("review", 2, "r-bcdefghi")
    assert [note.kind for note in entry.notes] == ["red"]


def test_a_story_that_the_table_of_states_does_not_know_is_refused(parcel: Parcel) -> None:
    first = parcel.commit()
    report = parcel.honest(first)
    second = json.loads(json.dumps(report["runs"][0]))
    second |= {"run": "r-bcdefghi", "start": first}
    second["result"] |= {"run": "r-bcdefghi"}
    report["runs"].append(second)  # after a green one there is none
    parcel.say(report)
    before = parcel.remote.refs()
    with pytest.raises(Conflict):
        parcel.publish()
    assert parcel.remote.refs() == before


def test_what_runs_have_cost_counts_for_the_day(parcel: Parcel) -> None:
    report = parcel.honest()
    report["runs"][0]["result"]["spend"] = {"usd": 2.5}
    parcel.say(report)
    parcel.publish()

    def plan(usd: float) -> ci_plan.Planned:
        with nodes(
            parcel.repo.path,
            parcel.folder / f"plan-{usd}",
            trust_digest=parcel.digest,
            leases=False,
            day_budget=usd,
        ) as job:
            return ci_plan.plan(job, sha="", holder="me")

    over = plan(2.0)
    assert (over.offers, over.notes) == (
        [],
        ["the runs of today cost $2.50 of $2.00; tomorrow they go on (budget.usd)"],
    )
    parcel.remote.git("update-ref", "-d", "refs/cmat/claims/y")
    assert [offer.task for offer in plan(3.0).offers] == ["y"]


def test_what_lies_beside_workflows_may_be_changed_where_the_workflow_says_so(
    parcel: Parcel,
) -> None:
    parcel.honest(parcel.file(b".github/ISSUE_TEMPLATE/bug.md"))
    assert parcel.publish(allow_github=True).outcome == "review"


@pytest.mark.parametrize(
    "path", ["workflows/x.yml", "Actions/x/action.yml", "action/install", "agent/package.json"]
)
def test_what_runs_in_a_workflow_may_never_be_changed(parcel: Parcel, path: str) -> None:
    parcel.honest(parcel.file(f".github/{path}".encode()))
    with pytest.raises(InvalidData) as caught:
        parcel.publish(allow_github=True)
    assert caught.value.message == (
        f"The result is refused: .github/{path} belongs to the repository's workflows."
    )


def test_a_result_is_taken_once(parcel: Parcel) -> None:
    parcel.honest()
    parcel.publish()
    before = parcel.remote.refs()
    with pytest.raises(Conflict) as caught:
        parcel.publish()
    assert caught.value.message == (
        "The claim on x is nobody's any more: it ran out, or its work was published."
    )
    assert parcel.remote.refs() == before


def test_work_of_another_run_is_not_written_over(parcel: Parcel) -> None:
    """A report may name any run; that of another node is known here by its ref alone."""
    parcel.honest()
    theirs = parcel.remote.git("rev-parse", "refs/heads/main^")
    parcel.remote.git("update-ref", f"refs/cmat/runs/{RUN}", theirs)
    before = parcel.remote.refs()
    with pytest.raises(Stale) as caught:
        parcel.publish()
    assert caught.value.message == ("What came of x is not published: its run was taken in before.")
    assert parcel.remote.refs() == {ref: at for ref, at in before.items() if ref != CLAIM}


def test_a_claim_that_somebody_has_taken_over_publishes_nothing(parcel: Parcel) -> None:
    parcel.honest()
    other = parcel.remote.git("commit-tree", f"{STATE}^{{tree}}", "-m", "claim {}")
    parcel.remote.git("update-ref", CLAIM, other)
    before = parcel.remote.refs()
    with pytest.raises(Conflict) as caught:
        parcel.publish()
    assert caught.value.message == (
        "The claim on x is somebody else's: it ran out, or its work was published."
    )
    assert parcel.remote.refs() == before


def test_without_claims_two_results_at_once_are_one_and_the_other_is_stale(
    tmp_path: Path,
) -> None:
    parcel = Parcel(tmp_path, leases=False)
    outs = []
    for name in ("one", "two"):
        parcel.empty()
        run = f"r-abcdefg{name[0]}"
        head = parcel.commit(message=f"By {name}\n".encode())
        report = parcel.honest(head)
        report["runs"][0]["run"] = report["runs"][0]["result"]["run"] = run
        parcel.say(report)
        outs.append(shutil.copytree(parcel.out, tmp_path / name))

    def tried(out: Path) -> str:
        try:
            return parcel.publish(out).entry.run or ""
        except Stale as error:
            return error.message

    with ThreadPoolExecutor() as pool:
        told = sorted(pool.map(tried, outs))

    assert told[0] == "What came of x is not published: it is review by now."
    assert told[1] == parcel.entry("x").run
    assert parcel.entry("x").state == "review"
    runs = [ref for ref in parcel.remote.refs() if ref.startswith("refs/cmat/runs/")]
    assert runs == [f"refs/cmat/runs/{told[1]}"]


@pytest.mark.parametrize("edit", ["title: other\n", "title: x\npriority: high\n"])
def test_a_task_that_was_edited_meanwhile_is_stale(parcel: Parcel, edit: str) -> None:
    parcel.honest()
    parcel.repo.commit("edit", {".cmat/tasks/x.yaml": edit})
    parcel.repo.git("push", "-q", "origin", "main")
    with pytest.raises(Stale) as caught:
        parcel.publish()
    assert caught.value.message == (
        "What came of x is not published: something has happened to it since."
    )


def test_another_commit_on_the_branch_is_no_reason_to_be_stale(parcel: Parcel) -> None:
    parcel.honest()
    parcel.repo.commit("more", {"more.txt": "1\n"})
    parcel.repo.git("push", "-q", "origin", "main")
    assert parcel.publish().outcome == "review"


def test_a_remote_that_refuses_leaves_everything_as_it_was(parcel: Parcel) -> None:
    parcel.honest()
    hook = parcel.remote.path / "hooks" / "update"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text('#!/bin/sh\ncase "$1" in refs/cmat/runs/*) exit 1;; esac\n')
    hook.chmod(0o755)
    before = parcel.remote.refs()
    with pytest.raises(UserError) as caught:
        parcel.publish()
    assert caught.value.message.startswith(f"{STATE} could not be pushed to ")
    assert parcel.remote.refs() == before
