"""What follows for a task from the issue that it came from. Pure."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from gitcmat.model.entry import Entry
from gitcmat.model.events import Event, IssueEdited, WantedAgain, Withdrawn
from gitcmat.model.forge import Issue
from gitcmat.model.issue_link import IssueLink, digest
from gitcmat.model.state import State
from gitcmat.model.task import Task


def why_not(issue: Issue, label: str) -> str:
    """Say why an issue is no task, or none any more; empty when it is one."""
    if not issue.open:
        return f"issue #{issue.number} was closed"
    if label.casefold() not in {name.casefold() for name in issue.labels}:
        return f"issue #{issue.number} has the label {label} no more"
    return ""


def is_for_us(issue: Issue, label: str, bots: Collection[str]) -> bool:
    """Whether an issue that no task is of becomes one."""
    return not why_not(issue, label) and (not issue.author.bot or issue.author.login in bots)


def link(issue: Issue, *, host: str, repo: str, writer: bool) -> IssueLink:
    """Return the record of an issue that becomes a task."""
    text = digest(issue.title, issue.body)
    return IssueLink(
        host=host,
        repo=repo,
        number=issue.number,
        url=issue.url,
        author=issue.author.login,
        writer=writer,
        text=text,
        seen=text,
        changed=issue.updated,
    )


def looked_at(held: IssueLink, issue: Issue, label: str) -> IssueLink:
    """Return the record of an issue as the forge shows it now."""
    text, why = digest(issue.title, issue.body), why_not(issue, label)
    return replace(
        held,
        url=issue.url,
        author=issue.author.login,
        seen=text,
        changed=held.changed if text == held.seen else issue.updated,
        # The first reason stays: by that its task is known to have been cancelled.
        gone=why and (held.gone or why),
    )


def is_stale(entry: Entry) -> bool:
    """Whether the text of its issue is another one by now, and can be taken over."""
    held = entry.issue
    if held is None or held.seen == held.text:
        return False
    return not entry.state.finished and entry.state is not State.REVIEW


def follows(entry: Entry, before: IssueLink, text: tuple[Task, bool] | None) -> Event | None:
    """Say what happens to an entry whose issue is as it is recorded in it; one thing at a time.

    `before` is the record of the issue until now. `text` is the task that its text makes now, with
    whether its author may write; None where the text was not asked for.
    """
    held = entry.issue
    if held is None:
        return None
    if held.gone:
        waits = entry.state in (State.BACKLOG, State.PENDING, State.BLOCKED)
        asks = entry.state is State.ACTIVE and not entry.withdrawn
        return Withdrawn(reason=held.gone) if (waits or asks) and not entry.without_file else None
    cancelled = entry.state is State.CANCELLED and before.gone
    if entry.withdrawn or (cancelled and entry.reason == before.gone):
        return WantedAgain()
    if text is not None and is_stale(entry):
        return IssueEdited(task=text[0], writer=text[1])
    return None


def was_read(held: IssueLink, at: datetime) -> bool:
    """Whether who said something at that time can have read the text as it is in force."""
    return held.seen == held.text and at > held.changed
