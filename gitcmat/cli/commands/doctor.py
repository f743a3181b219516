"""`gitcmat doctor`: what is wrong here, and how to mend it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gitcmat.engine.doctor import Checkup
    from gitcmat.model.health import Finding


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended without you.")
@common
@click.pass_context
def command(ctx: click.Context, state: State, *, fix: bool) -> None:
    """Look for what is wrong, and give a score of 0 to 100; without --fix nothing is written.

    Exits with 0 when the score is 70 or more and nothing is critical, else with 1.
    """
    from gitcmat.engine.doctor import doctor

    found = doctor(state.app.deps, fix=fix)
    state.out.show(_plain(found), _lines(found))
    ctx.exit(0 if found.well else 1)


def _plain(found: "Checkup") -> dict[str, Any]:
    return {
        "score": found.score,
        "well": found.well,
        "findings": [asdict(one) for one in found.findings],
        "mended": [asdict(one) for one in found.mended],
        "failed": [{**asdict(one), "why": why} for one, why in found.failed],
    }


def _lines(found: "Checkup") -> "Iterator[str]":
    for one in found.mended:
        yield f"mended    {one.id}: {one.what}"
        if one.after:
            yield f"          next: {one.after}"
    why = dict(found.failed)
    for one in found.findings:
        yield from _finding(one, why.get(one, ""))
    yield f"score: {found.score} of 100"


def _finding(one: "Finding", why: str) -> "Iterator[str]":
    yield f"{one.severity:<9} {one.id}: {one.what}"
    if one.where:
        yield f"          where: {one.where}"
    if why:
        yield f"          could not be mended: {why}"
    elif one.how:
        yield f"          mend: {one.how}"
