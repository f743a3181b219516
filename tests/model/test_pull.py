"""How a pull request stands, in words."""

from dataclasses import replace

import pytest

from gitcmat.model.pull import Pull, PullState, counted, in_words

PULL = Pull(
    host="github.com",
    repo="pat/project",
    number=7,
    url="https://github.com/pat/project/pull/7",
    head="cmat/a",
    base="main",
    draft=False,
)
CASES = [
    (PULL, "#7 open", ["review"]),
    (replace(PULL, draft=True, checks="running"), "#7 draft, checks running", ["draft"]),
    (
        replace(PULL, approved=("rita", "tim"), checks="failed"),
        "#7 open, approved by rita, tim, checks failed",
        ["approved", "red"],
    ),
    (
        replace(PULL, approved=("rita",), rejected=("tim",), draft=True),
        "#7 draft, approved by rita, changes wanted by tim",
        ["changes"],
    ),
    (replace(PULL, state=PullState.CLOSED, checks="failed"), "#7 closed", ["closed"]),
    (replace(PULL, state=PullState.MERGED, approved=("rita",)), "#7 merged", ["merged"]),
]


@pytest.mark.parametrize(("pull", "words", "_"), CASES)
def test_it_is_said_how_it_stands(pull: Pull, words: str, _: list[str]) -> None:
    assert in_words(pull) == words


@pytest.mark.parametrize(("pull", "_", "counts"), CASES)
def test_each_counts_where_somebody_has_to_do_something(
    pull: Pull, _: str, counts: list[str]
) -> None:
    found = counted([pull, pull])
    assert [what for what, number in found.items() if number] == counts
    assert {number for number in found.values() if number} == {2}
