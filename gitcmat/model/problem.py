"""Something wrong in a file that a person wrote: where, what, and what to do about it."""

from dataclasses import dataclass, replace
from typing import Self

from gitcmat.errors import UserError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding. `path` is from the root of the repository, `line` counts from 1."""

    path: str
    line: int
    text: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"

    @classmethod
    def of(cls, error: UserError, path: str) -> Self:
        """Return the first of `all_of`, which also says how many more there are."""
        first, *others = cls.all_of(error, path)
        more = f" (and {len(others)} more: gitcmat lint)" if others else ""
        return replace(first, text=first.text + more)

    @classmethod
    def all_of(cls, error: UserError, path: str) -> list[Self]:
        """Take apart an error whose message has lines of the form ``path:line: text``."""
        found: list[Self] = []
        for line in error.message.splitlines():
            place, _, text = line.removeprefix(f"{path}:").partition(": ")
            if line.startswith(f"{path}:") and place.isdecimal():
                found.append(cls(path, int(place), text))
            elif found:
                found[-1] = replace(found[-1], text=f"{found[-1].text}\n{line}")
            else:
                found.append(cls(path, 1, line))
        if len(found) == 1:  # with several, nobody can say which one the hint is about
            found[0] = replace(found[0], hint=error.hint)
        return found
