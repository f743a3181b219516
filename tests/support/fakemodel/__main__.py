"""A fake model as a program: `python -m tests.support.fakemodel --script FILE --port-file FILE`.

The script is a list as `scenario.scripts_of` reads it. Ends on SIGTERM and SIGINT; then exits 1 and
says why if something happened that must not.
"""

import argparse
import json
import signal
import sys
import threading
from dataclasses import asdict
from pathlib import Path

from tests.support.fakemodel.scenario import scripts_of
from tests.support.fakemodel.server import FakeModel


def main() -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="fakemodel")
    parser.add_argument("--script", type=Path, required=True, help="a JSON file")
    parser.add_argument("--port-file", type=Path, required=True, help="gets the port")
    parser.add_argument("--requests", type=Path, help="gets what was asked, as JSON lines")
    options = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    model = FakeModel(*scripts_of(json.loads(options.script.read_text(encoding="utf-8"))))
    try:
        with model:
            making = options.port_file.with_suffix(".new")
            making.write_text(f"{model.port}\n", encoding="utf-8")
            making.rename(options.port_file)
            ended.wait()
    except AssertionError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        if options.requests:
            lines = [json.dumps(asdict(request)) for request in model.requests]
            options.requests.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
