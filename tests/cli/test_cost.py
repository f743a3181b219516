"""What runs used: `cost`, `model`, and what `status`, `run`, `task` and `review` show of it."""

import json
import re
from datetime import timedelta

import pytest

from gitcmat.model.job import RunOutcome
from gitcmat.model.run import GATES
from gitcmat.model.spending import Total
from gitcmat.model.state import State
from gitcmat.model.usage import Spend, Usage
from gitcmat.store import accounts
from gitcmat.system import clock
from tests.support.cli import gitcmat
from tests.support.project import Project
from tests.support.repo import TestRepo
from tests.support.store import NOW, entry, put, run

USAGE = Usage(input=100, cache_read=30, output=20)
KNOWN = Spend(usage=USAGE, usd=0.25, model="claude-opus-5-5")
TOKENS = Spend(usage=Usage(input=1000, output=200), model="our-model")
ENDED = {"outcome": RunOutcome.FINISHED, "ended": NOW}


@pytest.fixture
def project(repo: TestRepo) -> Project:
    """Three runs of two tasks, on two days; one is under way, and one judged a commit."""
    project = Project(repo)
    before = NOW - timedelta(days=1)
    put(
        project.deps.store,
        entry("login", State.REVIEW, run="r-bbbbbbbb"),
        entry("parse"),
        run("r-aaaaaaaa", "login", started=before, spend=KNOWN, **ENDED),
        run("r-bbbbbbbb", "login", spend=TOKENS, agent="other", **ENDED),
        run("r-cccccccc", "parse", spend=Spend(usage=USAGE, usd=2.0, model="gpt-6-sol"), **ENDED),
        run("r-dddddddd", "parse"),
        run("r-eeeeeeee", "login", agent=GATES, **ENDED),
    )
    return project


def said(repo: TestRepo, *args: str) -> str:
    return gitcmat(repo, *args).ok().out


def test_the_cost_of_a_day_says_what_is_unknown(project: Project) -> None:
    assert said(project.repo, "cost") == (
        "DAY         RUNS  COST                 IN    CACHE READ  CACHE WRITE  OUT\n"
        "2026-11-21  2     ≥ $2.00 (1 unknown)  1100  30          0            220\n"
        "2026-11-20  1     $0.2500              100   30          0            20\n"
        "total       3     ≥ $2.25 (1 unknown)  1200  60          0            240\n"
    )
    assert said(project.repo, "cost", "--since", "2026-11-21", "--by", "agent") == (
        "AGENT  RUNS  COST                 IN    CACHE READ  CACHE WRITE  OUT\n"
        "coder  1     $2.00                100   30          0            20\n"
        "other  1     unknown              1000  0           0            200\n"
        "total  2     ≥ $2.00 (1 unknown)  1100  30          0            220\n"
    )


def test_the_cost_of_a_task_is_that_of_its_runs(project: Project) -> None:
    assert said(project.repo, "cost", "log") == (
        "RUN         TASK   AGENT  MODEL            RUNS  COST                   IN    CACHE READ"
        "  CACHE WRITE  OUT\n"
        "r-bbbbbbbb  login  other  our-model        1     unknown                1000  0         "
        "  0            200\n"
        "r-aaaaaaaa  login  coder  claude-opus-5-5  1     $0.2500                100   30        "
        "  0            20\n"
        "total                                      2     ≥ $0.2500 (1 unknown)  1100  30        "
        "  0            220\n"
    )


def test_a_price_that_is_added_later_is_used(project: Project) -> None:
    price = {"model": "our-*", "since": "2026-11-21", "input": 1.0, "output": 10.0}
    project.settings(prices=[price])
    found = json.loads(said(project.repo, "cost", "--by", "model", "--json"))
    assert [(g["model"], g["usd"]) for g in found["groups"]] == [
        ("gpt-6-sol", 2.0),
        ("claude-opus-5-5", 0.25),
        ("our-model", 0.003),
    ]
    assert found["total"] == {
        "runs": 3,
        "usd": 2.253,
        "unknown": 0,
        "at_least": False,
        "tokens": {"input": 1200, "cache_read": 60, "cache_write": 0, "output": 240},
        "silent": 0,
    }


def test_more_rows_than_asked_for_are_counted(project: Project) -> None:
    assert said(project.repo, "cost", "--by", "run", "--limit", "1").splitlines()[1:] == [
        (
            "r-cccccccc  parse  coder  gpt-6-sol  1     $2.00                100   30          0"
            "            20"
        ),
        (
            "total                                3     ≥ $2.25 (1 unknown)  1200  60          0"
            "            240"
        ),
        "and 2 more (--limit 3)",
    ]


def test_nothing_costs_nothing(repo: TestRepo) -> None:
    Project(repo)
    assert said(repo, "cost") == "nothing was used\n"
    assert json.loads(said(repo, "cost", "--json"))["total"] == Total().plain()


@pytest.mark.parametrize(
    ("args", "code", "error"),
    [
        (
            ("cost", "--since", "when?"),
            2,
            "error: 'when?' is no date.\nhint: --since 2026-11-01, or --since '2 days ago'\n",
        ),
        (("cost", "nobody"), 4, "error: There is no task 'nobody'.\nhint: gitcmat queue list\n"),
        (
            ("model", "price", "gpt-6", "--in", "1000"),
            4,
            (
                "error: The price of gpt-6 is unknown.\n"
                "hint: gitcmat model list, or prices: in your own settings\n"
            ),
        ),
        (
            ("model", "price", "gpt-6-astra", "--cache-write", "1"),
            4,
            (
                "error: A price of gpt-6-astra is unknown.\n"
                "hint: gitcmat model list, or prices: in your own settings\n"
            ),
        ),
        (
            ("queue", "resume", "--account", "claude"),
            4,
            "error: The account 'claude' is not on hold.\nhint: gitcmat status\n",
        ),
    ],
)
def test_what_is_not_known_is_refused(
    project: Project, args: tuple[str, ...], code: int, error: str
) -> None:
    result = gitcmat(project.repo, *args)
    assert (result.code, result.out, result.err) == (code, "", error)


def test_a_model_has_a_price(project: Project) -> None:
    asked = ("model", "price", "gpt-6-sol", "--in", "1000", "--out", "200", "--on", "2026-11-21")
    assert said(project.repo, *asked) == (
        "$0.0040\n"
        "  1000 in: $2 for a million\n"
        "  200 out: $10 for a million\n"
        "  since 2026-09-22, https://github.com/merefield/codexometer/releases/tag/v0.18.4\n"
    )
    assert said(project.repo, "model", "price", "gpt-6-sol", "--cached", "300000").startswith("≥ $")
    project.settings(prices=[{"model": "our-*", "since": "2026-11-01", "input": 1, "output": 4}])
    assert said(project.repo, "model", "price", "our-large") == (
        "  in: $1 for a million\n"
        "  out: $4 for a million\n"
        "  cache read: unknown\n"
        "  cache write: unknown\n"
        "  since 2026-11-01\n"
    )
    head, first, *_ = said(project.repo, "model", "list").splitlines()
    assert re.split(r"  +", head)[:6] == [
        "MODEL",
        "SINCE",
        "IN",
        "OUT",
        "CACHE READ",
        "CACHE WRITE",
    ]
    assert first.split() == ["our-*", "2026-11-01", "1", "4", "?", "?"]
    found = json.loads(said(project.repo, "--json", *asked))
    assert (found["usd"], found["at_least"], found["price"]["since"]) == (
        0.004,
        False,
        "2026-09-22",
    )


def test_what_a_run_and_a_task_used_stands_with_them(project: Project) -> None:
    shown = said(project.repo, "run", "show", "r-aaaaaaaa").splitlines()
    assert "  cost      $0.2500, tokens: 100 in, 30 cache read, 20 out" in shown
    shown = said(project.repo, "run", "show", "r-bbbbbbbb").splitlines()
    assert "  cost      unknown, tokens: 1000 in, 200 out" in shown
    assert "cost" not in said(project.repo, "run", "show", "r-dddddddd")
    shown = said(project.repo, "task", "show", "login").splitlines()
    line = "≥ $0.2500 (1 unknown), tokens: 1100 in, 30 cache read, 220 out"
    assert f"  cost {line}" in shown
    used = json.loads(said(project.repo, "task", "show", "login", "--json"))["used"]
    assert (used["usd"], used["unknown"]) == (0.25, 1)


def test_a_review_says_what_it_cost(project: Project) -> None:
    project.task("a")
    project.work()
    assert "cost" not in said(project.repo, "review", "show", "a")
    put(project.deps.store, run("r-ffffffff", "a", spend=KNOWN, **ENDED))
    shown = said(project.repo, "review", "show", "a").splitlines()
    assert "  cost      ≥ $0.2500 (1 unknown), tokens: ≥ 100 in, ≥ 30 cache read, ≥ 20 out" in shown


def test_the_status_says_what_today_cost_and_which_account_waits(project: Project) -> None:
    now = clock.now()
    put(project.deps.store, run("r-ffffffff", "parse", started=now, spend=KNOWN, **ENDED))
    until = now + timedelta(hours=2)
    accounts.hold("claude", until, "You've hit your limit", now)
    text = said(project.repo, "status")
    assert re.search(r"^today: .*\$[0-9.]+.*, tokens: .* in, .* out$", text, re.MULTILINE)
    local = f"{until.astimezone():%Y-%m-%d %H:%M:%S}"
    assert (
        f"the account claude is on hold until {local}: You've hit your limit"
        " (gitcmat queue resume --account claude)"
    ) in text.splitlines()
    found = json.loads(said(project.repo, "status", "--json"))
    assert found["accounts_on_hold"] == {
        "claude": {"until": until.isoformat(), "text": "You've hit your limit"}
    }
    assert found["today"]["usd"] >= 0.25

    assert said(project.repo, "queue", "resume", "--account", "claude") == "claude: resumed\n"
    assert "on hold until" not in said(project.repo, "status")
