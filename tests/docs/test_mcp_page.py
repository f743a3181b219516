"""What docs/mcp.md says of tools and of their set-up is so."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Final

import pytest

from gitcmat.cli.serving import for_person, in_run
from gitcmat.engine.seat import Seat
from tests.support.typed import takes_apart

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs/mcp.md").read_text(encoding="utf-8")


def told(heading: str) -> list[str]:
    """The tools in the table below a heading that begins so."""
    (section,) = re.findall(
        rf"^## {heading}[^\n]*\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE
    )
    return re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)


def test_the_tools_of_both_places_are_these(tmp_path: Path) -> None:
    seat = Seat(inbox=tmp_path / "inbox", nonce="", about={})
    assert told("Outside of a run") == [tool.name for tool in for_person.tools(tmp_path)]
    assert told("Inside of a run") == [tool.name for tool in in_run.tools(seat)]


@pytest.mark.parametrize("typed", sorted(set(re.findall(r"`(gitcmat (?:\w+ ?)+)`", TEXT))))
def test_each_command_that_it_names_is_there(typed: str) -> None:
    takes_apart(typed, named=True)


def test_claude_code_and_codex_are_told_to_start_the_same_server() -> None:
    (line,) = re.findall(r"^claude mcp add .*$", TEXT, re.MULTILINE)
    (block,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    server = tomllib.loads(block)["mcp_servers"]["gitcmat"]
    words = shlex.split(line)
    assert words[: words.index("--")] == ["claude", "mcp", "add", "gitcmat"]
    assert words[words.index("--") + 1 :] == [server["command"], *server["args"]]
    assert [server["command"], *server["args"]] == ["gitcmat", "mcp"]


def test_the_readme_leads_here() -> None:
    assert "(docs/mcp.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
