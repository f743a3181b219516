"""What a job hands to the one that publishes may have been written by anybody: each of these is
refused in its own words, and nothing is changed by it.
"""

import re
from fnmatch import fnmatchcase

import pytest

from gitcmat.engine.ci_claimed import Stale
from gitcmat.errors import UserError
from tests.support.ci_parcel import Make, Parcel
from tests.support.hostile_bundles import BUNDLES
from tests.support.hostile_reports import REPORTS, STALE


@pytest.fixture(scope="module")
def parcel(tmp_path_factory: pytest.TempPathFactory) -> Parcel:
    return Parcel(tmp_path_factory.mktemp("parcel"))


def _plain(parcel: Parcel, message: str) -> str:
    """What was said, without what is another word in each run."""
    plain = message.replace(str(parcel.out), "OUT")
    return re.sub(r"\b(?:[0-9a-f]{40}|[0-9a-f]{10})\b", "ID", plain)


@pytest.mark.parametrize(("make", "words"), [*BUNDLES, *REPORTS])
def test_it_is_refused_and_nothing_is_changed(parcel: Parcel, make: Make, words: str) -> None:
    parcel.empty()
    make(parcel)
    before = parcel.remote.refs()
    try:
        with pytest.raises(UserError) as caught:
            parcel.publish()
        said = _plain(parcel, caught.value.message)
        assert fnmatchcase(said, words.replace("[", "[[]")), said
        assert not isinstance(caught.value, Stale)
        assert parcel.remote.refs() == before
    finally:
        parcel.put_back(before)


@pytest.mark.parametrize(("make", "words"), STALE)
def test_what_is_stale_ends_its_claim_and_changes_nothing_else(
    parcel: Parcel, make: Make, words: str
) -> None:
    parcel.empty()
    make(parcel)
    before = parcel.remote.refs()
    try:
        with pytest.raises(Stale) as caught:
            parcel.publish()
        assert _plain(parcel, caught.value.message) == words
        ended = {ref: at for ref, at in before.items() if ref != "refs/cmat/claims/x"}
        assert parcel.remote.refs() == ended
    finally:
        parcel.put_back(before)
