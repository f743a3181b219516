"""Every command that gitcmat tells people to type is there, with the options named beside it."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from gitcmat.cli.main import cli as main

ROOT = Path(__file__).parents[2]
SOURCES = {
    "the program": sorted((ROOT / "gitcmat").rglob("*.py")),
    "templates": sorted((ROOT / "templates").rglob("*.*")),
    "documents": [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))],
}
NAMED = re.compile(r"(?<![\w./-])git[ ]?cmat((?: +(?:[a-z][a-z-]*|--[a-z][a-z-]*))+)")
COMMANDS = frozenset(main.list_commands(click.Context(main)))
BEGINS = re.compile(r"(?:^|[:;,`(]\s*|\bor |\band )$")
HOLE = "\ue000"
"""Stands for a value in an f-string; it ends what is known of the command."""


class Text(NamedTuple):
    """A text of a source that people may come to read."""

    line: int
    text: str
    hint: bool
    """Whether it says what to do next: there a command is meant where one may stand."""


def texts(path: Path) -> Iterator[Text]:
    """The texts of a source."""
    if path.suffix != ".py":
        for number, line in enumerate(path.read_text().splitlines(), 1):
            yield Text(number, re.sub(r"\{\{.*?\}\}", HOLE, line), hint=False)
        return
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    keywords = (word for node in nodes if isinstance(node, ast.Call) for word in node.keywords)
    hints = {id(part) for word in keywords if word.arg == "hint" for part in ast.walk(word.value)}
    formatted = [node for node in nodes if isinstance(node, ast.JoinedStr)]
    inside = {id(part) for node in formatted for part in node.values}
    for joined in formatted:
        parts = (p.value if isinstance(p, ast.Constant) else HOLE for p in joined.values)
        yield Text(joined.lineno, "".join(str(part) for part in parts), id(joined) in hints)
    for node in nodes:
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in inside
        ):
            yield Text(node.lineno, node.value, id(node) in hints)


def named(text: Text) -> Iterator[list[str]]:
    """The command lines in a text, each without ``gitcmat``; sentences about gitcmat are none."""
    for match in NAMED.finditer(text.text):
        words = match[1].split()
        begins = text.hint and BEGINS.search(text.text[: match.start()])
        if words[0] in COMMANDS or words[0].startswith("--") or begins:
            yield words


def wrong(words: list[str]) -> str:
    """Say what of a command line is not there; empty when all is."""
    command: click.Command = main
    with click.Context(main) as context:
        for word in words:
            if word.startswith("--"):
                options = {name for p in command.params for name in (*p.opts, *p.secondary_opts)}
                top = {name for p in main.params for name in p.opts} | {"--help", "--json"}
                if word not in options | top:
                    return f"{command.name} has no {word}"
            elif isinstance(command, click.Group):
                found = command.get_command(context, word)
                if found is None:
                    return f"{command.name} has no {word}"
                command = found
    return ""


def test_a_command_that_is_not_there_is_found() -> None:
    assert list(named(Text(1, "gitcmat daemon status", hint=True))) == [["daemon", "status"]]
    assert wrong(["daemon", "status"]) == "cli has no daemon"
    assert wrong(["pr", "sink"]) == "pr has no sink"
    assert wrong(["pr", "merge", "--overide"]) == "merge has no --overide"
    assert not wrong(["pr", "merge", "--override"])


@pytest.mark.parametrize("where", SOURCES)
def test_commands_that_people_are_told_to_type_exist(where: str) -> None:
    found = [
        f"{path.relative_to(ROOT)}:{text.line}: gitcmat {' '.join(words)}: {why}"
        for path in SOURCES[where]
        for text in texts(path)
        for words in named(text)
        if (why := wrong(words))
    ]
    assert SOURCES[where]
    assert not found, "\n".join(found)
