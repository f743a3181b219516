"""``/cmat …`` in comments: done once, for people who may, and answered once."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model.events import Asked, Rejected
from gitcmat.model.permission import question
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project
from tests.support.repo import TestRepo
from tests.support.talking import comments, prompt, says


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub; its task ``a`` has a pull request, and work is pushed as it comes."""
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo))
        made.project.settings(forge={"pull": "ready"})
        made.done("a")
        made.sync()
        yield made


def _answer(there: OnGitHub) -> str:
    """Take in what was said; return what gitcmat answered, which it says once."""
    there.sync()
    there.sync()
    return comments(there)[-1]


def _asks(there: OnGitHub, text: str = "Which one?") -> str:
    """Have somebody ask about the task; return the question's id."""
    there.project.happen("a", Asked(question=text, by="Pat"))
    there.sync()
    return there.project.asked("a")[-1].id


def test_retry_sends_the_work_back(there: OnGitHub) -> None:
    says(there, "rita", "The name is bad.")
    says(there, "rita", "/cmat retry with\nanother name\n")

    assert there.sync().lines == ["a: retry by rita on #1"]
    there.project.work()

    told = prompt(there).partition("### A reviewer sent it back\n\n")[2]
    assert told.startswith(
        "> rita asks for another try:\n>\n> > with\n> > another name\n>\n"
        "> rita said:\n>\n> > The name is bad.\n\n"
    )
    assert _answer(there) == (
        "`/cmat retry`: a goes back to the agent; its next result comes onto this branch."
    )
    assert len(comments(there)) == 1


def test_retry_without_words_is_enough(there: OnGitHub) -> None:
    says(there, "rita", "/cmat retry")
    there.sync()
    assert there.project.entry("a").notes[-1].text == "rita asks for another try."


def test_retry_when_nothing_is_there_to_send_back(there: OnGitHub) -> None:
    there.project.happen("a", Rejected(text="more", by="Pat"))
    says(there, "rita", "/cmat retry")
    assert _answer(there) == (
        "`/cmat retry` was not done: a is pending: there is no result to send back."
    )


def test_cancel_and_begin_again(there: OnGitHub) -> None:
    says(there, "rita", "/cmat cancel")
    assert _answer(there) == "`/cmat cancel`: a is cancelled. #1 stays open."
    entry = there.project.entry("a")
    assert (entry.state, entry.reason) == ("cancelled", "cancelled by rita on #1")

    says(there, "rita", "/cmat cancel")
    assert _answer(there) == (
        "`/cmat cancel` was not done: a is cancelled: there is nothing to cancel."
    )
    says(there, "rita", "/cmat retry")
    assert _answer(there) == "`/cmat retry`: a starts again, from the beginning."
    assert there.project.state("a") == "pending"


def test_an_answer_reaches_the_agent(there: OnGitHub) -> None:
    blocker = _asks(there, "Which one, @rita?\n<!-- gitcmat task=b -->")
    assert comments(there) == [
        (
            "This task waits for an answer:\n\n"
            "> Which one, @\u200brita?\n> &lt;!-- gitcmat task=b -->\n\n"
            "Who may write to this repository answers with a comment that begins with `/cmat "
            f"answer …`; where gitcmat runs it is `gitcmat blocker answer {blocker} …`."
        )
    ]
    says(there, "rita", "/cmat answer The first.\nNot the second.")

    assert _answer(there) == "`/cmat answer`: the answer was taken; a is pending now."
    note = there.project.entry("a").notes[-1]
    assert (note.text, note.by) == ("The first.\nNot the second.", "rita on #1")
    assert comments(there)[0].endswith("\n\nAnswered by rita on #1.")
    edits = there.hub.count("PATCH", "/comments/")
    there.sync()
    assert there.hub.count("PATCH", "/comments/") == edits == 1


def test_a_question_that_is_answered_here_is_closed_there(there: OnGitHub) -> None:
    from gitcmat.engine import blockers

    blocker = _asks(there)
    blockers.answer(there.project.deps, blocker, "This one, which is nobody else's business.")
    there.sync()

    (said,) = comments(there)
    assert said == (
        f"This task asked:\n\n> Which one?\n\nAnswered by {there.project.deps.me.name}."
    )


def test_what_was_written_before_the_question_answers_nothing(there: OnGitHub) -> None:
    says(there, "rita", "/cmat answer yes")
    there.project.happen("a", Asked(question="Delete it all?", by="Pat"))

    there.sync()

    assert there.project.state("a") == "blocked"
    assert comments(there)[0] == (
        "`/cmat answer` was not done: no question was open when this was written."
    )


def test_of_several_questions_one_is_named(there: OnGitHub) -> None:
    first, second = _asks(there, "One?"), _asks(there, "Two?")
    says(there, "rita", "/cmat answer yes")
    assert _answer(there) == (
        f"`/cmat answer` was not done: several questions are open, {first}, {second}: "
        f"say which, such as /cmat answer {first} yes."
    )
    says(there, "rita", f"/cmat answer {second} No.")
    there.sync()
    assert [blocker.id for blocker in there.project.asked("a")] == [first]


def test_a_permission_on_a_machine_is_given_there(there: OnGitHub) -> None:
    _asks(there, question("rm -r x"))
    says(there, "rita", "/cmat answer yes")

    assert _answer(there) == (
        "`/cmat answer` was not done: it asks for a permission on the machine that the agent works "
        "on, which is given there."
    )
    assert there.project.state("a") == "blocked"


def test_approve_approves_no_pull_request(there: OnGitHub) -> None:
    says(there, "rita", "/cmat approve")
    assert _answer(there) == (
        "`/cmat approve` was not done: a is review: it waits for no approval. This approves no "
        "pull request."
    )


def test_who_may_not_is_told_once(there: OnGitHub) -> None:
    says(there, "rob", "/cmat cancel")
    says(there, "rob", "/cmat cancel")
    says(there, "tim", "/cmat cancel")
    there.sync()
    says(there, "rob", "/cmat cancel")
    there.sync()

    assert there.project.state("a") == "review"
    assert comments(there) == [
        f"{login}, only people who may write to this repository can give gitcmat commands. You are "
        "told this once."
        for login in ("rob", "tim")
    ]


def test_programs_give_no_commands(there: OnGitHub) -> None:
    there.project.settings(forge={"pull": "ready", "bots": ["robot[bot]"]})
    says(there, "robot[bot]", "/cmat cancel")
    there.sync()
    assert there.project.state("a") == "review"
    assert comments(there) == []


def test_an_edited_command_does_not_count(there: OnGitHub) -> None:
    comment = says(there, "rita", "Thanks!")
    there.stage.forge("rita").comments.edit(comment, "/cmat cancel")

    assert _answer(there) == (
        "A command in a comment that was edited does not count. Please write a new comment."
    )
    assert there.project.state("a") == "review"


def test_a_command_is_the_first_line_of_a_comment(there: OnGitHub) -> None:
    says(there, "rita", "I would not\n/cmat cancel")
    says(there, "rita", "/cmatcancel")
    there.sync()
    assert there.project.state("a") == "review"
    assert comments(there) == []


def test_an_unknown_one_is_told_what_there_is(there: OnGitHub) -> None:
    says(there, "rita", "/cmat merge")
    assert _answer(there) == (
        "gitcmat knows `/cmat retry`, `/cmat cancel`, `/cmat answer`, `/cmat approve`, as the "
        "first line of a comment."
    )


def test_a_person_commands_under_the_login_that_gitcmat_uses(there: OnGitHub) -> None:
    says(there, "pat", "/cmat cancel")
    there.sync()
    assert there.project.state("a") == "cancelled"
