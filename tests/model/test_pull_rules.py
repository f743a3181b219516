"""Onto what a pull request goes, what it waits for, and what speaks against merging it."""

from dataclasses import replace

import pytest

from gitcmat.errors import Conflict
from gitcmat.model import pull_rules
from gitcmat.model.approval import Standing
from gitcmat.model.entry import Entry
from gitcmat.model.forge import Check, CheckKind, CheckState, Person, PullRequest
from gitcmat.model.pull import Pull, PullState
from tests.support.store import NOW, entry

SEEN = PullRequest(
    number=4,
    url="https://forge.invalid/o/n/pull/4",
    title="a",
    body="",
    author=Person(login="pat"),
    state=PullState.OPEN,
    draft=False,
    head="cmat/a",
    head_sha="1" * 40,
    head_repo="o/n",
    base="main",
    labels=(),
    merge_commit="",
    mergeable=True,
    created=NOW,
    updated=NOW,
)


def _pull(number: int, state: PullState = PullState.OPEN, *, repo: str = "o/n") -> Pull:
    head = f"cmat/t{number}"
    return Pull(host="h", repo=repo, number=number, url="u", head=head, base="main", state=state)


def _entry(task: str, pull: Pull | None = None) -> Entry:
    return replace(entry(task), target="refs/heads/main", pull=pull)


def _check(name: str, state: CheckState) -> Check:
    return Check(id=1, kind=CheckKind.RUN, name=name, commit="1" * 40, state=state)


@pytest.mark.parametrize(
    ("states", "word"),
    [
        ([], ""),
        ([CheckState.PASSED, CheckState.SKIPPED, CheckState.NEUTRAL], "passed"),
        ([CheckState.PASSED, CheckState.QUEUED], "running"),
        ([CheckState.RUNNING, CheckState.FAILED], "failed"),
    ],
)
def test_checks_are_one_word_together(states: list[CheckState], word: str) -> None:
    assert pull_rules.together(_check(f"{n}", state) for n, state in enumerate(states)) == word


def test_it_goes_onto_its_target() -> None:
    assert pull_rules.base_of(_entry("a"), (), lambda _: True) == "main"


def test_it_goes_onto_the_need_that_it_holds() -> None:
    needs = [_entry("x", _pull(1)), _entry("y", _pull(2, PullState.MERGED)), _entry("z")]
    assert pull_rules.base_of(_entry("a"), needs, lambda _: True) == "cmat/t1"
    assert pull_rules.base_of(_entry("a"), needs, lambda _: False) == "main"


def test_it_waits_for_those_of_its_needs() -> None:
    needs = [
        _entry("x", _pull(1)),
        _entry("y", _pull(2, PullState.CLOSED)),
        _entry("z", _pull(3, repo="o/other")),
        _entry("w"),
        _entry("v", _pull(5, PullState.MERGED)),
    ]
    assert pull_rules.depends_on(needs, "h", "o/n") == (1, 5)


def test_nothing_speaks_against_what_is_green_and_approved() -> None:
    checks = [_check("lint", CheckState.PASSED), _check("docs", CheckState.SKIPPED)]
    standing = Standing(approved=("rita",))
    assert pull_rules.why_not_merged(SEEN, checks, standing, approvals=1) == ()


def test_each_reason_is_named() -> None:
    checks = [_check("lint", CheckState.FAILED), _check("tests", CheckState.RUNNING)]
    standing = Standing(rejected=("tim",), ignored=(("pat", "wrote it"),))
    seen = replace(SEEN, mergeable=False)
    assert pull_rules.why_not_merged(seen, checks, standing, approvals=1) == (
        "checks are red: lint",
        "checks are not done: tests",
        "changes are wanted by tim",
        "0 of 1 approvals (pat's does not count: wrote it)",
        "it conflicts with its base",
    )


def test_a_task_without_one_says_how_to_get_one() -> None:
    with pytest.raises(Conflict, match=r"a has no pull request\.") as refused:
        pull_rules.still_open(_entry("a"))
    assert refused.value.hint == "gitcmat pr create a"
    with pytest.raises(Conflict, match=r"#2 of a is merged\."):
        pull_rules.still_open(_entry("a", _pull(2, PullState.MERGED)))
