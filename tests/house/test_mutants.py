"""The faults that `nox -s mutants` plants still fit the source, and their tests are there."""

import ast
import re
from pathlib import Path
from typing import Final

import pytest

from tests.mutants.table import Mutant, mutants

pytestmark = pytest.mark.codebase

ROOT: Final = Path(__file__).parents[2]
FEWEST: Final = 20


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.name)
def test_a_fault_can_be_planted_and_has_a_test(mutant: Mutant) -> None:
    text = (ROOT / "gitcmat" / mutant.file).read_text(encoding="utf-8")
    assert ast.dump(ast.parse(mutant.planted(text))) != ast.dump(ast.parse(text))
    path, _, name = mutant.killer.partition("::")
    killers = (ROOT / "tests" / path).read_text(encoding="utf-8")
    assert re.search(rf"^def {name}\(", killers, re.MULTILINE), mutant.killer


def test_there_are_enough_of_them_and_each_is_another_one() -> None:
    names = [mutant.name for mutant in mutants()]
    assert len(set(names)) == len(names) >= FEWEST
