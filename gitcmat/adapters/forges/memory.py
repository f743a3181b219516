"""A forge in memory: for tests of what uses one, and to try things without any."""

from dataclasses import replace

from gitcmat.adapters.forges.memory_checks import MemoryChecks
from gitcmat.adapters.forges.memory_issues import MemoryComments, MemoryIssues
from gitcmat.adapters.forges.memory_pulls import MemoryPulls, MemoryReviews
from gitcmat.adapters.forges.memory_view import View
from gitcmat.adapters.forges.memory_world import World
from gitcmat.model.access import Access
from gitcmat.model.forge import Bookmark, Changes, Permission, Person, Repository


class MemoryForge:
    """Fills `gitcmat.forge.Forge`: `world` as `login` sees it. For one thread."""

    def __init__(self, world: World, login: str) -> None:
        self.world = world
        self._view = view = View(world, login)
        self.pulls = MemoryPulls(view)
        self.reviews = MemoryReviews(view)
        self.comments = MemoryComments(view)
        self.checks = MemoryChecks(view)
        self.issues = MemoryIssues(view)

    def whoami(self) -> Person:
        return self._view.me

    def repository(self) -> Repository:
        return replace(self.world.repository, permission=self._view.permission(self._view.me.login))

    def access(self) -> Access:
        return Access(repository=self.repository())

    def permission(self, login: str) -> Permission:
        return self._view.permission(login)

    def latest(self) -> Bookmark:
        return Bookmark(since=self.world.now())

    def changes(self, bookmark: Bookmark) -> Changes:
        world, since = self.world, bookmark.since
        pulls = [pull for pull in world.pulls.values() if pull.updated >= since]
        issues = [issue for issue in world.issues.values() if issue.updated >= since]
        comments = [comment for comment in world.comments.values() if comment.updated >= since]
        remarks = [
            comment
            for threads in world.threads.values()
            for thread in threads.values()
            for comment in thread.comments
            if comment.updated >= since
        ]
        found = (pulls, issues, comments, remarks)
        seen = [item.updated for items in found for item in items]
        return Changes(
            bookmark=Bookmark(since=max([since, *seen])),
            pulls=tuple(pull.number for pull in sorted(pulls, key=lambda pull: pull.updated)),
            issues=tuple(sorted(issues, key=lambda issue: issue.updated)),
            comments=tuple(sorted(comments, key=lambda comment: comment.updated)),
            thread_comments=tuple(sorted(remarks, key=lambda comment: comment.updated)),
        )
