"""Takes in what people say on a forge: reviews, threads, comments, and commands in them.

The forge is asked first; then one change of the facts holds what was heard, what follows from it,
and what is to be said about it. It is said later (`gitcmat.engine.pull_replies`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gitcmat.engine import pull_words
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_obey import Asked, obey
from gitcmat.engine.pull_places import issues_by_number, open_pull, pulls_by_number, talked_of
from gitcmat.engine.reconcile import Reconciler
from gitcmat.engine.sending_back import send_back_for
from gitcmat.engine.synced import Synced
from gitcmat.errors import Conflict, UserError
from gitcmat.model import rework, talk
from gitcmat.model.entry import Entry
from gitcmat.model.forge import Review, Thread
from gitcmat.model.pull_talk import Ear, Place, Taken, is_news, refusal, speakers, take
from gitcmat.model.state import State
from gitcmat.model.talk import Saying, Talk
from gitcmat.store.state import Change

_TRIES = 5
"""How often a pull request is read anew that people are talking about just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Heard:
    """What was said in one place, and who may speak there."""

    task: str
    place: Place
    ear: Ear


def take_in(reconciler: Reconciler, hub: Hub, look: Look, found: Synced) -> None:
    """Take in what is new where people talk about tasks."""
    deps = reconciler.deps
    heard = _listen(deps, hub, look, found)
    waiting = [e.id for e in talked_of(deps) if _goes_back(hub, e)]
    if not heard and not waiting:
        return
    after = After()  # runs of what was cancelled are ended by the loop
    with deps.store.change("what was said on the forge", by=deps.daemon) as change:
        for one in heard:
            if _take(deps, change, one, found, after):
                look.again(one.place.number)
        for task in dict.fromkeys((*(one.task for one in heard), *waiting)):
            entry = change.find(task)
            pull = open_pull(hub, entry) if entry is not None else None
            if entry is not None and pull is not None and _goes_back(hub, entry):
                done = send_back_for(change, task, pull.number, deps.clock.now(), after)
                found.lines.append(f"{task}: {done.reason}, by {done.notes[-1].by}")


def _goes_back(hub: Hub, entry: Entry) -> bool:
    at_review = entry.state is State.REVIEW and open_pull(hub, entry) is not None
    return at_review and rework.starts(entry.talk.held)


# --- asking the forge ---------------------------------------------------------------------------


def _listen(deps: Deps, hub: Hub, look: Look, found: Synced) -> list[_Heard]:
    heard: list[_Heard] = []
    facts = deps.store.read()
    pulls = pulls_by_number(deps, hub)
    for number, task in (pulls | issues_by_number(deps, hub)).items():
        entry = facts.entry(task)
        if entry is not None and look.spoken(number):
            with found.about(task):
                place = _pull(hub, look, number) if number in pulls else _issue(hub, number)
                if is_news(place, entry.talk):
                    ear = _ear(deps, look, place, entry.talk)
                    heard.append(_Heard(task=task, place=place, ear=ear))
    return heard


def _pull(hub: Hub, look: Look, number: int) -> Place:
    reviews, threads = _whole(hub, look, number)
    comments = hub.forge.comments.list(number)
    return Place(number=number, reviews=reviews, threads=threads, comments=comments)


def _issue(hub: Hub, number: int) -> Place:
    return Place(number=number, comments=hub.forge.comments.list(number), pull=False)


def _whole(hub: Hub, look: Look, number: int) -> tuple[tuple[Review, ...], tuple[Thread, ...]]:
    """Return reviews and threads that belong together: one that is submitted between the two
    questions would be taken in by halves, and sent back twice.
    """
    reviews = look.reviews(number)
    for _ in range(_TRIES):
        threads = hub.forge.reviews.threads(number)
        if not threads:
            return reviews, threads
        before, reviews = reviews, hub.forge.reviews.list(number)
        if len(before) == len(reviews):
            return reviews, threads
    raise Conflict(f"#{number} changes too fast to be read; it is looked at the next time.")


def _ear(deps: Deps, look: Look, place: Place, known: Talk) -> Ear:
    names = speakers(place, known)
    return Ear(
        me=look.me,
        writers={login for login in names if look.permission(login).may_write},
        bots=deps.settings.forge.bots,
    )


# --- within the change --------------------------------------------------------------------------


def _take(deps: Deps, change: Change, one: _Heard, found: Synced, after: After) -> bool:
    """Take in one place; return whether something was left for the next time."""
    entry = change.find(one.task)
    if entry is None:
        return False
    number = one.place.number
    taken = take(one.place, entry.talk, one.ear)
    if taken.talk != entry.talk:
        change.put(replace(entry, talk=taken.talk), f"{one.task}: #{number} was read")
    says = [*_refusals(number, taken)]
    for order in taken.orders:
        asked = Asked(task=one.task, place=one.place, order=order, ear=one.ear)
        text = _done(deps, change, asked, found, after)
        says.append(Saying(number=number, mark=f"reply={order.mark}", text=text))
    told = [refusal(number, comment.author.login) for comment in taken.refused]
    if taken.outsider and (mark := f"outsiders:{number}") not in entry.talk.told:
        told.append(mark)
        mark = mark.replace(":", "=")
        says.append(Saying(number=number, mark=mark, text=pull_words.outsiders()))
    if says or told:
        now = change.entry(one.task)
        record = replace(
            now.talk,
            sayings=(*now.talk.sayings, *says),
            told=talk.told(now.talk.told, *told),
        )
        change.put(replace(now, talk=record))
    return taken.more


def _refusals(number: int, taken: Taken) -> Iterator[Saying]:
    for comment in taken.refused:
        text = pull_words.not_allowed(comment.author.login)
        yield Saying(number=number, mark=f"reply=comment-{comment.id}", text=text)
    for comment in taken.edited:
        text = pull_words.edited()
        yield Saying(number=number, mark=f"reply=comment-{comment.id}", text=text)


def _done(deps: Deps, change: Change, asked: Asked, found: Synced, after: After) -> str:
    """Obey a command; return what is said about it."""
    command = asked.order.command
    if command.verb is None:
        return pull_words.unknown()
    try:
        what = obey(deps, change, asked, after)
    except UserError as error:
        return pull_words.refused(command.word, error.message)
    found.lines.append(f"{asked.task}: {command.verb} by {asked.by}")
    return pull_words.obeyed(command.word, what)
