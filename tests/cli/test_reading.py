"""What commands that only read print, whole: `status`, `queue`, `task`, `blocker`."""

import pytest

from gitcmat.model.state import State
from gitcmat.model.task import Task
from tests.support.board import BLOCKER, RUN, board
from tests.support.cli import gitcmat
from tests.support.golden import golden
from tests.support.project import Project
from tests.support.repo import TestRepo
from tests.support.store import entry, put

STATUS = """\
1 backlog, 1 active, 1 blocked, 1 review, 1 done, 1 failed; no daemon is running

active:
ID    STATE   PRIORITY  AGENT  NOTE                             TITLE
runs  active  normal           r-1, attempt 2, has died  Runs now

review:
ID           STATE   PRIORITY  AGENT  NOTE                      TITLE
parse-dates  review  high      coder  outside paths: docs/x.md  Parse dates

waiting:
ID      STATE    PRIORITY  AGENT  NOTE                TITLE
theirs  backlog  normal           waits for approval  Task theirs

finished:
ID      STATE   PRIORITY  AGENT  NOTE         TITLE
landed  done    normal                        Task landed
broken  failed  normal           exit code 3  Task broken

questions:
b-1  asks  Which format? ISO or RFC?

new, not taken in yet: held
new, not taken in yet: needy
agents work without a sandbox here: your settings say sandbox: off (gitcmat doctor)

next: gitcmat blocker answer b-1 "…"
"""

LIST = """\
ID           STATE    PRIORITY  AGENT  NOTE                      TITLE
parse-dates  review   high      coder  outside paths: docs/x.md  Parse dates
asks         blocked  normal           asked a question          Task asks
runs         active   normal           r-1 since 12:00    Runs now
theirs       backlog  normal                                     Task theirs
"""

TWO = """\
ID           STATE    PRIORITY  AGENT  NOTE                      TITLE
parse-dates  review   high      coder  outside paths: docs/x.md  Parse dates
asks         blocked  normal           asked a question          Task asks
and 2 more (--limit 4)
"""

ALL = """\
ID           STATE    PRIORITY  AGENT  NOTE                      TITLE
landed       done     normal                                     Task landed
broken       failed   normal           exit code 3               Task broken
parse-dates  review   high      coder  outside paths: docs/x.md  Parse dates
asks         blocked  normal           asked a question          Task asks
runs         active   normal           r-1 since 12:00    Runs now
theirs       backlog  normal                                     Task theirs
"""

RECORD = """\
# Written by gitcmat. You may change priority and hold here; the rest follows from the work.
schema: 1
id: landed
priority: normal
hold: false
task:
  schema: 1
  title: Task landed
source: null
target: refs/heads/main
created: '(time)'
updated: '(time)'
since: '(time)'
landing:
  commit: '(object)'
  target: refs/heads/main
  how: squash
  at: '(time)'
  by: Pat
version:
  count: 1
  node: n-1
"""

QUEUE_STATUS = """\
1 backlog, 1 active, 1 blocked, 1 review, 1 done, 1 failed

active:
ID    STATE   PRIORITY  AGENT  NOTE                    TITLE
runs  active  normal           r-1 since 12:00  Runs now

finished:
ID      STATE   PRIORITY  AGENT  NOTE         TITLE
landed  done    normal                        Task landed
broken  failed  normal           exit code 3  Task broken
"""

PARSE = """\
parse-dates  review  Parse dates
  priority high, agent coder
  branch cmat/parse-dates
  green: tests passed
  ! outside paths: docs/x.md

  | Accept ISO.
  | Everywhere.

  run r-1  attempt 1  finished  ok
"""

ASKS = """\
asks  blocked  Task asks
  asked a question
  priority normal, agent (default)
  blocker b-1  open  Which format? ISO or RFC?
"""

THEIRS = """\
theirs  backlog  Task theirs
  not started: waits for approval
  priority normal, agent (default)
  from .cmat/tasks/theirs.yaml on main at (short)
"""

RUNS = """\
runs  active  Runs now
  priority normal, agent (default)

  run r-1  attempt 2  active
"""

LANDED = """\
landed  done  Task landed
  priority normal, agent (default)
  landed as (short) on main
"""

LOG = """\
WHEN                 WHO         WHAT
(time)  Pat Person  put
"""

BLOCKERS = """\
ID          STATUS  TASK  KIND      QUESTION
b-1  open    asks  question  Which format? ISO or RFC?
"""

QUESTION = """\
b-1  open  about asks  asked by agent
  Which format?
  ISO or RFC?
  answer: .cmat/blockers/b-1.yaml
      or: gitcmat blocker answer b-1 "…"
"""

PROMPT = """\
# Task runs: Runs now

Runs now

The result is judged by: tests

## How to work here

- You are in a work tree of your own. Change files there; what you leave is committed for you.
- Read `AGENTS.md` and `CLAUDE.md` at its root first, if they are there, and keep to them.
- To ask a person something, run `gitcmat blocker ask "your question"` and stop. The answer comes \
with the next attempt.
- If it cannot be done, or not without a person, end your last words with such a block (`blocked` \
or `failed`):

```yaml
task_id: runs
status: blocked
question: what has to be decided
```
"""


@pytest.fixture
def project(repo: TestRepo) -> Project:
    return board(repo)


GOLDEN: dict[str, str] = {
    "status": STATUS,
    "queue list": LIST,
    "queue list --limit 2": TWO,
    "queue list cancelled": "nothing\n",
    "queue list all": ALL,
    "queue get land": RECORD,
    "queue status": QUEUE_STATUS,
    "task show parse": PARSE,
    "task show asks": ASKS,
    "task show theirs": THEIRS,
    "task show runs": RUNS,
    "task show landed": LANDED,
    "task log parse": LOG,
    "task tree": LIST,
    "task prompt runs": PROMPT,
    "blocker list": BLOCKERS,
    "blocker list --task runs": "no open questions\n",
    "blocker show b-": QUESTION,
}


def test_every_reading_command_prints_exactly_this_and_changes_nothing(project: Project) -> None:
    before = project.deps.store.tip()
    found = {line: gitcmat(project.repo, *line.split()).ok() for line in GOLDEN}
    assert {line: golden(result.out) for line, result in found.items()} == GOLDEN
    assert {line: result.err for line, result in found.items()} == dict.fromkeys(GOLDEN, "")
    assert project.deps.store.tip() == before


def test_every_reading_command_gives_the_same_as_json(project: Project) -> None:
    def ask(line: str) -> dict[str, object]:
        result = gitcmat(project.repo, *line.split(), "--json").ok()
        assert result.err == ""
        assert result.json["schema"] == 1
        found: dict[str, object] = result.json
        return found

    counts = {s.value: 0 for s in State}
    counts |= dict.fromkeys(("backlog", "active", "blocked", "review", "done", "failed"), 1)
    status = ask("status")
    assert (status["counts"], status["new"], status["watching"], status["trusted"]) == (
        counts,
        ["held", "needy"],
        False,
        True,
    )
    assert _ids(status["waiting"]) == ["theirs"]
    assert status["next"] == f'gitcmat blocker answer {BLOCKER} "…"'
    listed = ask("queue list --limit 2")
    assert (_ids(listed["entries"]), listed["left_out"]) == (["parse-dates", "asks"], 2)
    assert ask("queue status")["counts"] == counts
    details = ask("task show theirs")
    assert (details["waits"], details["runs"], details["blockers"]) == (
        "waits for approval",
        [],
        [],
    )
    assert _ids(ask("task show runs")["runs"]) == [RUN]
    assert _ids(ask("task tree")["tasks"]) == ["parse-dates", "asks", "runs", "theirs"]
    assert ask("task prompt runs")["prompt"] == PROMPT
    blockers = ask("blocker list")
    assert (_ids(blockers["blockers"]), blockers["counts"]) == ([BLOCKER], {"open": 1})
    one = gitcmat(project.repo, "queue", "get", "landed", "--json").ok().json["entry"]
    again = gitcmat(project.repo, "--json", "task", "show", "landed").ok().json["entry"]
    assert one == again
    assert (one["state"], one["landing"]["how"], one["priority"]) == ("done", "squash", "normal")


def _ids(records: object) -> list[str]:
    assert isinstance(records, list)
    return [record["id"] for record in records]


def test_a_tree_stands_below_what_needs_it_also_in_a_circle(repo: TestRepo) -> None:
    project = Project(repo)
    needs = {"app": ("lib", "docs"), "lib": ("base",), "docs": (), "base": ()}
    needs |= {"one": ("two",), "two": ("one",)}
    put(
        project.deps.store,
        *(
            entry(name, source=None, task=Task(title=name, needs=wanted))
            for name, wanted in needs.items()
        ),
    )
    shown = gitcmat(repo, "task", "tree").ok().out.splitlines()
    assert [line[: len(line) - len(line.lstrip())] + line.split()[0] for line in shown] == [
        "ID",
        "app",
        "  lib",
        "    base",
        "  docs",
        "one",
        "  two",
        "    one",
    ]
    said = gitcmat(repo, "task", "show", "one").ok().out
    assert "  not started: needs two, in a circle: one -> two -> one\n" in said


# --- status when something is not as it should be -------------------------------------------------


def test_status_names_all_that_keeps_work_from_starting(repo: TestRepo) -> None:
    project = Project(repo)
    project.deps.trust.forget()
    project.commit({".cmat/tasks/half.yaml": "title: [half\n", ".cmat/tasks/a.yaml": "title: A\n"})
    repo.write(".cmat/tasks/new.yaml", "title: New\n")
    repo.write(".cmat/config.yaml", "gates: {}\n")
    repo.git("add", "-f", ".cmat/config.yaml")
    assert golden(gitcmat(repo, "status").ok().out) == (
        "no tasks; no daemon is running\n"
        "\n"
        "new, not taken in yet: a\n"
        "saved, not committed; not used: .cmat/config.yaml (changed)\n"
        "saved, not committed; not used: .cmat/tasks/new.yaml (new)\n"
        ".cmat/tasks/half.yaml:2: did not find expected ',' or ']'\n"
        "the plan is not trusted, so nothing starts: gitcmat trust\n"
        "\n"
        "next: gitcmat trust\n"
    )


def test_status_of_a_repository_without_anything_says_how_to_begin(repo: TestRepo) -> None:
    assert gitcmat(repo, "status").ok().out == (
        "no tasks; no daemon is running\n\nnext: gitcmat init\n"
    )
    assert not (repo.git_dir / "cmat").exists()


def test_status_of_a_branch_that_tracks_facts_names_them(repo: TestRepo) -> None:
    project = Project(repo)
    project.task("a")
    project.step(start=False)
    repo.git("add", "-f", ".cmat/queue/pending/a.yaml")
    out = gitcmat(repo, "status").ok().out
    path = ".cmat/queue/pending/a.yaml"
    assert f"tracked by git, so not read: {path} (git rm --cached {path})\n" in out


def test_status_names_an_edit_that_was_not_taken_in(repo: TestRepo) -> None:
    project = Project(repo)
    project.task("a")
    project.step(start=False)
    file = repo.path / ".cmat/queue/pending/a.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("title: a", "title: b"), "utf-8")
    project.clock.later(5)
    project.step(start=False)
    assert (
        "edit not taken in: .cmat/queue/pending/a.yaml:6: "
        "task was changed; only priority and hold may be changed here\n"
    ) in gitcmat(repo, "status").ok().out
