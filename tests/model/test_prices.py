"""What tokens cost: by the day, by the name as it is, and unknown where nobody knows it."""

import re

import pytest

from gitcmat.model.prices import Price, listed, price_of, worked_out
from gitcmat.model.usage import Spend, Usage

DAY = "2026-11-21"
USAGE = Usage(input=1_000_000, output=100_000, cache_read=2_000_000)


def price(model: str, since: str = "2026-01-01", **more: float | None) -> Price:
    return Price(model=model, since=since, **{"input": 1.0, "output": 10.0, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("model", "day", "cached"),
    [
        ("claude-sonnet-5-5", "2026-09-28", None),
        ("claude-sonnet-5-5", "2026-09-29", 0.20),
        ("claude-sonnet-5-5", "2026-10-06", 0.20),
        ("claude-sonnet-5-5", "2026-10-07", 0.10),
        ("claude-sonnet-4-5-20250929", DAY, 0.30),
        ("claude-sonnet-4-5-latest", DAY, None),
        ("claude-sonnet-5-50", DAY, None),
        ("sonnet", DAY, None),
        ("", DAY, None),
    ],
)
def test_a_model_has_the_price_of_the_day_or_none(
    model: str, day: str, cached: float | None
) -> None:
    found = price_of(model, day)
    assert (found.cache_read if found else None) == cached


def test_every_price_in_the_list_says_where_and_when_it_was_read() -> None:
    for one in listed():
        assert one.source.startswith("https://"), one
        assert re.fullmatch(r"20\d\d-\d\d-\d\d", one.since), one
        assert 0 < one.input < one.output, one
        assert one.cache_read is None or one.cache_read < one.input, one
        assert one.cache_write is None or one.input < one.cache_write < one.output, one
    keys = [(one.model, one.since) for one in listed()]
    assert len(keys) == len(set(keys))


def test_the_persons_own_prices_go_before_the_list() -> None:
    own = (price("mine-*"), price("mine-*", "2026-06-01", input=7.0), price("gpt-6-sol"))
    assert price_of("mine-large", "2026-05-31", own) == own[0]
    assert price_of("mine-large", "2026-06-01", own) == own[1]
    assert price_of("mine-large", "2025-12-31", own) is None
    assert price_of("gpt-6-sol", DAY, own) == own[2]
    assert price_of("openai/gpt-6-sol", DAY, own) is None


def test_what_tokens_cost_is_worked_out_where_the_program_did_not_say_it() -> None:
    own = (price("m", cache_read=0.1),)
    told = Spend(usage=USAGE, model="m")
    assert worked_out(told, DAY, own) == Spend(
        usage=USAGE, model="m", usd=1.0 + 1.0 + 0.2, prices="2026-01-01"
    )
    said = Spend(usage=USAGE, model="m", usd=0.5)
    assert worked_out(said, DAY, own) == said
    for unknown in (Spend(usage=USAGE), Spend(usage=USAGE, model="x"), Spend(model="m")):
        assert worked_out(unknown, DAY, own) == unknown


def test_a_kind_of_tokens_without_a_price_makes_the_cost_unknown() -> None:
    own = (price("m"),)
    assert worked_out(Spend(usage=USAGE, model="m"), DAY, own).usd is None
    plain = Usage(input=1_000_000)
    assert worked_out(Spend(usage=plain, model="m"), DAY, own).usd == 1.0


def test_what_sums_of_tokens_do_not_tell_makes_a_cost_the_least_that_it_can_be() -> None:
    long = price("m", cache_read=0.1, cache_write=2.0, up_to=1000)
    small, large = Usage(input=600, cache_read=400), Usage(input=600, cache_read=401)
    assert [
        worked_out(Spend(usage=u, model="m"), DAY, (long,)).at_least for u in (small, large)
    ] == [
        False,
        True,
    ]
    haiku = Spend(usage=Usage(input=10, cache_write=1), model="claude-haiku-4-5")
    assert worked_out(haiku, DAY).at_least


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"model": " "}, "model is a name or a glob"),
        ({"since": "yesterday"}, "since: 'yesterday' is not a day (write 2026-11-01)"),
        ({"input": -1.0}, "a price is not less than 0"),
    ],
)
def test_a_price_that_makes_no_sense_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Price(**{"model": "m", "since": DAY, "input": 1.0, "output": 1.0, **fields})  # type: ignore[arg-type]
