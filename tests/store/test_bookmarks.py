"""How far a forge was read is remembered, and may be lost."""

from datetime import UTC, datetime

import pytest

from gitcmat.model.forge import Bookmark
from gitcmat.model.remote import Remote
from gitcmat.store import bookmarks
from gitcmat.store.bookmarks import Place, Rolled
from gitcmat.store.git import Repository, discover
from tests.support.repo import TestRepo

THERE = Remote(host="forge.invalid:8443", owner="pat", name="project")
PLACE = Place(
    bookmark=Bookmark(since=datetime(2026, 11, 21, 12, 0, tzinfo=UTC), tags={"issues": 'W/"7"'}),
    again=(3, 12),
    bases={"refs/heads/main": "a" * 40},
    rolled=Rolled(at=datetime(2026, 11, 21, 11, 50, tzinfo=UTC), many=1000),
)


@pytest.fixture
def here(repo: TestRepo) -> Repository:
    return discover(repo.path)


def test_it_is_what_was_written(here: Repository) -> None:
    bookmarks.write(here, THERE, PLACE)

    assert bookmarks.read(here, THERE) == PLACE
    assert bookmarks.read(here, Remote(host="forge.invalid", owner="pat", name="other")) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"since": 1, "tags": {}}'])
def test_what_nobody_can_read_is_none(here: Repository, text: str) -> None:
    bookmarks.write(here, THERE, PLACE)
    (path,) = (here.cmat / "forge").glob("*/*/*.json")
    path.write_text(text, encoding="utf-8")

    assert bookmarks.read(here, THERE) is None
