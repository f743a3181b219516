"""Where errors become messages and exit codes: the one place that catches everything."""

import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from gitcmat.errors import UserError

BUG: Final = 70
INTERRUPTED: Final = 130


def guarded(args: Sequence[str], call: Callable[[], int]) -> int:
    """Do what the command line `args` asks for, and return its exit code whatever happens."""
    try:
        return call()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    except UserError as error:
        return refuse(args, error.message, error.hint, error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone (a pager, `head`): nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except Exception as error:  # noqa: BLE001 - the boundary: whatever gets here is a bug
        return _crash(args, error)


def refuse(args: Sequence[str], message: str, hint: str, code: int) -> int:
    """Say what is wrong and what to do next, as text or with --json as an object; return `code`."""
    if "--json" in args:
        import json

        error = {"message": message, "suggestion": hint, "exit_code": code}
        sys.stdout.write(json.dumps({"schema": 1, "error": error}, indent=2) + "\n")
    else:
        sys.stderr.write(f"error: {message}\n")
        if hint:
            sys.stderr.write(f"hint: {hint}\n")
    return code


def _crash(args: Sequence[str], error: Exception) -> int:
    """Write a report that can be pasted into an issue, and say where it is."""
    import traceback

    from gitcmat.cli.crash import write_report

    text = "".join(traceback.format_exception(error))
    place = write_report(args, text)
    message = f"This is a bug in gitcmat: {type(error).__name__}: {error}"
    return refuse(args, message, f"please report it with {place}" if place else text, BUG)
