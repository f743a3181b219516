"""What goes wrong between a client and the fake GitHub, and when."""

import re
from dataclasses import dataclass
from enum import Enum, auto


class Kind(Enum):
    """What happens to a request."""

    LOST = auto()
    """The connection breaks before anything is done."""
    ANSWER_LOST = auto()
    """It is done, and then the connection breaks."""
    ANSWER_CUT = auto()
    """It is done, and half of the answer comes."""
    BAD_GATEWAY = auto()
    """502, and nothing is done."""
    ANSWER_BAD_GATEWAY = auto()
    """It is done, and the answer is a 502 with a page for people."""
    UNAVAILABLE = auto()
    """503 with `Retry-After`, and nothing is done."""
    PRIMARY_LIMIT = auto()
    """403: the hour's requests are used up."""
    SECONDARY_LIMIT = auto()
    """403 with `Retry-After`: too much at once."""
    SECONDARY_LIMIT_WITHOUT_TIME = auto()
    TOO_MANY = auto()
    """429 with `Retry-After`."""
    NOT_PERMITTED = auto()
    """403: workflows of this repository may not open pull requests."""
    SINGLE_SIGN_ON = auto()
    """403: an organisation wants the token authorised."""
    SIGNED_OUT = auto()
    """401: the token is not known, or no longer."""
    HIDDEN = auto()
    """404: it is not there, or nobody may know that it is."""
    CLASH = auto()
    """409: it does not go with what is there."""
    UNFIT = auto()
    """422: it is understood, and not done."""
    ANOTHER_HOST = auto()
    """301 to another host."""
    SLOW = auto()
    """It is done, and the answer comes only when the fake is closed."""
    NONSENSE = auto()
    """It is done, and the answer is no JSON."""
    EMPTY = auto()
    """It is done, and the answer has nothing in it, as GitHub never does."""


@dataclass
class Fault:
    """One kind of trouble for requests that fit."""

    kind: Kind
    number: int = 0
    """Of all requests that number, counted from 1; 0 for each that fits."""
    verb: str = ""
    """``GIT`` for fetches and pushes, which only `Kind.LOST` and `Kind.ANSWER_LOST` befall."""
    path: str = ""
    """A pattern that is searched for in the path."""
    skip: int = 0
    """So many that fit are let through first."""
    times: int = 1
    """How often it strikes."""
    seconds: int = 30
    """For limits: what the forge says to wait."""

    def strikes(self, number: int, verb: str, path: str) -> bool:
        """Whether it befalls this request; it counts those that it is asked about."""
        if self.times <= 0 or (self.number and self.number != number):
            return False
        if self.verb != verb and (self.verb or verb == "GIT"):
            return False
        if not re.search(self.path, path):
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True
