"""The workspaces of a repository on this machine: which there are, who uses them, and away."""

import shlex
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gitcmat.engine.claims import free_workspace
from gitcmat.engine.deps import Deps
from gitcmat.engine.saving import save_left_behind
from gitcmat.errors import Conflict, NotFound, UserError
from gitcmat.model.entry import Entry
from gitcmat.model.state import OPEN, State
from gitcmat.store.facts import Facts
from gitcmat.store.slots import Slot
from gitcmat.store.workspaces import Workspace
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import is_locked


@dataclass(frozen=True, slots=True)
class Removed:
    """A workspace that is gone."""

    space: "Space"
    saved: str
    """The checkpoint of what lay in it and was nowhere else; empty where nothing was."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """One workspace."""

    name: str
    path: Path
    usable: bool
    """Whether it can be used again as it is; else it is made anew."""
    used_by: str
    """The run that is in it; empty for none."""
    kept_for: str
    """The unfinished task that was in it last, and will find it warm; empty for none."""
    work_of: str
    """The run whose work lies in it and is not home; empty for none."""
    touched: float
    """When it was prepared or left last, in seconds of the wall clock."""

    @property
    def state(self) -> str:
        """A word or two for people."""
        if self.used_by:
            return "in use"
        if self.work_of:
            return f"holds work of {self.work_of}"
        if not self.usable:
            return "damaged"
        return f"kept for {self.kept_for}" if self.kept_for else "free"


def list_spaces(deps: Deps, facts: Facts) -> list[Space]:
    """Return the workspaces that there are, by name."""
    entries = [e for e in facts.entries(*OPEN) if e.workspace]
    used = {e.workspace: e.run or e.id for e in entries if e.state is State.ACTIVE}
    used |= {r.workspace: r.id for r in facts.runs(only_open=True) if r.alone}
    kept = {e.workspace: e for e in entries if e.state is not State.ACTIVE}
    root = place(deps)
    names = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    return [_space(deps, root / name, used, kept) for name in sorted(names, key=_by_number)]


def place(deps: Deps) -> Path:
    """The folder that holds the workspaces of the repository."""
    return free_workspace(deps, ()).parent


def remove(deps: Deps, names: Collection[str]) -> list[Removed]:
    """Remove workspaces; what lies in them and is nowhere else becomes a checkpoint first.

    Raises, with nothing removed, `NotFound` for one that there is not and `Conflict` for one that
    a run uses, or that holds what cannot be saved.
    """
    # Under the store's lock nobody claims one meanwhile.
    with deps.store.change("remove workspaces", by=deps.daemon) as change:
        there = {space.name: space for space in list_spaces(deps, change.facts)}
        unknown = [name for name in names if name not in there]
        if unknown:
            raise NotFound(f"There is no workspace {unknown[0]}.", hint="gitcmat workspace list")
        chosen = [there[name] for name in names]
        for space in chosen:
            if space.used_by:
                raise Conflict(
                    f"Nothing was removed: {space.used_by} works in workspace {space.name}.",
                    hint=f"gitcmat run stop {space.used_by}",
                )
        return _remove(deps, chosen, saving=True)


def remove_unused(
    deps: Deps, names: Collection[str] | None = None, *, saving: bool = True
) -> list[Removed]:
    """Remove those that no run uses, of `names` or of all, as `remove` does.

    Without `saving` what lies in them goes with them.
    """
    with deps.store.change("remove workspaces", by=deps.daemon) as change:
        found = [s for s in list_spaces(deps, change.facts) if not s.used_by]
        chosen = [s for s in found if names is None or s.name in names]
        return _remove(deps, chosen, saving=saving)


def save_unused(deps: Deps) -> None:
    """Save what lies in workspaces that no run uses and is nowhere else.

    Raises `Conflict` for what cannot be saved.
    """
    with deps.store.change("save workspaces", by=deps.daemon) as change:
        _save(deps, [s for s in list_spaces(deps, change.facts) if not s.used_by])


def _save(deps: Deps, spaces: Collection[Space]) -> dict[str, str]:
    """Save what lies in workspaces and is nowhere else; return name → checkpoint.

    Raises `Conflict` for what cannot be saved.
    """
    saved: dict[str, str] = {}
    for space in spaces:
        workspace = Workspace(deps.repo, space.path)
        try:
            with workspace.lock.acquire(blocking=False):
                found = save_left_behind(workspace, deps.me)
        except (UserError, OSError) as error:
            said = error.message if isinstance(error, UserError) else str(error)
            raise Conflict(
                f"Nothing was removed: what lies in workspace {space.name} cannot be saved: {said}",
                hint=f"if nothing in it is of use: rm -rf {shlex.quote(str(space.path))}",
            ) from error
        if found:
            saved[space.name] = found
    return saved


def _remove(deps: Deps, spaces: list[Space], *, saving: bool) -> list[Removed]:
    """Remove workspaces, with `saving` once all of them are saved."""
    saved = _save(deps, spaces) if saving else {}
    for space in spaces:
        remove_tree(space.path)
    return [Removed(space, saved.get(space.name, "")) for space in spaces]


def _space(deps: Deps, path: Path, used: dict[str, str], kept: dict[str, Entry]) -> Space:
    name = path.name
    owner = used.get(name, "")
    if not owner and is_locked(path / "lock"):
        owner = "a process"
    last = kept.get(name)
    slot = Slot.read(path, deps.repo)
    return Space(
        name=name,
        path=path,
        usable=slot is not None,
        used_by=owner,
        kept_for=last.id if last else "",
        work_of=slot.work if slot and not owner else "",
        touched=path.stat().st_mtime,
    )


def _by_number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdecimal() else (1 << 31, name)
