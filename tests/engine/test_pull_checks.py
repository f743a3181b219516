"""What is red on the forge goes back to the agent as red gates do; then people are asked."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.model import gate_report
from gitcmat.model.forge import Annotation, CheckState
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project, agent_file
from tests.support.repo import TestRepo
from tests.support.talking import comments, prompt, says

AGENT = """\
grep -q "do nothing" || echo work >> a.txt
"""


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub; its task ``a`` has a pull request, and work is pushed as it comes."""
    with FakeGitHub() as hub:
        made = OnGitHub(hub, tmp_path, Project(repo, agent_file("coder", AGENT)))
        made.project.settings(forge={"pull": "ready"})
        made.done("a")
        made.sync()
        yield made


def _red(there: OnGitHub, name: str = "build", log: str = "boom\n") -> str:
    """Have a check of the head be red; return the head."""
    head = there.seen().head_sha
    there.stage.run_check(head, name, CheckState.FAILED, log)
    return head[:10]


def _rework(there: OnGitHub) -> str:
    there.project.work()
    there.sync()
    whole = prompt(there).partition("### The last attempt did not pass\n\n")[2]
    return whole.partition("\n\n## How to work here")[0]


def test_a_red_check_goes_back_with_its_places_and_the_end_of_its_log(there: OnGitHub) -> None:
    log = (
        "2026-11-21T19:03:03.1234567Z \x1b[31mFAILED\x1b[0m test_a\n"
        "2026-11-21T19:03:04.1234567Z ##[error]Process completed with exit code 1.\n"
    )
    head = _red(there, log=log)
    spot = Annotation(path="a.txt", line=1, message="expected\nmore")
    there.stage.annotate(there.seen().head_sha, "build", spot)

    assert there.sync().lines == [f"a: build red on {head}; it goes back to the agent"]
    assert there.project.entry("a").reason == "red on the forge: build"

    assert _rework(there) == (
        f"> These checks of the pull request are red on {head}:\n"
        ">\n"
        "> build: failed\n"
        r"> a.txt:1: expected\nmore" + "\n"
        ">\n"
        "> The end of its log:\n"
        ">\n"
        "> FAILED test_a\n"
        "> ##[error]Process completed with exit code 1."
    )
    assert there.seen().head_sha == there.project.entry("a").head
    assert there.sync().lines == []
    assert there.project.state("a") == "review"


def test_what_looks_like_a_secret_in_a_log_goes_nowhere(there: OnGitHub) -> None:
    secret = f"ghp_{'a1B2' * 9}"
    head = _red(there, log=f"do nothing\npush with {secret}\n")
    spot = Annotation(path="a.txt", line=1, message=f"{secret} is refused")
    there.stage.annotate(there.seen().head_sha, "build", spot)
    there.sync()

    assert "> push with [secret]" in _rework(there)
    assert secret not in prompt(there)
    (asked,) = there.project.asked("a")
    assert head in asked.detail
    assert secret not in asked.detail + "".join(comments(there))


def test_after_as_many_attempts_as_there_are_a_person_is_asked_there(there: OnGitHub) -> None:
    _red(there)
    there.sync()
    _rework(there)
    head = _red(there)

    assert there.sync().lines == [f"a: build red on {head}; it needs a person"]
    (blocker,) = there.project.asked("a")
    assert (blocker.kind, blocker.question) == (
        "gates",
        "The pull request of a is red after 2 attempts: build. What now?",
    )
    (said,) = comments(there)
    assert said.startswith(
        "This task waits for an answer:\n\n"
        "> The pull request of a is red after 2 attempts: build. What now?\n\n"
        f"> These checks of the pull request are red on {head}:\n"
    )
    assert "\n\nThe answer is one of `retry`, `review anyway`, `cancel`, or guidance" in said

    says(there, "rita", "/cmat answer review anyway")
    there.sync()
    assert there.sync().lines == []
    assert there.project.state("a") == "review"
    assert there.project.asked("a") == []


def test_a_retry_in_a_comment_answers_it(there: OnGitHub) -> None:
    _red(there)
    there.sync()
    _rework(there)
    _red(there)
    there.sync()
    says(there, "rita", "/cmat retry look at the clock")
    there.sync()

    assert there.project.state("a") == "pending"
    assert there.project.entry("a").notes[-1].text == "look at the clock"
    assert comments(there)[-1] == "`/cmat retry`: a is pending again."


def test_an_agent_that_changes_nothing_is_not_asked_again(there: OnGitHub) -> None:
    _red(there, log="do nothing\n")
    there.sync()
    there.project.work()

    lines = there.sync().lines

    assert there.project.runs("a") == ["finished", "finished"]
    assert lines == [f"a: build red on {there.seen().head_sha[:10]}; it needs a person"]
    (blocker,) = there.project.asked("a")
    assert blocker.question == (
        "The pull request of a is red and the agent changed nothing: build. What now?"
    )


def test_what_is_still_running_is_waited_for(there: OnGitHub) -> None:
    head = there.seen().head_sha
    there.stage.run_check(head, "slow", CheckState.RUNNING)
    _red(there)

    assert there.sync().lines == []
    assert there.project.state("a") == "review"


def test_what_gates_say_there_sends_nothing_back(there: OnGitHub) -> None:
    _red(there, f"{gate_report.PREFIX}tests")

    assert there.sync().lines == []
    assert there.project.state("a") == "review"


def test_what_is_red_on_another_commit_is_not_about_this(there: OnGitHub) -> None:
    _red(there)
    there.stage.push("cmat/a", "theirs.txt", "x\n")

    there.sync()

    assert there.project.state("a") == "review"


def test_many_red_checks_are_told_as_far_as_there_is_room(there: OnGitHub) -> None:
    for number in range(8):
        _red(there, f"job-{number}", log=f"{number} is bad\n" * 4_000)
    there.sync()

    told = _rework(there)

    assert len(told) < 17_000
    assert "> job-4: failed" in told
    assert told.endswith("> Red, too: job-5, job-6, job-7")
