"""Names that nothing has: the doctor mends the saved file, and leaves the commit to the person."""

from collections.abc import Mapping
from typing import Final

import pytest

from gitcmat.engine.doctor import Checkup, doctor
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo

KNOWN: Final = {"sandbox", "runs-size", "untrusted"}
"""What a healthy repository may be told."""
LOST: Final = ".cmat/tasks/lost.yaml"


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """A project with two gates and one task."""
    gates = {"tests": ["true"], "style": ["true"]}
    made = Project(repo, config_file(gates))
    made.task("first", agent="coder")
    return made


def look(project: Project, *, fix: bool = False) -> Checkup:
    project.reopen()
    return doctor(project.deps, fix=fix)


def ids(found: Checkup) -> set[str]:
    return {one.id for one in found.findings} - KNOWN


def broken(found: Checkup) -> list[str]:
    return sorted(one.what for one in found.findings if one.id == "intent-broken")


def mend(project: Project, files: Mapping[str, str], *, changing: str = LOST) -> Checkup:
    """Commit these files and have them mended; only the one named changes."""
    project.commit(files)
    assert ids(look(project)) == {"intent-broken"}
    with project.repo.guarded(f"files:{changing}"):
        return look(project, fix=True)


def is_well(project: Project) -> bool:
    again = look(project, fix=True)
    return (ids(again), again.score, again.mended) == (set(), 100, ())


def test_names_that_are_like_none_are_named_cost_points_and_are_taken_out(
    project: Project,
) -> None:
    project.commit(task_file("lost", agent="nobody", needs=["nothing"], gates=["zzz"]))
    sick = look(project)
    assert ids(sick) == {"intent-broken"}
    assert broken(sick) == [
        "agent: there is no agent 'nobody'",
        "gates: there is no gate 'zzz'",
        "needs: there is no task 'nothing'",
    ]
    assert sick.score == 85
    first = next(one for one in sick.findings if one.id == "intent-broken")
    assert first.where == f"{LOST}:1"
    assert first.how == (
        "gitcmat doctor --fix (takes it out, in the saved file), or edit it: "
        "agents are .cmat/agents/<name>.md"
    )
    tip = project.repo.tip()
    with project.repo.guarded(f"files:{LOST}"):
        mended = look(project, fix=True)
    assert (ids(mended), mended.score, mended.failed) == (set(), 100, ())
    assert {one.after for one in mended.mended} == {
        f"look at {LOST} and commit it: it counts from then on"
    }
    assert (project.repo.tip(), project.repo.status()) == (tip, f" M {LOST}")
    assert is_well(project)


def test_a_name_that_is_nearly_one_becomes_that_one_and_comments_stay(project: Project) -> None:
    text = """\
# Why this is here.
title: lost
agent: codr  # the good one
needs:
  # after all else
  - frist  # it makes the table
  - 'nothing'
gates:
- tests
- stile   # looks
"""
    mended = mend(project, {LOST: text})
    assert {(one.id, one.what) for one in mended.mended} == {
        ("intent-broken", "agent: there is no agent 'codr' (did you mean 'coder'?)"),
        ("intent-broken", "gates: there is no gate 'stile' (did you mean 'style'?)"),
        ("intent-broken", "needs: there is no task 'frist' (did you mean 'first'?)"),
        ("intent-broken", "needs: there is no task 'nothing'"),
    }
    assert (
        project.repo.read(LOST)
        == """\
# Why this is here.
title: lost
agent: coder  # the good one
needs:
  # after all else
  - first  # it makes the table
gates:
- tests
- style   # looks
"""
    )
    assert is_well(project)


def test_a_name_that_is_like_two_is_no_guess(project: Project) -> None:
    project.commit(task_file("first-2", agent="coder"))
    mend(project, {LOST: "title: lost\nneeds: [frist-3, first]\n"})
    assert project.repo.read(LOST) == "title: lost\nneeds: [first]\n"
    assert is_well(project)


def test_one_that_is_named_already_is_not_named_twice(project: Project) -> None:
    mend(project, {LOST: "title: lost\nneeds: [first, frist, frist]\n"})
    assert project.repo.read(LOST) == "title: lost\nneeds: [first]\n"
    assert is_well(project)


def test_a_name_that_would_close_a_circle_is_taken_out_instead(project: Project) -> None:
    mend(
        project,
        {
            LOST: "title: lost\nneeds: [secnod]\n",
            ".cmat/tasks/second.yaml": "title: second\nneeds: [lost]\n",
        },
    )
    assert project.repo.read(LOST) == "title: lost\n"
    assert is_well(project)


def test_defaults_are_mended_too(project: Project) -> None:
    text = """\
gates:
  tests: {run: ["true"]}
defaults:
  agent: nobody
  # both of them
  gates: [test, zzz]
"""
    mend(project, {".cmat/config.yaml": text}, changing=".cmat/config.yaml")
    assert (
        project.repo.read(".cmat/config.yaml")
        == """\
gates:
  tests: {run: ["true"]}
defaults:
  # both of them
  gates: [tests]
"""
    )
    assert is_well(project)


def test_an_agent_that_cannot_be_left_out_stays_named_with_what_to_do(project: Project) -> None:
    project.commit(agent_file("other", "true"))
    found = mend(project, {LOST: "title: lost\nneeds:\n- nothing\nagent: nobody\n"})
    assert broken(found) == ["agent: there is no agent 'nobody'"]
    assert [one.what for one in found.mended] == ["needs: there is no task 'nothing'"]
    ((left, why),) = found.failed
    assert left.where == f"{LOST}:2"
    assert why == (
        f"{LOST} would be wrong in another way without 'nobody'. "
        "(edit it: agents are .cmat/agents/<name>.md)"
    )
    assert project.repo.read(LOST) == "title: lost\nagent: nobody\n"


def test_a_file_that_is_no_yaml_stays_named_with_its_line(project: Project) -> None:
    project.commit({LOST: "title: lost\nneeds: [first\n"})
    with project.repo.guarded():
        found = look(project, fix=True)
    (one,) = (one for one in found.findings if one.id == "intent-broken")
    assert (one.where, one.how) == (f"{LOST}:3", f"edit {LOST}, then: gitcmat lint")
    assert found.score == 95
