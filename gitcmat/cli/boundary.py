"""Where errors become messages and exit codes: the one place that catches everything."""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from gitcmat.errors import UserError

BUG: Final = 70
INTERRUPTED: Final = 130


def guarded(args: Sequence[str], call: Callable[[], int]) -> int:
    """Do what the command line `args` asks for, and return its exit code whatever happens."""
    code = _guarded(args, call)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_output()
    except OSError as error:
        _drop_output()
        return _refuse_or_crash((), error, "the output")
    return code


def _guarded(args: Sequence[str], call: Callable[[], int]) -> int:
    try:
        return call()
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted.\n")
        return INTERRUPTED
    except UserError as error:
        return refuse(args, error.message, error.hint, error.exit_code)
    except BrokenPipeError:
        # The reader of our output has gone (a pager, `head`): nothing is wrong.
        _drop_output()
        return 0
    except OSError as error:
        return _refuse_or_crash(args, error)
    except Exception as error:  # noqa: BLE001 - the boundary: whatever gets here is a bug
        if type(error).__module__ == "sqlite3":  # of the cache, which holds nothing of its own
            said = f"The cache of the records cannot be read: {error}."
            return refuse(args, said, "gitcmat doctor --fix", UserError.exit_code)
        return _crash(args, error)


def refuse(args: Sequence[str], message: str, hint: str, code: int) -> int:
    """Say what is wrong and what to do next, as text or with --json as an object; return `code`."""
    if "--json" in args:
        import json

        error = {"message": message, "suggestion": hint, "exit_code": code}
        try:
            sys.stdout.write(json.dumps({"schema": 1, "error": error}, indent=2) + "\n")
            sys.stdout.flush()
            return code
        except OSError:
            _drop_output()
    from gitcmat.system.logs import visible

    # It may name what an agent has named: a file, a branch, the subject of a commit.
    text = f"error: {message}\n" + (f"hint: {hint}\n" if hint else "")
    if os.environ.get("GITHUB_ACTIONS"):
        from gitcmat.model.ci_text import harmless

        text = harmless(text)
    with contextlib.suppress(OSError):  # then there is nobody to be told
        sys.stderr.write(visible(text))
        sys.stderr.flush()
    return code


def _drop_output() -> None:
    """Let nothing that could not be printed be tried again when Python ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _refuse_or_crash(args: Sequence[str], error: OSError, what: str = "") -> int:
    """What the machine refuses is no bug of ours, as long as we know what to say about it."""
    from gitcmat.system.refusals import refusal

    known = refusal(error, what=what)
    if known is None:
        return _crash(args, error)
    return refuse(args, known.message, known.hint, known.exit_code)


def _crash(args: Sequence[str], error: Exception) -> int:
    """Write a report that can be pasted into an issue, and say where it is."""
    import traceback

    from gitcmat.cli.crash import write_report

    text = "".join(traceback.format_exception(error))
    place = write_report(args, text)
    message = f"This is a bug in gitcmat: {type(error).__name__}: {error}"
    return refuse(args, message, f"please report it with {place}" if place else text, BUG)
