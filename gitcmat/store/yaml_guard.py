"""What is refused before a YAML parser sees it, and how every complaint about a YAML file reads."""

import re
from typing import Final

from gitcmat.errors import InvalidData

MAX_BYTES: Final = 256 * 1024
MAX_DEPTH: Final = 32
MAX_ENTRIES: Final = 8_000
"""Keys and list items of one document: a small file can hold so many that reading it takes long."""

_CONFLICT: Final = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: |$)|^={7}$", re.MULTILINE)
_CONTROL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def problem(name: str, line: int, message: str, *, hint: str = "") -> InvalidData:
    """The error for `line` (from 1) of the file `name`."""
    return InvalidData(f"{name}:{line}: {message}", hint=hint)


def checked(text: bytes | str, *, name: str, first_line: int) -> str:
    """Decode `text` and refuse what must not reach a parser.

    Raises `InvalidData` for more than 256 KiB, anything but UTF-8, control characters and
    conflict markers.
    """
    size = len(text) if isinstance(text, bytes) else len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_BYTES:
        raise problem(
            name,
            first_line,
            f"is {size // 1024} KiB; {MAX_BYTES // 1024} KiB is the limit",
            hint="keep long text in a file of its own",
        )
    plain = utf8(text, name=name, first_line=first_line).removeprefix("\ufeff")

    def refuse(found: re.Match[str], message: str, hint: str) -> InvalidData:
        line = first_line + plain.count("\n", 0, found.start())
        return problem(name, line, message, hint=hint)

    if found := _CONTROL.search(plain):
        raise refuse(
            found,
            f"has a control character (U+{ord(found[0]):04X})",
            f'remove it, or write it as an escape in double quotes: "\\x{ord(found[0]):02x}"',
        )
    if found := _CONFLICT.search(plain):
        raise refuse(found, "has conflict markers", "resolve the merge, then try again")
    return plain


def utf8(text: bytes | str, *, name: str, first_line: int = 1) -> str:
    """Decode `text`; raises `InvalidData` with the line of the first byte that is not UTF-8."""
    if isinstance(text, bytes):
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            line = first_line + text.count(b"\n", 0, error.start)
            raise problem(name, line, "is not UTF-8", hint="save it as UTF-8") from None
    if found := _SURROGATE.search(text):
        line = first_line + text.count("\n", 0, found.start())
        raise problem(name, line, "is not UTF-8", hint="save it as UTF-8")
    return text
