"""What was heard is known for ever, in a record that does not grow for ever."""

from gitcmat.model import talk
from gitcmat.model.talk import Talk


def test_what_was_heard_is_known() -> None:
    known = Talk(heard=talk.heard(("comment:5",), ("review:5", "comment:7", "comment:5")))

    assert known.heard == ("comment:5", "review:5", "comment:7")
    assert [known.knows(f"{kind}:7") for kind in ("comment", "review", "thread")] == [
        True,
        False,
        False,
    ]


def test_of_very_many_the_oldest_become_one() -> None:
    heard: tuple[str, ...] = ()
    for number in range(100, 5_000):
        heard = talk.heard(heard, (f"comment:{number}", f"thread:{number + 10_000}"))
    known = Talk(heard=heard)

    assert len(heard) <= 600
    assert all(known.knows(f"comment:{number}") for number in (1, 100, 2_500, 4_999))
    assert not known.knows("comment:5000")
    assert all(known.knows(f"thread:{number + 10_000}") for number in (1, 2_500, 4_999))
    assert not known.knows("thread:15000")
    assert not known.knows("review:1")


def test_only_the_latest_of_what_was_told_matter() -> None:
    told: tuple[str, ...] = ()
    for number in range(1_000):
        told = talk.told(told, f"no:1:{number}")
    assert talk.told(told, "no:1:999")[-1] == "no:1:999"
    assert len(told) == 100
