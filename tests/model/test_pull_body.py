"""What a pull request says of others' text does nothing by itself."""

from collections.abc import Callable

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
        ("Do x [skip ci]", f"Do x [{Z}skip ci]"),
        ("[CI Skip] Do x", f"[{Z}CI Skip] Do x"),
        ("[no ci] [actions skip]", f"[{Z}no ci] [{Z}actions skip]"),
        ("Do x\n\n\nskip-checks: true", f"Do x\n\n\nskip{Z}-checks: true"),
    ],
)
def test_nobody_is_called_and_no_issue_is_closed(text: str, shown: str) -> None:
    assert pull_body.defused(text) == shown


@pytest.mark.parametrize(
    "text", ["See #12.", "a fix for dates", "prefix #3", "1 @ 2", "a < b", "- [ ] skip ci"]
)
def test_other_words_stay_as_they_are(text: str) -> None:
    assert pull_body.defused(text) == text


def test_a_title_is_one_line() -> None:
    assert pull_body.title(" Parse\n dates ") == "Parse dates"
    assert len(pull_body.title("x" * 999)) == pull_body.LONGEST_TITLE + 2


def test_a_title_shows_what_would_begin_a_hidden_part() -> None:
    assert pull_body.title("Strip <!-- and --> @rita") == f"Strip <{Z}!-- and --> @{Z}rita"


TRAILERS = ("Cmat-Task: a", "Cmat-Run: r-2", "Assisted-by: coder")
BEFORE = ("Cmat-Task: a", "Cmat-Run: r-1", "Assisted-by: coder")
BEGIN, END = "<!-- gitcmat task=a -->", "<!-- gitcmat end=a -->"


def test_trailers_are_the_last_paragraph() -> None:
    body = pull_body.assembled(
        "a", "Ours.\n", "- [ ] Theirs @rita\n", ["Cmat-Task: a", "Cmat-Run: r"]
    )
    assert body == (f"{BEGIN}\nOurs.\n\n{END}\n\n- [ ] Theirs @rita\n\nCmat-Task: a\nCmat-Run: r\n")


def test_what_is_too_long_is_cut_from_ours() -> None:
    body = pull_body.assembled("a", "x" * 99_999, "Theirs.", ["Cmat-Task: a"])
    assert len(body) <= LONGEST_BODY
    assert body.endswith(
        f"x\n\n(… cut: it is longer than a forge takes)\n\n{END}\n\nTheirs.\n\nCmat-Task: a\n"
    )


def test_a_template_that_does_not_fit_is_left_out() -> None:
    body = pull_body.assembled("a", "Ours.", "y" * 60_000, ["Cmat-Task: a"])
    assert body == f"{BEGIN}\nOurs.\n\n{END}\n\nCmat-Task: a\n"


# --- what is made anew --------------------------------------------------------------------------


def _old(theirs: str = "- [ ] Theirs\n") -> str:
    return pull_body.assembled("a", "Old.", theirs, BEFORE)


def _new(body: str) -> str | None:
    return pull_body.refreshed(body, "a", "New.", TRAILERS)


@pytest.mark.parametrize("theirs", ["", "- [x] Theirs  \n\n\tcode\n\n- more"])
def test_ours_is_made_anew_and_theirs_stays(theirs: str) -> None:
    assert _new(_old(theirs)) == pull_body.assembled("a", "New.", theirs, TRAILERS)
    assert _new(pull_body.assembled("a", "New.", theirs, TRAILERS)) == (
        pull_body.assembled("a", "New.", theirs, TRAILERS)
    )


def test_what_people_wrote_around_it_stays_byte_for_byte() -> None:
    old = _old("| a |\r\n\r\n  Closes #7 \r\n").replace("\nCmat", "\r\nCmat")
    body = "Look at this!\r\n\r\n" + old.replace("\nAssisted", "\r\nAssisted")

    assert _new(body) == body.replace("Old.", "New.").replace("r-1", "r-2")


def test_trailers_of_others_stay_among_ours() -> None:
    body = _old().rstrip() + "\nCo-authored-by: Rita <r@example.org>\n"

    assert _new(body) == body.replace("Old.", "New.").replace("r-1", "r-2")


def test_what_people_wrote_below_our_trailers_goes_before_them() -> None:
    body = _old() + "\nPS: Closes #7\n\nThanks.\n"

    assert _new(body) == (
        f"{BEGIN}\nNew.\n\n{END}\n\n- [ ] Theirs\n\n\n\nPS: Closes #7\n\nThanks.\n\n"
        "Cmat-Task: a\nCmat-Run: r-2\nAssisted-by: coder\n"
    )


def test_trailers_that_were_taken_away_come_back() -> None:
    body = _old().partition("Cmat-Task")[0]

    assert _new(body) == pull_body.assembled("a", "New.", "- [ ] Theirs", TRAILERS)


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body.replace(BEGIN, ""),
        lambda body: body.replace(END, ""),
        lambda body: body + BEGIN,
        lambda body: END + body.replace(END, ""),
        lambda body: body.replace("=a", "=b"),
        lambda body: body.replace("Theirs", "y" * 65_000),
        lambda _: "",
    ],
    ids=["no begin", "no end", "two", "turned round", "another's", "no room", "empty"],
)
def test_without_our_marks_it_is_theirs(change: Callable[[str], str]) -> None:
    assert _new(change(_old())) is None


def test_what_is_made_anew_is_never_too_long() -> None:
    body = pull_body.refreshed(_old("y" * 30_000), "a", "x" * 99_999, TRAILERS)
    assert body is not None
    assert len(body) <= LONGEST_BODY
    assert "y" * 30_000 in body
