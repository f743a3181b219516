"""Keeps records small: what comes from agents and tools is cut before it is written down.

A record has 256 KiB at most, and one that is larger could never be written. The whole output
stays in the run's log.
"""

from dataclasses import replace
from typing import Final

from gitcmat.model.entry import Note
from gitcmat.model.job import Result

TEXT: Final = 4_000
"""Characters of a message, a mark or a question."""
OUTPUTS: Final = 48_000
"""Characters of the outputs of all gates together."""
PATHS: Final = 24_000
"""Characters of the names of changed files together."""
NOTES: Final = 40_000
"""Characters of what was said to the agent, the latest first."""
LINES: Final = 40
"""Marks, warnings, ignored files or locations."""


def cut(text: str, most: int = TEXT) -> str:
    """The end of a text, with a word about what is left out."""
    if len(text) <= most:
        return text
    return f"({len(text) - most} characters left out)\n{text[-most:]}"


def small(result: Result) -> Result:
    """A result that fits into a record."""
    share = OUTPUTS // max(1, len(result.gates))
    gates = tuple(
        replace(
            gate,
            reason=cut(gate.reason),
            output=cut(gate.output, share),
            locations=tuple(
                replace(place, file=cut(place.file, 400), message=cut(place.message, 400))
                for place in gate.locations[:LINES]
            ),
        )
        for gate in result.gates[:LINES]
    )
    kept = 0
    room = PATHS
    for change in result.files:
        room -= len(change.path) + 16
        if room < 0:
            break
        kept += 1
    return replace(
        result,
        message=cut(result.message, 1_000),
        gates=gates,
        files=result.files[:kept],
        more_files=result.more_files + len(result.files) - kept,
        questions=tuple(cut(q) for q in result.questions[:LINES]),
        marks=_few(result.marks),
        warnings=_few(result.warnings),
        ignored=_few(result.ignored),
    )


def recent(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The latest notes, as many as fit; always the last one, cut if need be."""
    kept: list[Note] = []
    room = NOTES
    for note in reversed(notes):
        text = cut(note.text, 16_000)
        room -= len(text) + len(note.question)
        if room < 0 and kept:
            break
        kept.append(replace(note, text=text, question=cut(note.question)))
    return tuple(reversed(kept))


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    few = tuple(cut(line, 500) for line in lines[:LINES])
    more = len(lines) - len(few)
    return (*few, f"and {more} more") if more else few
