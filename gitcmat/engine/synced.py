"""What came of a look at the forge: gathered by each part of the pass, shown at its end."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gitcmat.errors import Conflict
from gitcmat.forge import NotAllowed, NotVisible
from gitcmat.store.pushing import NotPushed


@dataclass(slots=True, kw_only=True)
class Synced:
    """What is new, and what did not work out."""

    looked: int = 0
    """Pull requests of open tasks here."""
    lines: list[str] = field(default_factory=list)
    """What is new and what did not work out, for people, in the order it happened."""
    landed: list[str] = field(default_factory=list)
    """Tasks that are done by it."""
    troubles: list[str] = field(default_factory=list)
    """Those of the lines that say what did not work out."""
    failed: set[str] = field(default_factory=set)
    """The tasks that they are about, which the next pass looks at again."""

    @contextmanager
    def about(self, task: str) -> Iterator[None]:
        """Within it, what the forge refuses about one task is a line, and the pass goes on.

        What ends the pass goes through: no answer, a limit, a token that is not known.
        """
        try:
            yield
        except (Conflict, NotAllowed, NotPushed, NotVisible) as error:
            self.trouble(task, error.message)

    def trouble(self, task: str, text: str) -> None:
        """Say what did not work out about a task."""
        self.lines.append(f"{task}: {text}")
        self.troubles.append(f"{task}: {text}")
        self.failed.add(task)
