"""Totals, and who pays what."""


def total(prices: list[int]) -> int:
    """Return the sum of the prices."""
    return sum(prices)


def split(cents: int, people: int) -> list[int]:
    """Share an amount; no two shares differ by more than one cent."""
    return [cents // people] * people
