"""The least that must be done for a task: raw git in a pool of work trees, and nothing besides.

It isolates nothing, keeps no records and survives no crash; it is what all that is measured by.
"""

import queue
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from bench.ground import EMPTY_START, Project

AGENT: Final = ("sh", "-c", "echo work > result.txt")
"""What the agent does, here and under gitcmat."""
GATE: Final = "true"


class Pool:
    """Work trees of a repository, each for one task at a time."""

    def __init__(self, project: Project, size: int) -> None:
        self._project = project
        self._size = size
        self._free: queue.SimpleQueue[Project] = queue.SimpleQueue()
        for number in range(size):
            place = project.path.with_name(f"{project.path.name}-tree-{number}")
            project.git("worktree", "add", "-q", "--detach", str(place))
            self._free.put(Project(place))

    def work(self, tasks: list[str]) -> None:
        """Do all tasks, as many at once as there are work trees."""
        base = self._project.git("rev-parse", "HEAD")
        with ThreadPoolExecutor(self._size) as threads:
            for _ in threads.map(lambda task: self._cycle(task, base), tasks):
                pass

    def _cycle(self, task: str, base: str) -> None:
        tree = self._free.get()
        run = f"refs/floor/runs/{task}"
        tree.git("update-ref", run, base)  # the claim
        tree.git("read-tree", "--reset", "-u", base)
        tree.git("clean", "-ffdxq")
        tree.run(*EMPTY_START)  # the runner
        tree.run(*AGENT)
        tree.git("add", "--all")
        written = tree.git("write-tree")
        commit = tree.git("commit-tree", "-p", base, "-m", task, written)
        tree.git("update-ref", run, commit)  # home
        tree.run(GATE)
        tree.git("update-ref", f"refs/heads/floor/{task}", commit)  # for review
        self._free.put(tree)
