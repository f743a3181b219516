"""Whatever forge stands behind the port, it does the same."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from gitcmat.forge import AlreadyThere, Forge, HeadMoved, NotAllowed, NotVisible, Refused
from gitcmat.model.forge import (
    Annotation,
    Bookmark,
    CheckReport,
    CheckState,
    Level,
    MergeMethod,
    Permission,
    PullRequest,
    Rollup,
    Verdict,
    mark,
)
from gitcmat.model.pull import PullState
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import SLUG, GitHubStage, MemoryStage, Stage


@pytest.fixture(params=["memory", "github"])
def stage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stage]:
    if request.param == "memory":
        yield MemoryStage()
        return
    with FakeGitHub() as hub:
        yield GitHubStage(hub, tmp_path)


@pytest.fixture
def forge(stage: Stage) -> Forge:
    """The repository as its owner sees it."""
    return stage.forge()


def _opened(stage: Stage, branch: str = "cmat/x", *, draft: bool = False) -> PullRequest:
    stage.push(branch, f"{branch.rpartition('/')[2]}.py", "one = 1\n")
    return stage.forge().pulls.create(
        title="Do x", body="Because.", head=branch, base="main", draft=draft
    )


# --- who and where ----------------------------------------------------------------------------


def test_everybody_is_told_who_they_are(stage: Stage) -> None:
    pat, robot = stage.forge().whoami(), stage.forge("robot[bot]").whoami()

    assert (pat.login, pat.bot) == ("pat", False)
    assert (robot.login, robot.bot) == ("robot[bot]", True)
    assert pat.id != robot.id


def test_a_repository_says_what_it_is_and_what_one_may_do_in_it(stage: Stage) -> None:
    mine, theirs = stage.forge().repository(), stage.forge("rob").repository()

    assert (mine.name, mine.default_branch, mine.private, mine.fork) == (SLUG, "main", False, False)
    assert mine.methods == {*MergeMethod}
    assert (mine.permission, theirs.permission) == (Permission.ADMIN, Permission.READ)


def test_a_token_comes_with_the_repository_that_it_is_for(forge: Forge) -> None:
    access = forge.access()

    assert access.repository == forge.repository()
    assert (access.scopes, access.permissions, access.expires) == (None, None, None)


def test_permissions_of_others_are_told(forge: Forge) -> None:
    asked = ("pat", "rita", "tim", "rob")

    assert [forge.permission(login) for login in asked] == [
        Permission.ADMIN,
        Permission.WRITE,
        Permission.TRIAGE,
        Permission.READ,
    ]
    assert not forge.permission("nobody-of-that-name").may_write
    assert [forge.permission(login).may_write for login in asked] == [True, True, False, False]


# --- pull requests ----------------------------------------------------------------------------


def test_a_pull_request_is_opened_as_a_draft_unless_told_otherwise(
    stage: Stage, forge: Forge
) -> None:
    head = stage.push("cmat/x", "x.py", "one = 1\n")

    made = forge.pulls.create(title="Do x", body="Because.", head="cmat/x", base="main")

    assert made == forge.pulls.get(made.number)
    assert made.draft
    assert (made.title, made.body, made.author.login) == ("Do x", "Because.", "pat")
    assert (made.head, made.head_sha, made.head_repo, made.base) == ("cmat/x", head, SLUG, "main")
    assert (made.state, made.mergeable, made.merge_commit) == (PullState.OPEN, True, "")
    assert not _opened(stage, "cmat/y").draft


def test_a_second_pull_request_for_one_branch_is_a_conflict(stage: Stage, forge: Forge) -> None:
    first = _opened(stage)

    with pytest.raises(AlreadyThere):
        forge.pulls.create(title="Again", body="", head="cmat/x", base="main")

    assert [pull.number for pull in forge.pulls.of_branch("cmat/x")] == [first.number]


def test_a_branch_finds_its_pull_requests_in_any_state_newest_first(
    stage: Stage, forge: Forge
) -> None:
    first = _opened(stage)
    forge.pulls.close(first.number)
    second = _opened(stage)
    _opened(stage, "cmat/x-2")

    found = forge.pulls.of_branch("cmat/x")

    assert [pull.number for pull in found] == [second.number, first.number]
    assert [pull.state for pull in found] == [PullState.OPEN, PullState.CLOSED]
    assert forge.pulls.of_branch("cmat/none") == ()


def test_a_mark_finds_the_pull_request_that_has_it(stage: Stage, forge: Forge) -> None:
    text = mark("task", "x")
    first, second = _opened(stage), _opened(stage, "cmat/y")
    forge.pulls.edit(first.number, body=f"Because.\n\n{text}")

    assert [pull.number for pull in forge.pulls.marked(text)] == [first.number]
    forge.pulls.edit(second.number, title="Changed later")
    assert forge.pulls.marked(text, among=1) == ()


def test_open_pull_requests_are_listed_newest_first(stage: Stage, forge: Forge) -> None:
    numbers = [_opened(stage, f"cmat/{name}").number for name in "abc"]
    forge.pulls.close(numbers[1])

    assert [pull.number for pull in forge.pulls.open()] == [numbers[2], numbers[0]]


@pytest.mark.parametrize(("head", "base"), [("none", "main"), ("cmat/x", "none"), ("main", "main")])
def test_a_pull_request_needs_two_branches_and_something_between_them(
    stage: Stage, forge: Forge, head: str, base: str
) -> None:
    stage.push("cmat/x", "x.py", "one = 1\n")

    with pytest.raises(Refused):
        forge.pulls.create(title="x", body="", head=head, base=base)

    assert forge.pulls.open() == ()


def test_who_may_only_read_opens_nothing(stage: Stage) -> None:
    stage.push("cmat/x", "x.py", "one = 1\n")

    with pytest.raises(NotAllowed):
        stage.forge("rob").pulls.create(title="x", body="", head="cmat/x", base="main")


def test_everything_that_can_be_edited_is(stage: Stage, forge: Forge) -> None:
    number = _opened(stage).number
    stage.push("stacked", "y.py", "two = 2\n")

    made = forge.pulls.edit(number, title="New", body="Other.", base="stacked", draft=True)

    assert (made.title, made.body, made.base, made.draft) == ("New", "Other.", "stacked", True)
    assert not forge.pulls.edit(number, draft=False).draft
    assert not forge.pulls.edit(number, draft=False).draft
    assert forge.pulls.get(number).title == "New"


def test_a_base_must_be_a_branch(stage: Stage, forge: Forge) -> None:
    number = _opened(stage).number

    with pytest.raises(Refused):
        forge.pulls.edit(number, base="none")


def test_closing_twice_is_closing(stage: Stage, forge: Forge) -> None:
    number = _opened(stage).number

    assert forge.pulls.close(number).state is PullState.CLOSED
    assert forge.pulls.close(number).state is PullState.CLOSED


def test_a_push_moves_the_head_and_a_deleted_branch_closes(stage: Stage, forge: Forge) -> None:
    number = _opened(stage).number

    head = stage.push("cmat/x", "more.py", "two = 2\n")
    assert forge.pulls.get(number).head_sha == head
    assert {file.path for file in forge.pulls.files(number)} == {"x.py", "more.py"}

    stage.drop_branch("cmat/x")
    closed = forge.pulls.get(number)
    assert (closed.state, closed.head_sha) == (PullState.CLOSED, head)


def test_files_say_what_changed(stage: Stage, forge: Forge) -> None:
    (file,) = forge.pulls.files(_opened(stage).number)

    assert (file.path, file.status, file.additions, file.deletions) == ("x.py", "added", 1, 0)


@pytest.mark.parametrize("method", MergeMethod)
def test_every_button_merges(stage: Stage, forge: Forge, method: MergeMethod) -> None:
    pull = _opened(stage)

    commit = forge.pulls.merge(
        pull.number, method=method, head_sha=pull.head_sha, title="Do x", message="Cmat-Task: x"
    )

    merged = forge.pulls.get(pull.number)
    assert (merged.state, merged.merge_commit) == (PullState.MERGED, commit)
    assert merged.mergeable is None
    with pytest.raises(Refused):
        forge.pulls.merge(pull.number, method=method, head_sha=pull.head_sha)


def test_a_merge_closes_the_issues_that_the_body_names(stage: Stage, forge: Forge) -> None:
    kept, closed = stage.open_issue("rita", "One"), stage.open_issue("rita", "Two")
    pull = _opened(stage)
    forge.pulls.edit(pull.number, body=f"Closes #{closed}\n")

    forge.pulls.merge(pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha)

    assert forge.issues.get(kept).open
    assert (forge.issues.get(closed).open, forge.issues.get(closed).reason) == (False, "completed")


def test_a_merge_by_hand_is_a_merge(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)

    stage.push_commit("main", pull.head_sha)

    merged = forge.pulls.get(pull.number)
    assert (merged.state, merged.merge_commit) == (PullState.MERGED, pull.head_sha)


def test_what_was_not_looked_at_is_not_merged(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)
    stage.push("cmat/x", "more.py", "two = 2\n")

    with pytest.raises(HeadMoved):
        forge.pulls.merge(pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha)

    assert forge.pulls.get(pull.number).state is PullState.OPEN


def test_a_draft_and_a_conflict_are_not_merged(stage: Stage, forge: Forge) -> None:
    draft = _opened(stage, draft=True)
    clash = _opened(stage, "cmat/y")
    stage.clash("cmat/y", "y.py")

    for pull in (draft, clash):
        with pytest.raises(Refused):
            forge.pulls.merge(pull.number, method=MergeMethod.MERGE, head_sha=pull.head_sha)

    assert forge.pulls.get(clash.number).mergeable is False


def test_what_is_not_there_is_not_visible(forge: Forge) -> None:
    pulls, reviews = forge.pulls, forge.reviews
    asks: list[Callable[[int], object]] = [
        *(pulls.get, pulls.files, pulls.close, reviews.list, reviews.threads),
        *(forge.issues.get, forge.issues.label, forge.comments.list),
    ]
    for ask in asks:
        with pytest.raises(NotVisible):
            ask(99)


# --- reviews ----------------------------------------------------------------------------------


def test_reviews_are_listed_with_the_head_they_looked_at(stage: Stage, forge: Forge) -> None:
    pull, rita = _opened(stage), stage.forge("rita")

    rita.reviews.submit(
        pull.number, Verdict.CHANGES_REQUESTED, body="Not so.", commit=pull.head_sha
    )
    head = stage.push("cmat/x", "more.py", "two = 2\n")
    rita.reviews.submit(pull.number, Verdict.APPROVED, body="", commit=head)

    assert [
        (review.author.login, review.verdict, review.body, review.commit)
        for review in forge.reviews.list(pull.number)
    ] == [
        ("rita", Verdict.CHANGES_REQUESTED, "Not so.", pull.head_sha),
        ("rita", Verdict.APPROVED, "", head),
    ]


def test_nobody_approves_or_rejects_their_own(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)

    for verdict in (Verdict.APPROVED, Verdict.CHANGES_REQUESTED):
        with pytest.raises(Refused):
            forge.reviews.submit(pull.number, verdict, body="Fine.", commit=pull.head_sha)
    made = forge.reviews.submit(
        pull.number, Verdict.COMMENTED, body="Look here.", commit=pull.head_sha
    )

    assert forge.reviews.list(pull.number) == (made,)


@pytest.mark.parametrize("verdict", [Verdict.CHANGES_REQUESTED, Verdict.COMMENTED])
def test_who_does_not_approve_must_say_why(stage: Stage, verdict: Verdict) -> None:
    pull = _opened(stage)

    with pytest.raises(Refused):
        stage.forge("rita").reviews.submit(pull.number, verdict, body="", commit=pull.head_sha)


def test_people_are_asked_for_reviews(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)

    forge.reviews.request(pull.number, ("rita", "rob"))
    forge.reviews.request(pull.number, ("rita",))

    for stranger in ("pat", "nobody-of-that-name"):
        with pytest.raises(Refused):
            forge.reviews.request(pull.number, (stranger,))


def test_a_dismissed_review_no_longer_counts(stage: Stage, forge: Forge) -> None:
    pull, rita = _opened(stage), stage.forge("rita")
    review = rita.reviews.submit(pull.number, Verdict.APPROVED, body="Fine.", commit=pull.head_sha)

    made = forge.reviews.dismiss(pull.number, review.id, message="It has moved on.")

    assert made == replace(review, verdict=Verdict.DISMISSED)
    assert forge.reviews.list(pull.number) == (made,)
    with pytest.raises(Refused):
        forge.reviews.dismiss(pull.number, review.id, message="Again.")
    with pytest.raises(NotVisible):
        forge.reviews.dismiss(pull.number, 5, message="Which?")


def test_a_thread_holds_its_place_and_all_that_was_said(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)
    first = stage.remark(pull.number, "rita", "x.py", 1, "Why one?")
    second = stage.remark(pull.number, "rob", "x.py", 1, "And why x?")
    said = forge.reviews.reply(pull.number, first, "Because.")

    threads = forge.reviews.threads(pull.number)

    assert [thread.id for thread in threads] == [first, second]
    thread = threads[0]
    assert (thread.path, thread.line, thread.commit) == ("x.py", 1, pull.head_sha)
    assert (thread.resolved, thread.outdated) == (False, False)
    assert thread.hunk.startswith("@@")
    assert thread.comments[1] == said
    assert [(c.author.login, c.body, c.number) for c in thread.comments] == [
        ("rita", "Why one?", pull.number),
        ("pat", "Because.", pull.number),
    ]
    assert thread.review in {review.id for review in forge.reviews.list(pull.number)}
    with pytest.raises(NotVisible):
        forge.reviews.reply(pull.number, 5, "Where?")


def test_threads_tell_when_they_are_resolved_or_outdated(stage: Stage, forge: Forge) -> None:
    pull = _opened(stage)
    done = stage.remark(pull.number, "rita", "x.py", 1, "Why one?")
    stage.resolve(pull.number, done)
    (resolved,) = forge.reviews.threads(pull.number)
    stage.push("cmat/x", "x.py", "two = 2\n")
    (outdated,) = forge.reviews.threads(pull.number)

    assert (resolved.resolved, resolved.outdated, resolved.line) == (True, False, 1)
    assert (outdated.resolved, outdated.outdated, outdated.line) == (True, True, None)


# --- comments ---------------------------------------------------------------------------------


def test_comments_are_made_found_and_edited(stage: Stage, forge: Forge) -> None:
    number, text = _opened(stage).number, mark("blocker", "b-1234")
    stage.forge("rob").comments.create(number, f"I say so too. {text}")

    assert forge.comments.find(number, text, author="pat") is None
    made = forge.comments.create(number, f"What now? {text}")
    assert forge.comments.find(number, text, author="pat") == made
    edited = forge.comments.edit(made.id, "Never mind.")

    assert (edited.id, edited.body, edited.created) == (made.id, "Never mind.", made.created)
    assert edited.updated > made.updated
    assert [c.author.login for c in forge.comments.list(number)] == ["rob", "pat"]
    assert forge.comments.list(number, since=edited.updated) == (edited,)


def test_others_comments_are_not_edited_without_the_right_to(stage: Stage, forge: Forge) -> None:
    made = forge.comments.create(_opened(stage).number, "Mine.")

    with pytest.raises(NotAllowed):
        stage.forge("rob").comments.edit(made.id, "Not yours.")
    with pytest.raises(NotVisible):
        forge.comments.edit(5, "Whose?")


# --- checks -----------------------------------------------------------------------------------


def _report(commit: str, state: CheckState = CheckState.FAILED, count: int = 0) -> CheckReport:
    annotations = tuple(
        Annotation(path="x.py", line=line, message=f"wrong {line}", title="lint")
        for line in range(1, count + 1)
    )
    return CheckReport(
        name="gitcmat: lint",
        commit=commit,
        state=state,
        external_id="r-1234",
        title="2 problems",
        summary="It is red.",
        text="x.py:1: wrong",
        annotations=annotations,
    )


def test_checks_of_a_commit_are_listed_by_name(stage: Stage, forge: Forge) -> None:
    commit = _opened(stage).head_sha
    stage.run_check(commit, "unit", CheckState.FAILED)
    stage.run_check(commit, "build", CheckState.RUNNING)
    stage.run_check(commit, "unit", CheckState.PASSED)

    found = forge.checks.list(commit)

    assert [(check.name, check.state, check.app) for check in found] == [
        ("build", CheckState.RUNNING, "github-actions"),
        ("unit", CheckState.PASSED, "github-actions"),
    ]
    assert [check.state.done for check in found] == [False, True]
    assert [check.commit for check in found] == [commit, commit]


def test_all_open_pull_requests_are_judged_at_once(stage: Stage, forge: Forge) -> None:
    names = ("none", "running", "green", "red", "closed")
    pulls = {name: _opened(stage, f"cmat/{name}") for name in names}
    stage.run_check(pulls["running"].head_sha, "unit", CheckState.RUNNING)
    for name in ("running", "green", "red"):
        stage.run_check(pulls[name].head_sha, "build", CheckState.PASSED)
    stage.run_check(pulls["red"].head_sha, "unit", CheckState.FAILED)
    forge.pulls.close(pulls["closed"].number)
    forge.comments.create(pulls["green"].number, "Nice")
    stage.remark(pulls["none"].number, "rita", "none.py", 1, "Why?")

    found = forge.checks.of_open_pulls()

    assert forge.checks.of_open_pulls(latest=True) == found
    assert found == tuple(
        Rollup(
            number=pulls[name].number,
            head_sha=pulls[name].head_sha,
            state=state,
            said=name in {"green", "none"},
        )
        for name, state in (
            ("red", CheckState.FAILED),
            ("green", CheckState.PASSED),
            ("running", CheckState.RUNNING),
            ("none", None),
        )
    )


def test_a_failed_check_tells_its_log_and_its_places(stage: Stage, forge: Forge) -> None:
    commit = _opened(stage).head_sha
    stage.run_check(commit, "unit", CheckState.FAILED, "line one\nit is red\n")
    place = Annotation(
        path="x.py", line=1, end_line=2, message="red", level=Level.WARNING, title="t"
    )
    stage.annotate(commit, "unit", place)
    (check,) = forge.checks.list(commit)

    assert check.state.red
    assert forge.checks.log(check) == "line one\nit is red\n"
    assert forge.checks.log(check, at_most=7) == "is red\n"
    assert forge.checks.annotations(check) == (place,)


@pytest.mark.parametrize("count", [0, 2, 120])
def test_the_same_report_again_changes_the_check(stage: Stage, count: int) -> None:
    forge, commit = stage.forge("robot[bot]"), _opened(stage).head_sha

    first = forge.checks.report(_report(commit, CheckState.RUNNING))
    again = forge.checks.report(_report(commit, count=count))
    same = forge.checks.report(_report(commit, count=count))

    assert first.id == again.id == same.id
    assert forge.checks.list(commit) == (same,)
    assert (first.state, same.state) == (CheckState.RUNNING, CheckState.FAILED)
    assert (same.title, same.summary, same.text) == ("2 problems", "It is red.", "x.py:1: wrong")
    assert [a.message for a in forge.checks.annotations(same)] == [
        f"wrong {line}" for line in range(1, count + 1)
    ]


@pytest.mark.parametrize("state", sorted({*CheckState} - {CheckState.STALE}))
def test_every_state_of_a_check_survives(stage: Stage, state: CheckState) -> None:
    forge, commit = stage.forge("robot[bot]"), _opened(stage).head_sha

    assert forge.checks.report(_report(commit, state)).state is state


def test_a_check_needs_a_commit(stage: Stage) -> None:
    with pytest.raises(Refused):
        stage.forge("robot[bot]").checks.report(_report("0" * 40))


# --- issues -----------------------------------------------------------------------------------


def test_issues_with_a_label_are_listed_oldest_first(stage: Stage, forge: Forge) -> None:
    first = stage.open_issue("rob", "It breaks", "cmat", "bug")
    stage.open_issue("rob", "It is slow", "bug")
    third = stage.open_issue("rita", "It is ugly", "cmat")
    closed = stage.open_issue("rita", "It was ugly", "cmat")
    stage.close_issue(closed, "not_planned")
    number = _opened(stage).number
    forge.issues.label(number, add=("cmat",))

    found = forge.issues.labelled("cmat")

    assert [(issue.number, issue.title, issue.author.login) for issue in found] == [
        (first, "It breaks", "rob"),
        (third, "It is ugly", "rita"),
    ]
    assert found[0].labels == ("cmat", "bug")
    gone = forge.issues.get(closed)
    assert (gone.open, gone.reason) == (False, "not_planned")
    with pytest.raises(NotVisible):
        forge.issues.get(number)


def test_labels_are_put_on_and_taken_off_as_often_as_one_likes(stage: Stage, forge: Forge) -> None:
    issue, number = stage.open_issue("rob", "It breaks", "bug"), _opened(stage).number

    for _ in range(2):
        assert forge.issues.label(issue, add=("a b/c",), remove=("bug",)) == ("a b/c",)
    assert forge.issues.label(issue, remove=("a b/c", "none")) == ()
    assert forge.issues.label(number, add=("cmat", "cmat")) == ("cmat",)
    assert forge.pulls.get(number).labels == ("cmat",)
    with pytest.raises(NotAllowed):
        stage.forge("rob").issues.label(issue, add=("mine",))


# --- what is new ------------------------------------------------------------------------------


def test_changes_are_all_that_is_new(stage: Stage, forge: Forge) -> None:
    old = stage.open_issue("rob", "Old")
    begin = Bookmark(since=stage.now() + timedelta(seconds=1))
    assert forge.changes(begin).issues == ()
    issue = stage.open_issue("rob", "New", "cmat")
    pull = _opened(stage)
    said = stage.forge("rob").comments.create(issue, "/cmat retry")
    thread = stage.remark(pull.number, "rita", "x.py", 1, "Why?")

    news = forge.changes(begin)

    assert old not in {found.number for found in news.issues}
    assert [found.title for found in news.issues] == ["New"]
    assert news.pulls == (pull.number,)
    assert news.comments == (said,)
    assert [(c.id, c.number, c.body) for c in news.thread_comments] == [
        (thread, pull.number, "Why?")
    ]


def test_from_the_latest_on_nothing_is_left_out(stage: Stage, forge: Forge) -> None:
    begin = forge.latest()
    issue = stage.open_issue("rob", "New", "cmat")

    assert issue in {found.number for found in forge.changes(begin).issues}


def test_after_a_bookmark_nothing_is_left_out(stage: Stage, forge: Forge) -> None:
    issue = stage.open_issue("rob", "New", "cmat")
    bookmark = forge.changes(Bookmark(since=stage.now())).bookmark
    comments = []
    for count in range(3):
        comments.append(stage.forge("rob").comments.create(issue, f"{count}"))
        news = forge.changes(bookmark)
        bookmark = news.bookmark
        assert comments[-1] in news.comments
        assert issue in {found.number for found in news.issues}

    stage.close_issue(issue, "completed")
    (closed,) = forge.changes(bookmark).issues
    assert (closed.open, closed.reason) == (False, "completed")
