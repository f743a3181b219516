"""Moments as the providers write them; the argument is seconds since the epoch."""

from datetime import UTC, datetime


def iso(moment: float) -> str:
    """As in RFC 3339."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def date(moment: float) -> str:
    """The day, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def clock(moment: float) -> str:
    """The hour and the minute, UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%H:%M")
