"""What gitcmat says on a forge: markdown in which the words of others are quoted and do nothing."""

from typing import Final

from gitcmat.model import pull_body
from gitcmat.model.blocker import Blocker, BlockerStatus
from gitcmat.model.forge import mark
from gitcmat.model.pull_commands import Verb
from gitcmat.system.logs import visible

_LINE: Final = 300
_VERBS: Final = ", ".join(f"`/cmat {verb}`" for verb in Verb)


def words(text: str, longest: int = _LINE) -> str:
    """Return somebody's words for the middle of a line."""
    return pull_body.part(" ".join(visible(text).split()), longest)


def quote(text: str, longest: int = 4_000) -> str:
    """Return somebody's words as a quotation."""
    lines = pull_body.part(visible(text.strip().replace("\r\n", "\n")), longest).split("\n")
    return "\n".join(f"> {line}".rstrip() for line in lines)


def marked(name: str, text: str) -> str:
    """Return a comment with the mark ``name=value`` before it."""
    return f"{tag(name)}\n{text}\n"


def tag(name: str) -> str:
    """Return the mark ``name=value`` as it stands in a comment."""
    key, _, value = name.partition("=")
    return mark(key, value)


# --- answers to commands ------------------------------------------------------------------------


def obeyed(word: str, what: str) -> str:
    """Say what came of a command."""
    return f"`/cmat {word}`: {what}"


def refused(word: str, why: str) -> str:
    """Say that a command was refused."""
    return f"`/cmat {words(word, 40)}` was not done: {words(why).rstrip('.')}."


def unknown() -> str:
    """Say what commands there are."""
    return f"gitcmat knows {_VERBS}, as the first line of a comment."


def not_allowed(login: str) -> str:
    """Say who may give commands."""
    return (
        f"{words(login)}, only people who may write to this repository can give gitcmat commands. "
        "You are told this once."
    )


def edited() -> str:
    """Say that a command was changed after it was written."""
    return "A command in a comment that was edited does not count. Please write a new comment."


def outsiders() -> str:
    """Say what becomes of what people say who may not write."""
    return (
        "The agent is given what people say who may write to this repository. What others say is "
        "read by people alone; one of those who may write can pass it on in a comment or review "
        "of their own. This is said once."
    )


# --- what happened here -------------------------------------------------------------------------


def rejected(by: str, why: str) -> str:
    """Say that somebody sent the work back where gitcmat runs."""
    return f"{words(by)} sent this back to the agent:\n\n{quote(why)}"


def asks(blocker: Blocker) -> str:
    """Put a question, and say how it is answered."""
    parts = ["This task waits for an answer:", quote(blocker.question)]
    if blocker.detail.strip():
        parts.append(quote(blocker.detail))
    if blocker.options:
        options = ", ".join(f"`{option}`" for option in blocker.options)
        parts.append(f"The answer is one of {options}, or guidance for the agent.")
    parts.append(
        f"Who may write to this repository answers with a comment that begins with `/cmat answer "
        f"…`; where gitcmat runs it is `gitcmat blocker answer {blocker.id} …`."
    )
    return "\n\n".join(parts)


def asked(blocker: Blocker) -> str:
    """Show a question that is no longer open."""
    answered = blocker.status is BlockerStatus.ANSWERED
    end = f"Answered by {words(blocker.answered_by)}." if answered else "No longer asked."
    return f"This task asked:\n\n{quote(blocker.question)}\n\n{end}"
