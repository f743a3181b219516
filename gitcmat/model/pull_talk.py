"""What is new in the reviews, threads and comments of a pull request or issue, and what follows.

Whose word counts: people who may write in the repository by now, and programs that the person's
settings name. What gitcmat itself said never does.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final

from gitcmat.model import limits, talk
from gitcmat.model.forge import GHOST, Comment, Person, Review, Thread, Verdict, marks
from gitcmat.model.pull_commands import Command, command
from gitcmat.model.talk import Remark, Talk

MARK: Final = "<!-- gitcmat "
"""What all that gitcmat says on a forge begins with."""

_LONGEST: Final = 6_000
_HUNK: Final = 2_000
_ROOM: Final = 30_000
"""What may be kept for the agent at a time, all remarks together; the rest stays where it is."""
_AT_ONCE: Final = 50
"""Commands that are obeyed or refused in one pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An issue or pull request as it is now. Issues have comments alone."""

    number: int
    comments: tuple[Comment, ...]
    reviews: tuple[Review, ...] = ()
    threads: tuple[Thread, ...] = ()
    pull: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Ear:
    """Who is listened to."""

    me: Person
    """Whom the forge takes gitcmat for."""
    writers: Collection[str]
    """Logins that may write there now."""
    bots: Collection[str] = ()
    """Logins of programs whose reviews are listened to."""

    def is_ours(self, author: Person, body: str) -> bool:
        """Whether gitcmat said it. A person may go by the same login; what they write themselves
        has no mark.
        """
        return author.login == self.me.login and (author.bot or body.startswith(MARK))

    def counts(self, author: Person) -> bool:
        """Whether what somebody says is for the agent."""
        return author.login in (self.bots if author.bot else self.writers)


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A command of somebody who may give it, not yet obeyed."""

    command: Command
    comment: Comment

    @property
    def mark(self) -> str:
        """The value of the mark of its answer."""
        return f"comment-{self.comment.id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is new in a place."""

    talk: Talk
    """The record with it."""
    orders: tuple[Order, ...] = ()
    """Oldest first."""
    refused: tuple[Comment, ...] = ()
    """Commands of people who may not give any, one of each of them."""
    edited: tuple[Comment, ...] = ()
    """Commands that were changed after they were written."""
    outsider: bool = False
    """Whether the agent is not told something because its author may not write."""
    more: bool = False
    """Whether something was left for the next time."""


def speakers(place: Place, known: Talk) -> set[str]:
    """Return the logins of people who said something new: what they may do has to be asked."""
    found = {one.author for one in _said(place) if not known.knows(one.remark.id)}
    return {person.login for person in found if not person.bot and person.login != GHOST}


def is_news(place: Place, known: Talk) -> bool:
    """Whether there may be something to take in."""
    return bool(known.held) or any(not known.knows(one.remark.id) for one in _said(place))


def take(place: Place, known: Talk, ear: Ear) -> Taken:
    """Take in what is new."""
    done, gone = _answered(place, ear), _gone(place)
    taken = _Taking(known, held=[r for r in known.held if r.answered_as not in gone])
    for one in _said(place):
        if known.knows(one.remark.id):
            continue
        over = one.remark.id in done or one.remark.answered_as in gone
        fate = _Fate.NONE if over else _fate(place, one, ear)
        if taken.room_for(one, fate):
            taken.add(place.number, one, fate)
    return taken.result()


def refusal(number: int, login: str) -> str:
    """Return what is remembered when somebody was told that they may give no commands."""
    return f"no:{number}:{login.casefold()}"


class _Fate(Enum):
    """What becomes of something new."""

    NONE = auto()
    HOLD = auto()
    OBEY = auto()
    EDITED = auto()
    REFUSE = auto()
    OUTSIDER = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """Something that somebody said."""

    remark: Remark
    author: Person
    body: str
    comment: Comment | None = None
    """Where it may be a command."""


class _Taking:
    """What was taken in so far."""

    def __init__(self, known: Talk, held: list[Remark]) -> None:
        self._known = known
        self._held = held
        self._room = _ROOM - sum(map(_weight, held))
        self._heard: list[str] = []
        self._orders: list[Order] = []
        self._edited: list[Comment] = []
        self._refused: dict[str, Comment] = {}
        self._outsider = False
        self._full = False
        self._many = False

    def room_for(self, one: _Said, fate: _Fate) -> bool:
        """Whether it can be taken in now. What is left out waits, and so does what came after it;
        but talk keeps no command waiting: one of them may be what makes room.
        """
        if fate is _Fate.HOLD:
            fits = not self._held or _weight(one.remark) <= self._room
            self._full = self._full or not fits
            return not self._full
        answers = len(self._orders) + len(self._edited) + len(self._refused)
        self._many = self._many or answers >= _AT_ONCE
        return not self._many

    def add(self, number: int, one: _Said, fate: _Fate) -> None:
        """Take it in."""
        self._heard.append(one.remark.id)
        if fate is _Fate.HOLD:
            self._held.append(one.remark)
            self._room -= _weight(one.remark)
        elif fate is _Fate.OUTSIDER:
            self._outsider = True
        elif one.comment is not None and fate is _Fate.EDITED:
            self._edited.append(one.comment)
        elif one.comment is not None and fate is _Fate.REFUSE:
            if refusal(number, one.author.login) not in self._known.told:
                self._refused.setdefault(one.author.login.casefold(), one.comment)
        elif one.comment is not None and fate is _Fate.OBEY:
            order = command(one.body)
            if order is not None:
                self._orders.append(Order(command=order, comment=one.comment))

    def result(self) -> Taken:
        """Return it."""
        heard = talk.heard(self._known.heard, self._heard)
        taken = replace(self._known, heard=heard, held=(*self._held,))
        return Taken(
            talk=self._known if taken == self._known else taken,
            orders=(*self._orders,),
            refused=(*self._refused.values(),),
            edited=(*self._edited,),
            outsider=self._outsider,
            more=self._full or self._many,
        )


def _fate(place: Place, one: _Said, ear: Ear) -> _Fate:
    author, counts = one.author, ear.counts(one.author)
    is_command = one.comment is not None and command(one.body) is not None
    if author.login == GHOST or ear.is_ours(author, one.body) or one.body.startswith(MARK):
        return _Fate.NONE  # the last is of another node: two would answer each other for ever
    if author.bot and (is_command or not counts):
        return _Fate.NONE
    if is_command:
        return _command_fate(one, counts=counts)
    if not place.pull or not (one.body.strip() or one.remark.starts):
        return _Fate.NONE
    return _Fate.HOLD if counts else _Fate.OUTSIDER


def _command_fate(one: _Said, *, counts: bool) -> _Fate:
    if not counts:
        return _Fate.REFUSE
    changed = one.comment is not None and one.comment.updated != one.comment.created
    return _Fate.EDITED if changed else _Fate.OBEY


def _said(place: Place) -> Iterator[_Said]:
    """Yield all that was said: reviews, then threads, then comments."""
    verdicts = {review.id: review.verdict for review in place.reviews}
    for review in place.reviews:
        yield _Said(remark=_of_review(review), author=review.author, body=review.body)
    for thread in place.threads:
        approved = verdicts.get(thread.review or 0) is Verdict.APPROVED
        for comment in thread.comments:
            starts = not (approved and comment.id == thread.id)
            remark = _of_thread(thread, comment, starts=starts)
            yield _Said(remark=remark, author=comment.author, body=comment.body)
    for comment in place.comments:
        remark = Remark(
            id=f"comment:{comment.id}",
            by=comment.author.login,
            text=limits.beginning(comment.body.strip(), _LONGEST),
        )
        yield _Said(remark=remark, author=comment.author, body=comment.body, comment=comment)


def _of_review(review: Review) -> Remark:
    wanted = review.verdict is Verdict.CHANGES_REQUESTED
    said = review.verdict is Verdict.COMMENTED and bool(review.body.strip())
    return Remark(
        id=f"review:{review.id}",
        by=review.author.login,
        text=limits.beginning(review.body.strip(), _LONGEST),
        verdict=review.verdict.value,
        starts=wanted or said,
    )


def _of_thread(thread: Thread, comment: Comment, *, starts: bool) -> Remark:
    return Remark(
        id=f"thread:{comment.id}",
        by=comment.author.login,
        text=limits.beginning(comment.body.strip(), _LONGEST),
        thread=thread.id,
        review=thread.review or 0,
        path=thread.path,
        first_line=thread.first_line or 0,
        line=thread.line or 0,
        hunk=limits.cut(thread.hunk, _HUNK),
        starts=starts,
    )


def _answered(place: Place, ear: Ear) -> set[str]:
    """Return the ids of what gitcmat has replied to, also where no record of that is left."""
    found: set[str] = set()
    for comment in place.comments:
        if ear.is_ours(comment.author, comment.body) and "reply" in (said := marks(comment.body)):
            found.add(said["reply"].replace("-", ":", 1))
    for thread in place.threads:
        before: list[str] = []
        for comment in thread.comments:
            if not ear.is_ours(comment.author, comment.body):
                before.append(f"thread:{comment.id}")
            elif last := marks(comment.body).get("reply", "").replace("-", ":", 1):
                found |= {*before[: before.index(last) + 1]} if last in before else set()
                found.add(f"review:{thread.review}")  # the agent had them together
    return found


def _gone(place: Place) -> set[str]:
    """Return what somebody took back: dismissed reviews, resolved threads."""
    dismissed = {f"review:{r.id}" for r in place.reviews if r.verdict is Verdict.DISMISSED}
    return dismissed | {f"thread:{thread.id}" for thread in place.threads if thread.resolved}


def _weight(remark: Remark) -> int:
    return sum(map(limits.weight, (remark.text, remark.hunk, remark.path)))
