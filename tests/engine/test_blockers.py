"""Questions and their answers: by command and by file, once each, and into the next prompt."""

from pathlib import Path

import pytest

from gitcmat.engine import blockers, tasks
from gitcmat.errors import Conflict, NotFound, Usage
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.events import Asked, Cancelled
from gitcmat.store.view_manifest import Refusal
from tests.support.project import HERE, Project, agent_file, config_file
from tests.support.repo import TestRepo
from tests.support.store import Clock
from tests.support.wait import until

ASKS_ONCE = f"""\
cat > {HERE}.prompt"
if grep -q "A person answered" {HERE}.prompt"; then echo work > {HERE}.txt"
else {{ask}}
fi
"""


def asking(*questions: str) -> dict[str, str]:
    """An agent that asks until it was answered."""
    ask = "; ".join(f'gitcmat blocker ask "{question}" > /dev/null' for question in questions)
    return agent_file("coder", ASKS_ONCE.format(ask=ask))


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return Project(repo)


@pytest.fixture
def asked(project: Project) -> Blocker:
    """The question that the agent of task ``a`` has asked."""
    return _ask(project, "Which format?")[0]


def _ask(project: Project, *questions: str) -> list[Blocker]:
    project.commit(asking(*questions))
    project.trust()
    project.task("a")
    project.work()
    return project.asked("a")


def test_a_question_of_an_agent_blocks_its_task(project: Project, asked: Blocker) -> None:
    assert (asked.question, asked.by, asked.run) == (
        "Which format?",
        "agent",
        project.entry("a").run,
    )
    assert (project.state("a"), project.entry("a").reason) == ("blocked", "asked a question")
    assert project.runs("a") == ["asked"]
    assert not project.repo.has("refs/heads/cmat/a")


def test_an_answer_by_command_is_in_the_next_prompt(project: Project, asked: Blocker) -> None:
    done, entry = blockers.answer(project.deps, asked.id, "  ISO 8601.\nAlways. \n")
    assert (done.status, done.answer, done.answered_by) == (
        BlockerStatus.ANSWERED,
        "ISO 8601.\nAlways.",
        "Pat Person",
    )
    assert entry.state == "pending"
    project.work()
    assert project.state("a") == "review"
    assert "Question:\n\n> Which format?\n\nAnswer:\n\n> ISO 8601.\n> Always.\n" in (
        project.folder("a").read_prompts().whole
    )


def test_an_answer_in_the_file_counts_once_it_was_left_alone(
    project: Project, asked: Blocker
) -> None:
    project.clock = Clock()  # files are as old as they are
    project.reopen()
    file = project.repo.path / ".cmat" / "blockers" / f"{asked.id}.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.endswith("answer: |\n  \n")
    file.write_text(text.rstrip() + "\n  ISO 8601: yes\n  # no comment\n", encoding="utf-8")
    report = project.step(start=False)
    assert project.state("a") == "blocked"
    assert report.look_again is not None
    assert 0 < report.look_again <= 2
    project.clock.later(3)
    project.step(start=False)
    assert (project.state("a"), project.asked("a")) == ("pending", [])
    ref = project.deps.store.ref
    assert project.repo.git("log", "--format=%an: %s", "--author=Pat", "-1", ref) == (
        f"Pat Person: {asked.id}: answered by Pat Person, and 1 more"
    )
    project.work()
    assert "> ISO 8601: yes\n> # no comment\n" in project.folder("a").read_prompts().whole
    assert project.state("a") == "review"


def test_the_same_question_twice_is_one_blocker(project: Project) -> None:
    found = _ask(project, "Which format?", "which  FORMAT", "And the zone?")
    assert [b.question for b in found] == ["Which format?", "And the zone?"]


def test_a_task_with_two_questions_waits_for_both_answers(project: Project) -> None:
    first, second = _ask(project, "Which format?", "Which zone?")
    blockers.answer(project.deps, second.id, "UTC")
    assert (project.state("a"), len(project.asked("a"))) == ("blocked", 1)
    blockers.answer(project.deps, first.id, "ISO")
    project.work()
    prompt = project.folder("a").read_prompts().whole
    assert prompt.index("> UTC") < prompt.index("> ISO")
    assert project.state("a") == "review"


def test_an_answer_in_a_file_that_cannot_be_taken_in_says_where_and_why(
    project: Project, asked: Blocker
) -> None:
    path = f".cmat/blockers/{asked.id}.yaml"
    file = project.repo.path / path
    text = file.read_text(encoding="utf-8").replace("Which format?", "Which zone?")
    file.write_text(text.rstrip() + "\n  UTC\n", encoding="utf-8")
    project.clock.later(3)
    project.step(start=False)
    assert project.state("a") == "blocked"
    assert project.deps.view.refusals() == (
        Refusal(path=path, line=6, reason="question was changed; only answer may be changed here"),
    )
    assert "Which zone?" in file.read_text(encoding="utf-8")


def test_red_at_the_last_attempt_takes_its_words_and_guidance(project: Project) -> None:
    project.commit(config_file({"never": ["sh", "-c", "echo no; exit 1"]}))
    project.trust()
    project.task("a")
    project.work()
    blockers.answer(project.deps, project.asked("a")[0].id, "Look at the log.")
    project.work()
    assert "### A person's guidance\n\nQuestion:\n\n" in project.folder("a").read_prompts().whole
    assert "> Look at the log.\n" in project.folder("a").read_prompts().whole
    blockers.answer(project.deps, project.asked("a")[0].id, "Review anyway!")
    project.work()
    entry = project.entry("a")
    assert (entry.state, str(entry.verdict)) == ("review", "red")
    assert project.repo.tip("refs/heads/cmat/a") == entry.head


@pytest.mark.parametrize(
    ("blocker", "text", "kind", "message"),
    [
        ("b-unknown2", "x", NotFound, "There is no blocker 'b-unknown2'."),
        ("", " \n", Usage, "An answer needs some text."),
    ],
    ids=["unknown", "empty"],
)
def test_an_answer_to_nothing_or_of_nothing_is_refused(
    project: Project, asked: Blocker, blocker: str, text: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind) as refused:
        blockers.answer(project.deps, blocker or asked.id, text)
    assert str(refused.value) == message
    assert [b.id for b in project.asked("a")] == [asked.id]


def test_an_answer_is_given_once(project: Project, asked: Blocker) -> None:
    blockers.answer(project.deps, asked.id, "ISO")
    with pytest.raises(Conflict) as refused:
        blockers.answer(project.deps, asked.id, "RFC")
    assert (refused.value.message, refused.value.hint) == (
        f"{asked.id} is answered; it cannot be answered any more.",
        "gitcmat task show a",
    )


def test_a_cancelled_task_closes_its_questions(project: Project, asked: Blocker) -> None:
    project.happen("a", Cancelled(reason="no", by="Pat"))
    assert project.asked("a") == []
    closed = project.deps.store.read().blocker(asked.id)
    assert closed is not None
    assert closed.status is BlockerStatus.CLOSED


def test_a_person_may_block_what_waits_but_not_what_runs(project: Project, tmp_path: Path) -> None:
    go, seen = tmp_path / "go", tmp_path / "seen"
    wait = f'touch {seen}; while [ ! -e {go} ]; do sleep 0.05; done; echo x > {HERE}.txt"'
    project.commit(agent_file("coder", wait))
    project.trust()
    project.task("a")
    project.task("b", hold=True)
    project.step()
    until(seen.exists)
    blocker = tasks.block(project.deps, "b", "Is it needed?")
    assert [b.id for b in project.asked("b")] == [blocker]
    run = project.entry("a").run
    with pytest.raises(Conflict) as refused:
        project.happen("a", Asked(question="Is it needed?", by="Pat"))
    assert (refused.value.message, refused.value.hint) == (
        "a is active; only what is pending, blocked, review can be blocked.",
        f"gitcmat run stop {run}",
    )
    go.touch()
    project.work()
    assert (project.state("a"), project.runs("a")) == ("review", ["finished"])


def test_a_question_outside_of_a_run_names_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CMAT_INBOX", raising=False)
    with pytest.raises(Usage) as refused:
        blockers.ask_from_run("Which?")
    assert (refused.value.message, refused.value.hint) == (
        "`blocker ask` without --task works only inside a run.",
        'gitcmat task block ID --reason "…"',
    )
