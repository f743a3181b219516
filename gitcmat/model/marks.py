"""Facts about a result that a reviewer is shown first."""

from collections.abc import Iterable, Sequence
from typing import Final

from gitcmat.model.globs import matches

_NAMED: Final = 5


def path_marks(
    changed: Sequence[str], *, allowed: Sequence[str], protected: Sequence[str]
) -> tuple[str, ...]:
    """What is to be said of the `changed` paths.

    `allowed` are a task's patterns (none: everything is), `protected` those of its gates: a change
    of what a gate reads may turn it green without any work.
    """
    outside = [path for path in changed if allowed and not matches(path, allowed)]
    judging = [path for path in changed if matches(path, protected)]
    marks = (("outside paths", outside), ("changes protected", judging))
    return tuple(f"{what}: {named(paths)}" for what, paths in marks if paths)


def named(paths: Iterable[str]) -> str:
    """The first five of some paths, and how many more there are."""
    found = sorted(paths)
    rest = len(found) - _NAMED
    return ", ".join(found[:_NAMED]) + (f" and {rest} more" if rest > 0 else "")
