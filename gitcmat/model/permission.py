"""Questions whether an agent may do what it was refused, and which answers are a yes.

Only a plain yes grants: whoever says more than that may well have meant something else.
"""

import re
from collections.abc import Iterable
from typing import Final

from gitcmat.model.job import Answer

_ASKS: Final = "May the agent use {}? It was refused."
_ASKED: Final = re.compile(re.escape(_ASKS).replace(re.escape("{}"), "(.+)"), re.DOTALL)
_YES: Final = re.compile(r"(?:yes|y|allow|allowed|ok|it may)(?=[\s.,;:!]|\Z)", re.IGNORECASE)
_NOT: Final = re.compile(
    r"\b(?:no|not|cannot|never|nothing|none|nor|neither|without|but|only|except|unless|if"
    r"|\w+n['\u2019]t|dont|wont|cant)\b|\?",
    re.IGNORECASE,
)

RULE: Final = "yes grants exactly this call; anything else is told to the agent"
"""For people, before they answer."""


def question(what: str) -> str:
    """The question to a person whether the agent may do `what`, in its program's own words."""
    return _ASKS.format(what)


def about(asked: str) -> str:
    """What a question asks a permission for; empty when it asks for none."""
    found = _ASKED.fullmatch(asked.strip())
    return found[1] if found else ""


def is_yes(answer: str) -> bool:
    """Whether an answer is a yes without an if or a but."""
    said = answer.strip()
    return bool(_YES.match(said)) and not _NOT.search(said)


def taken_for(asked: str, answer: str) -> str:
    """What the answer to a question was taken for, for people; empty when it asks for no
    permission.
    """
    if not about(asked):
        return ""
    return "a yes: this call is granted" if is_yes(answer) else "words to the agent: no grant"


def granted(answers: Iterable[Answer]) -> tuple[str, ...]:
    """What people allowed when they were asked by `question`; the last word counts."""
    found = {about(each.question): is_yes(each.text) for each in answers}
    return tuple(what for what, yes in found.items() if what and yes)
