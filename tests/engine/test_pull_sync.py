"""What is merged on the forge, or by hand, is done here, and what needs it starts."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gitcmat.engine import landing, pull_merge, pulls
from gitcmat.errors import Conflict, UserError
from gitcmat.model.events import Rejected
from gitcmat.model.forge import CheckState, MergeMethod, Verdict
from gitcmat.model.landing import How
from gitcmat.model.pull import PullState, in_words
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import SLUG
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub; its task ``a`` has a pull request, and ``b`` needs it."""
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.done("a")
        made.project.task("b", needs=["a"])
        made.stage.push_main()
        made.create("a")
        yield made


def _is_done(there: OnGitHub, commit: str, how: str) -> None:
    entry = there.project.entry("a")
    assert entry.landing is not None
    assert (entry.state, entry.landing.commit, entry.landing.how) == ("done", commit, how)
    assert not there.project.repo.has("refs/heads/cmat/a")


def _goes_on(there: OnGitHub) -> None:
    """What needs it starts from what was merged, though the person has not pulled."""
    here = there.project.repo.tip("main")
    there.project.work()
    entry = there.project.entry("b")
    assert entry.state == "review"
    assert there.project.repo.show(entry.head, "a.txt") == "work\n"
    assert there.project.repo.tip("main") == here


@pytest.mark.parametrize("method", list(MergeMethod))
def test_each_button_makes_it_done(there: OnGitHub, method: MergeMethod) -> None:
    commit = there.button(1, method)

    done = there.sync()

    assert done.landed == ["a"]
    assert done.lines == [
        f"a: #1 was merged, as {commit[:10]} on main; a is done",
        "a: cmat/a on pat/project was deleted",
    ]
    assert "cmat/a" not in there.stage.git.branches()
    _is_done(there, commit, "pull request")
    _goes_on(there)


def test_what_was_taken_in_is_not_news_again(there: OnGitHub) -> None:
    there.button(1, MergeMethod.SQUASH)
    there.sync()
    tip = there.project.deps.store.tip()

    assert there.sync().lines == []
    assert there.project.deps.store.tip() == tip


def _squashed(there: OnGitHub) -> str:
    git, entry = there.stage.git, there.project.entry("a")
    main = git.branches()["main"]
    return git.squash(main, entry.head, "rita", "By hand")


def _picked_later(there: OnGitHub) -> str:
    there.stage.push("main", "other.txt", "x\n")
    return _squashed(there)


@pytest.mark.parametrize("make", [_squashed, _picked_later])
def test_what_somebody_lands_by_hand_is_done(
    there: OnGitHub, make: Callable[[OnGitHub], str]
) -> None:
    commit = make(there)
    there.stage.push_commit("main", commit)
    there.stage.push("main", "a.txt", "Later words.\n")

    done = there.sync()

    assert done.lines == [
        f"a: #1 has landed by hand, as {commit[:10]} on main; a is done",
        "a: #1 is open, and cmat/a stays there until it is closed: gitcmat pr close a",
    ]
    _is_done(there, commit, "by hand")


def test_one_of_a_task_that_is_over_is_followed_until_it_is_closed(there: OnGitHub) -> None:
    there.stage.push_commit("main", _squashed(there))
    there.sync()

    there.stage.forge("rita").pulls.close(1)

    assert there.sync().lines == ["a: #1 was closed", "a: cmat/a on pat/project was deleted"]
    assert "cmat/a" not in there.stage.git.branches()
    pull = there.project.entry("a").pull
    assert pull is not None
    assert (pull.state, there.project.state("a")) == (PullState.CLOSED, "done")
    assert there.sync().lines == []


def test_other_commits_on_main_are_no_landing(there: OnGitHub) -> None:
    there.stage.push("main", "other.txt", "x\n")

    assert there.sync().lines == []
    assert there.project.state("a") == "review"


def test_a_closed_one_is_told_once(there: OnGitHub) -> None:
    there.stage.forge("rita").pulls.close(1)

    assert there.sync().lines == [
        (
            "a: #1 was closed without merging; a is review. "
            "Next: gitcmat pr create a --again, or gitcmat queue cancel a"
        )
    ]
    assert there.sync().lines == []
    pull = there.project.entry("a").pull
    assert pull is not None
    assert pull.state is PullState.CLOSED


def test_one_that_is_reopened_there_is_followed_again(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready"})
    there.stage.forge("rita").pulls.close(1)
    there.sync()
    there.project.happen("a", Rejected(text="again", by="Pat"))
    there.project.work()
    assert there.sync().lines == []

    there.stage.reopen(1)
    head = there.project.entry("a").head

    assert there.sync().lines == [
        "a: #1 is open again",
        f"a: #1 is at {head[:10]} now: {there.seen().url}",
    ]
    assert there.project.state("a") == "review"


def test_what_was_sent_back_and_then_merged_all_the_same_is_done(there: OnGitHub) -> None:
    there.project.happen("a", Rejected(text="again", by="Pat"))
    commit = there.button(1, MergeMethod.SQUASH)

    there.sync()

    _is_done(there, commit, "pull request")


def _land(there: OnGitHub, task: str) -> None:
    landing.land(
        there.project.reconciler,
        task,
        how=How.SQUASH,
        override="",
        on_line=lambda _: None,
        on_text=lambda _: None,
    )


def test_a_local_landing_takes_nothing_along_that_was_only_fetched(there: OnGitHub) -> None:
    there.button(1, MergeMethod.SQUASH)
    there.sync()
    there.project.work()

    with pytest.raises(Conflict) as refused:
        _land(there, "b")
    assert refused.value.message == "b stands on commits that main does not have here yet."
    there.stage.pull_main()
    there.project.repo.allow("refs:refs/heads/main", "index", "files")
    _land(there, "b")
    assert there.project.state("b") == "done"


def test_a_look_at_many_costs_few_requests(there: OnGitHub) -> None:
    before = len(there.hub.seen)
    there.sync()
    assert [seen.path for seen in there.hub.seen[before:]] == [
        f"/repos/{SLUG}/issues",
        f"/repos/{SLUG}/pulls",
        "/graphql",  # how its checks are doing, and that nobody has said anything
    ]


def test_where_nothing_is_new_a_look_costs_no_part_of_a_limit(there: OnGitHub) -> None:
    there.sync()
    there.sync()
    before = len(there.hub.seen)

    there.sync()

    asked = [(seen.path.rpartition("/")[2], seen.status) for seen in there.hub.seen[before:]]
    assert asked[:3] == [("issues", 304), ("comments", 304), ("comments", 304)]
    assert asked[3:] == [("graphql", 200)]  # how the checks of all are doing: one of 5,000 points


def test_what_happened_is_found_also_where_the_bookmark_was_lost(there: OnGitHub) -> None:
    there.sync()
    there.button(1, MergeMethod.SQUASH)
    (bookmark,) = (there.project.path / ".git/cmat/forge").glob("*/*/*.json")
    bookmark.write_text("{")

    assert there.sync().landed == ["a"]


# --- the branch of what was merged --------------------------------------------------------------


def test_a_branch_that_others_moved_after_the_merge_stays_and_is_named(there: OnGitHub) -> None:
    head = there.seen().head_sha
    there.button(1, MergeMethod.SQUASH)
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")

    assert there.sync().lines[1:] == [
        f"a: cmat/a on pat/project stays: it is at {theirs[:10]}, and {head[:10]} was merged"
    ]
    assert there.stage.git.branches()["cmat/a"] == theirs
    assert there.sync().troubles == []


def test_a_branch_that_others_build_on_stays(there: OnGitHub) -> None:
    there.stage.push_commit("rita/more", there.seen().head_sha)
    there.stage.push("rita/more", "more.py", "x = 1\n")
    rita = there.stage.forge("rita").pulls
    rita.create(title="More", body="", head="rita/more", base="cmat/a", draft=False)
    there.button(1, MergeMethod.SQUASH)

    assert there.sync().lines[1:] == ["a: cmat/a on pat/project stays: #2 goes onto it"]
    assert "cmat/a" in there.stage.git.branches()
    assert there.seen(2).state is PullState.OPEN


def test_the_branch_of_what_was_landed_by_hand_goes_with_its_pull_request(there: OnGitHub) -> None:
    there.stage.push_commit("main", _squashed(there))
    assert there.sync().landed == ["a"]
    assert "cmat/a" in there.stage.git.branches()
    pulls.close(there.project.deps, there.opened, "a")

    assert there.sync().lines == ["a: cmat/a on pat/project was deleted"]

    assert "cmat/a" not in there.stage.git.branches()
    assert there.sync().lines == []


def test_a_branch_that_others_moved_after_it_was_landed_by_hand_stays(there: OnGitHub) -> None:
    there.stage.push_commit("main", _squashed(there))
    there.sync()
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")
    there.stage.forge("rita").pulls.close(1)

    assert there.sync().lines == [
        "a: #1 was closed",
        f"a: cmat/a on pat/project stays: it is at {theirs[:10]}, which is not on main there",
    ]
    assert there.stage.git.branches()["cmat/a"] == theirs


def test_a_branch_whose_work_was_landed_here_alone_stays(there: OnGitHub) -> None:
    work = there.project.entry("a").head
    there.project.repo.allow("refs:refs/heads/main", "index", "files")
    _land(there, "a")
    pulls.close(there.project.deps, there.opened, "a")

    assert there.sync().lines == [
        f"a: cmat/a on pat/project stays: it is at {work[:10]}, which is not on main there"
    ]
    assert "cmat/a" in there.stage.git.branches()


def test_only_a_branch_that_is_named_for_the_task_is_deleted(there: OnGitHub) -> None:
    there.stage.push_commit("release", there.seen().head_sha)
    pull = there.stage.repo.pulls[1].pull
    assert pull is not None
    pull.head = "release"
    there.button(1, MergeMethod.SQUASH)

    assert there.sync().landed == ["a"]
    assert "release" in there.stage.git.branches()


def test_a_branch_is_deleted_also_where_it_was_not_the_first_time(there: OnGitHub) -> None:
    there.button(1, MergeMethod.SQUASH)
    there.hub.fail(Kind.LOST, verb="GIT", path="git-receive-pack$", times=9)
    assert there.sync().troubles[0].startswith("a: refs/heads/cmat/a could not be pushed to ")
    assert "cmat/a" in there.stage.git.branches()
    there.hub.faults.clear()

    assert there.sync().lines == ["a: cmat/a on pat/project was deleted"]


# --- how it stands ------------------------------------------------------------------------------


def _stands(there: OnGitHub) -> str:
    pull = there.project.entry("a").pull
    assert pull is not None
    return in_words(pull)


def test_what_people_and_checks_say_is_noted(there: OnGitHub) -> None:
    head = there.seen().head_sha
    rita, rob = there.stage.forge("rita").reviews, there.stage.forge("rob").reviews
    rob.submit(1, Verdict.APPROVED, body="", commit=head)  # who may not write
    rita.submit(1, Verdict.CHANGES_REQUESTED, body="No.", commit=head)
    there.sync()
    assert _stands(there) == "#1 open, changes wanted by rita"

    rita.submit(1, Verdict.APPROVED, body="", commit=head)
    there.stage.run_check(head, "build", CheckState.FAILED)
    there.sync()
    assert _stands(there) == "#1 open, approved by rita, checks failed"

    there.stage.run_check(head, "build", CheckState.PASSED)
    there.sync()
    assert _stands(there) == "#1 open, approved by rita, checks passed"

    there.stage.push("cmat/a", "theirs.py", "x = 1\n")
    there.sync()
    assert _stands(there) == "#1 open"


def test_commits_that_others_push_are_part_of_the_work(there: OnGitHub) -> None:
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")

    done = there.sync()

    assert done.lines == [f"a: #1 has new commits; cmat/a is at {theirs[:10]} now"]
    assert there.project.repo.tip("refs/heads/cmat/a") == theirs
    pull = there.project.entry("a").pull
    assert pull is not None
    assert pull.pushed == theirs
    assert there.sync().lines == []


def test_what_cannot_be_followed_is_said_until_it_can(there: OnGitHub) -> None:
    there.project.repo.switch("cmat/a")
    theirs = there.stage.push("cmat/a", "theirs.py", "x = 1\n")
    why = "a: cmat/a has new commits on pat/project, and is checked out here."
    for _ in range(2):
        assert there.sync().troubles == [why]

    there.project.repo.switch("main")
    assert there.sync().troubles == []
    assert there.project.repo.tip("refs/heads/cmat/a") == theirs


# --- what the person's settings want there ------------------------------------------------------


def test_work_at_review_is_opened_where_that_is_wanted(there: OnGitHub) -> None:
    there.done("c")
    assert there.sync().lines == []

    there.project.settings(forge={"pull": "draft"})
    assert there.sync().lines == [f"c: #2 was opened: {there.stage.hub.url}/{SLUG}/pull/2"]
    assert there.sync().lines == []
    assert there.seen(2).draft


def test_rework_is_pushed_where_that_is_wanted(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready"})
    there.project.happen("a", Rejected(text="again", by="Pat"))
    there.project.work()
    head = there.project.entry("a").head

    assert there.sync().lines == [f"a: #1 is at {head[:10]} now: {there.seen().url}"]
    assert there.seen().head_sha == head
    assert there.sync().lines == []


def test_rework_is_told_in_the_body_beside_what_people_wrote_there(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready"})
    theirs = "Closes #7, says @rita"
    rita = there.stage.forge("rita").pulls
    rita.edit(1, body=there.seen().body.replace("\n\nCmat-Task", f"\n\n{theirs}\n\nCmat-Task"))
    first = there.project.entry("a").run
    there.project.happen("a", Rejected(text="again", by="Pat"))
    there.project.work()
    there.sync()

    body, run = there.seen().body, there.project.entry("a").run
    assert f"\n\n{theirs}\n\nCmat-Task: a\nCmat-Run: {run}\nAssisted-by: coder\n" in body
    assert str(first) not in body
    assert body.count("\n- ") > 1  # the commits of both runs
    written = there.seen().updated
    there.sync()
    assert there.seen().updated == written


def test_a_body_that_people_made_theirs_is_left_alone(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready"})
    there.stage.forge("rita").pulls.edit(1, body="Mine.")
    there.project.happen("a", Rejected(text="again", by="Pat"))
    there.project.work()
    there.sync()

    assert there.seen().body == "Mine."
    assert there.seen().head_sha == there.project.entry("a").head


def test_a_closed_one_stays_closed(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready"})
    there.stage.forge("rita").pulls.close(1)
    there.sync()

    assert there.sync().lines == []
    assert there.stage.forge().pulls.open() == ()


def test_what_was_merged_is_said_to_be_also_where_nothing_answers_after_it(
    there: OnGitHub,
) -> None:
    there.project.settings(forge={"approvals": 0})
    there.hub.fail(Kind.LOST, path="/issues$", times=50)

    with pytest.raises(UserError) as refused:
        pull_merge.merge(
            there.project.reconciler, there.opened, "a", method=MergeMethod.SQUASH, override=""
        )

    assert refused.value.message.startswith("#1 was merged. What follows is not taken in yet: ")
    assert refused.value.hint == "gitcmat pr sync"
    there.hub.faults.clear()
    assert there.sync().landed == ["a"]


def test_why_it_was_merged_is_said_once_also_where_nothing_answers_after_it(
    there: OnGitHub,
) -> None:
    there.hub.fail(Kind.LOST, verb="POST", path="/comments$", times=9)
    with pytest.raises(UserError, match="#1 was merged"):
        pull_merge.merge(
            there.project.reconciler, there.opened, "a", method=MergeMethod.SQUASH, override="Late"
        )
    assert there.stage.forge().comments.list(1) == ()
    there.hub.faults.clear()

    for _ in range(2):
        there.sync()

    (comment,) = there.stage.forge().comments.list(1)
    assert comment.body.endswith("merged this although not everything was green:\n\nLate\n")


def test_an_answer_that_is_lost_merges_once(there: OnGitHub) -> None:
    there.project.settings(forge={"approvals": 0})
    there.hub.fail(Kind.ANSWER_LOST, verb="PUT", path="/merge$")

    done = pull_merge.merge(
        there.project.reconciler, there.opened, "a", method=MergeMethod.SQUASH, override=""
    )

    assert done.landed == ["a"]
    assert there.seen().state is PullState.MERGED
    landing_ = there.project.entry("a").landing
    assert landing_ is not None
    assert landing_.by == there.project.deps.me.name
