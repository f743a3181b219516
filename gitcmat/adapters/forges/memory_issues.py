"""Comments, labels and issues in memory."""

from dataclasses import replace
from datetime import datetime

from gitcmat.adapters.forges.memory_view import View
from gitcmat.model.forge import (
    Comment,
    Issue,
    Permission,
)


class MemoryComments:
    """Fills `gitcmat.forge.Comments`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world

    def list(self, number: int, *, since: datetime | None = None) -> tuple[Comment, ...]:
        self._there(number)
        mine = (comment for comment in self._world.comments.values() if comment.number == number)
        return tuple(comment for comment in mine if since is None or comment.updated >= since)

    def find(self, number: int, text: str, *, author: str) -> Comment | None:
        mine = (found for found in self.list(number) if found.author.login == author)
        return next((found for found in mine if text in found.body), None)

    def create(self, number: int, body: str) -> Comment:
        self._there(number)
        made = self._world.new_comment(number, self._view.login, body)
        self._world.comments[made.id] = made
        return made

    def edit(self, comment: int, body: str) -> Comment:
        found = self._world.comments.get(comment)
        if found is None:
            raise self._view.missing(f"comment {comment}")
        if found.author.login != self._view.login:
            self._view.want(Permission.WRITE, "edit a comment")
        made = replace(found, body=body, updated=self._world.touch(found.number))
        self._world.comments[comment] = made
        return made

    def _there(self, number: int) -> None:
        if number not in self._world.pulls and number not in self._world.issues:
            raise self._view.missing(f"issue {number}")


class MemoryIssues:
    """Fills `gitcmat.forge.Issues`."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._world = view.world

    def get(self, number: int) -> Issue:
        found = self._world.issues.get(number)
        if found is None:
            raise self._view.missing(f"issue {number}")
        return found

    def labelled(self, label: str) -> tuple[Issue, ...]:
        return tuple(i for i in self._world.issues.values() if i.open and label in i.labels)

    def label(
        self, number: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        self._view.want(Permission.TRIAGE, f"label {number}")
        pull, issue = self._world.pulls.get(number), self._world.issues.get(number)
        found = pull or issue
        if found is None:
            raise self._view.missing(f"issue {number}")
        kept = tuple(label for label in (*found.labels, *add) if label not in remove)
        labels = tuple(dict.fromkeys(kept))
        now = self._world.now()
        if pull:
            self._world.pulls[number] = replace(pull, labels=labels, updated=now)
        elif issue:
            self._world.issues[number] = replace(issue, labels=labels, updated=now)
        return labels
