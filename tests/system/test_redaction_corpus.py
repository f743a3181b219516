"""Two hundred secrets, printed in every usual way and in pieces of any size: none can be read."""

import random
from typing import Final

import pytest

from gitcmat.system.environment import secrets
from gitcmat.system.logs import Redactor
from tests.support import leaks

SEED: Final = 20261121
SECRETS: Final = leaks.values(200, SEED)


@pytest.mark.parametrize("how", leaks.PRINTED)
def test_no_secret_can_be_read_however_it_is_printed(how: str) -> None:
    read = []
    for value in SECRETS:
        data = f"before {leaks.PRINTED[how](value)} after\n".encode()
        assert leaks.found_in(data, value), f"the oracle is blind for {value!r}"
        if ways := leaks.found_in(_streamed(data, value), value):
            read.append((value, ways))
    assert read == []


def test_what_is_around_a_secret_stays() -> None:
    for value in SECRETS:
        text = f"one\ntwo {value} three\nfour\n"
        assert _streamed(text.encode(), value) == b"one\ntwo [secret] three\nfour\n"


def test_a_million_bytes_of_other_lines_stay_as_they_are() -> None:
    chance = random.Random(SEED)  # noqa: S311
    words = [
        "".join(chance.choices("abcdefghijklmnop", k=chance.randint(1, 12))) for _ in range(500)
    ]
    lines = [" ".join(chance.choices(words, k=12)) for _ in range(12_000)]
    data = "\n".join(lines).encode()
    redactor = Redactor(SECRETS[:5])
    assert redactor.feed(data) + redactor.flush() == data


def test_what_has_the_name_of_a_secret_is_one() -> None:
    env = {
        "GITHUB_TOKEN": "a",
        "db_password": "b",
        "AWS_SECRET_ACCESS_KEY": "c",
        "OPENAI_API_KEY_2": "d",
        "MY_MODEL": "e",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token",
        "GH_TOKEN_PATH": "f",
        "VAULT_TOKEN": "/not/a/value",
        "KEYBOARD": "us",
        "PATH": "/bin",
        "API_KEY": "",
    }
    assert secrets(env, ["MY_MODEL", "gone"]) == ["a", "b", "c", "d", "e"]


def _streamed(data: bytes, value: str) -> bytes:
    """What is written of `data` that comes in pieces."""
    chance = random.Random(f"{SEED} {value}")  # noqa: S311
    redactor = Redactor([value])
    written = b""
    while data:
        size = chance.choice((3, 7, 20, 100, 1000))
        written += redactor.feed(data[:size])
        data = data[size:]
    return written + redactor.flush()
