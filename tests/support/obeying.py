"""An agent that does everything that it is told, by whomever: each line of its prompt that has the
word ``OBEY`` is run as shell, quoted or not.
"""

import subprocess
import sys
from pathlib import Path
from typing import Final

WORD: Final = "OBEY "


def main() -> None:
    """Do it, and end with the words that are in the file ``last-words`` then."""
    prompt = sys.stdin.read()
    with Path("work.txt").open("a", encoding="utf-8") as file:
        file.write("work\n")
    for line in prompt.splitlines():
        _, found, order = line.partition(WORD)
        if found:
            subprocess.run(["sh", "-c", order], check=False)
    last = Path("last-words")
    if last.exists():
        print(last.read_text("utf-8"))  # noqa: T201 - an agent prints


if __name__ == "__main__":
    main()
