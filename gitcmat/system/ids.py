"""Names that nobody chose: random tokens, ids of runs, blockers and so on, ids from titles."""

import re
import unicodedata

_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
_NOT_WORD = re.compile(r"[^a-z0-9]+")
_APOSTROPHE = re.compile(r"['\u2019]")


def token(length: int = 8) -> str:
    """Random lower-case text of ``a-z2-7``, five bits a character: 8 characters hold 40 bits."""
    import secrets  # 10 ms that only those pay who name something

    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def run_id() -> str:
    """A new id of a run, such as ``r-k3v7q2ma``."""
    return f"r-{token()}"


def blocker_id() -> str:
    """A new id of a blocker, such as ``b-k3v7q2ma``."""
    return f"b-{token()}"


def checkpoint_id() -> str:
    """A new id of a checkpoint, such as ``c-k3v7q2ma``."""
    return f"c-{token()}"


def subtask_id() -> str:
    """A new id of a subtask, such as ``s-k3v7q2ma``."""
    return f"s-{token()}"


def slug(title: str, *, limit: int = 48) -> str:
    """A task id made from a title: lower-case words joined by dashes, cut between words.

    Accents are dropped; a title without any Latin letter or digit gives ``task``. The result always
    matches the pattern of task ids when ``1 <= limit <= 63``.
    """
    plain = unicodedata.normalize("NFKD", _APOSTROPHE.sub("", title))
    ascii_only = plain.encode("ascii", "ignore").decode("ascii").lower()
    text = _NOT_WORD.sub("-", ascii_only).strip("-")
    if len(text) > limit:
        head, dash, _ = text[: limit + 1].rpartition("-")
        text = head if dash else text[:limit]
    return text.strip("-") or "task"[:limit]
