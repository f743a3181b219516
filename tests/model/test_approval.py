"""An approval counts when a person who may write has seen this very head, and did not make it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from gitcmat.model.approval import Standing, standing
from gitcmat.model.forge import Person, PullRequest, Review, Verdict
from gitcmat.model.pull import PullState

NOW = datetime(2026, 1, 5, tzinfo=UTC)
WRITERS = {"rita", "tom", "pat", "cmat", "robot[bot]", "ghost"}
PULL = PullRequest(
    number=1,
    url="",
    title="",
    body="",
    author=Person(login="pat"),
    state=PullState.OPEN,
    draft=False,
    head="cmat/x",
    head_sha="b" * 40,
    head_repo="pat/project",
    base="main",
    labels=(),
    merge_commit="",
    mergeable=True,
    created=NOW,
    updated=NOW,
)
_ids = count(1)


def _review(login: str, verdict: Verdict, commit: str = "b" * 40) -> Review:
    number = next(_ids)
    return Review(
        id=number,
        author=Person(login=login, bot=login.endswith("[bot]")),
        verdict=verdict,
        body="",
        commit=commit,
        submitted=NOW + timedelta(seconds=number),
        url="",
    )


def _judged(*reviews: Review) -> Standing:
    return standing(PULL, reviews, writers=WRITERS, ours={"cmat"})


def test_people_who_may_write_approve_and_reject() -> None:
    reviews = (_review("rita", Verdict.APPROVED), _review("tom", Verdict.CHANGES_REQUESTED))

    assert _judged(*reviews) == Standing(approved=("rita",), rejected=("tom",))


@pytest.mark.parametrize(
    ("login", "why"),
    [
        ("robot[bot]", "no person"),
        ("ghost", "no person"),
        ("cmat", "it is gitcmat's own"),
        ("pat", "wrote it"),
        ("rob", "may not write"),
    ],
)
def test_others_do_not_approve(login: str, why: str) -> None:
    assert _judged(_review(login, Verdict.APPROVED)) == Standing(ignored=((login, why),))


def test_an_approval_of_another_head_does_not_count() -> None:
    old = _review("rita", Verdict.APPROVED, "a" * 40)

    assert _judged(old) == Standing(ignored=(("rita", "saw another head"),))
    forgotten = replace(old, commit="")
    assert _judged(forgotten) == Standing(ignored=(("rita", "saw another head"),))


def test_a_rejection_stays_whatever_is_pushed_until_it_is_taken_back() -> None:
    rejected = _review("rita", Verdict.CHANGES_REQUESTED, "a" * 40)
    said = _review("rita", Verdict.COMMENTED)

    assert _judged(rejected, said) == Standing(rejected=("rita",))
    assert _judged(rejected, _review("rita", Verdict.DISMISSED)) == Standing()
    assert _judged(rejected, _review("rita", Verdict.APPROVED)) == Standing(approved=("rita",))


def test_a_rejection_by_who_may_not_write_is_talk() -> None:
    assert _judged(_review("rob", Verdict.CHANGES_REQUESTED)) == Standing()
