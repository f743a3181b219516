"""Comments that are made once, whatever happens in between."""

from gitcmat.engine.forge_look import Look
from gitcmat.engine.hub import Hub
from gitcmat.forge import OutcomeUnknown


def say_once(hub: Hub, look: Look, number: int, tag: str, body: str) -> None:
    """Comment below an issue or pull request with a `body` that has the mark `tag` in it, unless
    there is such a comment of ours.

    Raises `UserError` as the forge does.
    """
    me = look.me.login
    if hub.forge.comments.find(number, tag, author=me) is not None:
        return
    try:
        hub.forge.comments.create(number, body)
    except OutcomeUnknown:
        if hub.forge.comments.find(number, tag, author=me) is None:
            raise
