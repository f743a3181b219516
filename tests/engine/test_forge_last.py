"""What a pass over the forge came to is written down, and says when to try again."""

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from gitcmat.engine import forge_last
from gitcmat.engine.forge_last import Last
from gitcmat.engine.synced import Synced
from gitcmat.errors import UserError
from gitcmat.forge import RateLimited, Unreachable
from tests.support.project import Project
from tests.support.repo import TestRepo

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


def _pass(project: Project, error: UserError | None = None) -> Last:
    found = Synced(lines=["a: #1 was opened"])
    found.trouble("b", "no")
    raised = contextlib.suppress(type(error)) if error else contextlib.nullcontext()
    with raised, forge_last.noted(project.deps, found):
        if error is not None:
            raise error
    last = forge_last.read(project.deps.repo)
    assert last is not None
    return last


def test_what_is_new_is_there_to_be_told(project: Project) -> None:
    last = _pass(project)

    assert (last.error, last.failures) == ("", 0)
    assert (last.lines, last.troubles) == (("a: #1 was opened", "b: no"), ("b: no",))


def test_failures_are_counted_until_one_works(project: Project) -> None:
    lost = Unreachable("It does not answer.", hint="try again")

    assert [_pass(project, lost).failures for _ in range(3)] == [1, 2, 3]
    last = _pass(project, lost)
    assert (last.error, last.hint, last.lines[0]) == (lost.message, "try again", "a: #1 was opened")
    assert _pass(project).failures == 0


def test_a_limit_says_itself_when_it_ends(project: Project) -> None:
    last = _pass(project, RateLimited("Too much.", until=AT))

    assert last.next(60) == AT


def test_each_failure_waits_longer_but_never_for_ever() -> None:
    last = Last(at=AT)
    waits = [(replace(last, failures=n).next(60) - AT) / timedelta(seconds=1) for n in range(7)]

    assert waits == [60, 120, 240, 480, 900, 900, 900]
    assert replace(last, failures=9).next(7200) - AT == timedelta(hours=2)


def test_what_nobody_can_read_is_none(project: Project) -> None:
    _pass(project)
    file = project.path / ".git/cmat/forge/last.json"
    for text in ("", "{}", "[]", '{"at": 7}'):
        file.write_text(text, encoding="utf-8")
        assert forge_last.read(project.deps.repo) is None
