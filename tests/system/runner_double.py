"""A runner in small: a subreaper that starts shell scripts and then does as it is told.

Its argument is a folder. It starts each script of the JSON list `scripts` there (in `work`), makes
`ready`, keeps `record` up to date while `may-record` exists, and when `end` appears ends them all
and writes to `left`: how many remained, how many it sees, how many it had reaped before.
"""

import json
import os
import sys
import time
from pathlib import Path

from gitcmat.system import orphans, proc, supervise


def main() -> None:
    folder = Path(sys.argv[1])
    assert supervise.become_subreaper()
    for script in json.loads((folder / "scripts").read_text()):
        proc.start(["sh", "-c", script], cwd=folder / "work", env=os.environ)
    (folder / "ready").touch()
    reaped: dict[int, int] = {}
    while not (folder / "end").exists():
        reaped |= supervise.reap()
        if (folder / "may-record").exists():
            orphans.record_descendants(folder / "record")
        time.sleep(0.01)
    left = supervise.end_all(grace=0.3)
    (folder / "left").write_text(f"{left} {len(supervise.descendants())} {len(reaped)}")


if __name__ == "__main__":
    main()
