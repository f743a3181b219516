"""Puts pinned agents' programs into the cache: `python -m tests.support.realcli claude codex`."""

import argparse
import sys

from tests.support.realcli.cache import main
from tests.support.realcli.pins import PINS

parser = argparse.ArgumentParser(prog="realcli", description=__doc__)
parser.add_argument("names", nargs="+", choices=sorted(PINS), metavar="NAME")
sys.exit(main(parser.parse_args().names))
