"""The block in which an agent may say at the end of its last words how far it came.

It is the last fenced block of what it said, a small YAML mapping with the id of its task. Prose is
never searched for such words, an older block does not count, nor does one about another task.
"""

import re
from dataclasses import replace
from typing import Any, Final

from gitcmat.errors import InvalidData
from gitcmat.model.job import RunOutcome
from gitcmat.ports import End

_LAST: Final = 5_000
"""Characters at the end of what was said that are looked at."""
_BLOCK: Final = re.compile(
    r"^```[ \t]*(?:ya?ml)?[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL
)
_KEYS: Final = frozenset({"task_id", "status"})


def heeded(end: End, task: str) -> End:
    """`end`, as the agent's own block about `task` has it.

    ``done`` changes nothing, ``blocked`` asks its question, ``failed`` has failed; any other word
    is a question to a person. Only an end that was good is changed.
    """
    block = _block(end.said) if end.outcome is RunOutcome.FINISHED and task else None
    if block is None or str(block["task_id"]) != task:
        return end
    said, why = (
        str(block["status"]).strip(),
        str(block.get("question") or block.get("reason") or ""),
    )
    match said.casefold():
        case "done":
            return end
        case "failed":
            return replace(end, outcome=RunOutcome.FAILED, message=why.strip() or "it says so")
        case "blocked":
            asked = why.strip() or f"The agent says that it is blocked: {end.message}"
        case _:
            asked = f"The agent ended with the status {said!r}, which nobody knows. What now?"
    return replace(end, questions=(*end.questions, asked))


def _block(said: str) -> dict[str, Any] | None:
    if "```" not in said:
        return None
    found = _BLOCK.findall(said[-_LAST:])
    if not found or not all(key in found[-1] for key in _KEYS):
        return None
    from gitcmat.store import yamlio  # most ends have no block

    try:
        data = yamlio.load(found[-1], name="the agent's last words").data
    except InvalidData:
        return None
    return data if isinstance(data, dict) and data.keys() >= _KEYS else None
