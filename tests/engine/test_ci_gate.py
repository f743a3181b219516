"""The gate before work in CI, against a GitHub: what it looks up, and that it fails closed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.engine.ci_gate import gate, machine, rules
from gitcmat.engine.hub import Hub
from gitcmat.model.ci import CiSettings
from gitcmat.model.ci_event import Passage, Refusal, Rules
from gitcmat.model.names import Sha
from gitcmat.store.git import Git, discover
from tests.support.ci_events import Told, account, commented, dispatch, issue, push
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.on_github import ProjectStage
from tests.support.repo import TestRepo


class There:
    """A repository on a GitHub, and the gate in it."""

    def __init__(self, hub: FakeGitHub, folder: Path, repo: TestRepo) -> None:
        self.folder = folder
        self.repo = repo
        self.stage = ProjectStage(hub, folder, repo)
        self.git = Git(discover(repo.path).common_dir)

    def hub(self) -> Hub:
        return self.stage.opened("robot[bot]")

    def gate(self, event: Told) -> Passage:
        return gate(event.at(self.folder), CiSettings(), lambda: (self.git, self.hub()))

    def refused(self, event: Told) -> str:
        with pytest.raises(Refusal) as caught:
            self.gate(event)
        return caught.value.message

    def said(self, body: str, *, on: int, login: str = "rita") -> Told:
        """Have somebody comment; return the event."""
        made = self.stage.forge(login).comments.create(on, body)
        event = commented(body, login, on=issue(on, "rita"))
        event.payload["comment"] |= {
            "id": made.id,
            "created_at": made.created.isoformat(),
            "updated_at": made.updated.isoformat(),
        }
        event.env["GITHUB_SHA"] = self.repo.tip()
        return event


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[There]:
    with FakeGitHub() as hub:
        yield There(hub, tmp_path, repo)


def test_a_push_by_who_may_write_passes_at_its_commit(there: There) -> None:
    sha = there.repo.tip()
    assert there.gate(push(sha=sha)) == Passage(sha=Sha(sha), task=None, why="push by rita")


def test_a_head_that_moves_after_the_event_is_not_taken(there: There) -> None:
    sha = there.repo.tip()
    there.repo.commit("Later", {"later.txt": "later\n"})
    there.stage.push_main()
    assert there.gate(push(sha=sha)).sha == sha


def test_a_commit_that_is_no_longer_on_the_branch_is_refused(there: There) -> None:
    gone = there.repo.commit("Evil", {"evil.txt": "evil\n"})
    there.stage.push_main()
    there.repo.git("reset", "-q", "--hard", "HEAD^")
    there.repo.commit("Good", {"good.txt": "good\n"})
    there.repo.git("push", "-q", "--force", str(there.stage.bare.path), "main:main")
    assert there.refused(push(sha=gone)) == f"{gone} is not on 'main'."


def test_a_commit_that_nobody_has_is_refused(there: There) -> None:
    assert there.refused(push(sha="2" * 40)) == f"{'2' * 40} is not on 'main'."


@pytest.mark.parametrize("login", ["tim", "rob", "nobody"])
def test_who_may_not_write_is_refused_by_what_the_forge_says(there: There, login: str) -> None:
    sha = there.repo.tip()
    assert there.refused(push(login, sha)).startswith(f"'{login}', who caused this event, may not")


def test_rights_are_those_of_now(there: There) -> None:
    sha = there.repo.tip()
    there.stage.repo.roles["rita"] = "read"
    assert there.refused(push(sha=sha)) == (
        "'rita', who caused this event, may not write here (read)."
    )


def test_a_command_passes_as_it_was_made(there: There) -> None:
    number = there.stage.open_issue("rita", "Split", "cmat")
    event = there.said("/cmat retry", on=number)
    assert there.gate(event).why == f"issue_comment on #{number} by rita"


def test_a_command_that_was_edited_since_is_refused(there: There) -> None:
    number = there.stage.open_issue("rita", "Split", "cmat")
    event = there.said("/cmat retry", on=number)
    there.stage.forge("rita").comments.edit(event.payload["comment"]["id"], "/cmat cancel")
    assert there.refused(event) == "The comment was edited."


def test_a_command_that_is_gone_is_refused(there: There) -> None:
    number = there.stage.open_issue("rita", "Split", "cmat")
    event = there.said("/cmat retry", on=number)
    event.payload["comment"]["id"] += 1
    assert there.refused(event) == "The comment is gone."


def test_what_is_refused_anyway_asks_for_nothing(there: There) -> None:
    before = len(there.stage.hub.seen)
    event = push(sha=there.repo.tip())
    event.env["GITHUB_EVENT_NAME"] = "pull_request_target"
    there.refused(event)
    there.refused(dispatch(task="a;b"))
    assert len(there.stage.hub.seen) == before


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.BAD_GATEWAY, Kind.PRIMARY_LIMIT, Kind.NONSENSE])
def test_a_forge_in_trouble_lets_nothing_pass(there: There, kind: Kind) -> None:
    there.stage.hub.fail(kind, times=50)
    assert there.refused(push(sha=there.repo.tip())) != ""


def test_the_file_must_be_there_and_be_one(there: There, tmp_path: Path) -> None:
    env = dict(push(sha=there.repo.tip()).at(tmp_path))
    file = Path(env["GITHUB_EVENT_PATH"])
    link = tmp_path / "link.json"
    link.symlink_to(file)
    for path in ("", str(tmp_path / "none.json"), str(tmp_path), str(link)):
        with pytest.raises(Refusal) as caught:
            gate(env | {"GITHUB_EVENT_PATH": path}, CiSettings(), lambda: (there.git, there.hub()))
        said = path or "GITHUB_EVENT_PATH is not set"
        assert caught.value.message == f"The file of this event cannot be read: {said}."


def test_machines_of_ones_own_are_for_private_repositories_that_allow_them(there: There) -> None:
    hosted, own = push().env, push().env | {"RUNNER_ENVIRONMENT": "self-hosted"}
    before = len(there.stage.hub.seen)
    machine(hosted, CiSettings(), there.hub)
    with pytest.raises(Refusal, match="the workflow does not allow that"):
        machine(own, CiSettings(), there.hub)
    assert len(there.stage.hub.seen) == before  # nothing had to be asked

    allowed = CiSettings(allow_self_hosted=True)
    with pytest.raises(Refusal, match="the repository is public"):
        machine(own, allowed, there.hub)
    there.stage.repo.private = True
    machine(own, allowed, there.hub)
    there.stage.hub.fail(Kind.BAD_GATEWAY, times=50)
    with pytest.raises(Refusal, match="cannot be told"):
        machine(own, allowed, there.hub)


def test_what_the_workflow_says_of_events_is_read_strictly() -> None:
    said = CiSettings(label="go", bots=("a[bot]", "b[bot]"), allow_self_hosted=True)
    assert rules(said) == Rules(label="go", bots=frozenset({"a[bot]", "b[bot]"}), self_hosted=True)
    assert rules(CiSettings()) == Rules(label="", bots=frozenset(), self_hosted=False)
    for bots in (("*",), ("*[bot]",), ("a[bot]", "b*")):
        with pytest.raises(ValueError, match="bots names programs one by one"):
            CiSettings(bots=bots)


def test_an_account_with_the_name_of_another_does_not_pass(there: There) -> None:
    event = push(sha=there.repo.tip())
    event.payload["sender"] = account("pat")
    assert there.refused(event) == "The event is of 'pat', not of 'rita'."
