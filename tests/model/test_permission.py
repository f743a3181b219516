"""Which answers grant what an agent was refused: a plain yes, and nothing else."""

import pytest

from gitcmat.model.job import Answer
from gitcmat.model.permission import about, granted, is_yes, question, taken_for

CALL = "Bash(make release)"

GRANT = (
    "yes",
    "Yes.",
    "YES!",
    "y",
    "ok",
    "OK, do it",
    "allow",
    "allowed",
    "Allow it, please.",
    "it may",
    "It may.",
    "Yes, go ahead.",
    "yes you may",
    "  yes  \n",
    "yes\nand then go on with the tests",
)
WORDS = (
    "",
    "no",
    "No, rebase instead.",
    "yes, but only this once",
    "yes, if the tests pass",
    "Yes, only on main.",
    "yes, except for tags",
    "ok, don't push",
    "ok, don\u2019t push",
    "ok, dont push",
    "yes but not now",
    "y, never mind",
    "it may not",
    "it may\nnot",
    "allowed? no",
    "yes?",
    "yesterday I said so",
    "yes/no",
    "okay-ish",
    "go ahead",
    "you say yes",
    "Is it a yes?",
    "ok, cannot say",
    "allow nothing",
)


@pytest.mark.parametrize("answer", GRANT)
def test_a_plain_yes_grants(answer: str) -> None:
    assert is_yes(answer)
    assert granted([Answer(question=question(CALL), text=answer)]) == (CALL,)
    assert taken_for(question(CALL), answer) == "a yes: this call is granted"


@pytest.mark.parametrize("answer", WORDS)
def test_anything_else_is_told_to_the_agent(answer: str) -> None:
    assert not is_yes(answer)
    assert granted([Answer(question=question(CALL), text=answer)]) == ()
    assert taken_for(question(CALL), answer) == "words to the agent: no grant"


def test_the_last_word_counts_and_other_questions_ask_for_nothing() -> None:
    asked = question(CALL)
    assert about(f"  {asked}\n") == CALL
    assert granted([Answer(question=asked, text="yes"), Answer(question=asked, text="no")]) == ()
    assert granted([Answer(question="Which colour?", text="yes")]) == ()
    assert (about("Which colour?"), taken_for("Which colour?", "yes")) == ("", "")
