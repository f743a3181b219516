"""What a project is built with, and the setup and gates that `init` proposes for it.

Pure: the same files and programs give the same proposal. Nothing of the project is run or imported.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gitcmat.model.gate import Gate
from gitcmat.model.settings import Setup

_TEST_FILE: Final = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")


@dataclass(frozen=True, kw_only=True)
class Project:
    """What can be seen of a project without running anything."""

    paths: Sequence[str]
    """Its files that git does not ignore, from the root, sorted."""
    texts: Mapping[str, str]
    """The contents of those that say how it is built and tested."""
    programs: frozenset[str]
    """Programs that are on this machine's PATH, of those that were asked for."""

    def has(self, *names: str) -> tuple[str, ...]:
        """Return those of `names` that are files of the project."""
        return tuple(name for name in names if name in self._known)

    def below(self, *names: str) -> tuple[str, ...]:
        """Return the paths of files with these names in sub-folders."""
        return tuple(p for p in self.paths if "/" in p and p.rpartition("/")[2] in names)

    @functools.cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """The setup and gates of one stack, or of all of them together."""

    stacks: tuple[tuple[str, str], ...] = ()
    """Name of each stack, and the file that tells it."""
    setup: tuple[tuple[str, ...], ...] = ()
    when: tuple[str, ...] = ()
    gates: dict[str, Gate] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What was looked for and not found, one sentence each."""

    @property
    def as_setup(self) -> Setup:
        """The setting ``setup:``."""
        return Setup(run=self.setup, when=self.when)


def join(proposals: Iterable[Proposal]) -> Proposal:
    """Put proposals together; a gate whose name is taken gets that of its stack before it."""
    whole = Proposal()
    for one in proposals:
        stack = one.stacks[0][0].lower() if one.stacks else ""
        gates = dict(whole.gates)
        for name, gate in one.gates.items():
            gates[f"{stack}-{name}" if name in gates else name] = gate
        whole = Proposal(
            stacks=whole.stacks + one.stacks,
            setup=whole.setup + one.setup,
            when=tuple(dict.fromkeys(whole.when + one.when)),
            gates=gates,
            keep=tuple(dict.fromkeys(whole.keep + one.keep)),
            missing=whole.missing + one.missing,
        )
    return whole


def is_test_file(path: str) -> bool:
    """Whether pytest would take a path for a file of tests."""
    return _TEST_FILE.search(path) is not None


def not_on_path(program: str, why: str) -> str:
    """Say that a program was looked for in vain; `why` tells what asks for it."""
    return f"{program}: {why}, but it is not on PATH"
