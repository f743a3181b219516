"""A person's project whose remote is a repository on a fake GitHub."""

from pathlib import Path

from gitcmat.engine import forge_sync, pulls
from gitcmat.engine.hub import Hub
from gitcmat.engine.pulls import Published
from gitcmat.engine.synced import Synced
from gitcmat.model.forge import MergeMethod, PullRequest
from gitcmat.model.remote import Remote
from gitcmat.model.secret import Secret
from gitcmat.store.pushing import signed_in
from tests.support.fakegithub.gitside import GitSide
from tests.support.fakegithub.server import FakeGitHub
from tests.support.forge_stage import ROLES, SLUG, GitHubStage, HubClock
from tests.support.project import Project
from tests.support.repo import TestRepo


class ProjectStage(GitHubStage):
    """The stage of a repository that is there already: `repo` has pushed its main branch."""

    def __init__(self, hub: FakeGitHub, folder: Path, repo: TestRepo) -> None:
        bare = TestRepo(folder / "hub.git", bare=True)
        self.git = GitSide(bare.path)
        self.hub = hub
        self.person = repo
        self.bare = bare
        self.push_main()
        self.repo = hub.repo(SLUG, bare.path, **ROLES)
        self.clock = HubClock(hub)
        self.forges = {}

    @property
    def url(self) -> str:
        """The address of the remote."""
        return f"{self.hub.url}/{SLUG}.git"

    def push_main(self) -> None:
        """Have the person push main."""
        self.person.git("push", "-q", str(self.bare.path), "main:main")

    def pull_main(self) -> None:
        """Have the person pull main."""
        self.person.git("pull", "-q", "--ff-only", str(self.bare.path), "main")

    def reopen(self, number: int) -> None:
        """Have a colleague reopen a pull request."""
        issue = self.repo.issues[number]
        issue.state, issue.closed, issue.updated = "open", None, self.hub.tick()

    def opened(self, login: str = "pat") -> Hub:
        """What the engine is given, signed in as somebody."""
        return Hub(
            remote=Remote(host="forge.invalid", owner="pat", name="project"),
            forge=self.forge(login),
            upstream=lambda: signed_in(self.url, Secret(self.token(login))),
        )


class OnGitHub:
    """A project, its stage, and what a person does with pull requests."""

    def __init__(self, hub: FakeGitHub, folder: Path, project: Project) -> None:
        self.hub = hub
        self.project = project
        self.stage = ProjectStage(hub, folder, project.repo)
        self.opened = self.stage.opened()

    def done(self, *tasks: str, **fields: object) -> None:
        """Commit tasks, push them, and have the agent do them."""
        for task in tasks:
            self.project.task(task, **fields)
        self.stage.push_main()
        self.project.work()

    def create(
        self, task: str, *, draft: bool = False, base: str = "", again: bool = False
    ) -> Published:
        """Open the pull request of a task."""
        reconciler = self.project.reconciler
        return pulls.publish(reconciler, self.opened, task, draft=draft, base=base, again=again)

    def sync(self) -> Synced:
        """Take in what happened there."""
        return forge_sync.sync(self.project.reconciler, self.opened)

    def seen(self, number: int = 1) -> PullRequest:
        """The pull request as it is there."""
        return self.stage.forge().pulls.get(number)

    def button(self, number: int, method: MergeMethod) -> str:
        """Have a colleague merge it on the page; return the commit."""
        head = self.seen(number).head_sha
        return self.stage.forge("rita").pulls.merge(number, method=method, head_sha=head)
