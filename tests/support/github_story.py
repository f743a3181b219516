"""The story of a task on a GitHub, in stages that can be told again and again in one project.

Only what gitcmat asks while it looks at the forge meets trouble; what people do there does not.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from gitcmat.adapters.forges.github_forge import GitHubForge
from gitcmat.errors import UserError
from gitcmat.model.forge import CheckState, MergeMethod, marks
from gitcmat.model.state import State
from tests.support.fakegithub.faults import Fault
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import OnGitHub
from tests.support.project import Project, config_file
from tests.support.repo import TestRepo

_LOOKS: Final = 8
"""So many looks are more than enough after one fault."""
ME: Final = "pat"


@dataclass
class Teller:
    """A project on a GitHub, and trouble that strikes one request of a stage."""

    there: OnGitHub
    fault: Fault | None = None
    said: list[str] = field(default_factory=list)
    """What people would have read of errors."""

    @classmethod
    def begin(cls, hub: FakeGitHub, folder: Path, repo: TestRepo) -> "Teller":
        """Make the project; its forge gives up at the first trouble, so that each is seen."""
        repo.git("config", "gc.auto", "0")  # a gc of the person's, in the midst of many commits
        files = config_file({"tests": ["true"]}, defaults={"attempts": 20})
        there = OnGitHub(hub, folder, Project(repo, files))
        stage = there.stage
        stage.forges[ME] = GitHubForge(stage.connection(stage.token(ME), patience=0))
        there.opened = stage.opened()
        there.project.settings(forge={"pull": "draft"})
        there.sync()
        return cls(there)

    def until(self, reached: Callable[[], bool], what: str) -> None:
        """Look and work until something is so."""
        hub = self.there.hub
        for _ in range(_LOOKS):
            hub.faults[:] = [self.fault] if self.fault else []
            try:
                self.there.sync()
            except UserError as error:
                self.said.append(error.message)
            finally:
                hub.faults.clear()
            if self.there.project.ids(State.PENDING, State.ACTIVE):
                self.there.project.work()
            hub.tick(31)
            if reached():
                return
        states = {
            e.id: f"{e.state}: {e.reason} {self.there.project.why(e.id)}"
            for e in self.there.project.deps.store.read().entries()
        }
        raise AssertionError(f"not reached in {_LOOKS} looks: {what}\n{self.said}\n{states}")

    # --- what is there ----------------------------------------------------------------------

    def number(self, task: str) -> int:
        """The number of the task's pull request, as it is recorded."""
        pull = self.there.project.entry(task).pull
        return pull.number if pull else 0

    def head(self, task: str) -> str:
        """The commit of the task's branch on the forge."""
        return self.there.stage.git.branches().get(f"cmat/{task}", "")

    def shown(self, task: str) -> bool:
        """Whether the work of the task, at review, is what the forge has."""
        entry = self.there.project.entry(task)
        pull = entry.pull
        return (
            entry.state == "review" and pull is not None and pull.pushed == entry.head != ""
        ) and self.head(task) == entry.head

    def replies(self, thread: int) -> list[str]:
        """What gitcmat said in a thread."""
        remarks = self.there.stage.repo.remarks.values()
        return [one.body for one in remarks if one.reply_to == thread and one.user == ME]

    def nothing_is_twice(self) -> None:
        """See that there is one pull request for each branch, and each mark was written once."""
        repo = self.there.stage.repo
        heads = Counter(issue.pull.head for issue in repo.pulls.values() if issue.pull)
        assert {head: count for head, count in heads.items() if count > 1} == {}
        said = [(c.number, c.body) for c in repo.comments.values() if c.user == ME]
        said += [(c.number, c.body) for c in repo.remarks.values() if c.user == ME]
        assert [body for _, body in said if not marks(body)] == []
        marked = Counter((number, *marks(body).items()) for number, body in said)
        assert {mark: count for mark, count in marked.items() if count > 1} == {}


# --- the stages: each is told of a task, and sees to it that it ends well -----------------------


def opened(teller: Teller, task: str) -> None:
    """A task comes to review, and gets its pull request."""
    teller.there.project.task(task)
    teller.there.stage.push_main()
    teller.there.project.work()
    teller.until(lambda: teller.shown(task), f"a pull request for {task}")
    issue = teller.there.stage.repo.issues[teller.number(task)]
    assert issue.pull is not None
    assert (issue.pull.head, issue.state, issue.pull.draft) == (f"cmat/{task}", "open", True)
    assert marks(issue.body or "")["task"] == task


def reviewed(teller: Teller, task: str) -> None:
    """A reviewer wants changes in two places; the agent makes them, and each is answered."""
    there = teller.there
    hub, repo, number = there.hub, there.stage.repo, teller.number(task)
    runs, before = len(there.project.runs(task)), teller.head(task)
    review = hub.review(repo, number, "rita", "CHANGES_REQUESTED", "Please look again.")
    words = (f"First of {before[:7]}.", f"Second of {before[:7]}.")
    threads = [
        hub.remark(repo, number, "rita", (f"{task}.txt", 1), text, review).id for text in words
    ]
    hub.tick(31)

    def answered() -> bool:
        return teller.shown(task) and all(map(teller.replies, threads))

    teller.until(answered, f"answers about {task}")
    after = teller.head(task)
    assert after != before
    assert len(there.project.runs(task)) == runs + 1
    told = there.project.folder(task).prompt.read_text("utf-8")
    assert all(text in told for text in words)
    for thread in threads:
        (reply,) = teller.replies(thread)
        assert after[:10] in reply


def checked(teller: Teller, task: str) -> None:
    """A check is red; the agent is shown its log, and what it makes is green."""
    there = teller.there
    runs, before = len(there.project.runs(task)), teller.head(task)
    there.stage.run_check(before, "build", CheckState.FAILED, f"it broke at {before}\n")
    there.hub.tick(31)

    def mended() -> bool:
        return teller.shown(task) and teller.head(task) != before

    teller.until(mended, f"{task} to be mended")
    assert len(there.project.runs(task)) == runs + 1
    told = there.project.folder(task).prompt.read_text("utf-8")
    assert f"it broke at {before}" in told
    there.stage.run_check(teller.head(task), "build", CheckState.PASSED)
    teller.until(lambda: _checks(teller, task) == "passed", f"green checks of {task}")
    assert len(there.project.runs(task)) == runs + 1


def merged(teller: Teller, task: str) -> None:
    """A colleague approves and presses the button; what needs the task starts."""
    there = teller.there
    opened_before(teller, task)
    number, after = teller.number(task), f"{task}-after"
    there.project.task(after, needs=[task])
    there.stage.push_main()
    there.project.work()
    issue = there.stage.repo.issues[number]
    assert issue.pull is not None
    issue.pull.draft = False
    there.hub.review(there.stage.repo, number, "rita", "APPROVED")
    commit = there.button(number, MergeMethod.SQUASH)
    there.hub.tick(31)

    def gone() -> bool:
        done = there.project.entry(task).state == "done" and not teller.head(task)
        return done and teller.shown(after)

    teller.until(gone, f"{task} done and {after} shown")
    entry = there.project.entry(task)
    assert entry.landing is not None
    assert entry.landing.commit == commit
    assert not there.project.repo.has(f"refs/heads/cmat/{task}")
    assert len(there.project.runs(after)) == 1
    there.stage.pull_main()


def opened_before(teller: Teller, task: str) -> None:
    """Have a pull request without trouble."""
    fault, teller.fault = teller.fault, None
    opened(teller, task)
    teller.fault = fault


def _checks(teller: Teller, task: str) -> str:
    pull = teller.there.project.entry(task).pull
    return pull.checks if pull else ""
