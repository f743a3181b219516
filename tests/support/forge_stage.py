"""One small story's stage on each forge: a repository, people in it, and what they do there."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

from gitcmat.adapters.forges.github import GitHubConnection
from gitcmat.adapters.forges.github_forge import GitHubForge
from gitcmat.adapters.forges.logins import TokenLogin
from gitcmat.adapters.forges.memory import MemoryForge
from gitcmat.adapters.forges.memory_world import World
from gitcmat.forge import Forge
from gitcmat.model.forge import Annotation, ChangedFile, CheckState, Permission
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from tests.support.fakegithub.gitside import GitSide
from tests.support.fakegithub.server import FakeGitHub
from tests.support.repo import TestRepo

SLUG: Final = "pat/project"
ROLES: Final = {"rita": "write", "tim": "triage", "rob": "read", "robot[bot]": "write"}
"""Who there is beside the owner, pat; `robot[bot]` is a program that may make check runs."""

_CONCLUSIONS: Final = {CheckState.PASSED: "success", CheckState.FAILED: "failure"}


class Stage(Protocol):
    """What tests do beside the port."""

    def forge(self, login: str = "pat") -> Forge:
        """The forge as somebody sees it."""

    def now(self) -> datetime:
        """What time it is there."""

    def push(self, branch: str, path: str, text: str) -> str:
        """Commit a file on a branch, begun at main if it is not there; return the commit."""

    def push_commit(self, branch: str, commit: str) -> None:
        """Move a branch to a commit."""

    def drop_branch(self, branch: str) -> None: ...

    def remark(self, number: int, login: str, path: str, line: int, body: str) -> int: ...

    def resolve(self, number: int, thread: int) -> None: ...

    def run_check(self, commit: str, name: str, state: CheckState, log: str = "") -> None:
        """Have a workflow report a check."""

    def annotate(self, commit: str, name: str, annotation: Annotation) -> None: ...

    def open_issue(self, login: str, title: str, *labels: str) -> int: ...

    def close_issue(self, number: int, reason: str) -> None: ...

    def clash(self, branch: str, path: str) -> None:
        """Change `path` on main, where `branch` changes it too."""


@dataclass
class HubClock:
    """The time of a fake GitHub, for its clients; waiting lets it pass, and takes none."""

    hub: FakeGitHub
    waits: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        return self.hub.now

    def monotonic(self) -> float:
        return self.hub.now.timestamp()

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.hub.tick(seconds)


class GitHubStage:
    """The stage on a fake GitHub, with real commits."""

    def __init__(self, hub: FakeGitHub, folder: Path) -> None:
        bare = TestRepo(folder / "hub.git", bare=True)
        self.git = GitSide(bare.path)
        self.git.update("refs/heads/main", self._commit("README.md", "# A project\n"))
        self.hub = hub
        self.repo = hub.repo(SLUG, bare.path, **ROLES)
        self.clock = HubClock(hub)
        self.forges: dict[str, Forge] = {}

    def forge(self, login: str = "pat") -> Forge:
        if login not in self.forges:
            self.forges[login] = GitHubForge(self.connection(self.token(login)))
        return self.forges[login]

    def token(self, login: str) -> str:
        return self.hub.token(login, app="robot" if login == "robot[bot]" else "")

    def connection(self, token: str, **options: int) -> GitHubConnection:
        return GitHubConnection(
            Remote(host="forge.invalid", owner="pat", name="project"),
            TokenLogin(Secret(token)),
            clock=self.clock,
            api=self.hub.url,
            wait=self.clock.wait,
            **options,
        )

    def now(self) -> datetime:
        return self.hub.now

    def push(self, branch: str, path: str, text: str) -> str:
        branches = self.git.branches()
        commit = self._commit(path, text, branches.get(branch, branches["main"]))
        self.git.update(f"refs/heads/{branch}", commit)
        return commit

    def push_commit(self, branch: str, commit: str) -> None:
        self.git.update(f"refs/heads/{branch}", commit)

    def drop_branch(self, branch: str) -> None:
        self.git.git("update-ref", "-d", f"refs/heads/{branch}")

    def remark(self, number: int, login: str, path: str, line: int, body: str) -> int:
        return self.hub.remark(self.repo, number, login, (path, line), body).id

    def resolve(self, number: int, thread: int) -> None:
        assert self.repo.remarks[thread].number == number
        self.repo.resolved.add(thread)

    def run_check(self, commit: str, name: str, state: CheckState, log: str = "") -> None:
        conclusion = _CONCLUSIONS.get(state)
        self.hub.run(self.repo, commit, name, "github-actions", conclusion).log = log

    def annotate(self, commit: str, name: str, annotation: Annotation) -> None:
        run = next(r for r in self.repo.runs.values() if (r.sha, r.name) == (commit, name))
        run.annotations.append(
            {
                "path": annotation.path,
                "start_line": annotation.line,
                "end_line": annotation.last_line,
                "annotation_level": annotation.level.value,
                "message": annotation.message,
                "title": annotation.title,
            }
        )

    def open_issue(self, login: str, title: str, *labels: str) -> int:
        return self.hub.issue(self.repo, login, title, "", *labels).number

    def close_issue(self, number: int, reason: str) -> None:
        self.hub.close(self.repo.issues[number], reason)

    def clash(self, branch: str, path: str) -> None:
        assert self.git.blob(self.git.branches()[branch], path)
        self.push("main", path, "Something else.\n")

    def _commit(self, path: str, text: str, parent: str = "") -> str:
        blob = self.git.git("hash-object", "-w", "--stdin", stdin=text)
        lines = self.git.git("ls-tree", parent).splitlines() if parent else []
        lines = [line for line in lines if not line.endswith(f"\t{path}")]
        tree = self.git.git("mktree", stdin="\n".join([*lines, f"100644 blob {blob}\t{path}", ""]))
        parents = ("-p", parent) if parent else ()
        return self.git.git("commit-tree", tree, *parents, "-m", f"Change {path}")


class MemoryStage:
    """The stage in memory."""

    def __init__(self) -> None:
        self._time = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
        roles = {login: Permission(role) for login, role in ROLES.items()}
        self.world = World(SLUG, self._tick, people={"pat": Permission.ADMIN, **roles})
        self.world.push("main", self.world.commit("README.md"))

    def forge(self, login: str = "pat") -> Forge:
        return MemoryForge(self.world, login)

    def now(self) -> datetime:
        return self._time

    def push(self, branch: str, path: str, text: str) -> str:
        world = self.world
        before = world.branches.get(branch, world.branches["main"])
        commit = world.commit(before, path, text)
        files = {file.path: file for file in world.files[before]}
        files[path] = ChangedFile(path=path, status="added", additions=text.count("\n"))
        world.push(branch, commit, tuple(files.values()))
        return commit

    def push_commit(self, branch: str, commit: str) -> None:
        self.world.push(branch, commit, self.world.files[commit])

    def drop_branch(self, branch: str) -> None:
        self.world.drop_branch(branch)

    def remark(self, number: int, login: str, path: str, line: int, body: str) -> int:
        return self.world.remark(number, login, path, line, body)

    def resolve(self, number: int, thread: int) -> None:
        self.world.resolve(number, thread)

    def run_check(self, commit: str, name: str, state: CheckState, log: str = "") -> None:
        self.world.check(commit, name, state, app="github-actions", log=log)

    def annotate(self, commit: str, name: str, annotation: Annotation) -> None:
        world = self.world
        for number, check in world.checks.items():
            if (check.commit, check.name) == (commit, name):
                world.annotations[number] = (annotation,)

    def open_issue(self, login: str, title: str, *labels: str) -> int:
        return self.world.open_issue(login, title, labels=labels)

    def close_issue(self, number: int, reason: str) -> None:
        self.world.close_issue(number, reason)

    def clash(self, branch: str, path: str) -> None:
        assert any(file.path == path for file in self.world.files[self.world.branches[branch]])
        self.world.conflicting.add(self.world.branches[branch])

    def _tick(self) -> datetime:
        self._time += timedelta(seconds=1)
        return self._time
