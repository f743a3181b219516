"""Every topic of the benchmark runs, and says how much; how much is nobody's business here."""

import math
import os
from pathlib import Path

import pytest

from bench.ground import ground
from bench.report import HEAD, cells
from bench.scale import TINY
from bench.topics import TOPICS

ROWS = {
    "start": 6,
    "transition": 5,
    "workspace": 1,
    "event": 1,
    "cycle": 2,
    "checkpoint": 2,
    "person": 2,
    "hook": 2,
}

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_measures_its_rows_and_leaves_nothing(
    topic: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    before = dict(os.environ)
    with ground() as place:
        rows = list(TOPICS[topic](place, TINY))
    assert len(rows) == ROWS[topic]
    assert all(math.isfinite(row.ratio) and row.floor_times.best > 0 for row in rows)
    assert all(len(cells(row)) == len(HEAD) for row in rows)
    assert dict(os.environ) == before
    assert list(tmp_path.iterdir()) == []
