"""Builds the prompt of a run from the template, the profile and what was said so far.

`build` is called for the run and for `task prompt`, so both show the same bytes.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gitcmat.model.entry import Entry, Note, Said
from gitcmat.model.task import Task
from gitcmat.store.templates import render
from gitcmat.system.logs import visible

_HEADINGS: Final = {
    Said.ANSWER: "A person answered your question",
    Said.REJECT: "A reviewer sent it back",
    Said.RED: "The last attempt did not pass",
    Said.GUIDANCE: "A person's guidance",
    Said.CONFLICT: "It conflicted with its target",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Note:
    heading: str
    question: str
    text: str


def build(entry: Entry, *, system: str, gates: tuple[str, ...]) -> str:
    """Return the prompt of the next attempt of `entry`.

    `system` is the text of the agent's profile, `gates` the names of the gates that will judge.
    """
    notes = _notes(entry.notes)
    # What a stranger calls it is in the prompt, quoted: a heading would be ours.
    title = str(entry.issue).capitalize() if entry.issue else entry.task.title
    values = _about(entry.id, replace(entry.task, title=title), system) | {
        "gates": gates,
        "head": entry.head if entry.head != entry.base else "",
        "notes": notes,
    }
    return _rendered(values)


def build_more(entry: Entry, since: datetime) -> str:
    """Return the prompt for an agent that goes on with its session: what was said since then."""
    return _rendered({"notes": _notes(n for n in entry.notes if n.at >= since)}, "more.md.j2")


def build_direct(run: str, task: Task, *, system: str) -> str:
    """Return the prompt of a run for which no entry waits: nothing was before, nothing judges."""
    return _rendered(_about(run, task, system) | {"gates": (), "head": "", "notes": []})


def _about(name: str, task: Task, system: str) -> dict[str, Any]:
    about = {
        "id": name,
        "title": task.title,
        "prompt": task.prompt.strip(),
        "paths": task.paths,
    }
    return {"system": system.strip(), "task": about}


def _notes(notes: Iterable[Note]) -> list[_Note]:
    return [_Note(heading=_HEADINGS[n.kind], question=n.question, text=n.text) for n in notes]


def _rendered(values: dict[str, Any], template: str = "prompt.md.j2") -> str:
    return render(template, values, quoted=quoted).strip() + "\n"


def quoted(text: str) -> str:
    """Mark text as somebody's words: each line behind ``> ``, so that it cannot pass for the
    prompt's own structure, and with every character in it that no reader would see as an escape.
    """
    shown = visible(text.strip().replace("\r\n", "\n"))
    return "\n".join(f"> {line}".rstrip() for line in shown.split("\n"))
