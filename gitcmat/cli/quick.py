"""What people and prompts ask all the time, as it is mostly typed: with no option but ``--json``.

click takes longer to import than all that these commands do, and there is nothing for it to take
apart. With any other option they come through `cli.main` like every command, and do the same.
"""

import gc
from collections.abc import Sequence
from pathlib import Path

from gitcmat.cli.boundary import guarded
from gitcmat.cli.state import State


def run(args: Sequence[str]) -> int:
    """Do what such a command line asks for and return its exit code."""
    gc.disable()  # it would look for cycles among thousands of records, and the end is near

    def call() -> int:
        *_, last = args
        state = State(Path(), as_json=last == "--json")
        if args[0] == "status":
            from gitcmat.cli import overview

            overview.show(state)
        else:
            from gitcmat.cli import listing

            listing.show(state)
        return 0

    code = guarded(args, call)
    gc.freeze()  # or Python would look for them at its end all the same
    return code
