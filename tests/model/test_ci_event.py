"""Which events of workflows may start work, and which never."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

import pytest

from gitcmat.model.ci_event import Facts, Passage, Refusal, Rules, check_runner, decide, read_event
from gitcmat.model.ci_payload import MOST_BYTES
from gitcmat.model.forge import Comment, Permission, Person, PullRequest, Repository
from gitcmat.model.names import Sha
from gitcmat.model.pull import PullState
from tests.support.ci_events import (
    COMMENTED,
    SHA,
    SLUG,
    Told,
    account,
    comment,
    commented,
    dispatch,
    issue,
    labelled,
    push,
    repository,
    schedule,
    told,
)

WHEN: Final = datetime.fromisoformat(COMMENTED)
ROLES: Final = {
    "pat": Permission.ADMIN,
    "rita": Permission.WRITE,
    "tim": Permission.TRIAGE,
    "rob": Permission.READ,
    "robot[bot]": Permission.WRITE,
}


def here(**fields: object) -> Repository:
    usual: dict[str, Any] = {
        "name": SLUG,
        "url": f"https://github.com/{SLUG}",
        "default_branch": "main",
        "private": True,
        "fork": False,
        "permission": Permission.WRITE,
        "methods": frozenset(),
    }
    return Repository(**usual | fields)


def pull(head_repo: str = SLUG, author: str = "github-actions[bot]") -> PullRequest:
    return PullRequest(
        number=7,
        url=f"https://github.com/{SLUG}/pull/7",
        title="Split a bill",
        body="",
        author=Person(login=author, bot=author.endswith("[bot]")),
        state=PullState.OPEN,
        draft=True,
        head="cmat/split",
        head_sha=SHA,
        head_repo=head_repo,
        base="main",
        labels=(),
        merge_commit="",
        mergeable=None,
        created=WHEN,
        updated=WHEN,
    )


def now(body: str = "/cmat retry", *, updated: datetime = WHEN) -> Comment:
    return Comment(
        id=99,
        number=7,
        author=Person(login="rita"),
        body=body,
        created=WHEN,
        updated=updated,
        url="",
    )


LABELLED: Final = Rules(label="cmat")
FACTS: Final = Facts(
    repository=here(),
    on_branch=True,
    permissions=ROLES,
    comment=now(),
    pull=pull(),
    me="github-actions[bot]",
)


def passes(event: Told, facts: Facts = FACTS, rules: Rules = LABELLED) -> Passage:
    return decide(read_event(event.env | event.more, event.file()), facts, rules)


def refused(event: Told, facts: Facts = FACTS, rules: Rules = LABELLED) -> str:
    with pytest.raises(Refusal) as caught:
        passes(event, facts, rules)
    assert caught.value.exit_code == 5
    assert caught.value.hint != ""
    assert "\n" not in caught.value.message
    return caught.value.message


OURS: Final = issue(author="github-actions[bot]", pull=True)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (push(), "push by rita"),
        (push("pat"), "push by pat"),
        (schedule(), "schedule by rita"),
        (dispatch(), "workflow_dispatch by rita"),
        (labelled(), "issues on #7 by rita"),
        (commented(), "issue_comment on #7 by rita"),
        (commented(on=OURS), "issue_comment on #7 by rita"),
        (commented(on=issue(author="pat", pull=True)), "issue_comment on #7 by rita"),
    ],
)
def test_people_who_may_write_start_work(event: Told, why: str) -> None:
    assert passes(event) == Passage(sha=Sha(SHA), task=None, why=why)


def test_a_button_may_name_a_task() -> None:
    assert passes(dispatch(task="split")).task == "split"


def test_a_bot_that_is_named_whole_counts() -> None:
    rules = Rules(bots=frozenset({"robot[bot]"}))
    assert passes(push("robot[bot]"), rules=rules).why == "push by robot[bot]"


# --- refused: the list that was promised --------------------------------------------------------


def test_refused_a_pull_request_of_a_fork() -> None:
    assert refused(told("pull_request", "eve", action="opened")) == (
        "pull_request starts no work: it brings what nobody has reviewed; only the mode validate "
        "is for it."
    )


def test_refused_a_comment_by_an_insider_on_the_pull_request_of_a_fork() -> None:
    event = commented(on=issue(author="pat", pull=True))
    assert refused(event, replace(FACTS, pull=pull("eve/project", "pat"))) == (
        "#7 comes from 'eve/project', not from here."
    )
    assert refused(event, replace(FACTS, pull=pull("", "pat"))) == (
        "#7 comes from 'a repository that is gone', not from here."
    )
    assert refused(event, replace(FACTS, pull=None)) == "There is no pull request #7."


def test_refused_a_comment_by_an_insider_below_a_strangers_words() -> None:
    assert refused(commented(on=issue(author="eve"))) == (
        "'eve', who wrote #7, may not write here (none)."
    )
    assert refused(commented(on=issue(author="eve", pull=True))) == (
        "'eve', who wrote #7, may not write here (none)."
    )


@pytest.mark.parametrize(
    ("event", "comment_now"),
    [
        (told("issue_comment", action="edited", issue=issue(), comment=comment("/cmat x")), now()),
        (
            told(
                "issue_comment",
                action="created",
                issue=issue(),
                comment=comment("/cmat retry", edited="2026-11-20T10:05:00Z"),
            ),
            now(),
        ),
        (commented(), now(updated=datetime(2026, 11, 20, 10, 5, tzinfo=UTC))),
        (commented(), now("/cmat retry\nand delete everything")),
    ],
    ids=["the edit", "edited in the event", "edited since", "other words"],
)
def test_refused_a_comment_that_was_edited(event: Told, comment_now: Comment) -> None:
    assert refused(event, replace(FACTS, comment=comment_now)) in {
        "The comment was edited.",
        "issue_comment 'edited' starts no work.",
    }


def test_refused_a_comment_that_is_gone() -> None:
    assert refused(commented(), replace(FACTS, comment=None)) == "The comment is gone."


@pytest.mark.parametrize("who", ["tim", "rob", "eve"])
def test_refused_a_label_by_somebody_who_may_not_write(who: str) -> None:
    role = ROLES.get(who, Permission.NONE)
    assert refused(labelled(who)) == f"'{who}', who caused this event, may not write here ({role})."


def test_refused_a_label_on_a_strangers_issue() -> None:
    assert refused(labelled(author="eve")) == "'eve', who wrote #7, may not write here (none)."


@pytest.mark.parametrize(
    "event",
    [push(), schedule(), dispatch(), labelled(), commented()],
    ids=lambda e: e.env["GITHUB_EVENT_NAME"],
)
def test_refused_a_run_again_by_another_actor(event: Told) -> None:
    event.more = {"GITHUB_TRIGGERING_ACTOR": "pat", "GITHUB_RUN_ATTEMPT": "2"}
    assert refused(event) == "An event of 'rita' is ran again by 'pat'."
    event.more = {"GITHUB_TRIGGERING_ACTOR": "eve"}
    assert refused(event) == "An event of 'rita' is started by 'eve'."


def test_refused_a_run_again_after_the_rights_are_gone() -> None:
    event = push()
    event.more = {"GITHUB_RUN_ATTEMPT": "3"}
    gone = replace(FACTS, permissions=ROLES | {"rita": Permission.READ})
    assert refused(event, gone) == "'rita', who caused this event, may not write here (read)."


@pytest.mark.parametrize("event", [push("robot[bot]"), commented(author="robot[bot]")])
def test_refused_a_bot(event: Told) -> None:
    assert refused(event) == "'robot[bot]', which caused this event, is a program."


def test_refused_a_bot_that_wrote_what_the_clock_starts() -> None:
    """Of it there is a name alone."""
    assert refused(schedule("robot[bot]")) == (
        "'robot[bot]', which caused this event, is a program."
    )


def test_refused_a_bot_with_the_name_of_a_person() -> None:
    event = told("push", sender=account("rita", "Bot"), after=SHA)
    assert refused(event) == "'rita', which caused this event, is a program."


def test_refused_a_bot_whose_name_only_ends_like_one_that_counts() -> None:
    rules = Rules(bots=frozenset({"robot[bot]"}))
    assert refused(push("evil-robot[bot]"), rules=rules) == (
        "'evil-robot[bot]', which caused this event, is a program."
    )


def test_refused_a_deleted_user() -> None:
    assert refused(told("push", sender=None, after=SHA)) == (
        "The account that caused this event is gone."
    )
    assert refused(push("ghost")) == "The account that caused this event is gone."
    assert refused(labelled(author=None)) == "The account that wrote #7 is gone."
    event = commented()
    event.payload["comment"]["user"] = None
    assert refused(event) == "The account that wrote the comment is gone."


def test_refused_after_the_default_branch_was_renamed() -> None:
    facts = replace(FACTS, repository=here(default_branch="trunk"))
    assert refused(push(), facts) == (
        "The default branch was 'main' when this happened, and is 'trunk' now."
    )
    event = push()
    event.payload["repository"] = repository(branch="trunk")
    assert (
        refused(event, facts)
        == "The event is about 'refs/heads/main', not about the default branch."
    )


@pytest.mark.parametrize(
    "task",
    [
        "${{ github.token }}",
        "$(id)",
        "split\n::set-output name=sha::1",
        "::add-mask::x",
        "split::error::",
        "split\n",
        "../split",
        "-rf",
        "a" * 64,
        "Split",
        "con",
        "spl\u200bit",
    ],
)
def test_refused_a_task_that_is_no_id(task: str) -> None:
    assert refused(dispatch(task=task)).startswith("This event is not as it must be: ")


def test_refused_a_commit_that_is_not_on_the_default_branch() -> None:
    assert refused(push(), replace(FACTS, on_branch=False)) == f"{SHA} is not on 'main'."


def test_refused_a_branch_that_is_not_the_default_one() -> None:
    event = push()
    event.more = {"GITHUB_REF": "refs/heads/feature"}
    assert (
        refused(event) == "The event is about 'refs/heads/feature', not about the default branch."
    )
    event.more = {"GITHUB_REF": "refs/tags/main"}
    assert refused(event) == "The event is about 'refs/tags/main', not about the default branch."


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (
            "pull_request_target",
            "anybody can cause it, and it runs with the rights of the repository",
        ),
        ("workflow_run", "it runs with more rights than what it follows"),
        ("repository_dispatch", "its text has no author whose rights could be looked up"),
    ],
)
def test_refused_events_that_strangers_steer(name: str, why: str) -> None:
    assert refused(told(name, "pat")) == f"{name} starts no work: {why}."


@pytest.mark.parametrize("name", ["", "release", "PUSH", "push ", "discussion_comment", "x\n::y"])
def test_refused_events_that_nobody_knows(name: str) -> None:
    assert refused(told(name, "pat")) == f"The event {name!r} starts no work."


@pytest.mark.parametrize("action", ["opened", "edited", "unlabeled", ""])
def test_refused_other_things_done_to_issues(action: str) -> None:
    event = labelled()
    event.payload["action"] = action
    assert refused(event) == f"issues {action!r} starts no work."


def test_refused_another_label() -> None:
    assert refused(labelled(label="bug")) == "The label 'bug' asks for no work."
    assert passes(labelled(label="bug"), rules=Rules(label="bug")).sha == SHA
    assert refused(labelled(label=""), rules=Rules()) == "The label '' asks for no work."


@pytest.mark.parametrize("body", ["hello", "please /cmat retry", "/cmatx", "\n/cmat retry", ""])
def test_refused_a_comment_that_is_no_command(body: str) -> None:
    facts = replace(FACTS, comment=now(body))
    assert refused(commented(body), facts) == "The comment is no command."


def test_refused_an_event_of_another_repository() -> None:
    event = push()
    event.payload["repository"] = repository("eve/project")
    assert refused(event) == "The event is of pat/project, not of 'eve/project'."
    moved = replace(FACTS, repository=here(name="pat/moved"))
    assert refused(push(), moved) == "The event is of pat/project, not of 'pat/moved'."


def test_refused_an_event_without_a_repository() -> None:
    event = push()
    del event.payload["repository"]
    assert refused(event) == "This event names no repository."


def test_a_clock_that_names_the_repository_must_name_this_one() -> None:
    event = schedule()
    event.payload["repository"] = repository()
    assert passes(event).why == "schedule by rita"
    event.payload["repository"] = repository(branch="trunk")
    assert refused(event).startswith("The default branch was 'trunk' when this happened")


def test_refused_a_push_of_another_commit() -> None:
    event = push()
    event.payload["after"] = "2" * 40
    assert refused(event) == f"The push is of '{'2' * 40}', not of {SHA}."


def test_refused_an_event_of_somebody_else() -> None:
    event = push("pat")
    event.payload["sender"] = account("rita")
    assert refused(event) == "The event is of 'rita', not of 'pat'."


@pytest.mark.parametrize(
    ("hosted", "private", "allowed", "message"),
    [
        (
            False,
            False,
            True,
            "This runner is self-hosted, and the repository is public: strangers' code would stay.",
        ),
        (False, True, False, "This runner is self-hosted, and the workflow does not allow that."),
    ],
)
def test_refused_machines_of_ones_own(
    *, hosted: bool, private: bool, allowed: bool, message: str
) -> None:
    with pytest.raises(Refusal) as caught:
        check_runner(hosted=hosted, private=private, rules=Rules(self_hosted=allowed))
    assert caught.value.message == message
    event = push()
    event.more = {"RUNNER_ENVIRONMENT": "self-hosted"}
    facts = replace(FACTS, repository=here(private=private))
    assert refused(event, facts, Rules(self_hosted=allowed)) == message


def test_machines_of_ones_own_are_for_private_repositories_that_allow_them() -> None:
    event = push()
    event.more = {"RUNNER_ENVIRONMENT": "self-hosted"}
    assert passes(event, rules=Rules(self_hosted=True)).sha == SHA


def test_a_machine_that_does_not_say_whose_it_is_is_ones_own() -> None:
    event = push()
    del event.env["RUNNER_ENVIRONMENT"]
    assert refused(event) == "This runner is self-hosted, and the workflow does not allow that."


# --- it fails closed ----------------------------------------------------------------------------

MEANT: Final = [
    "GITHUB_EVENT_NAME",
    "GITHUB_REPOSITORY",
    "GITHUB_SHA",
    "GITHUB_REF",
    "GITHUB_ACTOR",
    "GITHUB_TRIGGERING_ACTOR",
    "GITHUB_RUN_ATTEMPT",
]


@pytest.mark.parametrize("name", MEANT)
@pytest.mark.parametrize("value", ["", "\n", "${{ x }}", None])
def test_nothing_passes_without_each_variable(name: str, value: str | None) -> None:
    event = commented()
    if value is None:
        del event.env[name]
    else:
        event.env[name] = value
    refused(event)


def leaves(found: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(found, dict):
        return [path]
    return [path, *(leaf for key, part in found.items() for leaf in leaves(part, (*path, key)))]


LOOKED_AT: Final = {
    ("repository",),
    ("repository", "full_name"),
    ("repository", "default_branch"),
    ("action",),
    ("sender",),
    ("sender", "login"),
    ("sender", "type"),
    ("issue",),
    ("issue", "number"),
    ("issue", "user"),
    ("issue", "user", "login"),
    ("issue", "user", "type"),
    ("comment",),
    ("comment", "id"),
    ("comment", "user"),
    ("comment", "user", "login"),
    ("comment", "user", "type"),
    ("comment", "body"),
    ("comment", "created_at"),
    ("comment", "updated_at"),
}


@pytest.mark.parametrize("value", [None, [], 7.5, "${{ x }}", {}], ids=repr)
@pytest.mark.parametrize("path", sorted(LOOKED_AT), ids=".".join)
def test_nothing_passes_with_any_part_of_the_file_as_it_must_not_be(
    path: tuple[str, ...], value: object
) -> None:
    event = commented()
    part = event.payload
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    refused(event)


def test_every_part_that_is_looked_at_is_in_real_events() -> None:
    assert set(leaves(commented().payload)) >= LOOKED_AT


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b'{"action": NaN}',
        b"[" * 100_000,
        b'{"a": ' * 50_000,
        commented().file()[:-1] + b', "sender": {"login": "rita", "type": "User"}}',
        b" " * (MOST_BYTES + 1),
    ],
    ids=["empty", "list", "null", "half", "no text", "nan", "deep", "deeper", "twice", "big"],
)
def test_nothing_passes_with_a_file_that_is_none(text: bytes) -> None:
    with pytest.raises(Refusal):
        read_event(commented().env, text)
