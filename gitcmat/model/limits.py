"""Keeps records small: what comes from agents and tools is cut before it is written down.

A record has 256 KiB at most, and one that is larger could never be written: its task would stay
where it is, and all others with it. The whole output stays in the run's log. All numbers here are
of `weight`, unless they count something.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from gitcmat.model.entry import Note
from gitcmat.model.gate import GateResult, Location
from gitcmat.model.job import FileChange, Result
from gitcmat.model.message import NewSubtask
from gitcmat.model.subtask import LONGEST_TITLE

TEXT: Final = 4_000
"""A message, a mark or a question."""
OUTPUTS: Final = 48_000
"""The outputs of all gates together."""
REASONS: Final = 8_000
"""Why gates did not pass, all together."""
PLACES: Final = 24_000
"""The places that all gates name together."""
PATHS: Final = 24_000
"""The names of changed files together."""
NOTES: Final = 40_000
"""What was said to the agent, the latest first."""
LINES: Final = 40
"""How many marks, warnings, ignored files, gates, or places of one gate."""

_INDENT: Final = 8
_AROUND_A_PLACE: Final = 80
_AROUND_A_PATH: Final = 16


def weight(text: str) -> int:
    """The bytes that a text takes in a record: UTF-8, with each line indented."""
    return len(text.encode("utf-8", "surrogatepass")) + _INDENT * text.count("\n")


def cut(text: str, most: int = TEXT) -> str:
    """The end of a text, with a word about what is left out."""
    if weight(text) <= most:
        return text
    kept = text[-most:]
    while weight(kept) > most:
        kept = kept[len(kept) // 8 + 1 :]
    return f"({len(text) - len(kept)} characters left out)\n{kept}"


def beginning(text: str, most: int = TEXT) -> str:
    """The beginning of a text, with a word about what is left out."""
    if weight(text) <= most:
        return text
    kept = text[:most]
    while weight(kept) > most:
        kept = kept[: -(len(kept) // 8 + 1)]
    return f"{kept}\n({len(text) - len(kept)} characters left out)"


def small(result: Result) -> Result:
    """A result that fits into a record."""
    gates = result.gates[:LINES]
    files = tuple(_that_fit(result.files))
    return replace(
        result,
        message=cut(result.message, 1_000),
        gates=tuple(_small(gate, len(gates)) for gate in gates),
        files=files,
        more_files=result.more_files + len(result.files) - len(files),
        questions=tuple(cut(q) for q in result.questions[:LINES]),
        subtasks=tuple(" ".join(t.split())[:LONGEST_TITLE] for t in _titles(result.subtasks)),
        marks=_few(result.marks),
        warnings=_few(result.warnings),
        ignored=_few(result.ignored),
        said=cut(result.said),
    )


def _titles(titles: tuple[str, ...]) -> Iterator[str]:
    return islice((title for title in titles if title.strip()), NewSubtask.most)


def _small(gate: GateResult, gates: int) -> GateResult:
    """A gate's result that leaves as much room to each of `gates`."""
    kept = tuple(_nearest(gate.locations, PLACES // gates))
    return replace(
        gate,
        reason=cut(gate.reason, min(TEXT, REASONS // gates)),
        output=cut(gate.output, OUTPUTS // gates),
        locations=kept,
        more_locations=gate.more_locations + len(gate.locations) - len(kept),
    )


def _nearest(places: tuple[Location, ...], room: int) -> Iterator[Location]:
    for place in places[:LINES]:
        short = replace(place, file=cut(place.file, 400), message=cut(place.message, 400))
        room -= weight(short.file) + weight(short.message) + _AROUND_A_PLACE
        if room < 0:
            return
        yield short


def _that_fit(files: tuple[FileChange, ...]) -> Iterator[FileChange]:
    room = PATHS
    for change in files:
        room -= weight(change.path) + _AROUND_A_PATH
        if room < 0:
            return
        yield change


def recent(notes: tuple[Note, ...]) -> tuple[Note, ...]:
    """The latest notes, as many as fit; always the last one, cut if need be."""
    kept: list[Note] = []
    room = NOTES
    for note in reversed(notes):
        text, question = cut(note.text, 16_000), cut(note.question)
        room -= weight(text) + weight(question)
        if room < 0 and kept:
            break
        kept.append(replace(note, text=text, question=question))
    return tuple(reversed(kept))


def _few(lines: tuple[str, ...]) -> tuple[str, ...]:
    few = tuple(cut(line, 500) for line in lines[:LINES])
    more = len(lines) - len(few)
    return (*few, f"and {more} more") if more else few
