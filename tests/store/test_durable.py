"""What is said to be done is on the disk: the order in which files are synced and put in place."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

from tests.support.cli import PROGRAM, gitcmat
from tests.support.repo import TestRepo
from tests.support.runs import Bench, Runner
from tests.support.synced import synced, tracer
from tests.support.watched import Project

UNSYNCED = ("/processes", "/bin/gitcmat", "/agent/run.json")
"""Files of a run that nobody needs after a power cut."""

PACK = [
    "sync cmat/tmp/PACK.pack",
    "sync cmat/tmp/PACK.idx",
    "place objects/pack/PACK.keep",
    "place objects/pack/PACK.pack",
    "place objects/pack/PACK.idx",
    "sync objects/pack",
]


def ref(folder: str) -> list[str]:
    return [f"sync {folder}/ID.lock", f"place {folder}/ID", f"sync {folder}"]


def alike(lines: Iterable[str]) -> list[str]:
    """The lines with the names of packs, refs, runs and temporary files made alike."""
    found = (re.sub(r"\.[a-z2-7]{8}\.tmp$", ".TMP", line) for line in lines)
    found = (re.sub(r"pack-[0-9a-f]{40}", "PACK", line) for line in found)
    return [re.sub(r"\b[nr]-[a-z2-7]{8}", "ID", line) for line in found]


def test_a_change_of_the_records_is_on_the_disk_before_it_is_said(
    repo: TestRepo, tmp_path: Path
) -> None:
    Project(repo)
    add = ("queue", "add", "Work", "--agent", "fake")
    gitcmat(repo, *add).ok()
    trace = tmp_path / "trace"
    argv = [*tracer(trace), *PROGRAM, *add]
    subprocess.run(argv, cwd=repo.path, env=dict(os.environ), check=True, capture_output=True)
    found = [
        line for line in alike(synced(trace, repo.git_dir)) if re.search(r"PACK|pack|refs/", line)
    ]
    assert found == [*PACK, *ref("refs/cmat/state")]


def test_the_work_of_a_run_is_home_on_the_disk_before_it_is_reported(
    repo: TestRepo, tmp_path: Path
) -> None:
    bench = Bench(repo, tmp_path / "cache")
    trace = tmp_path / "trace"
    job = bench.job("echo x > x.txt")
    Runner(bench.claim(job), {}, before=tracer(trace)).result()
    folder = "cmat/runs/ID"

    def written(name: str) -> list[str]:
        return [f"sync {folder}/.{name}.TMP", f"place {folder}/{name}", f"sync {folder}"]

    found = alike(synced(trace, repo.git_dir))
    assert [line for line in found if not line.endswith(UNSYNCED)] == [
        *written("prepared"),
        "place cmat/tmp/PACK.pack",
        *PACK,
        *ref("refs/cmat/runs"),
        *written("home.json"),
        *written("result.json"),
    ]
