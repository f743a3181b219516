"""The history of the state ref, commit by commit: which records each one wrote, and from what."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from gitcmat.model.job import Identity
from gitcmat.model.names import Sha
from gitcmat.store import layout
from gitcmat.store.git import Git
from gitcmat.store.layout import Key, Kind

TRAILER: Final = "Cmat-Change: "
"""Begins the last line of a commit of the state: what was done as a whole."""

BY: Final = "Cmat-By: "
"""Begins a line that names a person, and the records that changed because of their command."""

_BY_LINE: Final = re.compile(re.escape(BY) + r"(.*) <(.*)> ([a-z0-9 -]+)")
_FORM: Final = "--format=%H%x00%ct%x00%an%x00%ae%x00%ce%x00%B%x00"
_COMMIT: Final = re.compile(rb"[0-9a-f]{40}|[0-9a-f]{64}")
_GONE: Final = "D"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a record lay, and the blob it was in."""

    key: Key
    blob: str


@dataclass(frozen=True, slots=True)
class Touched:
    """One record that a commit wrote."""

    kind: Kind
    id: str
    old: Place | None
    new: Place | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One commit of the state."""

    commit: Sha
    at: datetime
    name: str
    email: str
    node: str
    did: str
    """What was done as a whole, such as ``cancel parse-dates``."""
    touched: tuple[Touched, ...]
    by: Mapping[str, Identity]
    """Whose command changed a record, by its id, where gitcmat wrote it among other things."""

    @property
    def verb(self) -> str:
        """The first word of what was done."""
        return (self.did.split() or [""])[0]


def message(did: str, notes: Sequence[str], by: Mapping[Identity, Iterable[str]]) -> str:
    """Return the message of a commit of the state: what moved says more than a verb, so that comes
    first; the last line says what was done as a whole.

    `by` names the records that changed because of a person's command, if that is not their author.
    """
    if not notes and not by:
        return f"{did}\n"
    more = f", and {len(notes) - 1} more" if len(notes) > 1 else ""
    body = ["", *notes] if more else []
    because = [f"{BY}{who.name} <{who.email}> {' '.join(ids)}" for who, ids in by.items()]
    first = f"{notes[0]}{more}" if notes else did
    return "\n".join([first, *body, "", *because, f"{TRAILER}{did}", ""])


def done(text: str) -> str:
    """Return what was done as a whole, from the message of a commit of the state.

    Only the last line says it: the others may quote an agent.
    """
    lines = text.strip().splitlines() or [""]
    return lines[-1].removeprefix(TRAILER) if lines[-1].startswith(TRAILER) else lines[0]


def causers(text: str) -> dict[str, Identity]:
    """Return whose command changed a record, by its id, from the message of a commit of the state.

    Only the last paragraph says it: the others may quote an agent.
    """
    found: dict[str, Identity] = {}
    for line in text.strip().rpartition("\n\n")[2].splitlines():
        if named := _BY_LINE.fullmatch(line):
            found |= dict.fromkeys(named[3].split(), Identity(name=named[1], email=named[2]))
    return found


def steps(git: Git, commits: Sequence[str]) -> list[Step]:
    """Read commits of the state, in the order given, in one process."""
    if not commits:
        return []
    how = ("--stdin", "-r", "--root", "--raw", "-z", "--no-renames", "--no-abbrev", "--always")
    out = git.run("diff-tree", *how, _FORM, input="\n".join(commits).encode() + b"\n").out
    return list(_steps(iter(out.split(b"\0"))))


def _steps(parts: Iterator[bytes]) -> Iterator[Step]:
    part = next(parts, None)
    while part is not None:
        if not _COMMIT.fullmatch(part.strip()):
            part = next(parts, None)
            continue
        commit = part.strip().decode()
        at, name, email, node, text = (next(parts).decode("utf-8", "replace") for _ in range(5))
        rows: list[tuple[str, str, str, str]] = []
        part = next(parts, None)
        while part is not None and not _COMMIT.fullmatch(part.strip()):
            if part.lstrip().startswith(b":"):
                _, _, old, new, status = part.decode().split()
                rows.append((old, new, status, next(parts).decode()))
            part = next(parts, None)
        yield Step(
            commit=Sha(commit),
            at=datetime.fromtimestamp(int(at), UTC),
            name=name,
            email=email,
            node=node.partition("@")[2],
            did=done(text),
            touched=_touched(rows),
            by=causers(text),
        )


def _touched(rows: Sequence[tuple[str, str, str, str]]) -> tuple[Touched, ...]:
    """Join the two halves of each record that moved."""
    old: dict[tuple[Kind, str], Place] = {}
    new: dict[tuple[Kind, str], Place] = {}
    for before, after, status, path in rows:
        key = layout.parse(path)
        if key is None:
            continue
        if status != "A":
            old[key.kind, key.id] = Place(key, before)
        if status != _GONE:
            new[key.kind, key.id] = Place(key, after)
    ids = dict.fromkeys((*new, *old))
    return tuple(Touched(k, i, old.get((k, i)), new.get((k, i))) for k, i in ids)
