"""What an agent says of itself at the end of its last words."""

from dataclasses import replace

import pytest

from gitcmat.engine.status_block import heeded
from gitcmat.model.job import RunOutcome
from gitcmat.ports import End


def ended(said: str, outcome: RunOutcome = RunOutcome.FINISHED) -> End:
    return End(outcome=outcome, message="Some words.", said=said)


def block(*lines: str, task: str = "a") -> str:
    return "\n".join(("Some words.", "```yaml", f"task_id: {task}", *lines, "```", ""))


def test_a_question_of_one_that_is_blocked_is_asked() -> None:
    end = ended(block("status: blocked", "question: Which one?"))
    assert heeded(end, "a") == replace(end, questions=("Which one?",))
    end = ended(block("status: Blocked"))
    (question,) = heeded(end, "a").questions
    assert question == "The agent says that it is blocked: Some words."


def test_one_that_failed_has_failed() -> None:
    end = heeded(ended(block("status: failed", "reason: no compiler")), "a")
    assert (end.outcome, end.message) == (RunOutcome.FAILED, "no compiler")


def test_a_status_that_nobody_knows_is_a_question() -> None:
    end = heeded(ended(block("status: READY_FOR_TESTING")), "a")
    assert end.outcome is RunOutcome.FINISHED
    assert end.questions == (
        "The agent ended with the status 'READY_FOR_TESTING', which nobody knows. What now?",
    )


@pytest.mark.parametrize(
    "said",
    [
        "",
        "status: blocked\ntask_id: a",
        "I was BLOCKED: task_id a status failed",
        block("status: done"),
        block("status: blocked", task="b"),
        block("status: blocked") + "\nand then\n" + block("status: done"),
        block("status: blocked") + "\n```\njust code\n```\n",
        block("status: [", "question: ["),
        block("state: blocked"),
        "```yaml\n- task_id\n- status\n```\n",
        block("status: blocked") + "x" * 6_000,
        "```yaml\ntask_id: a\nstatus: blocked\n",
    ],
)
def test_nothing_else_is_a_status(said: str) -> None:
    end = ended(said)
    assert heeded(end, "a") == end


def test_an_end_that_was_not_good_stays_what_it_was() -> None:
    end = ended(block("status: blocked"), RunOutcome.LIMITED)
    assert heeded(end, "a") == end
