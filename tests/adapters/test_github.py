"""GitHub on its bad days, and what is asked of it on its good ones."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_forge import GitHubForge
from gitcmat.adapters.forges.logins import TokenLogin
from gitcmat.forge import (
    Forge,
    NotAllowed,
    NotVisible,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SignInRefused,
    Unreachable,
)
from gitcmat.model.forge import (
    Annotation,
    Bookmark,
    CheckKind,
    CheckReport,
    CheckState,
    MergeMethod,
    Permission,
    PullRequest,
    Verdict,
)
from gitcmat.model.pull import PullState
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.fakegithub.world import Protection
from tests.support.forge_stage import GitHubStage

UNDONE = [Kind.LOST, Kind.BAD_GATEWAY, Kind.UNAVAILABLE]
"""Trouble before anything is done."""
DONE = [Kind.ANSWER_LOST, Kind.ANSWER_CUT, Kind.ANSWER_BAD_GATEWAY, Kind.NONSENSE]
"""Trouble after it."""
LIMITS = [Kind.SECONDARY_LIMIT, Kind.TOO_MANY, Kind.PRIMARY_LIMIT]


@pytest.fixture
def hub() -> Iterator[FakeGitHub]:
    with FakeGitHub() as made:
        yield made


@pytest.fixture
def stage(hub: FakeGitHub, tmp_path: Path) -> GitHubStage:
    return GitHubStage(hub, tmp_path)


@pytest.fixture
def forge(stage: GitHubStage) -> Forge:
    return stage.forge()


def _opened(stage: GitHubStage, branch: str = "cmat/x") -> PullRequest:
    stage.push(branch, "x.py", "one = 1\n")
    return stage.forge().pulls.create(
        title="Do x", body="Because.", head=branch, base="main", draft=False
    )


def _limited(stage: GitHubStage, **permissions: str) -> Forge:
    return GitHubForge(stage.connection(stage.hub.token("pat", **permissions)))


# --- questions are asked again ----------------------------------------------------------------


@pytest.mark.parametrize("kind", [*UNDONE, *DONE])
def test_a_question_is_asked_again_after_trouble(
    stage: GitHubStage, forge: Forge, kind: Kind
) -> None:
    pull = _opened(stage)
    stage.hub.fail(kind, times=3, seconds=2)
    before = stage.hub.count()

    assert forge.pulls.get(pull.number) == pull
    assert stage.hub.count() - before == 4
    assert stage.clock.waits == ([2.0, 2.0, 4.0] if kind is Kind.UNAVAILABLE else [1.0, 2.0, 4.0])


@pytest.mark.parametrize("kind", [*UNDONE, *DONE])
def test_a_forge_that_stays_away_is_unreachable(
    stage: GitHubStage, forge: Forge, kind: Kind
) -> None:
    stage.hub.fail(kind, times=9, seconds=1)

    with pytest.raises(Unreachable) as caught:
        forge.repository()

    assert stage.hub.count() == 4
    assert caught.value.message.startswith(
        "GitHub could not be asked to show the repository in pat/project: "
    )
    assert caught.value.hint == "nothing has changed; try again later"


def test_nobody_listens(stage: GitHubStage) -> None:
    connection = stage.connection("honey")
    stage.hub.url = "http://127.0.0.1:9"
    nobody = stage.connection("honey")

    with pytest.raises(Unreachable) as caught:
        GitHubForge(nobody).pulls.create(title="x", body="", head="a", base="b")

    assert caught.value.message == (
        "GitHub could not be asked to open a pull request in pat/project: "
        "its host does not take connections."
    )
    connection.close()


@pytest.mark.parametrize("kind", LIMITS)
def test_a_short_limit_is_waited_for(stage: GitHubStage, forge: Forge, kind: Kind) -> None:
    stage.hub.fail(kind, seconds=7)

    assert forge.repository().name == "pat/project"
    assert stage.clock.waits == [7.0]


@pytest.mark.parametrize("kind", LIMITS)
def test_a_long_limit_is_told_with_its_end(stage: GitHubStage, forge: Forge, kind: Kind) -> None:
    stage.hub.fail(kind, seconds=3600)

    with pytest.raises(RateLimited) as caught:
        forge.repository()

    assert caught.value.until == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    assert caught.value.message == ("GitHub's rate limit is used up until 2026-01-05 10:00:00 UTC.")
    assert stage.clock.waits == []


def test_a_secondary_limit_without_a_time_is_a_minute(stage: GitHubStage, forge: Forge) -> None:
    stage.hub.fail(Kind.SECONDARY_LIMIT_WITHOUT_TIME)

    forge.repository()

    assert stage.clock.waits == [60.0]


def test_a_used_up_hour_is_told_with_its_end(stage: GitHubStage, forge: Forge) -> None:
    stage.hub.limit.most = 3

    for _ in range(3):
        forge.permission("rita")
        forge.permission("tim")  # an unchanged answer costs nothing, these two are kept
    forge.repository()
    with pytest.raises(RateLimited) as caught:
        forge.permission("rob")

    assert caught.value.until == datetime(2026, 1, 5, 10, 0, tzinfo=UTC)
    stage.hub.tick(3600)
    assert forge.permission("rob") is Permission.READ


def test_waiting_has_an_end(stage: GitHubStage) -> None:
    stage.hub.fail(Kind.SECONDARY_LIMIT, times=9, seconds=25)
    connection = stage.connection(stage.token("pat"))

    with pytest.raises(RateLimited):
        GitHubForge(connection).repository()

    assert stage.clock.waits == [25.0, 25.0]


# --- what changes something is asked once -----------------------------------------------------

Deed = Callable[[GitHubStage, PullRequest], object]
DEEDS: dict[str, Deed] = {
    "create": lambda stage, _: stage.forge().pulls.create(
        title="y", body="", head="cmat/y", base="main"
    ),
    "edit": lambda stage, pull: stage.forge().pulls.edit(pull.number, title="New"),
    "merge": lambda stage, pull: stage.forge().pulls.merge(
        pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha
    ),
    "review": lambda stage, pull: stage.forge("rita").reviews.submit(
        pull.number, Verdict.APPROVED, body="", commit=pull.head_sha
    ),
    "comment": lambda stage, pull: stage.forge().comments.create(pull.number, "Done."),
}


def _done(stage: GitHubStage, deed: str, pull: PullRequest) -> int:
    """Look how often it was done."""
    forge, number = stage.forge(), pull.number
    match deed:
        case "create":
            return len(forge.pulls.of_branch("cmat/y"))
        case "edit":
            return int(forge.pulls.get(number).title == "New")
        case "merge":
            return int(forge.pulls.get(number).state is PullState.MERGED)
        case "review":
            return len(forge.reviews.list(number))
        case _:
            return len(forge.comments.list(number))


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", [*UNDONE, *DONE])
def test_a_deed_without_an_answer_is_unknown_and_not_repeated(
    stage: GitHubStage, deed: str, kind: Kind
) -> None:
    pull = _opened(stage)
    stage.push("cmat/y", "y.py", "two = 2\n")
    stage.forge("rita")
    before = stage.hub.count()
    stage.hub.fail(kind)

    with pytest.raises(OutcomeUnknown) as caught:
        DEEDS[deed](stage, pull)

    assert stage.hub.count() - before == 1
    assert caught.value.hint == "look before you try again"
    assert _done(stage, deed, pull) == (1 if kind in DONE else 0)
    if kind in UNDONE:
        DEEDS[deed](stage, pull)
        assert _done(stage, deed, pull) == 1


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("kind", LIMITS)
def test_a_deed_at_the_limit_is_not_done_and_says_so(
    stage: GitHubStage, deed: str, kind: Kind
) -> None:
    pull = _opened(stage)
    stage.push("cmat/y", "y.py", "two = 2\n")
    stage.hub.fail(kind, seconds=5)

    with pytest.raises(RateLimited):
        DEEDS[deed](stage, pull)

    assert _done(stage, deed, pull) == 0
    assert stage.clock.waits == []


def test_a_slow_forge_is_given_up(stage: GitHubStage) -> None:
    token = stage.token("pat")
    forge = GitHubForge(stage.connection(token, timeout=1))
    stage.hub.fail(Kind.SLOW)
    issue = stage.open_issue("rob", "It breaks")

    with pytest.raises(OutcomeUnknown) as caught:
        forge.comments.create(issue, "Looking.")

    assert caught.value.message == (
        f"Whether GitHub did comment on {issue} in pat/project is not known: "
        "it did not answer in time."
    )


# --- what is missing is said ------------------------------------------------------------------


def test_a_bad_token_is_told(stage: GitHubStage) -> None:
    with pytest.raises(SignInRefused) as caught:
        GitHubForge(stage.connection("honey_wrong")).repository()

    assert caught.value.message == (
        "GitHub does not accept the token: it is wrong, expired or revoked."
    )
    assert "honey" not in repr(caught.value)


@pytest.mark.parametrize(
    ("permissions", "deed", "what", "permission"),
    [
        ({"contents": "write"}, "create", "open a pull request", "pull requests: write"),
        ({"pull_requests": "write"}, "merge", "merge pull request 1", "contents: write"),
        ({"issues": "read"}, "comment", "comment on 1", "issues: write"),
    ],
)
def test_the_missing_permission_is_named(
    stage: GitHubStage, permissions: dict[str, str], deed: str, what: str, permission: str
) -> None:
    pull = _opened(stage)
    stage.push("cmat/y", "y.py", "two = 2\n")
    stage.forges["pat"] = _limited(stage, **permissions)

    with pytest.raises(NotAllowed) as caught:
        DEEDS[deed](stage, pull)

    assert caught.value.message == (
        f"The token may not {what} in pat/project: Resource not accessible by personal access "
        f"token. It lacks {permission!r}."
    )
    assert caught.value.permission == permission
    assert caught.value.hint == (
        f"give the token {permission!r}; a classic one needs the scope 'repo'"
    )


def test_a_role_of_ones_own_is_as_much_as_what_it_is_made_of(
    stage: GitHubStage, forge: Forge
) -> None:
    stage.hub.custom_roles["rita"] = "security-team"

    assert forge.permission("rita") is Permission.WRITE


def test_what_a_token_may_not_see_is_not_told_from_what_is_not_there(stage: GitHubStage) -> None:
    stage.repo.private = True
    stranger = GitHubForge(stage.connection(stage.hub.token("stranger")))

    with pytest.raises(NotVisible) as caught:
        stranger.repository()

    assert caught.value.message == (
        "GitHub would not show the repository in pat/project: it is not there, or the token may "
        "not see it."
    )
    assert caught.value.exit_code == 4


def test_rules_of_the_base_branch_are_told(stage: GitHubStage, forge: Forge) -> None:
    pull = _opened(stage)
    stage.repo.protection["main"] = Protection(approvals=1, checks=("unit",))

    def merge() -> str:
        return forge.pulls.merge(pull.number, method=MergeMethod.SQUASH, head_sha=pull.head_sha)

    with pytest.raises(Refused, match="At least 1 approving review is required"):
        merge()
    DEEDS["review"](stage, pull)
    with pytest.raises(Refused, match='Required status check "unit" is expected'):
        merge()
    stage.run_check(pull.head_sha, "unit", CheckState.PASSED)
    assert merge()


def test_why_a_request_makes_no_sense_is_told(forge: Forge) -> None:
    with pytest.raises(Refused) as caught:
        forge.pulls.create(title="x", body="", head="none", base="main")

    assert caught.value.message == (
        "GitHub would not open a pull request in pat/project: Validation Failed; "
        "PullRequest head invalid."
    )


def test_single_sign_on_is_told_with_where_to_do_it(stage: GitHubStage, forge: Forge) -> None:
    stage.hub.fail(Kind.SINGLE_SIGN_ON)

    with pytest.raises(NotAllowed) as caught:
        forge.repository()

    assert caught.value.hint == "authorise the token at https://github.com/orgs/acme/sso?a=b"


def test_nobody_is_followed_to_another_host(stage: GitHubStage, forge: Forge) -> None:
    stage.hub.fail(Kind.ANOTHER_HOST, times=9)

    with pytest.raises(Unreachable) as caught:
        forge.repository()

    assert caught.value.message == (
        "GitHub could not be asked to show the repository in pat/project: "
        "it sent us to another host."
    )


def test_a_repository_that_has_moved_is_read_there_and_not_written(
    stage: GitHubStage, forge: Forge
) -> None:
    number = _opened(stage).number
    stage.hub.rename(stage.repo, "pat/renamed")

    assert forge.repository().name == "pat/renamed"
    assert [pull.number for pull in forge.pulls.of_branch("cmat/x")] == [number]
    with pytest.raises(Refused) as caught:
        forge.comments.create(number, "Done.")

    assert (caught.value.message, caught.value.hint) == (
        f"GitHub would not comment on {number} in pat/project: the repository has moved.",
        "set the remote to its new address: git remote set-url",
    )


# --- what only GitHub has ---------------------------------------------------------------------


def test_who_may_not_make_check_runs_sets_a_status(stage: GitHubStage, forge: Forge) -> None:
    commit = _opened(stage).head_sha
    report = CheckReport(
        name="lint", commit=commit, state=CheckState.FAILED, external_id="r-1", title="2 problems"
    )

    made = forge.checks.report(report)
    forge.checks.report(report)

    assert (made.kind, made.state, made.title) == (
        CheckKind.STATUS,
        CheckState.FAILED,
        "2 problems",
    )
    assert [check.name for check in forge.checks.list(commit)] == ["lint"]
    with pytest.raises(NotAllowed, match="checks: write"):
        _limited(stage, checks="read").checks.report(report)


def test_a_check_without_a_log_tells_its_text(stage: GitHubStage, forge: Forge) -> None:
    commit = _opened(stage).head_sha
    for app in ("github-actions", "other-ci"):
        run = stage.hub.run(stage.repo, commit, app, app, "failure")
        run.output |= {"summary": "It is red.", "text": "x.py:1: wrong"}

    logs = [forge.checks.log(check) for check in forge.checks.list(commit)]

    assert logs == ["It is red.\n\nx.py:1: wrong"] * 2
    assert stage.hub.count("GET", "/logs$") == 1


def test_annotations_are_whole_also_after_a_break(stage: GitHubStage) -> None:
    robot, commit = stage.forge("robot[bot]"), _opened(stage).head_sha
    report = CheckReport(
        name="lint",
        commit=commit,
        state=CheckState.FAILED,
        external_id="r-1",
        title="many",
        annotations=tuple(
            Annotation(path="x.py", line=line, message=f"{line}") for line in range(1, 131)
        ),
    )
    stage.hub.fail(Kind.ANSWER_LOST, verb="PATCH")

    with pytest.raises(OutcomeUnknown):
        robot.checks.report(report)
    check = robot.checks.report(report)

    assert [a.line for a in robot.checks.annotations(check)] == [*range(1, 131)]
    assert len(stage.repo.runs) == 1


def test_a_pull_request_from_a_fork_is_none_of_the_branch(stage: GitHubStage, forge: Forge) -> None:
    stage.push("cmat/x", "x.py", "one = 1\n")
    fork = stage.hub.repo("rob/project", stage.git.path)
    fork.fork_of = "pat/project"
    theirs = stage.forge("rob").pulls.create(
        title="Mine", body="", head="rob:cmat/x", base="main", draft=False
    )

    assert theirs.head_repo == "rob/project"
    assert forge.pulls.of_branch("cmat/x") == ()
    stage.hub.rename(fork, "pat/fork")
    assert forge.pulls.of_branch("cmat/x") == ()
    del stage.hub.repos["pat/fork"]
    assert forge.pulls.get(theirs.number).head_repo == ""
    mine = forge.pulls.create(title="x", body="", head="cmat/x", base="main")
    assert [pull.number for pull in forge.pulls.of_branch("cmat/x")] == [mine.number]
    assert {pull.number for pull in forge.pulls.open()} == {theirs.number, mine.number}


def test_who_has_left_is_a_ghost(stage: GitHubStage, forge: Forge) -> None:
    issue = stage.open_issue("rob", "It breaks", "cmat")
    stage.forge("tim").comments.create(issue, "For me too.")
    del stage.hub.users["rob"], stage.hub.users["tim"]

    assert forge.issues.get(issue).author.login == "ghost"
    assert forge.comments.list(issue)[0].author.login == "ghost"
    assert forge.permission("rob") is Permission.NONE


def test_long_lists_are_read_to_their_end(stage: GitHubStage, forge: Forge) -> None:
    issue = stage.open_issue("rob", "It breaks")
    for number in range(230):
        stage.hub.comment(stage.repo, issue, "rob", f"{number}")

    assert [comment.body for comment in forge.comments.list(issue)] == [
        f"{number}" for number in range(230)
    ]
    assert stage.hub.count("GET", "/comments$") == 3


def test_what_comes_after_a_full_page_is_seen(stage: GitHubStage, forge: Forge) -> None:
    issue = stage.open_issue("rob", "It breaks")
    for number in range(100):
        stage.hub.comment(stage.repo, issue, "rob", f"{number}")
    assert len(forge.comments.list(issue)) == 100
    stage.hub.comment(stage.repo, issue, "rob", "one more")

    assert forge.comments.list(issue)[-1].body == "one more"


def test_the_owner_may_be_written_in_any_case(stage: GitHubStage) -> None:
    number = _opened(stage).number
    remote = Remote(host="forge.invalid", owner="PAT", name="Project")
    login = TokenLogin(Secret(stage.token("pat")))
    shouted = GitHubForge(GitHubConnection(remote, login, clock=stage.clock, api=stage.hub.url))

    assert [pull.number for pull in shouted.pulls.of_branch("cmat/x")] == [number]


def test_who_may_not_open_any_in_a_workflow_is_told_where_to_allow_it(
    stage: GitHubStage, forge: Forge
) -> None:
    stage.hub.fail(Kind.NOT_PERMITTED)

    with pytest.raises(NotAllowed) as caught:
        forge.pulls.create(title="x", body="", head="cmat/x", base="main")

    assert caught.value.hint == (
        "an owner can allow it in the settings, under Actions: or use the token of an App"
    )


def test_more_threads_than_one_page_keep_their_state(stage: GitHubStage, forge: Forge) -> None:
    number = _opened(stage).number
    made = [stage.remark(number, "rita", "x.py", 1, f"{count}") for count in range(130)]
    stage.resolve(number, made[120])

    found = forge.reviews.threads(number)

    assert [thread.id for thread in found] == made
    assert [thread.id for thread in found if thread.resolved] == [made[120]]


# --- what it costs ----------------------------------------------------------------------------


def test_nothing_new_costs_nothing(stage: GitHubStage, forge: Forge) -> None:
    stage.open_issue("rob", "It breaks", "cmat")
    bookmark = forge.changes(Bookmark(since=stage.now() - timedelta(hours=1))).bookmark
    bookmark = forge.changes(bookmark).bookmark
    used = dict(stage.hub.limit.used)

    for _ in range(100):
        news = forge.changes(bookmark)
        assert (news.pulls, news.issues, news.comments) == ((), (), ())
        assert news.bookmark == bookmark

    assert stage.hub.limit.used == used
    assert stage.hub.count(status=304) == 300


def test_a_thousand_tasks_are_far_from_the_limit(stage: GitHubStage, forge: Forge) -> None:
    for number in range(1000):
        stage.hub.issue(stage.repo, "rob", f"{number}", "", "cmat")
    begin = Bookmark(since=stage.now() - timedelta(hours=1))

    first = forge.changes(begin)
    assert len(first.issues) == 1000
    assert stage.hub.count() == 12  # ten pages of issues, and two lists of comments
    stage.hub.comment(stage.repo, 500, "rita", "/cmat retry")
    before = stage.hub.count()
    news = forge.changes(first.bookmark)

    assert [comment.body for comment in news.comments] == ["/cmat retry"]
    assert 500 in {issue.number for issue in news.issues}
    assert stage.hub.count() - before == 3


def test_what_is_asked_twice_is_sent_once(stage: GitHubStage, forge: Forge) -> None:
    pull = _opened(stage)
    used = stage.hub.limit.used["pat"]

    for _ in range(5):
        assert forge.pulls.get(pull.number) == pull
        assert forge.checks.list(pull.head_sha) == ()

    assert stage.hub.limit.used["pat"] - used == 3


def test_threads_may_share_a_connection(stage: GitHubStage, forge: Forge) -> None:
    issue = stage.open_issue("rob", "It breaks")
    failed: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for count in range(5):
                forge.comments.create(issue, f"{name} {count}")
                forge.comments.list(issue)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    assert len({comment.body for comment in forge.comments.list(issue)}) == 20
