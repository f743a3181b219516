"""What a program puts on the disk, in the order in which it does it, as the kernel sees it."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

_CALLS: Final = "fsync,fdatasync,rename,renameat,renameat2"
_CALL: Final = re.compile(r"(\w+)\((.*)\) += 0")
_CUT: Final = " <unfinished ...>"
_RESUMED: Final = re.compile(r"<\.\.\. \w+ resumed>")


def tracer(trace: Path) -> tuple[str, ...]:
    """Return the beginning of an argv that writes what the rest of it does to `trace`; skips the
    test where there is no strace.
    """
    if shutil.which("strace") is None:
        pytest.skip("strace is not installed")
    return ("strace", "-f", "-y", "-qq", "-s", "4096", "-e", f"trace={_CALLS}", "-o", str(trace))


def synced(trace: Path, root: Path) -> Iterator[str]:
    """Yield `sync PATH` and `place PATH` (the target of a rename) for what lies below `root`, as
    each of them ended well.
    """
    cut: dict[str, str] = {}
    for line in trace.read_text(encoding="utf-8").splitlines():
        pid, _, text = line.partition(" ")
        text = text.strip()
        if text.endswith(_CUT):
            cut[pid] = text.removesuffix(_CUT)
            continue
        if resumed := _RESUMED.match(text):
            text = cut.pop(pid) + text[resumed.end() :]
        found = _CALL.fullmatch(text)
        if found is None:
            continue
        if "sync" in found[1]:
            word, path = "sync", Path(found[2].partition("<")[2].removesuffix(">"))
        else:
            word, path = "place", Path(found[2].rsplit('"', 2)[1])
        if path.is_relative_to(root):
            yield f"{word} {path.relative_to(root)}"
