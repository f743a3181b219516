"""Commands that move tasks, each as typed: what they print, what they change, what they refuse."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from gitcmat.model.state import State
from gitcmat.store import records
from tests.support.board import BLOCKER, board
from tests.support.cli import Result, gitcmat
from tests.support.golden import golden
from tests.support.project import Project, agent_file, config_file, task_file
from tests.support.repo import TestRepo

MINE = ("files:.cmat/tasks/*", "index", "refs:refs/heads/main")
"""What a command may change that commits a task file."""


@dataclass
class Typed:
    """Types commands and compares all they print."""

    project: Project

    def __call__(self, *args: str, changes: tuple[str, ...] = ()) -> Result:
        return gitcmat(self.project.repo, *args, changes=changes)

    def says(self, line: str, out: str, err: str = "", changes: tuple[str, ...] = ()) -> None:
        result = self(*line.split(), changes=changes)
        assert (result.code, golden(result.out), golden(result.err)) == (0, out, err)

    def refuses(self, line: str, code: int, message: str, hint: str) -> None:
        result = self(*line.split())
        said = f"error: {message}\nhint: {hint}\n" if hint else f"error: {message}\n"
        assert (result.code, result.out, golden(result.err)) == (code, "", said)


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """Three tasks of one's own: ``a``, ``held`` and ``needy``, which needs ``a``."""
    made = Project(repo, config_file({"tests": ["true"]}))
    made.commit(
        task_file("a", title="First"),
        task_file("held", hold=True, agent="coder"),
        task_file("needy", needs=["a"], priority="low"),
    )
    made.step(start=False)
    return made


@pytest.fixture
def typed(project: Project) -> Typed:
    return Typed(project)


# --- queue ----------------------------------------------------------------------------------------


def test_hold_release_and_priority_say_what_is_so_now(project: Project, typed: Typed) -> None:
    typed.says("queue hold a", "a: on hold\n")
    assert project.entry("a").hold
    typed.says("queue release a", "a: released\n")
    assert not project.entry("a").hold
    typed.says("queue priority need critical", "needy: critical\n")
    assert project.entry("needy").priority == "critical"
    choices = "'critical', 'high', 'normal', 'low'"
    typed.refuses(
        "queue priority a urgent",
        2,
        f"Invalid value for '{{critical|high|normal|low}}': 'urgent' is not one of {choices}.",
        "gitcmat queue priority --help",
    )


def test_what_is_cancelled_can_be_run_again(project: Project, typed: Typed) -> None:
    typed.says(
        "queue cancel held need --reason later",
        "held: cancelled (was pending)\nneedy: cancelled (was pending)\ncancelled 2: 2 pending\n",
    )
    assert project.entry("held").reason == "later"
    typed.refuses(
        "queue cancel held", 5, "held is cancelled: there is nothing to cancel.", _show("held")
    )
    typed.refuses("queue hold held", 5, "held is cancelled.", "gitcmat queue rerun held")
    typed.refuses(
        "queue rerun a",
        5,
        "a is pending; only what is done, failed, cancelled can be started again.",
        _show("a"),
    )
    typed.says("queue rerun held", "held: pending\n")
    assert project.state("held") == "pending"


def test_the_log_says_what_moved(typed: Typed) -> None:
    typed("queue", "cancel", "held").ok()
    typed("queue", "rerun", "held").ok()
    steps = typed("task", "log", "held", "--json").ok().json["history"]
    assert [(step["by"], step["what"]) for step in steps] == [
        ("gitcmat", "follows its file again"),
        ("Pat Person", "cancelled -> pending (started again by Pat Person)"),
        ("Pat Person", "pending -> cancelled (cancelled by Pat Person)"),
        ("gitcmat", "new, pending"),
    ]


def test_a_rerun_is_not_held_by_an_older_stop(project: Project, typed: Typed) -> None:
    typed("queue", "hold", "a").ok()
    typed("queue", "cancel", "a").ok()
    typed("queue", "rerun", "a").ok()
    assert not project.entry("a").hold


def test_everything_is_cancelled_at_once(project: Project, typed: Typed) -> None:
    lines = [f"{task}: cancelled (was pending)\n" for task in ("a", "held", "needy")]
    typed.says("queue cancel-all", "".join(lines) + "cancelled 3: 3 pending\n")
    typed.refuses("queue cancel-all", 6, "Nothing is open.", "gitcmat queue list all")
    assert set(project.deps.store.read().states().values()) == {State.CANCELLED}


def test_cancel_ends_a_run_first(project: Project, typed: Typed, tmp_path: Path) -> None:
    wait = f"while [ ! -e {tmp_path / 'go'} ]; do sleep 0.05; done"
    project.commit(agent_file("coder", wait))
    project.trust()
    project.step()
    assert project.state("a") == "active"
    result = typed("queue", "cancel", "a", "--json").ok()
    assert result.json == {"schema": 1, "cancelled": ["a"], "counts": {"active": 1}}
    assert (project.state("a"), project.runs("a")) == ("cancelled", ["stopped"])


def test_work_without_a_file_is_queued(project: Project, typed: Typed) -> None:
    result = typed("queue", "add", "Do it", "--id", "x", "--no-gates", "--priority", "low").ok()
    assert (result.out, result.err) == ("x\n", "")
    entry = project.entry("x")
    assert (entry.task.gates, entry.priority, entry.source) == ((), "low", None)
    result = typed("queue", "add", "Do more", "--gate", "tests", "--needs", "x", "--json").ok()
    task = result.json["entry"]["task"]
    assert (task["title"], task["gates"], task["needs"]) == ("Do more", ["tests"], ["x"])
    project.work()
    assert (project.state("x"), str(project.entry("x").verdict)) == ("review", "no gates")


@pytest.mark.parametrize(
    ("line", "code", "message", "hint"),
    [
        ("X --id a", 5, "There is a task a already.", "choose another --id"),
        (
            "X --id ../x",
            3,
            "'../x' is not a task id.",
            "1 to 63 lower-case letters, digits and dashes",
        ),
        ("X --target nope", 4, "There is no branch nope.", "git branch"),
        ("X --agent codr", 4, "There is no agent 'codr' (did you mean 'coder'?).", "agents: coder"),
        ("X --gate lint", 4, "There is no gate 'lint'.", "gates: tests"),
        ("X --needs zz", 3, "It needs zz, which is not known.", "gitcmat queue list"),
    ],
    ids=["id", "path", "target", "agent", "gate", "need"],
)
def test_work_that_cannot_be_done_is_not_queued(
    typed: Typed, line: str, code: int, message: str, hint: str
) -> None:
    typed.refuses(f"queue add {line}", code, message, hint)
    assert typed.project.ids() == ["a", "held", "needy"]


# --- task add and set -----------------------------------------------------------------------------

WRITTEN = """\
schema: 1
title: "Fix: the \\"loader\\""
prompt: |-
  Use pathlib.
    Everywhere.
agent: coder
gates:
  - tests
needs:
  - a
paths:
  - src/**
priority: high
attempts: 1
timeout: 30m
hold: true
"""


def test_a_task_is_written_committed_and_taken_in(project: Project, typed: Typed) -> None:
    line = "--agent coder --gate tests --needs a --path src/** --priority high --attempts 1"
    result = typed(
        "task", "add", 'Fix: the "loader"', *line.split(), "--timeout", "30m", "--hold",
        "--id", "loader", "-p", "Use pathlib.\n  Everywhere.", changes=MINE,
    ).ok()  # fmt: skip
    assert (result.out, result.err) == ("loader\n", "committed .cmat/tasks/loader.yaml\n")
    assert sorted(project.repo.read(".cmat/tasks/loader.yaml").splitlines()) == sorted(
        WRITTEN.splitlines()
    )
    assert project.state("loader") == "pending"
    assert project.repo.git("show", "--name-status", "--format=%an: %s", "HEAD") == (
        'Pat Person: Task loader: Fix: the "loader"\n\nA\t.cmat/tasks/loader.yaml'
    )
    assert project.repo.status() == ""


def test_an_id_is_made_of_the_title(typed: Typed) -> None:
    result = typed("task", "add", "Größe: lädt \udcff nicht!", "--quiet", changes=MINE).ok()
    assert result.err == ""
    task = result.out.strip()
    assert task.startswith("gr")
    assert typed.project.entry(task).task.title.startswith("Größe: lädt ")


def test_the_same_request_is_one_task(project: Project, typed: Typed) -> None:
    line = "task add Again --request-id mail-17 --json"
    first = typed(*line.split(), changes=MINE).ok().json
    assert (first["existed"], first["commit"]) == (False, project.repo.tip())
    second = typed(*line.split()).ok().json
    assert (second["id"], second["existed"]) == (first["id"], True)
    other = typed("task", "add", "Again", "--request-id", "mail-18", "--json", changes=MINE).ok()
    assert other.json["id"] != first["id"]


@pytest.mark.parametrize(
    ("args", "code", "message", "hint"),
    [
        (
            ["--agent", "coder"],
            2,
            "A task needs a title or a prompt.",
            'gitcmat task add "…" --agent NAME',
        ),
        (["A\nB"], 3, "title is one line", ""),
        (["X", "--id", "a"], 5, "There is a task a already.", "choose another --id"),
        (
            ["X", "--id", "A b"],
            3,
            "'A b' is not a task id.",
            "1 to 63 lower-case letters, digits and dashes",
        ),
        (["X", "--id", "con"], 3, "'con' is a reserved name on Windows.", "choose another id"),
        (
            ["X", "--agent", "codr"],
            4,
            "There is no agent 'codr' (did you mean 'coder'?).",
            "agents: coder",
        ),
        (
            ["X", "--gate", "test"],
            4,
            "There is no gate 'test' (did you mean 'tests'?).",
            "gates: tests",
        ),
        (
            ["X", "--timeout", "soon"],
            3,
            "timeout: 'soon' is not a duration (write 90s, 30m or 1h30m)",
            "",
        ),
        (
            ["X", "--id", "x", "--needs", "zz"],
            3,
            "x needs zz, which is not known.",
            "gitcmat queue list",
        ),
        (
            ["X", "--attempts", "0"],
            2,
            "Invalid value for '--attempts': 0 is not in the range 1<=x<=20.",
            "gitcmat task add --help",
        ),
        (
            ["X", "--prio", "low"],
            2,
            "No such option '--prio'. (Did you mean one of: '--id', '--priority', '--prompt'?)",
            "gitcmat task add --help",
        ),
    ],
    ids=range(11),
)
def test_a_task_that_cannot_be_is_refused_and_nothing_is_written(
    project: Project, typed: Typed, args: list[str], code: int, message: str, hint: str
) -> None:
    result = typed("task", "add", *args)
    said = f"error: {message}\nhint: {hint}\n" if hint else f"error: {message}\n"
    assert (result.code, result.out, result.err) == (code, "", said)
    assert project.repo.status() == ""


def test_keys_are_set_as_they_are_typed(project: Project, typed: Typed) -> None:
    changes = ["title=A: b # c", "prompt=one\ntwo: [three", "needs=", "paths=src/**, docs/*"]
    result = typed("task", "set", "need", *changes, "attempts=3", "gates=[]", changes=MINE).ok()
    assert result.out == "needy: changed title, prompt, needs, paths, attempts, gates\n"
    task = project.entry("needy").task
    assert (task.title, task.prompt, task.needs) == ("A: b # c", "one\ntwo: [three", ())
    assert (task.paths, task.attempts, task.gates) == (("src/**", "docs/*"), 3, ())
    assert task.priority == "low"


@pytest.mark.parametrize(
    ("args", "code", "message", "hint"),
    [
        (["a", "title"], 2, "'title' is not KEY=VALUE.", "gitcmat task set ID priority=high"),
        (["a", "colour=red"], 3, "colour: unknown key", "keys that begin with x- are yours"),
        (
            ["a", "priority=hgh"],
            3,
            "priority: 'hgh' is not one of critical, high, normal, low (did you mean 'high'?)",
            "",
        ),
        (["a", "attempts=[1"], 2, "attempts=[1 cannot be read.", "put the text in quotes"),
        (["a", "needs=needy"], 3, "The needs go in a circle: a -> needy -> a.", "leave one out"),
        (["a", "agent=nobody"], 4, "There is no agent 'nobody'.", "agents: coder"),
        (["zz", "title=x"], 4, "There is no task 'zz'.", "gitcmat queue list"),
    ],
    ids=range(7),
)
def test_a_change_that_cannot_be_is_refused_and_nothing_is_written(
    project: Project, typed: Typed, args: list[str], code: int, message: str, hint: str
) -> None:
    result = typed("task", "set", *args)
    said = f"error: {message}\nhint: {hint}\n" if hint else f"error: {message}\n"
    assert (result.code, result.out, result.err) == (code, "", said)
    assert project.repo.status() == ""


def test_a_task_without_a_file_has_nothing_to_set(typed: Typed) -> None:
    typed("queue", "add", "X", "--id", "x").ok()
    typed.refuses(
        "task set x title=Y",
        4,
        "x has no task file here (.cmat/tasks/x.yaml).",
        "gitcmat queue hold, release or priority x",
    )


# --- task block, unblock, approve, prune ----------------------------------------------------------


def test_a_person_blocks_a_task_and_unblocks_it(project: Project, typed: Typed) -> None:
    result = typed("task", "block", "a", "--reason", "Is it needed?").ok()
    (asked,) = project.asked("a")
    assert result.out == f"{asked.id}\n"
    typed.says(
        "task unblock a --answer yes",
        "b-1  answered  about a  asked by Pat Person\n"
        "  Is it needed?\n"
        "  answered by Pat Person:\n"
        "  > yes\n",
    )
    assert project.state("a") == "pending"
    typed.refuses("task unblock a", 6, "a has no open question.", _show("a"))
    typed.refuses(
        "task unblock a yes --answer no",
        2,
        "TEXT and --answer say the same.",
        'gitcmat task unblock a "…"',
    )
    for words, answer in ((("by", "words"), "by words"), ((), "go on")):
        typed("task", "block", "a", "--reason", f"How about {len(words)}?").ok()
        (asked,) = project.asked("a")
        typed("task", "unblock", "a", *([" ".join(words)] if words else [])).ok()
        held = project.deps.store.read().blocker(asked.id)
        assert held is not None
        assert held.answer == answer


def test_what_nobody_else_wrote_needs_no_approval(typed: Typed) -> None:
    typed.refuses("task approve --all", 6, "Nothing waits for approval.", "gitcmat status")
    typed.refuses("task approve a", 6, "Nothing waits for approval.", "gitcmat status")
    hint = "gitcmat task approve ID…"
    typed.refuses("task approve", 2, "Name the tasks, or say --all.", hint)


def test_what_is_finished_is_pruned(project: Project, typed: Typed) -> None:
    hint = "gitcmat queue list all"
    typed.refuses("task prune", 6, "No finished task has a file.", hint)
    typed("queue", "cancel", "held").ok()
    typed.says("task prune", "held: file removed\n", changes=MINE)
    assert project.repo.status() == ""
    assert project.state("held") == "cancelled"


# --- blocker --------------------------------------------------------------------------------------


def test_an_answer_is_given_once(repo: TestRepo) -> None:
    typed = Typed(board(repo))
    result = typed("blocker", "answer", "b-a", "").code
    assert result == 2
    typed.says("blocker answer b-a ISO", "b-1: answered; asks is pending\n")
    typed.refuses(
        f"blocker answer {BLOCKER} RFC",
        5,
        "b-1 is answered; it cannot be answered any more.",
        _show("asks"),
    )
    typed.says(
        "blocker list --all",
        "ID          STATUS    TASK  KIND      QUESTION\n"
        "b-1  answered  asks  question  Which format? ISO or RFC?\n",
    )
    typed.refuses(
        "blocker answer b-zz ISO", 4, "There is no blocker 'b-zz'.", "gitcmat blocker list"
    )


def test_a_question_is_asked_about_a_task_or_from_inside_of_a_run(
    project: Project, typed: Typed, tmp_path: Path
) -> None:
    result = typed("blocker", "ask", "Hm?", "--task", "a", "--json").ok().json
    assert (result["task"], result["blocker"]) == ("a", project.asked("a")[0].id)
    typed.refuses(
        "blocker ask Hm?",
        2,
        "`blocker ask` without --task works only inside a run.",
        'gitcmat task block ID --reason "…"',
    )
    box = tmp_path / "inbox"
    env = {"CMAT_INBOX": str(box), "CMAT_NONCE": "n1"}
    asked = gitcmat(project.repo, "blocker", "ask", "Hm?", env=env).ok()
    assert asked.out == "asked; stop now, the answer comes with the next attempt\n"
    assert json.loads(box.read_text(encoding="utf-8")) == {
        "kind": "ask",
        "nonce": "n1",
        "question": "Hm?",
    }
    assert project.ids(State.BLOCKED) == ["a"]


def _show(task: str) -> str:
    return f"gitcmat task show {task}"


def test_a_task_that_no_agent_follows_for_is_not_written(repo: TestRepo) -> None:
    project = Project(repo, agent_file("other", "true"))
    tip = repo.tip()
    for noun, verb in (("task", "add"), ("queue", "add")):
        result = gitcmat(repo, noun, verb, "New")
        assert (result.code, result.out, result.err) == (
            4,
            "",
            (
                "error: No agent is named, and there is no default.\n"
                "hint: --agent NAME (agents: coder, other), "
                "or: gitcmat config set defaults.agent NAME\n"
            ),
        )
    assert (repo.tip(), repo.status()) == (tip, "")
    assert project.deps.store.read().states() == {}
    project.commit(config_file(defaults={"agent": "other"}))
    with repo.as_person():
        gitcmat(repo.path, "task", "add", "New", "--id", "new").ok()
    assert project.deps.store.read().states().keys() == {"new"}


def test_a_list_says_what_is_on_hold(typed: Typed) -> None:
    typed("queue", "hold", "a").ok()
    (row,) = [r for r in typed("queue", "list").ok().out.splitlines() if r.startswith("a ")]
    assert "  on hold  " in row


@pytest.mark.parametrize(
    ("answer", "taken"),
    [
        ("Yes, go ahead.", "a yes: this call is granted"),
        ("yes, but only once", "words to the agent: no grant"),
    ],
)
def test_an_answer_about_a_permission_says_what_it_is_taken_for(
    project: Project, answer: str, taken: str
) -> None:
    repo = project.repo
    asked = "May the agent use Bash(make release)? It was refused."
    gitcmat(repo, "task", "block", "a", "--reason", asked).ok()
    (blocker,) = gitcmat(repo, "blocker", "list", "--json", "--task", "a").ok().json["blockers"]
    name, rule = blocker["id"], "yes grants exactly this call; anything else is told to the agent"
    file = repo.path / f".cmat/blockers/{name}.yaml"
    assert f"# Here {rule}.\n" in file.read_text(encoding="utf-8")
    assert f"  {rule}\n  answer: .cmat/blockers/" in gitcmat(repo, "blocker", "show", name).ok().out
    done = gitcmat(repo, "blocker", "answer", name, answer).ok()
    assert done.out == f"{name}: answered; a is pending\ntaken for {taken} ({rule})\n"
    shown = gitcmat(repo, "blocker", "show", name).ok().out
    assert shown.endswith(f"  > {answer}\n  taken for {taken}\n")
    kept = project.deps.store.read().blocker(name)
    assert kept is not None
    assert records.render(kept).decode().startswith(f"# The answer was taken for {taken}.\n")
