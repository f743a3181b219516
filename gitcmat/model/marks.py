"""Facts about a result that a reviewer is shown first."""

from collections.abc import Iterable, Sequence
from typing import Final

from gitcmat.model.globs import matches

_NAMED: Final = 5
_BREAKS: Final = str.maketrans({"\n": r"\n", "\t": r"\t"})


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


def named(paths: Iterable[str], most: int = _NAMED) -> str:
    """The first `most` of some paths in one line, and how many more there are."""
    found = sorted(paths)
    rest = len(found) - most
    return ", ".join(map(one_line, found[:most])) + (f" and {rest} more" if rest > 0 else "")


def one_line(path: str) -> str:
    r"""A path that cannot be taken for several: line breaks and tabs in it as ``\n`` and ``\t``."""
    return path.translate(_BREAKS)
