"""Builds the prompt of a run from the template, the profile and what was said so far.

`build` is called for the run and for `task prompt`, so both show the same bytes.
"""

import functools
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from gitcmat.model.entry import Entry, Said
from gitcmat.system.assets import templates_dir

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
    notes = [
        _Note(heading=_HEADINGS[note.kind], question=note.question, text=note.text)
        for note in entry.notes
    ]
    values: dict[str, Any] = {
        "system": system.strip(),
        "task": {
            "id": entry.id,
            "title": entry.task.title,
            "prompt": entry.task.prompt.strip(),
            "paths": entry.task.paths,
        },
        "gates": gates,
        "head": entry.head if entry.head != entry.base else "",
        "notes": notes,
    }
    return _environment().get_template("prompt.md.j2").render(values).strip() + "\n"


@functools.cache
def _environment() -> ImmutableSandboxedEnvironment:
    made = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(templates_dir()),
        undefined=StrictUndefined,
        autoescape=False,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["quoted"] = quoted
    return made


def quoted(text: str) -> str:
    """Mark text as somebody's words: each line behind ``> ``, so that it cannot pass for the
    prompt's own structure.
    """
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())
