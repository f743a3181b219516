"""What gitcmat needs of a forge: the port, in five parts, and what may go wrong.

Every call may raise `SignInRefused`, `NotAllowed`, `NotVisible`, `RateLimited` and `Unreachable`;
then nothing has changed. A call that changes something may also raise `Refused`, and
`OutcomeUnknown`: whoever gets that looks whether it has happened before they repeat it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.model.access import Access
from gitcmat.model.forge import (
    Annotation,
    Bookmark,
    ChangedFile,
    Changes,
    Check,
    CheckReport,
    Comment,
    Issue,
    MergeMethod,
    Permission,
    Person,
    PullRequest,
    Repository,
    Review,
    Rollup,
    Thread,
    Verdict,
)
from gitcmat.model.secret import Secret


class SignInRefused(UserError):
    """The forge does not know the token, or no longer."""


class NotAllowed(UserError):
    """The forge knows who asks, and they may not do that."""

    def __init__(self, message: str, *, hint: str = "", permission: str = "") -> None:
        """`permission` is what the token lacks, such as ``pull requests: write``, if known."""
        super().__init__(message, hint=hint)
        self.permission = permission


class NotVisible(NotFound):
    """It is not there, or who asks may not know that it is: forges do not tell which."""


class RateLimited(UserError):
    """The forge answers no more for a time. What was asked for has not been done."""

    def __init__(self, message: str, *, until: datetime, hint: str = "") -> None:
        """`until` is when to ask again, aware, UTC."""
        super().__init__(message, hint=hint)
        self.until = until


class Unreachable(UserError):
    """The forge did not answer, or answered nonsense. What was asked for has not been done."""


class OutcomeUnknown(UserError):
    """The forge was asked to change something, and then there was no answer that says whether it
    did.
    """


class Refused(Conflict):
    """The forge understood and will not do it, for a reason that is in the message."""


class AlreadyThere(Refused):
    """What was to be made is there already."""


class HeadMoved(Refused):
    """The branch has another head than the one that was named."""


class Login(Protocol):
    """What signs us in, for requests and for pushes alike."""

    def token(self) -> Secret:
        """Return a token that is good for some minutes at least; ask again for the next thing.

        Raises:
            UserError: there is none, as when an App's key cannot be read.
        """

    @property
    def permissions(self) -> Mapping[str, str] | None:
        """What the last token may, by the forge's names; None where whoever made it did not say."""


class Pulls(Protocol):
    """Pull requests."""

    def get(self, number: int) -> PullRequest:
        """Return one."""

    def of_branch(self, head: str) -> tuple[PullRequest, ...]:
        """Return those from this branch of the repository itself, in any state, newest first.

        It sees what has just been made, as a search would not: this is the look before `create`.
        """

    def marked(self, text: str, *, among: int = 300) -> tuple[PullRequest, ...]:
        """Return those whose body holds `text`, among the last so many that changed, latest first.

        Anybody who may open or edit one may have written it there.
        """

    def open(self) -> tuple[PullRequest, ...]:
        """Return all open ones, newest first. `PullRequest.mergeable` is None in them."""

    def create(
        self, *, title: str, body: str, head: str, base: str, draft: bool = True
    ) -> PullRequest:
        """Open one from the branch `head` of the repository into its branch `base`.

        Raises:
            AlreadyThere: there is an open one from `head` into `base`.
            Refused: a branch is missing, or there is nothing between them.
            OutcomeUnknown: look with `of_branch` before you repeat it.
        """

    def edit(
        self,
        number: int,
        *,
        title: str | None = None,
        body: str | None = None,
        base: str | None = None,
        draft: bool | None = None,
    ) -> PullRequest:
        """Change what is not None; it may be repeated. Return it as it is then.

        Raises:
            Refused: it is closed, or `base` is no branch.
            OutcomeUnknown: as above; with `draft` and others, some of it may have been done.
        """

    def close(self, number: int) -> PullRequest:
        """Close it without merging; one that is closed stays so."""

    def merge(
        self,
        number: int,
        *,
        method: MergeMethod,
        head_sha: str,
        title: str = "",
        message: str = "",
    ) -> str:
        """Merge it if `head_sha` still is its head; return the commit on the base branch.

        `title` and `message` are the new commit's, where there is one; left out, the forge's own.

        Raises:
            HeadMoved: the branch has moved since.
            Refused: a conflict, a draft, a rule of the base branch, a method not wanted there.
            OutcomeUnknown: look with `get` before you repeat it.
        """

    def files(self, number: int) -> tuple[ChangedFile, ...]:
        """Return what it changes; the forge tells no more than 3,000."""


class Reviews(Protocol):
    """Reviews of pull requests, and the threads on their lines."""

    def list(self, number: int) -> tuple[Review, ...]:
        """Return those submitted, oldest first."""

    def submit(self, number: int, verdict: Verdict, *, body: str, commit: str) -> Review:
        """Submit a review of the head `commit`: approve, request changes, or comment. Only an
        approval may be without a body.

        Raises:
            Refused: nobody may approve or reject their own; the body is missing.
            OutcomeUnknown: look with `list`.
        """

    def request(self, number: int, logins: tuple[str, ...]) -> None:
        """Ask people for a review; who was asked already stays so.

        Raises:
            Refused: one of them may not review here, or is its author.
        """

    def dismiss(self, number: int, review: int, *, message: str) -> Review:
        """Say that a review no longer counts, and why.

        Raises:
            Refused: it neither approved nor requested changes.
        """

    def threads(self, number: int) -> tuple[Thread, ...]:
        """Return the threads, oldest first."""

    def reply(self, number: int, thread: int, body: str) -> Comment:
        """Say something at the end of a thread.

        Raises:
            OutcomeUnknown: look with `threads`.
        """


class Comments(Protocol):
    """Comments below issues and pull requests, which share their numbers."""

    def list(self, number: int, *, since: datetime | None = None) -> tuple[Comment, ...]:
        """Return those made or edited at `since` or later, oldest first."""

    def find(self, number: int, text: str, *, author: str) -> Comment | None:
        """Return the first one by `author` that holds `text`: the look before `create`."""

    def create(self, number: int, body: str) -> Comment:
        """Say something.

        Raises:
            OutcomeUnknown: look with `find`.
        """

    def edit(self, comment: int, body: str) -> Comment:
        """Replace what a comment of one's own says; it may be repeated."""


class Checks(Protocol):
    """What programs say of commits."""

    def list(self, commit: str) -> tuple[Check, ...]:
        """Return the latest of each name, check runs and commit statuses, by name."""

    def of_open_pulls(self, *, latest: bool = False) -> tuple[Rollup, ...]:
        """Return for each open pull request how its head is doing, newest first: one request for
        a hundred. `Pulls` do not change by their checks, so `Forge.changes` does not tell.

        With `latest`, of the hundred that changed last, which is one request.
        """

    def annotations(self, check: Check) -> tuple[Annotation, ...]:
        """Return what it says of lines."""

    def log(self, check: Check, *, at_most: int = 65536) -> str:
        """Return the last so many characters that a failed check wrote: the log of its job where
        the forge keeps one, else its text; empty when there is neither.
        """

    def report(self, report: CheckReport) -> Check:
        """Say something of a commit; the same report again changes what was said, so it may be
        repeated.

        It becomes a check run, or a commit status where the token may not make those: their state
        is all that is told then.

        Raises:
            NotAllowed: the token may do neither.
            Refused: the commit is not there.
        """


class Issues(Protocol):
    """Issues, and the labels that pull requests have too."""

    def get(self, number: int) -> Issue:
        """Return one."""

    def labelled(self, label: str) -> tuple[Issue, ...]:
        """Return the open ones with this label, oldest first."""

    def label(
        self, number: int, *, add: tuple[str, ...] = (), remove: tuple[str, ...] = ()
    ) -> tuple[str, ...]:
        """Put labels on an issue or pull request and take others off; it may be repeated.

        Return the labels that it has then. A label that is not known is made.
        """


class Forge(Protocol):
    """One repository on a forge, as one identity sees it."""

    @property
    def pulls(self) -> Pulls: ...

    @property
    def reviews(self) -> Reviews: ...

    @property
    def comments(self) -> Comments: ...

    @property
    def checks(self) -> Checks: ...

    @property
    def issues(self) -> Issues: ...

    def whoami(self) -> Person:
        """Return whom the forge takes us for."""

    def repository(self) -> Repository:
        """Return what the repository is."""

    def access(self) -> Access:
        """Return what the forge tells of our token, and the repository as we see it."""

    def permission(self, login: str) -> Permission:
        """Return what somebody may do here; nothing for who is not known."""

    def latest(self) -> Bookmark:
        """Return where to begin: `changes` tells all that comes after this call."""

    def changes(self, bookmark: Bookmark) -> Changes:
        """Return what has changed since; when nothing has, it costs no part of a rate limit."""
