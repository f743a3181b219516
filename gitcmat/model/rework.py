"""What an agent is told of what people said on a forge: who, where, and their words behind ``> ``,
so that nothing in them can pass for what gitcmat says.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Final

from gitcmat.model import limits
from gitcmat.model.forge import Verdict
from gitcmat.model.marks import one_line
from gitcmat.model.pull import Pull
from gitcmat.model.talk import Handed, Remark, Talk

_ROOM: Final = 14_000
"""Weight of what one rework is told; a note of an entry has no more room."""

RETRY: Final = "retry"
"""Stands for a verdict where somebody gave that command."""

_VERDICTS: Final = {
    RETRY: "asks for another try",
    Verdict.CHANGES_REQUESTED.value: "requested changes",
    Verdict.APPROVED.value: "approved, and said",
    Verdict.COMMENTED.value: "said in a review",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rework:
    """What goes to the agent now."""

    text: str
    by: str
    """Who said it, by login."""
    remarks: tuple[Remark, ...]
    rest: tuple[Remark, ...]
    """What did not fit: for the time after."""


def rework(held: Sequence[Remark]) -> Rework:
    """Put together what the agent is told next, the oldest first, as much as fits."""
    count = 0
    while count < len(held) and (count == 0 or limits.weight(_text(held[: count + 1])) <= _ROOM):
        count += 1
    given = (*held[:count],)
    return Rework(
        text=_text(given),
        by=", ".join(dict.fromkeys(remark.by for remark in given)),
        remarks=given,
        rest=(*held[count:],),
    )


def handed_over(talk: Talk, given: Rework, pull: Pull, run: str) -> Talk:
    """Return the record once the agent has it: each thread gets a reply, and so does a review that
    came without one. `run` is the one whose result it was about.
    """
    threads = {remark.review for remark in given.remarks if remark.thread}
    handed = {one.id: one for one in talk.handed}
    for remark in given.remarks:
        alone = remark.id.startswith("review:") and remark.starts
        if remark.thread or (alone and int(remark.id.removeprefix("review:")) not in threads):
            handed[remark.answered_as] = Handed(
                id=remark.answered_as,
                last=remark.id,
                number=pull.number,
                path=remark.path,
                run=run,
                head=pull.pushed,
            )
    return replace(talk, held=given.rest, handed=(*handed.values(),))


def starts(held: Sequence[Remark]) -> bool:
    """Whether one of them sends the work back."""
    return any(remark.starts for remark in held)


def _text(remarks: Sequence[Remark]) -> str:
    parts: list[str] = []
    for thread, some in groupby(remarks, key=lambda remark: remark.thread):
        group = [*some]
        if thread:
            parts += _place(group[0])
        parts += [_words(remark) for remark in group]
    return "\n\n".join(parts)


def _place(remark: Remark) -> list[str]:
    """Say what a thread is about."""
    where = one_line(remark.path)
    if remark.line:
        first = remark.first_line
        lines = f"lines {first} to" if first and first != remark.line else "line"
        where += f", {lines} {remark.line}"
    if not remark.hunk.strip():
        return [f"About {where}:"]
    return [f"About {where}, where the diff showed:", _behind(remark.hunk)]


def _words(remark: Remark) -> str:
    said = _VERDICTS.get(remark.verdict, "said")
    return (
        f"{remark.by} {said}:\n\n{_behind(remark.text)}" if remark.text else f"{remark.by} {said}."
    )


def _behind(text: str) -> str:
    lines = text.replace("\r\n", "\n").strip("\n").split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines)
