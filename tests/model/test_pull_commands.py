"""A command is the first line of a comment, and nothing else is one."""

import pytest

from gitcmat.model.pull_commands import Verb, command


@pytest.mark.parametrize(
    ("body", "verb", "text"),
    [
        ("/cmat retry", Verb.RETRY, ""),
        ("/cmat  Retry  \r\n", Verb.RETRY, ""),
        ("/cmat retry please\r\n\r\nwith more\n", Verb.RETRY, "please\n\nwith more"),
        ("/cmat\tanswer\tyes ", Verb.ANSWER, "yes"),
        ("/cmat answer\nyes", Verb.ANSWER, "yes"),
        ("/cmat cancel", Verb.CANCEL, ""),
        ("/cmat approve", Verb.APPROVE, ""),
        ("/cmat merge now", None, "now"),
        ("/cmat", None, ""),
    ],
)
def test_commands(body: str, verb: Verb | None, text: str) -> None:
    found = command(body)
    assert found is not None
    assert (found.verb, found.text) == (verb, text)


@pytest.mark.parametrize(
    "body",
    [
        "",
        " /cmat retry",
        "\n/cmat retry",
        "> /cmat retry",
        "`/cmat retry`",
        "/cmatretry",
        "/CMAT retry",
        "/cmat\u00a0retry",
        "\u200b/cmat retry",
        "Please\n/cmat retry",
        "<!-- gitcmat task=a -->\n/cmat retry",
    ],
)
def test_what_is_none(body: str) -> None:
    assert command(body) is None


@pytest.mark.parametrize(
    ("body", "blocker", "answer"),
    [
        ("/cmat answer yes", "", "yes"),
        ("/cmat answer b-abcdefgh yes\nand more", "b-abcdefgh", "yes\nand more"),
        ("/cmat answer b-abcdefgh\nyes", "b-abcdefgh", "yes"),
        ("/cmat answer b-abcdefgh", "b-abcdefgh", ""),
        ("/cmat answer b-abcdefghi yes", "", "b-abcdefghi yes"),
    ],
)
def test_an_answer_may_name_its_question(body: str, blocker: str, answer: str) -> None:
    found = command(body)
    assert found is not None
    assert (found.blocker, found.answer) == (blocker, answer)
