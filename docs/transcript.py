"""Makes the transcript of `gitcmat demo` that the README begins with.

    python docs/transcript.py            prints it
    python docs/transcript.py --write    puts it into the README

What differs from run to run (ids, hashes, times, the temporary folder) is replaced, so that the
rest can be compared.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).resolve().parent.parent / "README.md"
COMMAND: Final = "$ python3 -m venv .venv && .venv/bin/pip install -e . && .venv/bin/gitcmat demo"
"""The line that stands before the transcript."""

_ALIKE: Final = (
    (re.compile(r"\b\d\d:\d\d:\d\d\b"), "12:00:00"),
    (re.compile(r"\b([rb])-[a-z2-7]{8}\b"), r"\1-4ucmvqzn"),
    (re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{7,40}\b"), "3f29c1e"),
    (re.compile(r"/[^\s']*/gitcmat-demo-\w+"), "/tmp/gitcmat-demo"),  # noqa: S108 - text, no file
)
_BLOCK: Final = re.compile(rf"(?<={re.escape(COMMAND)}\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def transcript() -> str:
    """Run the demo; return what it prints, made alike.

    Raises CalledProcessError when it does not end well.
    """
    done = subprocess.run(
        [sys.executable, "-m", "gitcmat", "demo"],
        env={**os.environ, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
    )
    return alike(done.stdout)


def alike(text: str) -> str:
    """Return the text with ids, hashes, times and folders replaced by fixed ones."""
    for pattern, fixed in _ALIKE:
        text = pattern.sub(fixed, text)
    return text


def in_any_order(text: str) -> list[str]:
    """Return the lines with those of each run of the daemon sorted: agents work side by side, and
    which one is first is chance.
    """
    lines: list[str] = []
    for part in re.split(r"^(?=\$ )", text, flags=re.MULTILINE):
        head, *rest = part.splitlines() or [""]
        lines += [head, *(sorted(rest) if head.startswith("$ gitcmat watch") else rest)]
    return lines


def in_readme() -> str:
    """Return the transcript that the README has.

    Raises ValueError when there is none.
    """
    found = _BLOCK.search(README.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{README} has no block that begins with {COMMAND!r}")
    return found[0]


def main() -> None:
    """Print the transcript, or put it into the README."""
    text = transcript()
    if sys.argv[1:] == ["--write"]:
        old = in_readme()
        README.write_text(README.read_text(encoding="utf-8").replace(old, text), encoding="utf-8")
    else:
        sys.stdout.write(text)


if __name__ == "__main__":
    main()
