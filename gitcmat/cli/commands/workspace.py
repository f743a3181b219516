"""`gitcmat workspace`: the folders that agents work in."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.engine.workspaces import Removed, Space

_MB = 1 << 20


@click.group()
def command() -> None:
    """The folders that agents work in: outside of the repository, and used again."""


@command.command("list")
@common
def list_(state: State) -> None:
    """List the workspaces of this repository: what they take, and who uses them."""
    from gitcmat.engine import workspaces

    deps = state.app.deps
    found = workspaces.list_spaces(deps, deps.store.read())
    data = [_plain(space) for space in found]
    rows = [
        (s["name"], f"{s['bytes'] / _MB:.1f} MB", s["state"], s["run"], s["path"]) for s in data
    ]
    lines = state.out.table(("NAME", "SIZE", "STATE", "RUN", "FOLDER"), rows) if rows else []
    state.out.show(
        {"folder": str(workspaces.place(deps)), "workspaces": data},
        lines or ["There are no workspaces."],
    )


@command.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="All that no run uses.")
@common
def remove(state: State, *, names: tuple[str, ...], all_: bool) -> None:
    """Remove workspaces.

    What runs did in them is in the repository already. What lies there beside it becomes a
    checkpoint first.
    """
    from gitcmat.engine import checkpoints, views, workspaces

    if all_ == bool(names):
        raise click.UsageError("Name workspaces, or give --all.")
    state.app.settle()
    deps = state.app.deps
    gone = workspaces.remove_unused(deps) if all_ else workspaces.remove(deps, names)
    checkpoints.upkeep(deps)
    views.write(deps)
    data = [
        {"name": one.space.name, "path": str(one.space.path), "checkpoint": one.saved or None}
        for one in gone
    ]
    lines = [line for one in gone for line in _removed(one)]
    state.out.show({"removed": data}, lines or "There was nothing to remove.")


def _removed(one: "Removed") -> Iterator[str]:
    yield f"removed {one.space.name}: {one.space.path}"
    if one.saved:
        yield f"what lay in it and was nowhere else: gitcmat checkpoint show {one.saved}"


def _plain(space: "Space") -> dict[str, Any]:
    from gitcmat.system.usage import size

    return {
        "name": space.name,
        "path": str(space.path),
        "bytes": size(space.path),
        "state": space.state,
        "run": space.used_by,
        "task": space.kept_for,
    }
