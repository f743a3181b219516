"""Each gate is a check of the commit that was pushed, told once, by whatever token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from gitcmat.forge import OutcomeUnknown
from gitcmat.model.events import Rejected
from gitcmat.model.forge import CheckState
from gitcmat.system.files import remove_tree
from tests.support.fakegithub.faults import Kind
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import SLUG
from tests.support.on_github import OnGitHub
from tests.support.project import Project, config_file
from tests.support.repo import TestRepo

SECRET = "ghp_" + "a1B2" * 9
LINT = f"echo a.txt:1:1: F401 unused; echo gone.txt:1: no; echo {SECRET}; exit 1"
MISSING = "`no-such-program` is not installed; let setup install it in the workspace"
GATES = {"lint": ("sh", "-c", LINT), "tests": ("true",), "types": ("no-such-program",)}


@pytest.fixture
def there(repo: TestRepo, tmp_path: Path) -> Iterator[OnGitHub]:
    """A project on a GitHub, signed in as an App; ``a`` is red, and at review all the same."""
    with FakeGitHub() as hub:
        project = Project(repo, config_file(GATES, defaults={"attempts": 1}))
        made = OnGitHub(hub, tmp_path, project)
        made.opened = made.stage.opened("robot[bot]")
        made.done("a")
        _review_anyway(made)
        made.create("a")
        yield made


def _review_anyway(there: OnGitHub) -> None:
    from gitcmat.engine import blockers

    (asked,) = there.project.asked("a")
    blockers.answer(there.project.deps, asked.id, "review anyway")
    there.project.step(start=False)


def _checks(there: OnGitHub) -> dict[str, tuple[str, str]]:
    head = there.project.entry("a").head
    found = there.stage.forge().checks.list(head)
    return {check.name: (str(check.state), check.title) for check in found}


def test_each_gate_becomes_a_check_run_with_the_lines_it_names(there: OnGitHub) -> None:
    there.sync()

    assert {name: state for name, (state, _) in _checks(there).items()} == {
        "gitcmat / lint": "failed",
        "gitcmat / tests": "passed",
        "gitcmat / types": "neutral",
    }
    lint = there.stage.forge().checks.list(there.project.entry("a").head)[0]
    (place,) = there.stage.forge().checks.annotations(lint)
    assert (place.path, place.line, place.message) == ("a.txt", 1, "F401 unused")
    assert f"sh -c '{LINT.replace(SECRET, '[secret]')}'" in lint.summary
    assert "[secret]" in lint.text
    run = there.project.entry("a").run
    assert lint.external_id == f"{run}/lint"


def test_what_was_told_is_not_told_again(there: OnGitHub) -> None:
    there.sync()
    there.sync()
    before = len(there.hub.seen)

    there.sync()

    assert not [s for s in there.hub.seen[before:] if s.verb != "GET" and s.path != "/graphql"]
    assert len(there.stage.repo.runs) == 3


def test_the_commit_of_a_rework_gets_checks_of_its_own(there: OnGitHub) -> None:
    there.sync()
    there.project.happen("a", Rejected(text="more", by="Pat"))
    there.project.work()
    _review_anyway(there)
    there.create("a")

    there.sync()

    assert len(there.stage.repo.runs) == 6
    assert len(_checks(there)) == 3


def test_without_the_right_to_check_runs_they_are_statuses(there: OnGitHub) -> None:
    there.opened = there.stage.opened("pat")

    there.sync()

    assert there.stage.repo.runs == {}
    tried = [
        seen for seen in there.hub.seen if seen.path.endswith("/check-runs") and seen.verb == "POST"
    ]
    assert len(tried) == 1, "one refusal is enough to know"
    assert _checks(there) == {
        "gitcmat / lint": ("failed", _checks(there)["gitcmat / lint"][1]),
        "gitcmat / tests": ("passed", _checks(there)["gitcmat / tests"][1]),
        "gitcmat / types": (
            "passed",  # a status has no word for what did not run; its line says so
            f"did not run: {MISSING}",
        ),
    }


def test_a_token_that_may_neither_is_told_once_a_pass(there: OnGitHub) -> None:
    there.hub.fail(Kind.NOT_PERMITTED, verb="POST", path="check-runs|statuses", times=99)

    found = there.sync()

    assert len(found.troubles) == 1
    assert found.troubles[0].startswith("a: ")
    pull = there.project.entry("a").pull
    assert pull is not None
    assert pull.told == ""


def test_what_nobody_judged_is_not_told(there: OnGitHub) -> None:
    there.stage.push("cmat/a", "more.txt", "by hand\n")

    there.create("a")
    there.sync()

    assert there.stage.repo.runs == {}


def test_the_person_may_want_none(there: OnGitHub) -> None:
    there.project.settings(forge={"checks": False})

    there.sync()

    assert there.stage.repo.runs == {}


def test_where_the_log_is_gone_the_record_is_told(there: OnGitHub) -> None:
    remove_tree(there.project.folder("a").path)

    there.sync()

    lint = there.stage.forge().checks.list(there.project.entry("a").head)[0]
    assert "sh -c" not in lint.summary
    assert "F401 unused" in lint.text


@pytest.mark.parametrize("kind", [Kind.LOST, Kind.ANSWER_LOST, Kind.ANSWER_BAD_GATEWAY])
@pytest.mark.parametrize("skip", range(3))
def test_trouble_at_any_report_makes_no_second_one(there: OnGitHub, kind: Kind, skip: int) -> None:
    there.hub.fail(kind, verb="POST", path=f"{SLUG}/check-runs", skip=skip)

    with pytest.raises(OutcomeUnknown):
        there.sync()
    there.sync()

    assert sorted(run.name for run in there.stage.repo.runs.values()) == [
        "gitcmat / lint",
        "gitcmat / tests",
        "gitcmat / types",
    ]
    assert _checks(there)["gitcmat / lint"][0] == CheckState.FAILED
