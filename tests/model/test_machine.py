"""What must be free for a run to start: sizes, and which limit says no."""

import pytest

from gitcmat.model.machine import Limits, Shortage, Spare, shortage, shown, size

PLENTY = Spare(load=0.5, memory=8 * 10**9, disks={"/": 10**12, "/home": 10**12})


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("0B", 0),
        ("12B", 12),
        ("300MB", 300_000_000),
        ("1.5 GB", 1_500_000_000),
        ("2tb", 2 * 10**12),
    ],
)
def test_a_size_is_a_number_with_a_unit(text: str, count: int) -> None:
    assert size(text) == count


@pytest.mark.parametrize("text", ["", "12", "MB", "-1MB", "1,5GB", "1GiB", "1e9B", "٣MB"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size(text)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0B"), (999, "999B"), (300_000_000, "300MB"), (123_456_789, "123MB"), (1.5e9, "1.5GB")],
)
def test_a_size_is_shown_as_it_is_written(count: float, text: str) -> None:
    assert shown(count) == text


@pytest.mark.parametrize(
    ("spare", "found"),
    [
        (PLENTY, None),
        (Spare(load=None, memory=None, disks={}), None),
        (
            Spare(load=32.04, memory=0, disks={}),
            Shortage("limits.load", "the load is 32.0 per processor, more than 32 (limits.load)"),
        ),
        (
            Spare(load=32.0, memory=299_999_999, disks={"/": 0}),
            Shortage("limits.memory", "300MB of memory are free, less than 300MB (limits.memory)"),
        ),
        (
            Spare(load=0.0, memory=300_000_000, disks={"/": 10**12, "/home": 1_000_000}),
            Shortage(
                "limits.disk", "1MB are free on the disk of /home, less than 500MB (limits.disk)"
            ),
        ),
    ],
)
def test_the_first_limit_that_says_no_is_named_with_both_numbers(
    spare: Spare, found: Shortage | None
) -> None:
    assert shortage(Limits(), spare) == found


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"load": 0.0}, "load is more than 0"),
        ({"run_processes": 0}, "run_processes is 1 or more"),
        ({"run_memory": "0B"}, "run_memory is more than 0"),
        ({"memory": "much"}, "'much' is not a size (write 500MB or 1.5GB)"),
        ({"wait": "long"}, "'long' is not a duration (write 90s, 30m or 1h30m)"),
    ],
)
def test_a_limit_that_cannot_be_meant_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - the whole message is compared
        Limits(**fields)  # type: ignore[arg-type]
    assert str(refused.value) == message
