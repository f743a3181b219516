"""The one way for an agent to speak to a person: lines in the file that ``CMAT_INBOX`` names.

The agent may write anything there, so it is read like something from a stranger.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.system import files

VARIABLE: Final = "CMAT_INBOX"
NAME: Final = "messages.jsonl"
"""The file in the workspace's folder of messages."""

_LARGEST: Final = 1_000_000
_LONGEST: Final = 10_000
_MOST: Final = 20


@dataclass(frozen=True, slots=True)
class Inbox:
    """What was read: questions, and what was wrong with the rest."""

    questions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def ask(path: Path, question: str) -> None:
    """Append a question to the inbox at `path`.

    Raises:
        InvalidData: it is empty or has more than 10,000 characters.
        OSError: the inbox cannot be written.
    """
    problem = _problem(question)
    if problem:
        raise InvalidData(f"The question {problem}.", hint="Say in a few sentences what to decide.")
    line = json.dumps({"kind": "ask", "question": question}).encode() + b"\n"
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    try:
        os.write(fd, line)  # one call, so that lines of two writers do not mix
    finally:
        os.close(fd)


def read(path: Path) -> Inbox:
    """Read the inbox; each line that is no question becomes a warning."""
    try:
        lines = files.read_regular(path, _LARGEST).splitlines()
    except FileNotFoundError:
        return Inbox()
    except InvalidData as error:
        return Inbox(warnings=(f"the inbox was not read: {error.message}",))
    questions: list[str] = []
    warnings: list[str] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            question = _question(line)
        except (ValueError, RecursionError) as error:
            warnings.append(f"inbox line {number} was not understood: {error}")
            continue
        if question not in questions:
            questions.append(question)
    if len(questions) > _MOST:
        warnings.append(f"the agent asked {len(questions)} questions; {_MOST} were kept")
    if len(warnings) > _MOST:
        warnings[_MOST:] = [f"{len(warnings) - _MOST} more lines of the inbox were not understood"]
    return Inbox(tuple(questions[:_MOST]), tuple(warnings))


def _question(line: bytes) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        raise ValueError("it is no JSON") from None
    if not isinstance(said, dict) or said.get("kind") != "ask":
        raise ValueError('it is not {"kind": "ask", "question": "…"}')
    question = said.get("question")
    if not isinstance(question, str):
        raise ValueError("its question is no text")  # noqa: TRY004 - data, not a wrong call
    problem = _problem(question)
    if problem:
        raise ValueError(f"its question {problem}")
    return question.strip()


def _problem(question: str) -> str:
    if not question.strip():
        return "is empty"
    return f"has more than {_LONGEST:,} characters" if len(question) > _LONGEST else ""
