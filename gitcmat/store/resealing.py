"""Commits made anew in one name and with harmless words; what they hold stays as it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from gitcmat.model.job import Identity
from gitcmat.store.git import Git

_WHEN: Final = re.compile(r".*> (\d{1,12} [+-]\d{4})")
_NEVER: Final = "0 +0000"


@dataclass(frozen=True, slots=True, kw_only=True)
class RawCommit:
    """A commit as git stores it."""

    oid: str
    headers: tuple[tuple[str, str], ...]
    """In their order; those of several lines in one."""
    message: str

    def all(self, key: str) -> list[str]:
        """The values of one header."""
        return [value for name, value in self.headers if name == key]


def commits(git: Git, head: str, known: str) -> Iterator[RawCommit]:
    """Read the commits of `head` that `known` has not, parents first."""
    asked = ("--reverse", "--topo-order", head, f"^{known}", "--")
    for oid in git.text("rev-list", *asked).split():
        data = git.run("cat-file", "commit", oid).out.decode("utf-8", "surrogateescape")
        head_, _, message = data.partition("\n\n")
        lines = head_.replace("\n ", "\0").split("\n")
        headers = tuple((key, value) for key, _, value in (line.partition(" ") for line in lines))
        yield RawCommit(oid=oid, headers=headers, message=message)


def reseal(
    git: Git, head: str, known: str, who: Identity, sealed: Callable[[str], str]
) -> dict[str, str]:
    """Make the commits of `head` that `known` has not anew: by `who`, with `sealed` messages.

    Return old id → new one; a commit that is right already keeps its own.
    """
    made: dict[str, str] = {}
    name = f"{who.name} <{who.email}>"
    for one in commits(git, head, known):
        lines = [f"tree {one.all('tree')[0]}"]
        lines += [f"parent {made.get(parent, parent)}" for parent in one.all("parent")]
        lines += [f"{key} {name} {_when(one, key)}" for key in ("author", "committer")]
        words = one.message.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
        content = "\n".join((*lines, "", sealed(words))).encode()
        how = ("hash-object", "-t", "commit", "-w", "--stdin")
        made[one.oid] = git.run(*how, input=content).text
    return made


def _when(commit: RawCommit, key: str) -> str:
    found = _WHEN.fullmatch((commit.all(key) or [""])[0])
    return found[1] if found else _NEVER
