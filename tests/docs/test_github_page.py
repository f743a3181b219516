"""What docs/github.md says of signing in, settings and commands is so."""

import os
import re
from dataclasses import fields
from pathlib import Path
from typing import Final

import pytest

from gitcmat.adapters.forges.credentials import Seeker, looks
from gitcmat.cli.commands import pr
from gitcmat.model.access import CHECKS, DEEDS
from gitcmat.model.forge_settings import AppSettings, ForgeSettings
from gitcmat.model.remote import Remote
from gitcmat.store import settings
from gitcmat.store.git import discover
from tests.support.repo import TestRepo
from tests.support.typed import takes_apart

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs/github.md").read_text(encoding="utf-8")


def table(heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its head."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE)
    found = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE)
    assert found
    lines = found[0].splitlines()[2:]
    return [[cell.strip().strip("`") for cell in line[1:-1].split("|")] for line in lines]


def typed() -> list[str]:
    """Every command that is written out."""
    shown = re.findall(r"^\$ (gitcmat .*?)(?:  +#.*)?$", TEXT, re.MULTILINE)
    every = " ".join(TEXT.split())
    return sorted({*shown, *re.findall(r"`(gitcmat [a-z][^`]*)`", every)})


def test_places_are_looked_at_in_the_order_of_the_table(repo: TestRepo) -> None:
    seeker = Seeker(env={"PATH": os.environ["PATH"]}, cwd=repo.path)
    remote = Remote(host="ghe.example", owner="acme", name="app")
    assert [row[0] for row in table("Signing in")] == [look.place for look in looks(remote, seeker)]


def test_what_a_token_needs_is_what_auth_status_asks_for() -> None:
    told = {row[0]: row[1:] for row in table("What a token needs")}
    for deed in DEEDS:
        permission, scopes, role = told.pop(deed.what)
        assert permission == f"{deed.permission.replace('_', ' ')}: write"
        assert {*re.findall(r"[\w:]+", scopes)} - {"or"} == deed.scopes
        assert role == deed.role.value
    assert [*told] == [CHECKS]


def test_an_app_is_given_all_that_is_needed() -> None:
    told = {row[0].lower(): row[1] for row in table("A GitHub App")}
    needed = {deed.permission for deed in DEEDS} | {CHECKS}
    names = {"statuses": "commit statuses"}
    for permission in needed:
        assert told[names.get(permission, permission.replace("_", " "))] == "read and write"
    others = set(told) - {names.get(p, p.replace("_", " ")) for p in needed}
    assert {told[name] for name in others} == {"read"}


def test_the_settings_are_valid_and_all_are_there(repo: TestRepo) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    settings.read_personal(block.encode(), discover(repo.path))
    for indent, kind in ((2, ForgeSettings), (4, AppSettings)):
        told = re.findall(rf"^ {{{indent}}}(\w+):", block, re.MULTILINE)
        assert sorted(told) == sorted(field.name for field in fields(kind))


def test_all_commands_of_pull_requests_are_there() -> None:
    for name in pr.command.commands:
        assert f"`gitcmat pr {name}" in TEXT, name


@pytest.mark.parametrize("line", typed())
def test_a_command_exists_with_these_options(line: str) -> None:
    takes_apart(line, named=True)


def test_the_readme_leads_here() -> None:
    assert "(docs/github.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
