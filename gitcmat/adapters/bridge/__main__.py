"""Where the bridge starts: ``… -- AGENT ARGUMENT…``, with the errand on standard input."""

import asyncio
import logging
import sys

from gitcmat.adapters.bridge.conversation import hold
from gitcmat.adapters.bridge.errand import Errand
from gitcmat.adapters.bridge.voice import Voiced


def main() -> int:
    """Do the errand; how it went is said, so the exit code is always 0."""
    logging.getLogger().addHandler(Voiced())
    errand = Errand.of(sys.stdin.buffer.read())
    asyncio.run(hold(errand, sys.argv[2:]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
