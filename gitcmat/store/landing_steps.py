"""What a landing changes in a work tree, and what of the person's lies in its way."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from gitcmat.store.git import Git
from gitcmat.store.landing_journal import Side, Step

SUBMODULE: Final = "160000"

_NOBODY: Final = "000000"
_RAW: Final = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev", "--ignore-submodules=none")

Ends = tuple[Side | None, Side | None]


def changed(git: Git, *how: str, env: Mapping[str, str] | None = None) -> dict[str, Ends]:
    """Path → what it was and what it became, by one of git's raw comparisons (``diff-tree A B``).

    A side that is only in the work tree has an id of zeros.
    """
    out = git.run(how[0], *_RAW, *how[1:], env=env).out.split(b"\0")
    found: dict[str, Ends] = {}
    for meta, path in zip(out[::2], out[1::2], strict=False):
        was, now, was_oid, now_oid, _ = meta.decode("ascii").lstrip(":").split(" ")
        old = None if was == _NOBODY else Side(was, was_oid)
        new = None if now == _NOBODY else Side(now, now_oid)
        found[os.fsdecode(path)] = (old, new)
    return found


def steps_between(
    git: Git, root: Path, old: str, new: str, env: Mapping[str, str]
) -> tuple[list[Step], list[str]]:
    """Return what has to be written at `root` to get from `old` to `new`, and what is in the way.

    `env` names an index that is the person's, refreshed. What they have staged just as in `new` is
    no step: it is there already. In the way are changes, staged or not, and untracked files,
    ignored or not: git itself would write over ignored ones.
    """
    staged = changed(git, "diff-index", "--cached", old, env=env)
    dirty = changed(git, "diff-files", env=env)
    steps = []
    blocking = set()
    for path, (was, now) in changed(git, "diff-tree", old, new).items():
        if path in staged:
            if staged[path][1] != now:
                blocking.add(path)
            continue
        absent = path in dirty and dirty[path][1] is None
        steps.append(Step(path, was, now, absent=absent))
        if path in dirty and not (absent and now is None):
            blocking.add(path)
    gone = {step.path for step in steps if step.new is None}
    for step in steps:
        if step.old is None and step.new is not None:
            blocking |= in_the_way(root, step.path, gone, folder=step.new.mode == SUBMODULE)
    return steps, sorted(blocking)


def in_the_way(root: Path, path: str, gone: set[str], *, folder: bool) -> set[str]:
    """What stands where a file (or the folder of a submodule) is to be added.

    `gone` are the files that the landing removes, which make room.
    """
    parts = path.split("/")
    for upper in ("/".join(parts[:n]) for n in range(1, len(parts))):
        here = root / upper
        if (here.is_symlink() or here.is_file()) and upper not in gone:
            return {upper}
    here = root / path
    if not os.path.lexists(here) or path.casefold() in {name.casefold() for name in gone}:
        return set()
    if not here.is_dir() or here.is_symlink():
        return {path}
    inside = {
        Path(upper, name).relative_to(root).as_posix()
        for upper, _, names in os.walk(here)
        for name in names
    }
    return set() if folder else inside - gone
