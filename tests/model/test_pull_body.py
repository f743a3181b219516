"""What a pull request says of others' text does nothing by itself."""

import pytest

from gitcmat.model import pull_body
from gitcmat.model.forge import LONGEST_BODY

Z = "\u200b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("thanks @rita and @org/team", f"thanks @{Z}rita and @{Z}org/team"),
        ("Fixes #12", f"F{Z}ixes #12"),
        ("closes: owner/name#3", f"c{Z}loses: owner/name#3"),
        ("resolved GH-4", f"r{Z}esolved GH-4"),
        ("fix https://github.com/a/b/issues/1", f"f{Z}ix https://github.com/a/b/issues/1"),
        ("fixed **#5**", f"f{Z}ixed **#5**"),
        ("<!-- gitcmat task=b -->", "&lt;!-- gitcmat task=b -->"),
    ],
)
def test_nobody_is_called_and_no_issue_is_closed(text: str, shown: str) -> None:
    assert pull_body.defused(text) == shown


@pytest.mark.parametrize("text", ["See #12.", "a fix for dates", "prefix #3", "1 @ 2", "a < b"])
def test_other_words_stay_as_they_are(text: str) -> None:
    assert pull_body.defused(text) == text


def test_a_title_is_one_line() -> None:
    assert pull_body.title(" Parse\n dates ") == "Parse dates"
    assert len(pull_body.title("x" * 999)) == pull_body.LONGEST_TITLE + 2


def test_trailers_are_the_last_paragraph() -> None:
    body = pull_body.assembled("Ours.\n", "- [ ] Theirs @rita\n", ["Cmat-Task: a", "Cmat-Run: r"])
    assert body == "Ours.\n\n- [ ] Theirs @rita\n\nCmat-Task: a\nCmat-Run: r\n"


def test_what_is_too_long_is_cut_from_ours() -> None:
    body = pull_body.assembled("x" * 99_999, "Theirs.", ["Cmat-Task: a"])
    assert len(body) <= LONGEST_BODY
    assert body.endswith(
        "x\n\n(… cut: it is longer than a forge takes)\n\nTheirs.\n\nCmat-Task: a\n"
    )


def test_a_template_that_does_not_fit_is_left_out() -> None:
    assert pull_body.assembled("Ours.", "y" * 60_000, ["A: b"]) == "Ours.\n\nA: b\n"
