"""``python -m tests.support.evil``: tries all attacks and writes the table in the docs anew."""

import os
import sys

import pytest

from tests.support.evil.table import PAGE

if __name__ == "__main__":
    os.environ["GITCMAT_WRITE_EVIL"] = "1"
    sys.stdout.write(f"writing {PAGE}\n")
    sys.exit(pytest.main(["-q", "-n0", "-p", "no:randomly", "tests/e2e/test_evil_agent.py"]))
