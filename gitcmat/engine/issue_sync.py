"""Issues with a label are tasks: taken in, followed while they change, told what became of them.

The forge is asked first; then one change of the facts decides; then comments are made, each once.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from gitcmat.engine import issue_text
from gitcmat.engine.deps import Deps
from gitcmat.engine.effects import After, happen
from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.engine.runfolder import RunFolder
from gitcmat.engine.said_once import say_once
from gitcmat.engine.synced import Synced
from gitcmat.model import issue_rules
from gitcmat.model.entry import Entry
from gitcmat.model.events import Withdrawn
from gitcmat.model.forge import Issue
from gitcmat.model.issue_link import IssueLink, digest
from gitcmat.model.names import task_id
from gitcmat.model.remote import Remote
from gitcmat.model.state import OPEN, State
from gitcmat.model.task import Task
from gitcmat.store import refs
from gitcmat.store.facts import Facts
from gitcmat.store.state import Change
from gitcmat.system import ids

_LONGEST_NAME = 40
"""Characters of an id that come from the title of an issue."""
_AT_ONCE = 3
"""Things that may happen to a task in one look, such as being wanted again with another text."""


@dataclass(slots=True, kw_only=True)
class _Asked:
    """What the forge said, before anything is decided."""

    issues: dict[int, Issue] = field(default_factory=dict)
    writers: dict[str, bool] = field(default_factory=dict)
    """Author of a text that is news → whether they may write."""
    target: str = ""
    """Where new tasks start from and land."""
    merging: set[str] = field(default_factory=set)
    """Tasks whose pull request is open here and not there: it may have been merged, which closes
    the issue, and is taken in first.
    """


def take_in(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Take issues with the person's label in, and have them told what is news to them.

    Raises `UserError` as the forge does.
    """
    label = deps.settings.forge.issues
    if label is None:
        look.label = ""  # what gets a label meanwhile is looked for once one is chosen again
        return
    facts = deps.store.read()
    asked = _ask(deps, hub, look, found, label)
    linked = _linked(facts, hub.remote)
    if asked.issues or any(issue_rules.follows(entry, link, None) for entry, link in linked):
        after = After()
        with deps.store.change("issues", by=deps.daemon) as change:
            _decide(deps, change, hub.remote, asked, after)
            found.lines += change.notes
        for run in after.stop:
            RunFolder(deps.runs / run).request_stop()
    _tell(deps, hub, look, found)
    look.label = label


def of_issue(facts: Facts, remote: Remote, number: int) -> Entry | None:
    """Return the task that an issue of this repository is; None when it is none."""
    begin = f"issue-{number}-"
    for task in facts.states():
        entry = facts.entry(task) if task.startswith(begin) else None
        if entry is not None and entry.issue is not None and _is_of(entry.issue, remote):
            return entry
    return None


def _is_of(link: IssueLink, remote: Remote) -> bool:
    return (link.host, link.repo) == (remote.host, remote.slug)


def _linked(facts: Facts, remote: Remote) -> Iterator[tuple[Entry, IssueLink]]:
    """Yield the open tasks that issues of this repository are."""
    for entry in facts.entries(*OPEN):
        if entry.issue is not None and _is_of(entry.issue, remote):
            yield entry, entry.issue


def _done(facts: Facts, remote: Remote) -> Iterator[tuple[Entry, IssueLink]]:
    """Yield those that are done."""
    for task, state in facts.states().items():
        entry = facts.entry(task) if state is State.DONE and task.startswith("issue-") else None
        if entry is not None and entry.issue is not None and _is_of(entry.issue, remote):
            yield entry, entry.issue


# --- what the forge says ------------------------------------------------------------------------


def _ask(deps: Deps, hub: Hub, look: Look, found: Synced, label: str) -> _Asked:
    facts = deps.store.read()
    asked = _Asked(issues={issue.number: issue for issue in look.changes.issues})
    everything = look.fresh or look.label != label
    if everything:
        asked.issues |= {issue.number: issue for issue in hub.forge.issues.labelled(label)}
    for entry, link in _linked(facts, hub.remote):
        if link.number not in asked.issues and (everything or issue_rules.is_stale(entry)):
            with found.about(entry.id):
                asked.issues[link.number] = hub.forge.issues.get(link.number)
        issue = asked.issues.get(link.number)
        gone = issue_rules.why_not(issue, label) if issue else link.gone
        if gone and entry.pull and entry.pull.open and entry.pull.number not in look.opened:
            asked.merging.add(entry.id)
    _ask_about_news(deps, hub, look, asked, label)
    return asked


def _ask_about_news(deps: Deps, hub: Hub, look: Look, asked: _Asked, label: str) -> None:
    """Leave out what is no task and becomes none; ask who wrote what is new."""
    facts, bots = deps.store.read(), deps.settings.forge.bots
    for number, issue in list(asked.issues.items()):
        entry = of_issue(facts, hub.remote, number)
        if entry is None and not issue_rules.is_for_us(issue, label, bots):
            del asked.issues[number]
            continue
        if entry is None and not asked.target:
            asked.target = refs.BRANCHES + hub.forge.repository().default_branch
        link = entry.issue if entry is not None else None
        if link is None or link.text != digest(issue.title, issue.body):
            login = issue.author.login
            asked.writers[login] = look.permission(login).may_write


# --- what follows -------------------------------------------------------------------------------


def _decide(deps: Deps, change: Change, remote: Remote, asked: _Asked, after: After) -> None:
    label = deps.settings.forge.issues or ""
    for issue in sorted(asked.issues.values(), key=lambda issue: issue.number):
        entry = of_issue(change.facts, remote, issue.number)
        if entry is None:
            if asked.target:
                _new(deps, change, remote, issue, asked)
        elif entry.issue is not None:
            before, now = entry.issue, issue_rules.looked_at(entry.issue, issue, label)
            if now != before:
                change.put(replace(entry, issue=now))
            text = _text(issue, remote, asked) if issue.author.login in asked.writers else None
            _follow(deps, change, entry.id, before, text, asked, after)
    for entry, link in _linked(change.facts, remote):
        if link.number not in asked.issues:
            _follow(deps, change, entry.id, link, None, asked, after)


def _text(issue: Issue, remote: Remote, asked: _Asked) -> tuple[Task, bool]:
    writer = asked.writers[issue.author.login]
    return issue_text.task_of(issue, repo=remote.slug, writer=writer), writer


def _follow(
    deps: Deps,
    change: Change,
    task: str,
    before: IssueLink,
    text: tuple[Task, bool] | None,
    asked: _Asked,
    after: After,
) -> None:
    for _ in range(_AT_ONCE):
        event = issue_rules.follows(change.entry(task), before, text)
        if event is None or (isinstance(event, Withdrawn) and task in asked.merging):
            return
        happen(change, task, event, deps.clock.now(), after)


def _new(deps: Deps, change: Change, remote: Remote, issue: Issue, asked: _Asked) -> None:
    task, writer = _text(issue, remote, asked)
    now = deps.clock.now()
    link = issue_rules.link(issue, host=remote.host, repo=remote.slug, writer=writer)
    entry = Entry(
        id=_free_id(change, issue),
        state=State.BACKLOG,
        task=task,
        source=None,
        issue=link,
        target=asked.target,
        created=now,
        updated=now,
        since=now,
    )
    change.put(entry, f"{entry.id}: new, backlog: {link} by {link.who}")


def _free_id(change: Change, issue: Issue) -> str:
    """Return the id of a new task: the same for the same issue, wherever it is taken in first."""
    name = f"issue-{issue.number}-{ids.slug(issue.title, limit=_LONGEST_NAME)}"
    found, count = name, 1
    while change.find(found) is not None:
        count += 1
        found = f"{name}-{count}"
    return task_id(found)


# --- what they are told -------------------------------------------------------------------------


def _tell(deps: Deps, hub: Hub, look: Look, found: Synced) -> None:
    """Say below each issue which task it is, and below each that is done that it is."""
    facts = deps.store.read()
    for entry, link in _linked(facts, hub.remote):
        if not link.linked and not link.gone:
            with found.about(entry.id):
                tag = issue_text.link_mark(link.number)
                say_once(hub, look, link.number, tag, issue_text.link(entry, link.number))
                _record(deps, entry.id, linked=True)
    for entry, link in _done(facts, hub.remote):
        if not link.ended:
            with found.about(entry.id):
                tag = issue_text.end_mark(entry.id)
                say_once(hub, look, link.number, tag, issue_text.end(entry))
                _record(deps, entry.id, ended=True)


def _record(deps: Deps, task: str, *, linked: bool = False, ended: bool = False) -> None:
    with deps.store.change("issues", by=deps.daemon) as change:
        entry = change.entry(task)
        if link := entry.issue:
            told = replace(link, linked=link.linked or linked, ended=link.ended or ended)
            change.put(replace(entry, issue=told))
