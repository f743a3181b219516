"""``python -m bench``: measure, print the table, and with ``--write`` keep it in the page."""

import argparse
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine, report
from bench.ground import Ground, ground
from bench.scale import FULL, QUICK, Scale
from bench.topics import TOPICS

if TYPE_CHECKING:
    from bench.row import Row


def main() -> int:
    """Measure what is asked for; the exit code is 1 when a goal was missed."""
    asked = _arguments()
    scale = QUICK if asked.quick else FULL
    with ground() as place:
        rows = [row for name in asked.only or TOPICS for row in _measured(name, place, scale)]
    print(report.table(rows))
    if asked.write:
        described = machine.describe(Path(tempfile.gettempdir()))
        print(f"kept in {report.keep(rows, described, datetime.now(UTC).date())}")
    return int(any(row.met is False for row in rows))


def _measured(name: str, place: Ground, scale: Scale) -> "list[Row]":
    began = time.perf_counter()
    rows = list(TOPICS[name](place, scale))
    print(f"measured {name} in {time.perf_counter() - began:.0f} s", file=sys.stderr)
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds: a look, no verdict")
    parser.add_argument(
        "--only", action="append", choices=TOPICS, metavar="TOPIC", help=", ".join(TOPICS)
    )
    parser.add_argument("--write", action="store_true", help="keep the table in bench/README.md")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
