"""What becomes of what people say on a forge, case by case."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitcmat.model.forge import GHOST, Comment, Person, Review, Thread, Verdict
from gitcmat.model.pull_talk import Ear, Place, refusal, speakers, take
from gitcmat.model.talk import Talk

NOW = datetime(2026, 1, 5, tzinfo=UTC)
EAR = Ear(me=Person(login="pat"), writers={"rita", "pat"}, bots={"lint[bot]"})


def _person(login: str) -> Person:
    return Person(login=login, bot=login.endswith("[bot]"))


def _comment(login: str, body: str, number: int = 1, *, edited: bool = False) -> Comment:
    return Comment(
        id=number,
        number=7,
        author=_person(login),
        body=body,
        created=NOW,
        updated=NOW + timedelta(seconds=edited),
        url="",
    )


def _review(login: str, verdict: Verdict, body: str = "Hm.", number: int = 1) -> Review:
    return Review(
        id=number,
        author=_person(login),
        verdict=verdict,
        body=body,
        commit="c",
        submitted=NOW,
        url="",
    )


def _thread(*comments: Comment, review: int | None = None, resolved: bool = False) -> Thread:
    return Thread(
        id=comments[0].id,
        path="a.py",
        line=3,
        first_line=None,
        commit="c",
        hunk="@@ -1 +1 @@",
        review=review,
        resolved=resolved,
        outdated=False,
        comments=comments,
    )


def _place(*said: Comment | Review | Thread, pull: bool = True) -> Place:
    return Place(
        number=7,
        comments=tuple(one for one in said if isinstance(one, Comment)),
        reviews=tuple(one for one in said if isinstance(one, Review)),
        threads=tuple(one for one in said if isinstance(one, Thread)),
        pull=pull,
    )


def _held(*said: Comment | Review | Thread) -> list[tuple[str, bool]]:
    found = take(_place(*said), Talk(), EAR)
    return [(remark.id, remark.starts) for remark in found.talk.held]


@pytest.mark.parametrize(
    ("said", "held"),
    [
        (_review("rita", Verdict.CHANGES_REQUESTED), [("review:1", True)]),
        (_review("rita", Verdict.CHANGES_REQUESTED, ""), [("review:1", True)]),
        (_review("rita", Verdict.COMMENTED), [("review:1", True)]),
        (_review("rita", Verdict.COMMENTED, " "), []),
        (_review("rita", Verdict.APPROVED), [("review:1", False)]),
        (_review("rita", Verdict.APPROVED, ""), []),
        (_review("rita", Verdict.DISMISSED), []),
        (_review("rob", Verdict.CHANGES_REQUESTED), []),
        (_review("lint[bot]", Verdict.COMMENTED), [("review:1", True)]),
        (_review("other[bot]", Verdict.COMMENTED), []),
        (_review(GHOST, Verdict.CHANGES_REQUESTED), []),
        (_comment("rita", "Hm."), [("comment:1", False)]),
        (_comment("rita", "Hm.", edited=True), [("comment:1", False)]),
        (_comment("pat", "Hm."), [("comment:1", False)]),
        (_comment("pat", "<!-- gitcmat reply=comment-9 -->\nHm."), []),
        (_comment("rita", "Hm. <!-- gitcmat reply=comment-1 -->"), [("comment:1", False)]),
        (_thread(_comment("rita", "<!-- gitcmat reply=thread-9 -->\nDone.")), []),
        (_thread(_comment("rita", "Hm.")), [("thread:1", True)]),
        (_thread(_comment("rita", "Hm."), resolved=True), []),
        (_thread(_comment("rob", "Hm."), _comment("rita", "Yes.", 2)), [("thread:2", True)]),
    ],
)
def test_what_goes_to_the_agent(
    said: Comment | Review | Thread, held: list[tuple[str, bool]]
) -> None:
    assert _held(said) == held


def test_threads_of_an_approval_wait() -> None:
    approval = _review("rita", Verdict.APPROVED, "", 4)
    nits = _thread(_comment("rita", "Nit."), _comment("rita", "Do it.", 2), review=4)
    assert _held(approval, nits) == [("thread:1", False), ("thread:2", True)]


def test_a_program_that_gitcmat_goes_by_says_only_its_own() -> None:
    ear = replace(EAR, me=Person(login="app[bot]", bot=True), bots={"app[bot]"})
    found = take(_place(_review("app[bot]", Verdict.COMMENTED)), Talk(), ear)
    assert found.talk.held == ()


def test_what_was_heard_is_not_heard_again() -> None:
    place = _place(_review("rita", Verdict.COMMENTED), _comment("rita", "/cmat retry", 5))
    first = take(place, Talk(), EAR)
    again = take(place, first.talk, EAR)

    assert [order.comment.id for order in first.orders] == [5]
    assert (again.talk, again.orders) == (first.talk, ())
    assert speakers(place, Talk()) == {"rita"}
    assert speakers(place, first.talk) == set()


def test_what_gitcmat_has_replied_to_is_done() -> None:
    mine = "<!-- gitcmat reply={} -->\nDone."
    place = _place(
        _comment("rita", "/cmat cancel", 5),
        _comment("pat", mine.format("comment-5"), 6),
        _thread(
            _comment("rita", "One.", 1),
            _comment("pat", mine.format("thread-1"), 2),
            _comment("rita", "Two.", 3),
            review=8,
        ),
        _review("rita", Verdict.CHANGES_REQUESTED, "Both.", 8),
    )
    found = take(place, Talk(), EAR)

    assert found.orders == ()
    assert [remark.id for remark in found.talk.held] == ["thread:3"]


def test_a_mark_of_somebody_else_answers_nothing() -> None:
    fake = "<!-- gitcmat reply={} -->\nDone."
    place = _place(
        _comment("rita", "/cmat cancel", 5),
        _comment("rob", fake.format("comment-5"), 6),
        _thread(_comment("rita", "One.", 1), _comment("rob", fake.format("thread-1"), 2)),
    )
    found = take(place, Talk(), EAR)

    assert [order.comment.id for order in found.orders] == [5]
    assert [remark.id for remark in found.talk.held] == ["thread:1"]


def test_what_is_taken_back_before_the_agent_has_it_is_forgotten() -> None:
    before = take(
        _place(_review("rita", Verdict.CHANGES_REQUESTED), _thread(_comment("rita", "Hm."))),
        Talk(),
        EAR,
    )
    after = take(
        _place(_review("rita", Verdict.DISMISSED), _thread(_comment("rita", "Hm."), resolved=True)),
        before.talk,
        EAR,
    )
    assert len(before.talk.held) == 2
    assert after.talk.held == ()


@pytest.mark.parametrize(
    ("comment", "fate"),
    [
        (_comment("rita", "/cmat retry"), "orders"),
        (_comment("rita", "/cmat what"), "orders"),
        (_comment("rita", "/cmat retry", edited=True), "edited"),
        (_comment("rob", "/cmat retry"), "refused"),
        (_comment("rob", "/cmat retry", edited=True), "refused"),
        (_comment("lint[bot]", "/cmat retry"), ""),
        (_comment(GHOST, "/cmat retry"), ""),
        (_comment("rob", "Hm."), "outsider"),
    ],
)
@pytest.mark.parametrize("pull", [True, False])
def test_commands(comment: Comment, fate: str, *, pull: bool) -> None:
    found = take(_place(comment, pull=pull), Talk(), EAR)
    fates = {
        "orders": len(found.orders),
        "edited": len(found.edited),
        "refused": len(found.refused),
        "outsider": int(found.outsider),
    }
    if fate == "outsider" and not pull:
        fate = ""
    assert {name: count for name, count in fates.items() if count} == ({fate: 1} if fate else {})
    assert found.talk.held == ()
    assert found.talk.knows("comment:1")


def test_who_was_refused_is_not_told_again() -> None:
    told = Talk(told=(refusal(7, "Rob"),))
    assert take(_place(_comment("rob", "/cmat retry")), told, EAR).refused == ()
    both = _place(_comment("rob", "/cmat retry", 1), _comment("rob", "/cmat retry", 2))
    assert [comment.id for comment in take(both, Talk(), EAR).refused] == [1]


def test_what_is_too_much_at_once_is_left_for_the_next_time() -> None:
    place = _place(*(_comment("rita", f"{n} " + "x" * 5_000, n) for n in range(1, 31)))
    first = take(place, Talk(), EAR)
    again = take(place, replace(first.talk, held=()), EAR)

    assert (first.more, len(first.talk.held)) == (True, 5)
    assert again.talk.held[0].id == "comment:6"

    place = _place(*(_comment("rita", "/cmat retry", n) for n in range(1, 101)))
    first = take(place, Talk(), EAR)
    again = take(place, first.talk, EAR)
    assert (first.more, len(first.orders)) == (True, 50)
    assert (again.more, again.orders[0].comment.id) == (False, 51)


def test_talk_without_end_keeps_no_command_waiting() -> None:
    talk = [_comment("rita", "x" * 5_000, n) for n in range(1, 31)]
    found = take(_place(*talk, _comment("rita", "/cmat retry", 31)), Talk(), EAR)

    assert (found.more, [order.comment.id for order in found.orders]) == (True, [31])
    assert not found.talk.knows("comment:20")
