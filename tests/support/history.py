"""The history of the records, read by git and a YAML parser alone: none of our code has a say."""

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from ruamel.yaml import YAML

from tests.support.repo import TestRepo


class History:
    """All that the state's history says of tasks and runs."""

    def __init__(self, repo: TestRepo) -> None:
        """Read it whole; raises AssertionError when it contradicts itself."""
        self._repo = repo
        (self._ref,) = repo.refs("refs/cmat/state/")
        self.states: dict[str, str] = {}
        """Task → the state it is in at the end."""
        self.claimed: set[str] = set()
        """Runs that were ever the current run of an active task."""
        self.interrupted: set[str] = set()
        """Runs that were declared dead."""
        self.accepted: dict[str, list[str]] = {}
        """Task → the runs whose results brought it to review, in that order."""
        before = ""
        for commit in repo.git("rev-list", "--reverse", self._ref).splitlines():
            for path, record in self._written(before, commit):
                self._take(path, record)
            before = commit
        self._check_end()

    def work(self, task: str) -> str:
        """Return what the agent left on the branch for review."""
        return self._repo.show(f"refs/heads/cmat/{task}", f"{task}.txt")

    def _written(self, before: str, commit: str) -> Iterator[tuple[PurePosixPath, dict[str, Any]]]:
        """Yield the records that a commit wrote, runs before the tasks that they decide on."""
        tree = before or self._repo.git("hash-object", "-t", "tree", "/dev/null")
        changed = self._repo.git(
            "diff-tree", "-r", "--no-renames", "--name-only", "--diff-filter=AM", tree, commit
        )
        paths = [PurePosixPath(name) for name in changed.splitlines()]
        for path in sorted(paths, key=lambda p: p.parts[1] != "runs"):
            if path.parts[0] == ".cmat" and path.parts[1] in ("runs", "queue"):
                text = self._repo.git("show", f"{commit}:{path}")
                yield path, YAML(typ="safe", pure=True).load(text)

    def _take(self, path: PurePosixPath, record: dict[str, Any]) -> None:
        if path.parts[1] == "runs":
            if record.get("outcome") == "interrupted":
                self.interrupted.add(record["id"])
            return
        task, state = path.stem, path.parts[2]
        run = str(record.get("run"))
        if state == "active":
            self.claimed.add(run)
        elif state == "review" and self.states.get(task) != "review":
            assert self.states.get(task) == "active", f"{task}: {self.states.get(task)} → review"
            assert run not in self.interrupted, f"{task}: the dead {run} was accepted"
            self.accepted.setdefault(task, []).append(run)
        self.states[task] = state

    def _check_end(self) -> None:
        """The tree at the end has each task once, where its history left it."""
        names = self._repo.git("ls-tree", "-r", "--name-only", self._ref, ".cmat/queue/")
        paths = [PurePosixPath(name) for name in names.splitlines()]
        assert len(paths) == len({path.stem for path in paths}), paths
        assert {path.stem: path.parts[2] for path in paths} == self.states
