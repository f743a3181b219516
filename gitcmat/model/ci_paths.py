"""Which paths a result may change: names that mean the same to every git, file system and eye."""

import re
import unicodedata
from typing import Final

from gitcmat.model.ci_text import hides

_REGULAR: Final = frozenset({"100644", "100755"})
_NONE: Final = "000000"
_SUBMODULE: Final = "160000"
_LINK: Final = "120000"

LONGEST: Final = 1_000
_LONGEST_NAME: Final = 255
_SHORT: Final = re.compile(r"(?:git|gitmod|gi7eba)~\d+")
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", *(f"{name}{n}" for name in ("com", "lpt") for n in range(1, 10))}
)
_RUN_THERE: Final = frozenset({"workflows", "actions", "action", "agent"})
_DRIVE: Final = re.compile(r"[A-Za-z]:")


def mode_problem(before: str, after: str) -> str:
    """Why a change of modes is not taken; empty where it is."""
    for mode in (before, after):
        if mode == _SUBMODULE:
            return "is a submodule"
        if mode == _LINK:
            return "is a symbolic link"
        if mode not in _REGULAR and mode != _NONE:
            return f"has the mode {mode}"
    return ""


def path_problem(raw: bytes, *, github: bool = False) -> str:
    """Why a path is not taken; empty where it is. With `github` those below ``.github/`` are, but
    for what runs there.
    """
    try:
        path = raw.decode("utf-8")
    except UnicodeDecodeError:
        return "has a name that is no UTF-8"
    if any(hides(char) or char in "\n\t" for char in path):
        return "has a character in its name that nobody sees"
    if len(path) > LONGEST:
        return f"has a name of more than {LONGEST} characters"
    if path.startswith("/") or _DRIVE.match(path):
        return "is an absolute path"
    if "\\" in path:
        return "has a backslash in its name"
    parts = path.split("/")
    for part in parts:
        if why := _part_problem(part):
            return why
    first, second = _plain(parts[0]), _plain(parts[1]) if len(parts) > 1 else ""
    if first == ".cmat":
        return "belongs to gitcmat: what runs and what judges is for people to change"
    if first == ".github" and (not github or second in _RUN_THERE):
        return "belongs to the repository's workflows"
    return ""


def folded(path: str) -> str:
    """A path as a file system compares it that minds neither case nor what has no width."""
    return "/".join(_plain(part) for part in path.split("/"))


def _part_problem(part: str) -> str:
    if part == "":
        return "has an empty name in it"
    if part in {".", ".."}:
        return f"has {part} in it"
    if len(part.encode()) > _LONGEST_NAME:
        return f"has a name of more than {_LONGEST_NAME} bytes in it"
    plain = _plain(part)
    if plain == ".git" or _SHORT.fullmatch(plain):
        return "is git's own on some file system"
    if plain == ".gitmodules":
        return "sets up submodules"
    if ":" in part:
        return "has a colon in its name: a stream of another file, to some"
    if part != part.rstrip(". "):
        return "has a name that ends in a dot or a space, which some file systems leave out"
    if plain.split(".")[0] in _DEVICES:
        return "is the name of a device, to some"
    return ""


def _plain(part: str) -> str:
    """A name as the most careless of file systems compares it: HFS leaves out what has no width,
    NTFS dots, spaces and streams at the end, and neither minds the case.
    """
    seen = "".join(c for c in part if unicodedata.category(c) != "Cf")
    folded = unicodedata.normalize("NFKC", seen).casefold()
    return folded.split(":")[0].rstrip(". ")
