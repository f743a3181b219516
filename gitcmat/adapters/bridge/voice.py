"""What the bridge says to gitcmat: one JSON object a line on its standard output."""

import contextlib
import json
import logging
import sys
from typing import Any


def say(kind: str, **about: Any) -> None:
    """Print one object at once; when nobody listens any more there is nobody to tell."""
    with contextlib.suppress(OSError):
        sys.stdout.write(json.dumps({"type": kind, **about}) + "\n")
        sys.stdout.flush()


class Voiced(logging.Handler):
    """Says what the protocol's package would log with a stack trace, in one line."""

    def emit(self, record: logging.LogRecord) -> None:
        """Say one record."""
        why = record.exc_info[1] if record.exc_info else None
        text = f"{record.getMessage()}: {why}" if why else record.getMessage()
        say("trouble", text=text.partition("\n")[0][:500])
