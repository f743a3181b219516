"""Secrets that somebody wrote where they are committed: variables of profiles and of gates."""

from collections.abc import Iterator, Mapping
from typing import Final

from gitcmat.model.intent import Agent
from gitcmat.model.problem import Problem
from gitcmat.model.settings import Config
from gitcmat.store import layout, yamlio
from gitcmat.store.snapshot import Snapshot
from gitcmat.store.yamlio import Document, KeyPath
from gitcmat.system.environment import is_named_secret
from gitcmat.system.logs import Redactor

_SHORTEST: Final = 6
"""A shorter value ("1", "true", "none") is no secret, whatever its name."""


def names(env: Mapping[str, str]) -> list[str]:
    """Variables that hold a secret, by their name or by the format of their value."""
    formats = Redactor(())
    return [
        name
        for name, value in env.items()
        if (len(value) >= _SHORTEST and is_named_secret(name, value))
        or formats.has_secret(value.encode("utf-8", "surrogateescape"))
    ]


def told(name: str) -> tuple[str, str]:
    """What to say of such a variable of a profile, never its value; and what helps."""
    return (
        f"env: {name} looks like a secret, and this file is committed",
        f"pass_env: [{name}] hands yours through; whoever had the file knows this one",
    )


def notes(found: Snapshot, agents: Mapping[str, Agent], config: Config) -> Iterator[Problem]:
    """Where such variables stand in the files of a repository."""
    for agent in agents.values():
        if wrong := names(agent.profile.env) if agent.is_own else []:
            document = yamlio.split_front_matter(_text(found, agent.path), name=agent.path)[0]
            for name in wrong:
                yield Problem(agent.path, _line(document, ("env", name)), *told(name))
    gates = {gate: wrong for gate, one in config.gates.items() if (wrong := names(one.env))}
    if gates:
        document = yamlio.load(_text(found, layout.CONFIG), name=layout.CONFIG)
        for gate, wrong in gates.items():
            for name in wrong:
                line = _line(document, ("gates", gate, "env", name))
                text = f"gates.{gate}.env: {name} looks like a secret, and this file is committed"
                hint = "let the gate read it from a file; whoever had this one knows it"
                yield Problem(layout.CONFIG, line, text, hint)


def _text(found: Snapshot, path: str) -> bytes:
    content = found.read([file for file in found.files if file.path == path]).get(path)
    return content if isinstance(content, bytes) else b""


def _line(document: Document, path: KeyPath) -> int:
    return document.lines.get(path) or document.lines.get(path[:-1], 1)
