"""Jobs that start at the same moment, each a process of its own.

As a program: ``python -m tests.support.ci_racer CHECKOUT FOLDER GO VERB NAME [DIGEST]`` waits for
the file GO, then records a task NAME (``record``) or plans (``plan``), and prints what came of it.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from gitcmat.app import open_upstream
from gitcmat.engine import ci_plan
from gitcmat.engine.ci_node import Node, Nodes, Place
from gitcmat.model.ci import CiSettings
from gitcmat.store.git import discover
from tests.support.store import Clock, entry
from tests.support.wait import until

_ROOT: Final = Path(__file__).parents[2]


def nodes(checkout: Path, folder: Path, *, clock: Clock | None = None, **settings: object) -> Nodes:
    """The nodes of a job in this process."""
    folder.mkdir(parents=True)
    place = Place(
        folder=folder, checkout=discover(checkout), clock=clock or Clock(), sign_in=open_upstream
    )
    return Nodes(place, CiSettings(**{"leases": True, **settings}))  # type: ignore[arg-type]


def record(node: Node, name: str) -> str:
    """Record a task, and push it."""
    with node.deps.store.change(f"new {name}", by=node.deps.daemon) as change:
        change.put(entry(name), f"{name}: new")
    return node.push()


def race(checkout: Path, folder: Path, verb: str, names: Sequence[str], *more: str) -> list[str]:
    """Have one process for each name start at the same moment; return what each printed."""
    go = folder / "go"
    argv = (sys.executable, "-m", "tests.support.ci_racer", str(checkout))
    started = [
        subprocess.Popen(
            [*argv, str(folder / name), str(go), verb, name, *more],
            cwd=_ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        for name in names
    ]
    until(lambda: all((folder / f"{name}.ready").exists() for name in names), 120, "all racers")
    go.touch()
    ended = [(one.communicate(timeout=240), one.returncode) for one in started]
    assert [code for _, code in ended] == [0] * len(names), [err for (_, err), _ in ended]
    return [out.strip() for (out, _), _ in ended]


def _main(checkout: str, folder: str, go: str, verb: str, name: str, digest: str = "") -> None:
    place = Path(folder)
    made = nodes(Path(checkout), place, trust_digest=digest, most=2)
    place.with_suffix(".ready").touch()
    until(Path(go).exists, 120, "the start")
    with made:
        if verb == "record":
            sys.stdout.write(made.agree(lambda node: record(node, name)))
        else:
            found = ci_plan.plan(made, sha="", holder=name)
            sys.stdout.write(" ".join(offer.task for offer in found.offers))


if __name__ == "__main__":
    _main(*sys.argv[1:])
