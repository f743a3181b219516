"""What of a machine's files is seen from inside of a sandbox: rules for paths, the deepest wins."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

_ROOT: Final = "/"


class Access(StrEnum):
    """What may be done with a path and everything below it that has no rule of its own."""

    READ = "read"
    WRITE = "write"
    HIDDEN = "hidden"
    """Nothing is there."""
    OWN = "own"
    """Something of the sandbox's own is there, empty at first and writable."""


@dataclass(slots=True)
class Outlook:
    """Rules for absolute, resolved paths; without any, everything may be read."""

    rules: dict[str, Access] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    """Symlinks to make in places where nothing is, with what they lead to."""

    def say(self, path: str, access: Access) -> None:
        """Give `path` a rule, in place of what it had."""
        self.rules[path] = access

    def of(self, path: str) -> Access:
        """What holds for `path`."""
        while path not in self.rules and path != _ROOT:
            path = _above(path)
        return self.rules.get(path, Access.READ)

    def is_gone(self, path: str) -> bool:
        """Whether what lies at `path` outside is not seen inside."""
        return self.of(path) in (Access.HIDDEN, Access.OWN)

    def show(self, path: str) -> None:
        """Let `path` be read if it was not seen; what may be written stays so.

        A place that was itself hidden stays so: to show it whole would show what it was hidden for.
        """
        if path not in self.rules and self.is_gone(path):
            self.say(path, Access.READ)

    def steps(self) -> Iterator[tuple[str, Access]]:
        """The rules that change something, each after those for the folders it is in."""
        for path in sorted(self.rules, key=lambda p: p.split("/")):
            if path == _ROOT:
                continue
            access, around = self.rules[path], self.of(_above(path))
            if access is not around or access is Access.OWN:
                yield path, access


def _above(path: str) -> str:
    return path.rpartition("/")[0] or _ROOT
