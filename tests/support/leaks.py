"""Secrets that belong to nobody, in all the ways in which programs print them, and whoever finds
them again: by decoding what is there, not by knowing how it was hidden.
"""

import base64
import json
import random
import re
import string
import textwrap
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Final

_ALPHABETS: Final = (
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "-_.~",
    string.ascii_letters + string.digits + "+/=",
    string.hexdigits.lower(),
    string.ascii_letters + string.digits + "!@#$%^&*(){}[]<>?:;,'\"\\ |`",
    "äöüßéñλжあ漢🙂" + string.ascii_letters,
)
_SHORTEST, _LONGEST = 10, 60
_ANSI: Final = re.compile(r"\x1b\[[0-9;]*m|\\x1b\[[0-9;]*m")
_RUN: Final = re.compile(rb"[A-Za-z0-9+/_-]{8,}=*")


def values(count: int, seed: int) -> list[str]:
    """Secrets of different make, always the same for a seed."""
    chance = random.Random(seed)  # noqa: S311 - nothing is to be kept secret by them
    made = []
    for number in range(count):
        alphabet = _ALPHABETS[number % len(_ALPHABETS)]
        length = chance.randint(_SHORTEST, _LONGEST)
        made.append("".join(chance.choice(alphabet) for _ in range(length)).strip().ljust(10, "x"))
    return made


def _base64(before: str) -> Callable[[str], str]:
    return lambda value: base64.b64encode(f"{before}{value} and more".encode()).decode()


def _wrapped(value: str) -> str:
    whole = base64.b64encode(b"in a file of many words before it: " * 2 + value.encode() + b" end")
    return "\n".join(textwrap.wrap(whole.decode(), 64))


PRINTED: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda v: v,
    "base64": _base64(""),
    "base64, one byte on": _base64("x"),
    "base64, two bytes on": _base64("xy"),
    "base64 for URLs": lambda v: base64.urlsafe_b64encode(v.encode()).decode(),
    "base64 in lines": _wrapped,
    "URL": lambda v: urllib.parse.quote(v, safe=""),
    "form": urllib.parse.quote_plus,
    "JSON": lambda v: json.dumps({"key": v}),
    "JSON as it is": lambda v: json.dumps({"key": v}, ensure_ascii=False),
    "JSON in JSON": lambda v: json.dumps(json.dumps({"key": v})),
    "hex": lambda v: v.encode().hex(),
    "HEX": lambda v: v.encode().hex().upper(),
    "colours": lambda v: f"\x1b[1m{v[:4]}\x1b[0;31m{v[4:]}\x1b[0m",
    "each letter in colour": "\x1b[1m".join,
    "over two lines": lambda v: f"{v[: len(v) // 2]}\n{v[len(v) // 2 :]}",
    "over two lines of Windows": lambda v: f"{v[:5]}\r\n    {v[5:]}",
}
"""By how it is printed; each is one piece of text, line ends inside of it belong to it."""


def found_in(data: bytes, value: str) -> list[str]:
    """In which ways `value` can be read out of `data`."""
    return [how for how, text in _readings(data) if value.encode() in text]


def _readings(data: bytes) -> Iterator[tuple[str, bytes]]:
    text = data.decode("utf-8", "replace")
    bare = _ANSI.sub("", text)
    joined, drawn = re.sub(r"\r?\n", "", bare), re.sub(r"\r?\n[ \t]*", "", bare)
    every = {"": text, "without colours, ": bare, "lines joined, ": joined, "drawn in, ": drawn}
    for name, plain in every.items():
        yield f"{name}plain", plain.encode()
        yield f"{name}URL", urllib.parse.unquote_to_bytes(plain.encode())
        yield f"{name}form", urllib.parse.unquote_to_bytes(plain.replace("+", " ").encode())
        once = _unescaped(plain)
        yield f"{name}JSON", once.encode("utf-8", "replace")
        yield f"{name}JSON in JSON", _unescaped(once).encode("utf-8", "replace")
        for run in _RUN.findall(plain.encode()):
            yield f"{name}hex", _unhexed(run)
            for offset in range(4):
                yield f"{name}base64", _decoded(run[offset:])


def _unescaped(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        try:
            return str(json.loads(f'"{match[0]}"'))
        except ValueError:
            return match[0]

    return re.sub(r'(?:\\u[0-9a-fA-F]{4})+|\\["\\/bfnrt]', one, text)


def _unhexed(run: bytes) -> bytes:
    try:
        return bytes.fromhex(run.decode("ascii"))
    except ValueError:
        return b""


def _decoded(run: bytes) -> bytes:
    plain = run.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + b"==")
