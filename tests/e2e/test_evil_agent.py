"""An agent that means harm: each of its attacks, in each mode, ends as the docs print it."""

import os
from pathlib import Path
from typing import Final

import pytest

from tests.support.boxed import bubblewrap
from tests.support.evil import table
from tests.support.evil.campaign import Campaign
from tests.support.evil.registry import ATTACKS
from tests.support.evil.world import world
from tests.support.repo import TestRepo

# At import: tests themselves see nothing of the environment they were started in.
WRITES: Final = "GITCMAT_WRITE_EVIL" in os.environ
"""Whether the docs are to be written anew."""


def sandbox(mode: str, model: int) -> object:
    """``sandbox:`` of the evil agent's profile; its model listens on a port of this machine."""
    hosts = [f"localhost:{model}"] if mode == "model" else []
    return "off" if mode == "off" else {"mode": "bwrap", "network": mode, "hosts": hosts}


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", table.MODES)
def test_each_attack_ends_as_the_docs_print_it(
    mode: str, repo: TestRepo, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if mode != "off":
        bubblewrap()
    made = world(repo, home, tmp_path, monkeypatch, lambda model: sandbox(mode, model))
    with made as people:
        found = Campaign(people, tmp_path / "logs").verdicts()
    assert found.keys() == ATTACKS.keys()
    if WRITES:
        table.write(mode, found)
    assert table.wrong(mode, found) == {}


def test_the_docs_name_all_attacks_and_have_no_open_cell() -> None:
    wanted = {(each.name, each.text, each.threat) for each in ATTACKS.values()}
    assert set(table.rows()) == wanted
    assert len(wanted) >= 90
    words = {cell for cells in table.read().values() for cell in cells.values()}
    assert words == {"stopped", "undone", "seen", "possible"}
