"""What a module that speaks one API has; each of them is one."""

from typing import Protocol

from tests.support.fakemodel.asked import Asked, Body, Refusal
from tests.support.fakemodel.scenario import Answer, Failure


class Dialect(Protocol):
    """One API. `number` counts answers, for ids."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a constant of a module
        """How a request of it is named."""

    @property
    def PATHS(self) -> str:  # noqa: N802
        """A pattern of the paths that belong to it."""

    @property
    def KEY_HEADERS(self) -> tuple[str, ...]:  # noqa: N802
        """Headers in which the key may come."""

    def read(self, path: str, body: Body, /) -> Asked:
        """Understand a request."""

    def aside(self, asked: Asked, number: int, /) -> Body:
        """Answer what is beside the work."""

    def whole(self, asked: Asked, answer: Answer, number: int, /) -> Body:
        """Answer in one piece. Raises NotOffered."""

    def stream(self, asked: Asked, answer: Answer, number: int, /) -> list[bytes]:
        """Answer as events. Raises NotOffered."""

    def broken(self, failure: Failure, /) -> bytes:
        """Return the event that says inside of a stream that it failed."""

    def refuse(self, failure: Failure, /) -> Refusal:
        """Return what is said over HTTP instead of an answer."""
