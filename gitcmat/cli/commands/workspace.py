"""`gitcmat workspace`: the folders that agents work in."""

from typing import TYPE_CHECKING, Any

import click

from gitcmat.cli.state import State, common

if TYPE_CHECKING:
    from gitcmat.engine.workspaces import Space

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
    """Remove workspaces; the work that was done in them is in the repository already."""
    from gitcmat.engine import workspaces

    if all_ == bool(names):
        raise click.UsageError("Name workspaces, or give --all.")
    state.app.settle()
    deps = state.app.deps
    gone = workspaces.remove_unused(deps) if all_ else workspaces.remove(deps, names)
    lines = [f"removed {space.name}: {space.path}" for space in gone]
    data = {"removed": [{"name": s.name, "path": str(s.path)} for s in gone]}
    state.out.show(data, lines or "There was nothing to remove.")


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
