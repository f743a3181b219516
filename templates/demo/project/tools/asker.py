"""Stands in for a coding agent: documents prices, after a person said which currency they have."""

import pathlib
import re
import subprocess
import sys

MODULE = '''\
"""Prices as people read them."""


def show(cents: int) -> str:
    """Return an amount with its currency."""
    return f"{{cents / 100:.2f}} {currency}"
'''
EXAMPLE = """
Prices are shown with their currency:

    >>> from shop.price import show
    >>> show(250)
    '2.50 {currency}'
"""

answer = re.search(r"^Answer:\s+> ([A-Z]{3})$", sys.stdin.read(), re.MULTILINE)
if answer is None:
    question = "Which currency do prices have?"
    subprocess.run(["gitcmat", "blocker", "ask", question], check=True)
    sys.exit()
pathlib.Path("shop/price.py").write_text(MODULE.format(currency=answer[1]))
with pathlib.Path("README.md").open("a") as readme:
    readme.write(EXAMPLE.format(currency=answer[1]))
print("prices are in", answer[1])
