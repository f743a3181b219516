"""What the benchmark makes of its times."""

from datetime import date
from pathlib import Path

import pytest

from bench import report
from bench.measure import Times, in_turns
from bench.row import Goal, Row, milliseconds, ratio


def row(goal: Goal | None = None) -> Row:
    return Row(
        what="a thing",
        floor="the least",
        floor_times=Times((0.010, 0.020, 0.030)),
        times=Times((0.030, 0.030, 0.060)),
        goal=goal,
    )


def test_medians_are_compared_and_so_are_the_best_rounds() -> None:
    assert row().ratio == pytest.approx(1.5)
    assert row().best_ratio == pytest.approx(3.0)


def test_a_goal_limits_the_ratio_or_our_own_time() -> None:
    goals = (None, ratio(1.6), ratio(1.4), milliseconds(31), milliseconds(29))
    assert [row(goal).met for goal in goals] == [None, True, False, True, False]


def test_arms_run_in_turns_and_each_begins_once() -> None:
    order = []

    def arm(name: str) -> float:
        order.append(name)
        return float(len(order))

    times = in_turns({"a": lambda: arm("a"), "b": lambda: arm("b")}, 2)
    assert "".join(order) == "abbaab"
    assert times["a"] == Times((4.0, 5.0))


def test_the_page_keeps_the_last_table_and_what_is_around_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "README.md"
    page.write_text("before\n<!-- measured -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "_PAGE", page)
    report.keep([row(ratio(1.4))], {"git": "2.39.5", "cores": "2"}, date(2026, 11, 21))
    assert page.read_text(encoding="utf-8") == (
        "before\n<!-- measured -->\n2026-11-21: git 2.39.5; cores 2.\n\n"
        "| what    | ours    | measured by | floor   | ratio | best ratio | goal    |        |\n"
        "| ------- | ------- | ----------- | ------- | ----- | ---------- | ------- | ------ |\n"
        "| a thing | 30.0 ms | the least   | 20.0 ms | 1.50  | 3.00       | ≤ 1.4 x | missed |\n"
        "<!-- end -->\nafter\n"
    )
