"""Stands in for a coding agent: repairs `split`, and learns from what the tests said of it."""

import pathlib
import sys

FIRST = """\
    shares = [cents // people] * people
    shares[-1] += cents % people
    return shares
"""
BETTER = """\
    share, rest = divmod(cents, people)
    return [share + 1] * rest + [share] * (people - rest)
"""

prompt = sys.stdin.read()
failed_before = "test_shares_differ_by_one_cent_at_most" in prompt
file = pathlib.Path("shop/bill.py")
before, docstring, _ = file.read_text().partition('by more than one cent."""\n')
file.write_text(before + docstring + (BETTER if failed_before else FIRST))
print("the rest is spread over the shares" if failed_before else "the last one pays the rest")
