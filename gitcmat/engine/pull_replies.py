"""Says on a forge what happened here: replies to what the agent was told, answers to commands,
questions that wait for an answer.

Each thing has a mark, and is looked for by that and by its author before it is said: whoever is
killed in between does not say it twice. What was said is written down after that.
"""

import functools
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final

from gitcmat.engine import branches, pull_words
from gitcmat.engine.deps import Deps
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.pull_places import question_place, talked_of
from gitcmat.engine.said_once import say_once
from gitcmat.engine.synced import Synced
from gitcmat.forge import NotVisible
from gitcmat.model import talk
from gitcmat.model.blocker import Blocker
from gitcmat.model.entry import Entry
from gitcmat.model.names import short
from gitcmat.model.pull import Pull
from gitcmat.model.state import State
from gitcmat.model.talk import Handed, Saying, Talk

_ANSWERED_IN: Final = frozenset({State.REVIEW, State.DONE})
_MOST_LINES: Final = 3


def take_in(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Say what is to be said."""
    facts = deps.store.read()
    landed = (facts.entry(task) for task in found.landed)
    open_ = facts.blockers()
    for entry in (*talked_of(deps), *(e for e in landed if e is not None)):
        with found.about(entry.id):
            _reply(deps, hub, look, entry)
            _say(deps, hub, look, entry, found)
            _put_questions(deps, hub, look, entry, [b for b in open_ if b.task == entry.id])


def _record(deps: Deps, task: str, change_: Callable[[Talk], Talk]) -> None:
    """Write down what was said."""
    with deps.store.change("said on the forge", by=deps.daemon) as change:
        entry = change.entry(task)
        change.put(replace(entry, talk=change_(entry.talk)))


# --- replies ------------------------------------------------------------------------------------


def _reply(deps: Deps, hub: Hub, look: Look, entry: Entry) -> None:
    """Reply to all that a run was told whose result is on the forge now."""
    pull = entry.pull
    due = [one for one in entry.talk.handed if one.run != entry.run]
    if pull is None or not due or entry.state not in _ANSWERED_IN:
        return
    if entry.state is State.REVIEW and branches.tip(deps.git, entry).commit != pull.pushed:
        return
    numbers = {one.number for one in due}  # more than one where it was closed and opened anew
    found = (thread for number in numbers for thread in hub.forge.reviews.threads(number))
    threads = {thread.id: thread for thread in found}
    for one in due:
        kind, _, number = one.id.partition(":")
        name = f"reply={one.last.replace(':', '-')}"
        text = pull_words.marked(name, _answer(deps, entry, pull, one))
        if kind != "thread":
            _comment(hub, look, one.number, name, text)
        elif thread := threads.get(int(number)):
            mine = (c for c in thread.comments if c.author.login == look.me.login)
            if not any(pull_words.tag(name) in comment.body for comment in mine):
                hub.forge.reviews.reply(one.number, thread.id, text)

    def without(known: Talk) -> Talk:
        return replace(known, handed=tuple(one for one in known.handed if one not in due))

    _record(deps, entry.id, without)


def _answer(deps: Deps, entry: Entry, pull: Pull, one: Handed) -> str:
    """Say which commit answers something; that there is none, if there is none."""
    run = deps.store.read().run(entry.run or "")
    said = run.said.strip() if run is not None else ""
    words = f"\n\nThe agent says:\n\n{pull_words.quote(said, 1_000)}" if said else ""
    if pull.pushed == one.head:
        return f"The agent was told of this, and changed nothing.{words}"
    paths = ("--", f":(literal){one.path}") if one.path else ()
    row = deps.git.maybe("log", "-1", "--format=%H %s", f"{one.head}..{pull.pushed}", *paths)
    if not row:
        return f"The rework, {_link(pull, pull.pushed)}, does not change this file.{words}"
    commit, _, subject = row.partition(" ")
    lines = [line for line in said.splitlines() if one.path and one.path in line][:_MOST_LINES]
    about = (
        f"\n\nThe agent says:\n\n{pull_words.quote(chr(10).join(lines), 1_000)}" if lines else ""
    )
    return f"Addressed in {_link(pull, commit)}: {pull_words.words(subject)}{about}"


def _link(pull: Pull, commit: str) -> str:
    return f"[{short(commit)}]({pull.url}/commits/{commit})"


# --- comments -----------------------------------------------------------------------------------


def _say(deps: Deps, hub: Hub, look: Look, entry: Entry, found: Synced) -> None:
    """Make the comments that were decided on."""
    done: list[Saying] = []
    try:
        for saying in entry.talk.sayings:
            text = pull_words.marked(saying.mark, saying.text)
            try:
                _comment(hub, look, saying.number, saying.mark, text)
            except NotVisible as error:  # it is gone, and nobody waits for it any more
                found.trouble(entry.id, error.message)
            done.append(saying)
    finally:
        if done:
            _record(deps, entry.id, lambda known: _without(known, done))


def _without(known: Talk, done: Collection[Saying]) -> Talk:
    return replace(known, sayings=tuple(one for one in known.sayings if one not in done))


def _put_questions(
    deps: Deps, hub: Hub, look: Look, entry: Entry, open_: Sequence[Blocker]
) -> None:
    """Have each question about a task stand where people talk about it, and say when it is closed.

    What was put below an issue stays there, also once there is a pull request.
    """
    place = question_place(hub, entry)
    for blocker in open_ if place is not None else ():
        if not any(put.startswith(f"question:{blocker.id}:") for put in entry.talk.told):
            name = f"blocker={blocker.id}"
            text = pull_words.marked(name, pull_words.asks(blocker))
            _comment(hub, look, place or 0, name, text)
            _record(deps, entry.id, functools.partial(_told, f"question:{blocker.id}:{place}"))
    ids = {blocker.id for blocker in open_}
    for put in entry.talk.told:
        kind, _, rest = put.partition(":")
        blocker_id, _, number = rest.partition(":")
        if kind == "question" and blocker_id not in ids:
            _settle(deps, hub, look, int(number), blocker_id)
            _record(deps, entry.id, functools.partial(_untold, put))


def _settle(deps: Deps, hub: Hub, look: Look, number: int, blocker_id: str) -> None:
    """Have the comment that put a question say what became of it."""
    blocker = deps.store.read().blocker(blocker_id)
    tag = pull_words.tag(f"blocker={blocker_id}")
    comment = hub.forge.comments.find(number, tag, author=look.me.login)
    if blocker is not None and comment is not None:
        text = pull_words.marked(f"blocker={blocker_id}", pull_words.asked(blocker))
        hub.forge.comments.edit(comment.id, text)


def _told(put: str, known: Talk) -> Talk:
    return replace(known, told=talk.told(known.told, put))


def _untold(put: str, known: Talk) -> Talk:
    return replace(known, told=tuple(one for one in known.told if one != put))


def _comment(hub: Hub, look: Look, number: int, name: str, text: str) -> None:
    """Make a comment, unless it is there."""
    say_once(hub, look, number, pull_words.tag(name), text)
