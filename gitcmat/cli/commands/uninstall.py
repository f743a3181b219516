"""`gitcmat uninstall`: take gitcmat out of this repository."""

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gitcmat.cli.state import State, common
from gitcmat.errors import Conflict
from gitcmat.store.refs import BRANCHES

if TYPE_CHECKING:
    from gitcmat.engine.uninstall import Removal, Removed


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--keep-branches", is_flag=True, help="Keep every branch for review.")
@click.option("--branches", "all_", is_flag=True, help="Remove those that are not merged too.")
@click.option(
    "--export",
    "bundle",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="First write all records and results into a bundle.",
)
@common
def command(
    state: State, *, yes: bool, keep_branches: bool, all_: bool, bundle: Path | None
) -> None:
    """Show what gitcmat has in this repository, ask, and remove it.

    The repository is then as it was before gitcmat init. What is written below .cmat/ stays for
    you to remove, and so do branches whose commits nothing else has.
    """
    from gitcmat.engine import uninstall

    if keep_branches and all_:
        raise click.UsageError("--keep-branches and --branches exclude each other.")
    deps = state.app.deps
    removal = uninstall.plan(
        deps, all_branches=all_, keep_branches=keep_branches, exporting=bundle is not None
    )
    if removal.nothing:
        state.out.show({"removed": None}, ["There is nothing of gitcmat here.", *_yours(removal)])
        return
    if not state.as_json:
        state.out.show({}, _lines(removal))
    if not yes:
        _ask(state)
    if bundle is not None:
        uninstall.export(deps, bundle)
    done = uninstall.uninstall(deps, removal)
    data = {"removed": asdict(removal), **asdict(done), "export": bundle and str(bundle)}
    state.out.show(data, _done(removal, done, bundle))


def _ask(state: State) -> None:
    if state.no_input or state.as_json or not sys.stdin.isatty():
        raise Conflict(
            "Nothing was removed: nobody can be asked here.", hint="gitcmat uninstall --yes"
        )
    if not click.confirm("Remove all this?", err=True):
        raise Conflict("Nothing was removed.", hint="gitcmat uninstall, and answer y")


def _lines(removal: "Removal") -> Iterator[str]:
    yield "To be removed:"
    if removal.refs:
        yield f"  {len(removal.refs)} refs below refs/cmat/: records, results, checkpoints"
    yield from (f"  branch {ref.removeprefix(BRANCHES)}" for ref in removal.branches)
    yield from (f"  hook {name} ({how})" for name, how in removal.hooks.items())
    if removal.excluded:
        yield "  our block in info/exclude"
    if removal.view:
        yield f"  {removal.view} files that show records below .cmat/"
    yield from (f"  workspace {path}" for path in removal.workspaces)
    if removal.folder:
        yield f"  {removal.folder}"
    yield from (f"  {path} (what you have allowed)" for path in removal.decisions)
    yield from _kept(removal)


def _kept(removal: "Removal") -> Iterator[str]:
    for ref in removal.kept_branches:
        name = ref.removeprefix(BRANCHES)
        yield f"Stays: branch {name} (to remove it: git branch -D {name})"


def _done(removal: "Removal", done: "Removed", bundle: Path | None) -> Iterator[str]:
    yield "gitcmat is out of this repository."
    if bundle is not None:
        yield f"To bring back what was exported: git fetch {bundle} 'refs/cmat/*:refs/cmat/*'"
    if done.packs_left:
        yield "Objects that nothing needs any more go with the next git gc."
    yield from (f"Left, because gitcmat did not write it: {path}" for path in done.left)
    yield from _yours(removal)


def _yours(removal: "Removal") -> Iterator[str]:
    if removal.intent:
        yield "What is written below .cmat/ is yours; to remove it too:"
        yield "  git rm -r -q --ignore-unmatch .cmat; rm -rf .cmat; git commit -m 'Remove .cmat'"
