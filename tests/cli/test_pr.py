"""`gitcmat pr`, as typed, against a GitHub."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model.forge import CheckState, Verdict
from gitcmat.model.remote import how_to_sign_in
from tests.support.cli import Result, gitcmat
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.fakegithub.world import Protection
from tests.support.own_forge import OwnForge
from tests.support.repo import TestRepo
from tests.support.watched import Project

GATES = """\
schema: 1
defaults: {backoff: 1s, attempts: 1}
gates:
  tests: {run: [sh, -c, "test ! -e bad"]}
"""


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OwnForge]:
    """A task ``x`` at review, with a gate that is green."""
    with FakeGitHub() as hub:
        made = OwnForge(hub, tmp_path, Project(repo, config=GATES))
        made.work("x", "echo one > x.txt")
        yield made


def _approved(there: OwnForge) -> None:
    reviews = there.stage.forge("rita").reviews
    head = there.stage.forge().pulls.get(1).head_sha
    reviews.submit(1, Verdict.APPROVED, body="", commit=head)


def test_the_whole_way(there: OwnForge) -> None:
    head = there.stage.person.tip("refs/heads/cmat/x")
    opened = there.pr("create", "x").ok()
    url = there.stage.forge().pulls.get(1).url
    assert opened.out == (
        "x: draft pull request #1 opened, cmat/x onto main\n"
        f"  {url}\n"
        f"  pushed {head[:10]} to cmat/x\n"
    )
    assert there.pr("create", "x", "--ready").ok().out == (
        f"x: pull request #1 is there, cmat/x onto main\n  {url}\n"
    )
    assert there.pr("list").ok().out.splitlines()[1].split() == [
        *("x", "review", "#1", "open", "cmat/x", "main", url)
    ]
    assert there.pr("files", "#1").ok().out.splitlines()[1].split() == [
        "added",
        "+1",
        "-0",
        "x.txt",
    ]
    assert there.pr("status", "x").ok().out.splitlines() == [
        "x  review  #1 open  Task x",
        f"  {url}",
        f"  branch    cmat/x at {head[:10]} onto main",
        "  gates     green (tests)",
        "  checks    none",
        "  approved  by nobody",
        "  ! 0 of 1 approvals",
    ]

    _approved(there)
    merged = there.pr("merge", "x").ok()

    commit = there.stage.git.branches()["main"]
    assert merged.out == (
        f"x: #1 was merged, as {commit[:10]} on main; x is done\n"
        "x: cmat/x on pat/project was deleted\n"
    )
    message = there.stage.git.git("log", "-1", "--format=%B", commit)
    run = there.project.entry("x")
    assert run is not None
    assert message.splitlines()[0] == "Task x (#1)"
    assert message.endswith(f"\n\nCmat-Task: x\nCmat-Run: {run.run}\nAssisted-by: fake")
    assert there.pr("sync").ok().out == "nothing new about 0 pull requests\n"


def test_what_is_not_approved_or_not_green_is_not_merged(there: OwnForge) -> None:
    there.pr("create", "x").ok()
    draft = there.pr("merge", "x")
    assert (draft.code, draft.err.splitlines()) == (
        5,
        ["error: #1 of x is a draft.", "hint: gitcmat pr create x --ready"],
    )
    there.pr("create", "x", "--ready").ok()
    head = there.stage.forge().pulls.get(1).head_sha
    there.stage.run_check(head, "build", CheckState.FAILED)

    refused = there.pr("merge", "x")

    assert (refused.code, refused.out) == (5, "")
    assert refused.err.splitlines() == [
        "error: x is not merged by itself: checks are red: build; 0 of 1 approvals.",
        'hint: gitcmat pr merge x --override "why it may be merged all the same"',
    ]
    assert there.stage.forge().pulls.get(1).state == "open"


def test_who_merges_all_the_same_says_why_for_all_to_see(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    there.pr("merge", "x", "--override", "Fixes #9 at once, @rita").ok()

    entry = there.project.entry("x")
    assert entry is not None
    assert entry.landing is not None
    assert (entry.state, entry.landing.override) == ("done", "Fixes #9 at once, @rita")
    shown = gitcmat(there.repo, "task", "show", "x").ok().out
    assert "on main, by an override: Fixes #9 at once, @rita\n" in shown
    (comment,) = there.stage.forge().comments.list(1)
    assert comment.body.endswith(
        "merged this although not everything was green:\n\nF\u200bixes #9 at once, @\u200brita\n"
    )


def test_the_reason_that_stands_there_is_that_by_which_it_was_merged(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    there.stage.repo.protection["main"] = Protection(approvals=1)
    for _ in range(2):
        assert there.pr("merge", "x", "--override", "It is late").code == 5
    there.stage.repo.protection.clear()
    there.pr("merge", "x", "--override", "It is simple").ok()

    entry = there.project.entry("x")
    assert entry is not None
    assert entry.landing is not None
    assert entry.landing.override == "It is simple"
    said = [comment.body.splitlines()[-1] for comment in there.stage.forge().comments.list(1)]
    assert said == ["It is simple"]
    log = gitcmat(there.repo, "task", "log", "x").ok().out
    assert [
        line.partition("#1 ")[2] for line in reversed(log.splitlines()) if "overrid" in line
    ] == [
        "is to be merged by an override: It is late",
        "has no override any more",
        "is to be merged by an override: It is late",
        "has no override any more",
        "is to be merged by an override: It is simple",
    ]


def test_red_gates_are_not_merged(there: OwnForge) -> None:
    there.project.commit_task("y", "echo > bad")
    assert gitcmat(there.repo, "run", "now", "y").code == 1
    (blocker,) = there.project.app.deps.store.read().blockers(task="y")
    gitcmat(there.repo, "blocker", "answer", blocker.id, "review anyway").ok()
    there.pr("create", "y", "--ready").ok()

    refused = there.pr("merge", "y")

    assert refused.err.splitlines() == [
        "error: y does not land by itself: tests is red.",
        'hint: gitcmat pr merge y --override "why it may land all the same"',
    ]


def test_its_status_names_all_that_it_is_not_merged_for(there: OwnForge) -> None:
    there.settings(approvals=0)
    there.pr("create", "x").ok()
    assert _against(there) == ["#1 of x is a draft"]
    there.pr("create", "x", "--ready").ok()
    assert _against(there) == []

    work = there.stage.forge().pulls.get(1).head_sha
    theirs = there.stage.push("cmat/x", "more.txt", "by hand\n")
    assert _against(there) == [f"#1 shows {theirs[:10]}, and the work of x is at {work[:10]}"]
    there.pr("create", "x").ok()
    assert _against(there) == ["there are commits on its branch that the gates have not judged"]
    assert there.pr("merge", "x").code == 5

    gitcmat(there.repo, "review", "reject", "x", "-m", "no").ok()
    assert there.pr("status", "x").ok().out.splitlines()[6:] == [
        "  ! x is pending; only what is in review can land",
        "  ! there are commits on its branch that the gates have not judged",
    ]
    there.pr("close", "x").ok()
    assert _against(there) == ["it is closed"]


def _against(there: OwnForge) -> object:
    return there.pr("status", "x", "--json").ok().json["against"]


def test_who_works_alone_needs_no_approval(there: OwnForge) -> None:
    there.settings(approvals=0, pull="ready")
    there.pr("create", "x").ok()
    assert there.pr("merge", "x", "--rebase", "--json").ok().json["landed"] == ["x"]


def test_a_push_by_a_workflow_says_that_it_starts_none(there: OwnForge) -> None:
    hub = there.stage.hub
    there.stage.repo.roles["github-actions[bot]"] = "write"
    token = hub.token("github-actions[bot]", prefix="ghs_", app="github-actions")

    opened = gitcmat(there.repo, "pr", "create", "x", env={"GH_ENTERPRISE_TOKEN": token}).ok()
    again = gitcmat(there.repo, "pr", "create", "x", env={"GH_ENTERPRISE_TOKEN": token}).ok()

    silent = "  no workflow starts by this push: it was by the token that a workflow is given"
    assert opened.out.splitlines()[-1] == silent
    assert silent not in again.out


def test_a_review_shows_how_its_pull_request_stood_when_it_was_seen_last(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    _approved(there)
    there.pr("sync").ok()
    url = there.stage.forge().pulls.get(1).url
    requests = len(there.stage.hub.seen)

    shown = gitcmat(there.repo, "review", "show", "x").ok().out
    listed = gitcmat(there.repo, "review", "list").ok().out
    data = gitcmat(there.repo, "review", "show", "x", "--json").ok().json["pull"]

    assert f"  pull      #1 open, approved by rita\n            {url}\n" in shown
    assert "#1 open, approved by rita  Task x" in listed.splitlines()[1]
    assert (data["number"], data["url"], data["draft"], data["state"]) == (1, url, False, "open")
    assert (data["approved"], data["rejected"], data["checks"]) == (["rita"], [], None)
    assert len(there.stage.hub.seen) == requests


def test_what_is_listed_after_a_look_is_what_is_asked_now(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    _approved(there)
    there.stage.run_check(there.stage.forge().pulls.get(1).head_sha, "build", CheckState.PASSED)
    there.pr("sync").ok()

    (listed,) = there.pr("list", "--json").ok().json["pulls"]
    asked = there.pr("status", "x", "--json").ok().json["pull"]

    assert (listed["task"], listed["state"]) == ("x", "review")
    assert {key: asked[key] for key in listed["pull"]} == listed["pull"]
    assert (asked["approved"], asked["checks"], asked["mergeable"]) == (["rita"], "passed", True)


def test_close_leaves_the_task_where_it_is(there: OwnForge) -> None:
    there.pr("create", "x").ok()
    assert there.pr("close", "#1").ok().out == (
        "x: #1 is closed; x is review\nto open another: gitcmat pr create x --again\n"
    )
    assert there.pr("list", "--json").ok().json["pulls"][0]["pull"]["state"] == "closed"


def test_without_a_forge_it_says_what_is_missing(there: OwnForge) -> None:
    there.settings(remote="upstream")
    assert there.pr("sync").err.splitlines() == [
        "error: The remote 'upstream' does not exist.",
        "hint: git remote add, or forge: {remote: NAME} in your own settings",
    ]
    there.repo.git("remote", "add", "upstream", str(there.repo.path))
    assert there.pr("sync").err.splitlines()[0] == (
        "error: The remote 'upstream' is on no forge that gitcmat knows."
    )
    there.settings()
    unknown = gitcmat(there.repo, "pr", "sync", env={"GH_ENTERPRISE_TOKEN": None})
    host = there.stage.hub.url.removeprefix("http://")
    assert unknown.err.splitlines() == [
        f"error: There is nothing to sign in to {host} with.",
        f"hint: {how_to_sign_in(host)}; gitcmat auth status says where gitcmat looked",
    ]


# --- reviews ------------------------------------------------------------------------------------


def _as(there: OwnForge, login: str, *args: str) -> Result:
    """Type ``gitcmat pr ...`` with somebody else's token."""
    token = {"GH_ENTERPRISE_TOKEN": there.stage.token(login)}
    return gitcmat(there.repo, "pr", *args, env=token)


def test_one_reviews_under_ones_own_login(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    url = there.stage.forge().pulls.get(1).url

    said = _as(there, "rita", "review", "x", "--request-changes", "-m", "Not like this.").ok()
    (first,) = there.stage.forge().reviews.list(1)
    assert said.out == f"x: rita requested changes, {url}#pullrequestreview-{first.id}\n"
    assert (first.verdict, first.body) == (Verdict.CHANGES_REQUESTED, "Not like this.")

    dismissed = _as(there, "rita", "dismiss", "x", "rita", "-m", "It was a mistake.").ok()
    assert dismissed.out == f"x: the review {first.id} of rita is dismissed\n"
    approved = _as(there, "rita", "review", "#1", "--approve", "--json").ok().json
    assert (approved["review"]["verdict"], approved["review"]["author"]) == ("approved", "rita")
    assert there.pr("request", "x", "@tim").ok().out == "x: @tim asked for a review\n"
    assert there.stage.repo.issues[1].pull is not None
    assert there.stage.repo.issues[1].pull.asked == ["tim"]


def test_what_is_longer_than_a_forge_takes_is_refused_before_it_is_asked(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    asked, long = len(there.stage.hub.seen), "x" * 70_000

    for words, most in (
        (("review", "x", "--approve", "-m", long), "65,536"),
        (("dismiss", "x", "rita", "-m", long), "65,536"),
        (("merge", "x", "--override", long), "16,000"),
    ):
        refused = there.pr(*words)
        assert (refused.code, refused.err.splitlines()) == (
            2,
            [
                f"error: That has 70,000 characters; it can have {most} at most.",
                "hint: say it in fewer words",
            ],
        )
    assert len(there.stage.hub.seen) == asked


def test_nobody_approves_their_own(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()

    approve = there.pr("review", "x", "--approve")
    reject = there.pr("review", "x", "--request-changes", "-m", "no")

    assert (approve.code, approve.err.splitlines()) == (
        5,
        [
            "error: #1 was opened as pat, and nobody may approve their own.",
            "hint: ask somebody else: gitcmat pr request, or set forge: {approvals: 0}",
        ],
    )
    assert reject.err.splitlines() == [
        "error: #1 was opened as pat, and nobody may request changes of their own.",
        'hint: gitcmat review reject x -m "why"',
    ]
    there.pr("review", "x", "--comment", "-m", "A thought.").ok()
    assert there.pr("sync").ok().out == "x: sent back on #1, by pat\n"


def test_what_is_missing_in_a_review_is_said(there: OwnForge) -> None:
    there.pr("create", "x", "--ready").ok()
    there.pr("create", "x").ok()

    assert there.pr("review", "x").err.splitlines() == [
        "error: Say what you think.",
        "hint: --approve, --request-changes or --comment",
    ]
    assert there.pr("review", "x", "--comment").err.splitlines()[0] == (
        "error: Such a review needs some words."
    )
    assert there.pr("dismiss", "x", "rita", "-m", "why").err.splitlines() == [
        "error: #1 has no review 'rita' that approves or requests changes.",
        "hint: gitcmat pr status x",
    ]
    there.pr("close", "x").ok()
    assert there.pr("review", "x", "--approve").err.splitlines()[0] == "error: #1 of x is closed."


@pytest.mark.parametrize("kind", [Kind.ANSWER_LOST, Kind.NONSENSE])
def test_a_review_whose_answer_is_lost_is_there_once(there: OwnForge, kind: Kind) -> None:
    there.pr("create", "x", "--ready").ok()
    there.stage.hub.fail(kind, verb="POST", path="/reviews$")

    _as(there, "rita", "review", "x", "--approve").ok()

    assert len(there.stage.forge().reviews.list(1)) == 1
