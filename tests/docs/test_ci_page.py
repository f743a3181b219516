"""What docs/ci.md says of workflows, events, modes and commands is so."""

import re
from pathlib import Path
from typing import Any, Final

import pytest

from gitcmat.cli.commands import ci
from gitcmat.model.ci_event import Kind, Refusal, read_event
from gitcmat.store import yamlio
from tests.support.ci_events import told
from tests.support.typed import takes_apart

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs/ci.md").read_text(encoding="utf-8")
ACTION: Final = yamlio.load((ROOT / "action.yml").read_text(encoding="utf-8"), name="action").data
BY_HAND: Final = {"workflows"}
"""A command that no workflow types."""


def section(heading: str) -> str:
    (found,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    return str(found)


def table(text: str) -> list[list[str]]:
    """The rows of the first table, without its head."""
    found = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert found
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in found[0].splitlines()[2:]]


def typed() -> list[str]:
    """Every command that is written out."""
    shown = re.findall(r"^\$ (gitcmat .*?)(?:  +#.*)?$", TEXT, re.MULTILINE)
    every = " ".join(TEXT.split())
    return sorted({*shown, *re.findall(r"`(gitcmat [a-z][^`]*)`", every)})


@pytest.mark.parametrize("line", typed())
def test_a_command_exists_with_these_options(line: str) -> None:
    takes_apart(line, named=True)


def test_the_workflows_are_those_that_are_written() -> None:
    named = re.findall(r"\[`([\w-]+\.yml)`\]\(\.\./templates/workflows/([\w-]+\.yml)\)", TEXT)
    there = {path.name for path in (ROOT / "templates/workflows").glob("*.yml")}
    assert {(name, name) for name in there} == set(named)


def test_what_it_links_to_is_there() -> None:
    for link in re.findall(r"\]\(([^)#:]+)\)", TEXT):
        assert (ROOT / "docs" / link).exists(), link


def test_the_modes_are_those_of_the_action_and_their_outputs_those_it_has() -> None:
    rows = table(section("What each mode does"))
    modes = [row[0].strip("`") for row in rows]
    script = (ROOT / ".github/action/mode").read_text(encoding="utf-8")
    (known,) = re.findall(r'is none of ([\w, ]+)"$', script, re.MULTILINE)
    assert modes == known.split(", ")
    assert set(modes) - {"validate"} == set(ci.command.commands) - BY_HAND
    outputs = {name for row in rows for name in re.findall(r"`(\w+)`", row[2])}
    assert outputs == set(ACTION["outputs"])


def test_each_input_reaches_an_option_and_each_option_is_an_input() -> None:
    steps = ACTION["runs"]["steps"]
    given = {
        name: value
        for step in steps
        for name, value in step["env"].items()
        if name.startswith("CMAT_") and str(value).startswith("${{ inputs.")
    }
    options = {
        parameter.envvar
        for name, command in ci.command.commands.items()
        if name not in BY_HAND
        for parameter in command.params
        if parameter.envvar
    }
    assert options - {"CMAT_WORK"} == set(given) - {"CMAT_MODE", "CMAT_PYTHON"}
    for name, value in given.items():
        assert value == f"${{{{ inputs.{name.removeprefix('CMAT_').lower().replace('_', '-')} }}}}"


def test_the_events_that_pass_are_those_of_the_gate() -> None:
    rows = table(section("The gate"))
    passing = {name for row in rows[:-1] for name in re.findall(r"`(\w+)(?:: \w+)?`", row[0])}
    assert passing == set(Kind)
    never = set(re.findall(r"`(\w+)`", rows[-1][0]))
    for name in never:
        event = told(name)
        with pytest.raises(Refusal):
            read_event(event.env, event.file())


def test_jobs_may_write_and_have_the_key_as_the_table_says() -> None:
    for name in ("gitcmat.yml", "gitcmat-comment.yml"):
        text = (ROOT / "templates/workflows" / name).read_text(encoding="utf-8")
        jobs: dict[str, Any] = yamlio.load(text, name=name).data["jobs"]
        for row in table(section("Whom you trust")):
            for job in set(re.findall(r"`(\w+)`", row[0])) & set(jobs):
                writes = "write" in jobs[job]["permissions"].values()
                assert writes is (row[1] != "no"), (name, job)
                assert ("secrets." in str(jobs[job])) is (row[2] != "no"), (name, job)


def test_the_environments_are_those_of_the_workflows() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "templates/workflows").glob("*")]
    used = {name for text in texts for name in re.findall(r"environment: (\S+)", text)}
    assert used == set(re.findall(r"`(gitcmat-\w+)`", section("Setting it up")))


def test_the_readme_leads_here() -> None:
    assert "(docs/ci.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
