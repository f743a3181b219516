"""``gitcmat events``: what happened, by whom and how."""

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace

import click

from gitcmat.cli.output import SCHEMA, Output
from gitcmat.cli.state import State, common
from gitcmat.engine.hints import Bell, Hint
from gitcmat.engine.history import History, Wish, plain
from gitcmat.errors import Usage
from gitcmat.model.audit import Event, Via
from gitcmat.model.names import Sha, short
from gitcmat.store.layout import Kind
from gitcmat.system.interrupts import Interrupts


@click.command(name="events")
@click.option("--since", default="", metavar="ID|DATE", help="What came after; else the last ones.")
@click.option("--until", default="", metavar="ID|DATE", help="Nothing later.")
@click.option("--task", metavar="ID", help="Only about this task.")
@click.option(
    "--type", "kinds", multiple=True, metavar="TYPE", help="Such as task, or blocker.opened."
)
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True)
@click.option("--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@common
def command(
    state: State,
    *,
    since: str,
    until: str,
    task: str | None,
    kinds: tuple[str, ...],
    limit: int,
    follow: bool,
) -> None:
    """Show what happened to tasks, runs, questions and subtasks.

    It is read from the history of refs/cmat/state/*. The id of an event, or of a state, is a place
    to go on from: --since.
    """
    if follow and until:
        raise Usage("--follow and --until exclude each other.", hint="choose one")
    facts = state.app.deps.store.read()
    if facts.tip is None and not follow:
        state.out.show({"events": [], "more": False}, "nothing")
        return
    about = facts.resolve(Kind.QUEUE, task) if task else ""
    wish = Wish(since=since, until=until, task=about, kinds=kinds)
    history = History(state.app.deps)
    if follow:
        _follow(state.out, history, wish, facts.tip, limit)
        return
    if since:
        first = list(itertools.islice(history.all(wish), limit + 1))
        found, more = first[:limit], len(first) > limit
    else:
        found, more = history.last(wish, limit)
    state.out.show({"events": [plain(e) for e in found], "more": more}, _lines(found, more, since))


def _follow(out: Output, history: History, wish: Wish, tip: Sha | None, limit: int) -> None:
    bell = Bell()
    with Interrupts(lambda _: bell.ring(Hint.STOP)) as interrupts:
        if tip is not None:
            held = replace(wish, until=tip)
            begin = history.all(held) if wish.since else history.last(held, limit)[0]
            _print(out, begin)
        coming = history.follow(wish, tip, lambda: bool(interrupts.count), bell)
        _print(out, coming)


def _print(out: Output, events: Iterable[Event]) -> None:
    for event in events:
        if out.as_json:
            out.raw(json.dumps({"schema": SCHEMA, **plain(event)}).encode() + b"\n")
        else:
            out.stream(_line(event) + "\n")


def _lines(events: list[Event], more: bool, since: str) -> Iterator[str]:  # noqa: FBT001 - a fact
    if not events:
        yield "nothing happened"
    if more and not since:
        yield "there are earlier ones (--limit, --since)"
    yield from map(_line, events)
    if more and since:
        yield f"and more: --since {_id(events[-1])}"


def _line(event: Event) -> str:
    told = event.told
    about = told.task if told.task in ("", event.record) else f"{told.task} {event.record}"
    who = event.who if event.via is Via.GITCMAT else f"{event.who}, by {event.via}"
    what = " ".join(told.what.split())
    when = f"{event.at.astimezone():%Y-%m-%d %H:%M:%S}"
    return f"{_id(event):<13} {when}  {told.kind:<16}  {about or event.record}  {what}  [{who}]"


def _id(event: Event) -> str:
    commit, _, number = event.id.partition(":")
    return f"{short(commit)}:{number}"
