"""Read one file that a person wrote: bytes in, a checked value out, or an error with its line."""

from typing import Final

from gitcmat.errors import InvalidData
from gitcmat.model.agent import AgentProfile
from gitcmat.model.names import is_id
from gitcmat.model.settings import CONFIG_KEYS, CONFIG_SCHEMA, USER_KEYS, Config
from gitcmat.model.task import SCHEMA, Task
from gitcmat.store import codec, yamlio
from gitcmat.store.yamlio import Document
from gitcmat.system import folders

_AGENT_SCHEMA: Final = 1
TASK_BYTES: Final = 64_000
"""How large a task file may be: the record of its task repeats it, beside all that happened."""

USER_FILE: Final = "config.yaml"
"""The person's own settings, below `folders.config()`."""


def task(text: bytes, *, name: str) -> tuple[Task, Document]:
    """Read a task file; the document has the lines.

    Raises `InvalidData`, whose message is ``path:line: key: what``, as all functions here do.
    """
    if len(text) > TASK_BYTES:
        raise InvalidData(
            f"{name}:1: is larger than {TASK_BYTES // 1000} KB",
            hint="put long texts into a file of the repository and name it in the prompt",
        )
    document = _filled(yamlio.load(text, name=name), name=name)
    return codec.decode(Task, document, name=name, schema=SCHEMA), document


def config(text: bytes, *, name: str) -> tuple[Config, Document]:
    """Read ``.cmat/config.yaml``; an empty one says nothing and is fine."""
    document = yamlio.load(text, name=name)
    if document.data is None:
        return Config(), Document({}, {(): 1})
    place = folders.tilde(folders.config() / USER_FILE)
    theirs = dict.fromkeys(USER_KEYS - CONFIG_KEYS, place)
    found = codec.decode(Config, document, name=name, schema=CONFIG_SCHEMA, elsewhere=theirs)
    return found, document


def agent(text: bytes, *, name: str, stem: str) -> tuple[AgentProfile, str, Document]:
    """Read ``.cmat/agents/<stem>.md``: front matter, and the text below it."""
    document, body, _ = yamlio.split_front_matter(text, name=name)
    if not document.data:
        raise InvalidData(f"{name}:1: has no front matter", hint="begin with ---, name: and ---")
    if not is_id(stem):
        raise InvalidData(
            f"{name}:1: {stem!r} is not an agent's name",
            hint="1 to 63 lower-case letters, digits and dashes",
        )
    profile = codec.decode(AgentProfile, document, name=name, schema=_AGENT_SCHEMA)
    if profile.name != stem:
        line = document.lines.get(("name",), 1)
        raise InvalidData(
            f"{name}:{line}: name: is {profile.name!r}, but the file is named {stem}.md",
            hint=f"name: {stem}",
        )
    return profile, body.strip(), document


def _filled(document: Document, *, name: str) -> Document:
    if document.data is None:
        raise InvalidData(f"{name}:1: is empty", hint="write at least title: or prompt:")
    return document
