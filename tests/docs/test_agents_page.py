"""What docs/agents.md says of agents is so."""

import re
import shlex
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from gitcmat.adapters.agents import AGENTS, make_agent
from gitcmat.errors import InvalidData
from gitcmat.model.agent import PROGRAMS, AgentProfile
from gitcmat.model.job import JobAgent, Permissions
from gitcmat.ports import Launch, Turn
from gitcmat.store import documents
from tests.support.realcli.pins import PINS
from tests.support.typed import takes_apart

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs/agents.md").read_text(encoding="utf-8")

DRIVES: Final = "What drives them"
MAY: Final = "What it may do without asking"
SETS_UP: Final = "Setting one up"


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, its head too."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    found = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert found
    lines = found[0].splitlines()
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def body(heading: str) -> dict[str, list[str]]:
    """By what stands in the first column, without its quotes."""
    return {row[0].split()[0].strip("`"): row[1:] for row in table(heading)[2:]}


def launched(kind: str, permissions: Permissions, folder: Path) -> Launch:
    profile = JobAgent(
        name="x", runs=kind, command=PROGRAMS[kind] or ("opencode",), permissions=permissions
    )
    return make_agent(kind).launch(Turn(profile=profile, prompt="", cwd=folder, scratch=folder))


def words(cell: str) -> list[str]:
    return [word.strip() for word in cell.split(",") if word.strip()]


def test_each_kind_is_there_with_what_it_was_tested_with_and_what_it_cannot_tell() -> None:
    told = {kind: (words(cells[1]), words(cells[2])) for kind, cells in body(DRIVES).items()}
    assert told == {
        kind: (
            sorted(f"{name} {version}" for name, version in make_agent(kind).tested.items()),
            list(make_agent(kind).unknown),
        )
        for kind in AGENTS
    }


def test_what_is_refused_is_refused_and_what_reads_does_not_edit(tmp_path: Path) -> None:
    head = [cell.strip("`") for cell in table(MAY)[0]]
    for permissions, cells in body(MAY).items():
        if cells[head.index("mini-swe-agent") - 1] == "is refused":
            with pytest.raises(InvalidData):
                launched("mini-swe-agent", Permissions(permissions), tmp_path)
        asks = "ask" in launched("aider", Permissions(permissions), tmp_path).argv
        assert asks is (cells[head.index("aider") - 1] == "`--chat-mode ask`")


@pytest.mark.parametrize("kind", ["claude", "codex", "gemini", "opencode"])
def test_permissions_are_said_to_the_program_as_the_table_has_it(kind: str, tmp_path: Path) -> None:
    head = [cell.strip("`") for cell in table(MAY)[0]]
    for permissions, cells in body(MAY).items():
        cell = cells[head.index(kind) - 1]
        argv = shlex.join(launched(kind, Permissions(permissions), tmp_path).argv)
        said = re.findall(r"`([^`]+)`", cell)
        assert all(words in argv for words in said), (permissions, argv)
        assert said or kind == "opencode"


def test_what_a_program_writes_is_as_the_table_has_it(tmp_path: Path) -> None:
    head = table(SETS_UP)[0]
    for kind, cells in body(SETS_UP).items():
        if not PROGRAMS[kind]:
            continue
        told = re.findall(r"`([^`]+)`", cells[head.index("it writes below your home") - 1])
        assert tuple(told) == launched(kind, Permissions.ALL, tmp_path).state
        login = make_agent(kind).login
        key = cells[head.index("its key") - 1].strip("`")
        assert login is None or key == login.variables[0]
        pin = PINS[PROGRAMS[kind][0]]
        how = "npm install -g" if pin.registry == "npm" else "pip install"
        assert f"`{how} {pin.package}`" == cells[0]
    assert set(body(SETS_UP)) == set(AGENTS)
    known = launched("acp", Permissions.EDIT, tmp_path).state
    assert known == launched("opencode", Permissions.EDIT, tmp_path).state


def test_all_keys_are_there() -> None:
    told = [key for row in table("All keys")[2:] for key in re.findall(r"`(\w+)`", row[0])]
    assert told == [field.name for field in fields(AgentProfile)]


def test_the_profiles_that_it_shows_are_valid() -> None:
    shown = re.findall(r"^```markdown\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    assert len(shown) == 2
    for text in shown:
        (name,) = re.findall(r"^name: (\S+)$", text, re.MULTILINE)
        documents.agent(text.encode(), name=name, stem=name)


def typed() -> list[str]:
    found = re.findall(r"^\$ (gitcmat .*?)(?:  +#.*)?$", TEXT, re.MULTILINE)
    every = " ".join(TEXT.split())
    return sorted({*found, *re.findall(r"`(gitcmat [a-z][^`]*)`", every)})


@pytest.mark.parametrize("line", typed())
def test_a_command_exists_with_these_options(line: str) -> None:
    takes_apart(line, named=True)
