"""What was collected from a workspace, and the marks that a person should see before anything."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from gitcmat.model.job import FileChange


class Mark(StrEnum):
    """A fact about what an agent left; most of them ask for a person."""

    NO_CHANGE = "no change"
    """The tree is that of the base."""
    DELETED = "workspace deleted"
    """All files are gone; nothing was taken."""
    NO_HISTORY = "history unreadable"
    """The agent's ``.git`` is gone or damaged: only the files were taken."""
    REWRITTEN = "history rewritten"
    """The agent's commit does not come after the start: only the files were taken."""
    ELSEWHERE = "work left elsewhere"
    """The files are as they were, but other branches or the stash hold commits."""
    UNFINISHED = "merge unfinished"
    """A merge, rebase, cherry-pick, revert or bisect was begun and not ended."""
    CONFLICTS = "conflict markers"
    """Files with conflict markers that the base has not, or unmerged in the agent's index."""
    NESTED = "nested repository"
    """Folders that are repositories of their own: their files were taken, their history was not."""
    LARGE = "large leftovers"
    """Over 1,000 new files or 20 MB were left uncommitted; they were taken."""
    OPENED = "unreadable files"
    """Files that nobody might read; their mode was changed and they were taken."""
    REFUSED = "names refused"
    """Files that git does not take because of their names; they stayed behind."""
    OTHER_AUTHOR = "other author"
    """Commits of the agent's carry another name than the person's."""


ASKING: Final = frozenset(Mark) - {Mark.NO_CHANGE, Mark.OPENED, Mark.OTHER_AUTHOR}
"""Marks with which a result does not go on without a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """The result of one attempt, in the vault; `Workspace.bring_home` makes it the person's."""

    head: str
    """The commit to bring home; the start when there is nothing to bring."""
    tree: str
    """The id of its tree."""
    commits: int
    """Commits from the start to `head`."""
    files: tuple[FileChange, ...]
    """What differs from the base, without renames."""
    details: dict[Mark, tuple[str, ...]] = field(default_factory=dict)
    """The marks, each with the paths, refs or words that it is about (at most 20)."""
    ignored: tuple[str, ...] = ()
    """New ignored paths that stay behind (at most 20)."""

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The marks, in the order of `Mark`."""
        return tuple(mark for mark in Mark if mark in self.details)

    @property
    def is_plain(self) -> bool:
        """Whether nothing in it asks for a person."""
        return not ASKING & self.details.keys()
