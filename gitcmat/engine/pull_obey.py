"""Does what people ask for in comments: ``/cmat retry`` and the like."""

from dataclasses import dataclass, replace
from typing import assert_never

from gitcmat.engine.blockers import take_answer
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.sending_back import send_back_for
from gitcmat.errors import Conflict
from gitcmat.model import issue_rules, permission, rework
from gitcmat.model.blocker import Blocker
from gitcmat.model.events import Cancelled, Rerun
from gitcmat.model.forge import marks
from gitcmat.model.pull_commands import Verb
from gitcmat.model.pull_talk import Ear, Order, Place
from gitcmat.model.state import State
from gitcmat.model.talk import Remark
from gitcmat.store.ledger import How
from gitcmat.store.state import Actor, Change


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A command, and where it was given."""

    task: str
    place: Place
    order: Order
    ear: Ear

    @property
    def login(self) -> str:
        """Who gave it."""
        return self.order.comment.author.login

    @property
    def text(self) -> str:
        """What they said besides."""
        return self.order.command.text

    @property
    def by(self) -> str:
        """Who gave it, and where."""
        return f"{self.login} on #{self.place.number}"


def obey(deps: Deps, change: Change, asked: Asked, after: After) -> str:
    """Do it within a change; return what came of it, in words.

    Raises `Conflict` or `Usage` for what cannot be done: the change is as it was then.
    """
    verb = asked.order.command.verb
    match verb:
        case Verb.RETRY:
            return _retry(deps, change, asked, after)
        case Verb.CANCEL:
            reason = f"cancelled by {asked.by}"
            event = Cancelled(reason=reason, by=asked.login)
            entry = happen(change, asked.task, event, deps.clock.now(), after)
            ends = ", once its run has ended" if entry.state is State.ACTIVE else ""
            stays = f" #{asked.place.number} stays open." if asked.place.pull else ""
            return f"{entry.id} is cancelled{ends}.{stays}"
        case Verb.ANSWER:
            return _answer(deps, change, asked, after)
        case Verb.APPROVE:
            return _approve(deps, change, asked)
        case None:
            raise Conflict("there is no such command")
        case _:
            assert_never(verb)


def _retry(deps: Deps, change: Change, asked: Asked, after: After) -> str:
    entry, now = change.entry(asked.task), deps.clock.now()
    if entry.state is State.REVIEW:
        said = Remark(
            id=f"comment:{asked.order.comment.id}",
            by=asked.login,
            text=asked.text,
            verdict=rework.RETRY,
        )
        send_back_for(change, entry.id, asked.place.number, now, after, said)
        where = "; its next result comes onto this branch" if asked.place.pull else ""
        return f"{entry.id} goes back to the agent{where}."
    if entry.state is State.BLOCKED:
        blocker = _question(change, asked)
        if "retry" not in blocker.options:
            raise Conflict(f"{entry.id} waits for an answer: /cmat answer …")
        _answered(deps, change, asked, blocker, asked.text or "retry", after)
        return f"{entry.id} is {change.entry(entry.id).state} again."
    if entry.state in (State.FAILED, State.CANCELLED):
        happen(change, entry.id, Rerun(by=asked.by), now, after)
        return f"{entry.id} starts again, from the beginning."
    raise Conflict(f"{entry.id} is {entry.state}: there is no result to send back.")


def _answer(deps: Deps, change: Change, asked: Asked, after: After) -> str:
    blocker = _question(change, asked)
    _answered(deps, change, asked, blocker, asked.order.command.answer, after)
    entry = change.entry(asked.task)
    return f"the answer was taken; {entry.id} is {entry.state} now."


def _answered(
    deps: Deps, change: Change, asked: Asked, blocker: Blocker, text: str, after: After
) -> None:
    if permission.about(blocker.question):
        raise Conflict(
            "it asks for a permission on the machine that the agent works on, which is given there"
        )
    take_answer(deps, change, blocker.id, text, Actor(asked.by, ""), after)


def _question(change: Change, asked: Asked) -> Blocker:
    """Return the open question that was put before the command was written.

    Raises `Conflict` when there is none, or more than one and none is named.
    """
    put = {
        marks(comment.body).get("blocker", ""): comment.id
        for comment in asked.place.comments
        if asked.ear.is_ours(comment.author, comment.body)
    }
    order = asked.order
    open_ = [
        b for b in change.blockers(asked.task) if put.get(b.id, order.comment.id) < order.comment.id
    ]
    if named := order.command.blocker:
        open_ = [blocker for blocker in open_ if blocker.id == named]
    if not open_:
        raise Conflict("no question was open when this was written.")
    if len(open_) > 1:
        ids = ", ".join(blocker.id for blocker in open_)
        raise Conflict(
            f"several questions are open, {ids}: say which, such as /cmat answer {open_[0].id} yes."
        )
    return open_[0]


def _approve(deps: Deps, change: Change, asked: Asked) -> str:
    """Let a task run whose text stands in an issue, if they can have read that text."""
    entry = change.entry(asked.task)
    if entry.state is State.BACKLOG and entry.issue is not None:
        if not issue_rules.was_read(entry.issue, asked.order.comment.created):
            raise Conflict(
                f"the text of #{entry.issue.number} may have been another one when this was "
                "written: read it again, then say it again."
            )
        deps.ledger.add(entry.id, entry.approval, How.COMMENTED, deps.clock.now())
        # In the record, too: another job of a workflow has another ledger.
        link = replace(entry.issue, approved=entry.approval, approved_by=asked.login)
        change.put(replace(entry, issue=link), f"{entry.id}: approved by {asked.by}")
        return f"{entry.id} may run, as its text is now."
    if entry.state is State.BACKLOG:
        raise Conflict(
            f"{entry.id} waits for an approval of its file, which is given where gitcmat runs."
        )
    raise Conflict(
        f"{entry.id} is {entry.state}: it waits for no approval. This approves no pull request."
    )
