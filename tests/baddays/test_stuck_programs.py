"""Agents and gates that never come to an end by themselves: each is ended, told of, and stops no
other task.
"""

import json
import os
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from tests.support.cli import gitcmat
from tests.support.journey import Journey, alike, same
from tests.support.repo import TestRepo
from tests.support.runs import PYTHON, processes_with

MARK: Final = f"cmat-stuck-{os.getpid()}"
"""In the arguments of programs of which nothing may be left."""

SLEEPER: Final = f"{PYTHON} -c 'import time; time.sleep(600)' {MARK}"

QUIET: Final = {
    "sleeps": SLEEPER,
    "busy": f"{PYTHON} -c 'while True: pass' {MARK}",
    "stopped": f"kill -STOP $$; {SLEEPER}",
    "deaf": f"trap '' TERM HUP INT; {SLEEPER} & wait; {SLEEPER}",
    "hidden": f"setsid {SLEEPER} & {SLEEPER}",
    "closes-its-output": f"exec >/dev/null 2>&1; {SLEEPER}",
    "pipe": f"mkfifo pipe; cat pipe; {SLEEPER}",
}
"""Agents that say nothing and do not end."""

TALKING: Final = {
    "chatters": f"while :; do echo still here; sleep 0.2; done # {MARK}",
    "dots": f"while :; do printf .; sleep 0.2; done # {MARK}",
}
"""Agents that speak on and on, so that only the wall limit ends them."""

ASKING: Final = {
    "reads": "read answer; echo got $?",
    "password": f"{PYTHON} -c 'import getpass; getpass.getpass()'",
    "terminal": "cat < /dev/tty",
    "credentials": "git credential fill <<X\nprotocol=https\nhost=example.org\n\nX",
    "editor": "git commit --allow-empty",
    "pager": "GIT_PAGER= git log | more",
}
"""Agents that ask somebody: nobody is there, so they go on at once, well or not."""


@pytest.fixture
def journey(repo: TestRepo) -> Journey:
    made = Journey(repo)
    made.prepare()
    return made


def commit(journey: Journey, scripts: dict[str, str], **fields: Any) -> None:
    """Commit a task for each script; `fields` are of all of them."""
    files = {}
    for task, script in scripts.items():
        lines = "".join(f"sh: {line}\n" for line in script.splitlines())
        text = {"title": f"Do {task}", "prompt": lines, **fields}
        files[f".cmat/tasks/{task}.yaml"] = json.dumps(text) + "\n"
    journey.repo.commit("Tasks", files)


def at_once(count: int) -> None:
    """Let that many runs go on at the same time."""
    folder = Path(os.environ["XDG_CONFIG_HOME"]) / "gitcmat"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(f"parallel: {count}\nsandbox: off\n")


def outcomes(journey: Journey) -> dict[str, tuple[str, str]]:
    """Task → state and reason."""
    found: dict[str, tuple[str, str]] = {}
    for state in ("review", "failed", "blocked", "pending", "active"):
        listed = journey.type("queue", "list", state, "--json").ok().json["entries"]
        found |= {e["id"]: (e["state"], e["reason"]) for e in listed}
    return found


@pytest.mark.slow
def test_no_stuck_agent_stops_the_queue_and_nothing_of_one_is_left(journey: Journey) -> None:
    at_once(8)
    commit(journey, QUIET, idle_timeout="1s", attempts=1, priority="high")
    commit(journey, TALKING, timeout="2s", attempts=1, priority="high")
    commit(journey, ASKING, timeout="60s", attempts=1, priority="high")
    commit(journey, {f"good-{n}": f"echo {n} > good-{n}.txt" for n in range(5)}, priority="low")
    result = gitcmat(journey.repo, "watch", "--until-idle").ok()
    found = outcomes(journey)
    silent = dict.fromkeys(QUIET, ("failed", "said nothing for 1 seconds"))
    endless = dict.fromkeys(TALKING, ("failed", "did not end within 2 seconds"))
    same({t: found[t] for t in (*QUIET, *TALKING)}, silent | endless)
    assert {found[task][0] for task in ASKING} <= {"review", "failed"}, found
    assert {found[f"good-{n}"] for n in range(5)} == {("review", "")}
    assert list(processes_with(MARK)) == []
    assert "good-4  review  your review: gitcmat review show good-4" in result.out


@pytest.mark.slow
def test_an_agent_that_says_nothing_is_tried_again_and_then_told_of(journey: Journey) -> None:
    commit(journey, {"stuck": f"echo half > half.txt; {SLEEPER}"}, idle_timeout="1s", attempts=2)
    done = journey.type("run", "now", "stuck")
    assert (done.code, alike(done.out)) == (
        1,
        "stuck: failed (said nothing for 1 seconds)\nnext: gitcmat run show r-xxxxxxxx --log\n",
    )
    assert done.err.count("(said nothing for 1 seconds)") == 2
    assert list(processes_with(MARK)) == []
    (run,) = journey.type("run", "list", "--json", "--limit", "1").ok().json["runs"]
    assert journey.repo.show(f"refs/cmat/runs/{run['id']}", "half.txt") == "half\n"


GATE: Final = """\
schema: 1
gates:
  stuck: {{run: [sh, -c, {line}], timeout: 1s}}
  after: {{run: [ls]}}
defaults: {{agent: fake, backoff: 1s, attempts: 1}}
"""


def test_a_gate_that_hangs_is_ended_with_all_it_started_and_the_next_one_runs(
    journey: Journey,
) -> None:
    line = f"echo begun; setsid {SLEEPER} & {SLEEPER}"
    journey.repo.commit("Gates", {".cmat/config.yaml": GATE.format(line=json.dumps(line))})
    journey.trust()
    commit(journey, {"work": "echo 1 > one.txt"})
    done = journey.type("run", "now", "work")
    assert (done.code, done.out) == (
        1,
        "work: blocked (red: stuck)\nnext: gitcmat blocker list --task work\n",
    )
    assert list(processes_with(MARK)) == []
    same(
        alike(journey.type("gate", "results", "work").ok().out),
        "red (stuck): <short> of work, r-xxxxxxxx\n"
        "stuck: error, 0.0 s (did not end within 1 seconds)\n"
        "  | begun\n"
        "after: passed, 0.0 s\n",
    )
    (asked,) = journey.type("blocker", "list", "--json").ok().json["blockers"]
    same(
        alike(journey.type("blocker", "show", asked["id"]).ok().out),
        "b-xxxxxxxx  open  about work  asked by gitcmat\n"
        "  work is still red after one attempt: stuck. What now?\n"
        "  | stuck: error (did not end within 1 seconds)\n"
        "  | begun\n"
        "  one of: retry, review anyway, cancel; other words are guidance\n"
        "  answer: .cmat/blockers/b-xxxxxxxx.yaml\n"
        '      or: gitcmat blocker answer b-xxxxxxxx "…"\n',
    )


@pytest.mark.slow
def test_a_setup_that_hangs_is_ended(journey: Journey) -> None:
    text = journey.repo.read(".cmat/config.yaml")
    setup = f"setup: {{run: [[sh, -c, {json.dumps(SLEEPER)}]], timeout: 1s}}\n"
    journey.repo.commit("Setup", {".cmat/config.yaml": text + setup})
    journey.trust()
    commit(journey, {"work": "echo 1 > one.txt"}, attempts=1)
    done = journey.type("run", "now", "work")
    command = f"sh -c {shlex.quote(SLEEPER)}"
    assert (done.code, done.out.splitlines()[0]) == (
        1,
        f"work: failed (setup `{command}` did not end within 1 seconds)",
    )
    assert list(processes_with(MARK)) == []
