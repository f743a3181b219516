"""Stands in for a coding agent: builds on `split`, as it is after somebody repaired it."""

import pathlib

MODULE = '''\
"""What each one pays."""

from shop.bill import split


def shares(cents: int, names: list[str]) -> dict[str, int]:
    """Return the share of each name."""
    return dict(zip(names, split(cents, len(names)), strict=True))
'''
TEST = """\
import unittest

from shop.shares import shares


class SharesTest(unittest.TestCase):
    def test_everybody_pays_a_share(self) -> None:
        self.assertEqual(shares(200, ["Ann", "Bo", "Cy"]), {"Ann": 67, "Bo": 67, "Cy": 66})
"""

pathlib.Path("shop/shares.py").write_text(MODULE)
pathlib.Path("tests/test_shares.py").write_text(TEST)
print("wrote shop/shares.py and its test")
