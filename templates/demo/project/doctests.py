"""The examples of the README, as tests."""

import doctest
import unittest


def load_tests(
    _loader: unittest.TestLoader, tests: unittest.TestSuite, _pattern: str | None
) -> unittest.TestSuite:
    """Add the README; `unittest` calls this by its name."""
    tests.addTests(doctest.DocFileSuite("README.md"))
    return tests
