"""An agent that waits for the end of a provider's limit is ended, and its account waits instead."""

import json
from typing import Final

import pytest

from tests.support.project import Project, task_file
from tests.support.repo import TestRepo

QUOTA: Final = "litellm.RateLimitError: RateLimitError: You exceeded your current quota."
SAYS: Final = {
    "opencode": (
        (
            'timestamp=2026-11-21T16:25:28.892Z level=ERROR run=b60386dc message="stream error" '
            'agent=build error.error="AI_APICallError: Rate limit reached. Try again in 3600s."'
        ),
        "Rate limit reached. Try again in 3600s.",
    ),
    "aider": (
        (
            '{"event": "message_send_starting", "properties": {}}\n'
            f"{QUOTA}\nRetrying in 0.2 seconds..."
        ),
        QUOTA,
    ),
}
"""What is printed by a program that then waits, and what a person is told of it."""


@pytest.mark.parametrize("runs", sorted(SAYS))
def test_a_program_that_waits_for_the_end_of_a_limit_is_not_waited_for(
    repo: TestRepo, runs: str
) -> None:
    printed, told = SAYS[runs]
    to = ">&2" if runs == "opencode" else ""
    waits = ["sh", "-c", f"cat > /dev/null; cat {to} <<'END'\n{printed}\nEND\nsleep 600"]
    head = json.dumps({"name": "waiter", "runs": runs, "command": waits})
    project = Project(repo, {".cmat/agents/waiter.md": f"---\n{head}\n---\n"})
    project.commit(task_file("a", agent="waiter"))
    project.step()
    project.wait()
    project.step(start=False)
    (run,) = project.deps.store.read().runs(task="a")
    assert (run.outcome, run.message) == ("provider limit", told)
    assert project.state("a") == "pending"
