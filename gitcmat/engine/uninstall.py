"""Takes gitcmat out of a repository, which is then as it was before `init`.

What people wrote below ``.cmat/`` stays: it is theirs to remove, as any other file. Each step may
be repeated, so a removal that was broken off is finished by the next one.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gitcmat.engine import branches, hooks, landing_record, workspaces
from gitcmat.engine.daemon import only_one
from gitcmat.engine.deps import Deps
from gitcmat.engine.runfolder import RunFolder
from gitcmat.errors import Conflict
from gitcmat.model.state import State
from gitcmat.store import exclude, layout, memory, packedrefs, packs, refs, unused_packs
from gitcmat.store.git import Git
from gitcmat.system.files import remove_tree
from gitcmat.system.locks import is_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What goes, and what stays."""

    refs: tuple[str, ...]
    branches: tuple[str, ...]
    """Branches for review that gitcmat made; full refs."""
    kept_branches: tuple[str, ...]
    """Those that stay: nothing else has their commits, or the person stands on them."""
    hooks: dict[str, str]
    """How each of ours is."""
    excluded: bool
    view: int
    """How many files show records."""
    workspaces: tuple[Path, ...]
    folder: Path | None
    """``.git/cmat``."""
    decisions: tuple[Path, ...]
    """Files outside of the repository that remember what the person has allowed."""
    intent: tuple[str, ...]
    """What stays below ``.cmat/``: written by people, or by `init` for them."""

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to remove."""
        local = self.refs or self.branches or self.hooks or self.excluded or self.folder
        return not (local or self.view or self.workspaces or self.decisions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """What was done."""

    packs: int
    packs_left: int
    """Packs that stay, because git lists what is in them, or tidies up at this moment."""
    left: tuple[str, ...]
    """Files in the folders of records that are not ours, such as edits that were not taken in."""


def plan(
    deps: Deps, *, all_branches: bool = False, keep_branches: bool = False, exporting: bool = False
) -> Removal:
    """Say what is to be removed; nothing is changed.

    Branches whose commits nothing else has stay, unless `all_branches`.

    Raises `Conflict` while a task is active or a run under way, and while a workspace holds the
    work of a run that is nowhere else, unless `exporting` is going to save it.
    """
    facts = deps.store.read()
    active = facts.entries(State.ACTIVE)
    if active:
        names = ", ".join(entry.id for entry in active)
        raise Conflict(
            f"Nothing was removed: {names} {'is' if len(active) == 1 else 'are'} active.",
            hint="gitcmat run stop --all, or wait; after a crash: gitcmat doctor --fix",
        )
    alive = [
        r.id for r in facts.runs(only_open=True) if is_locked(RunFolder(deps.runs / r.id).lock)
    ]
    if alive:
        is_ = "is" if len(alive) == 1 else "are"
        raise Conflict(
            f"Nothing was removed: {', '.join(alive)} {is_} under way.",
            hint="gitcmat run stop --all, or wait",
        )
    spaces = workspaces.list_spaces(deps, facts)
    for space in spaces:
        if space.work_of and not exporting:
            raise Conflict(
                f"Nothing was removed: workspace {space.name} holds work of {space.work_of} that "
                "is nowhere else.",
                hint=f"--export FILE saves it too; gitcmat workspace remove {space.name} "
                "makes it a checkpoint",
            )
    made = {e.branch: e.branch_head for e in facts.entries() if e.branch and e.branch_head}
    here = {ref: at for ref, at in refs.list_refs(deps.git, refs.BRANCHES).items() if ref in made}
    busy = branches.occupied(deps.git)
    going = tuple(
        ref
        for ref in here
        if ref not in busy and not keep_branches and (all_branches or _is_elsewhere(deps.git, ref))
    )
    home, cmat = deps.view.home, deps.repo.cmat
    shown = _records(home.work_tree) if home else []
    return Removal(
        refs=tuple(refs.list_refs(deps.git, refs.OURS)),
        branches=going,
        kept_branches=tuple(ref for ref in here if ref not in going),
        hooks={name: str(s) for name, s in hooks.look(deps.repo).states.items() if s.ours},
        excluded=exclude.has_block(deps.repo),
        view=len(shown),
        workspaces=tuple(space.path for space in spaces),
        folder=cmat if cmat.is_dir() else None,
        decisions=tuple(_decisions(deps)),
        intent=tuple(_intent(deps)),
    )


def export(deps: Deps, file: Path) -> None:
    """Write all our refs, with their history, as a bundle, which ``git fetch`` takes like a remote.

    What lies in workspaces and is nowhere else becomes checkpoints first.

    Raises `Conflict` when the file is there already, or there is nothing to export.
    """
    if file.exists():
        raise Conflict(f"{file} is there already.", hint="name another file")
    workspaces.save_unused(deps)
    if not refs.list_refs(deps.git, refs.OURS):
        raise Conflict("There is nothing to export.", hint="gitcmat uninstall, without --export")
    deps.git.run("bundle", "create", "--quiet", file.absolute(), f"--glob={refs.OURS}*")
    deps.git.run("bundle", "verify", "--quiet", file.absolute())


def uninstall(deps: Deps, removal: Removal) -> Removed:
    """Remove what `plan` said.

    Raises `Conflict`, with nothing removed, while a daemon watches the repository.
    """
    with only_one(deps.repo):
        landing_record.repair(deps)
        workspaces.remove_unused(deps, saving=False)
        for folder in (workspaces.place(deps), workspaces.place(deps).parent):
            with suppress(OSError):
                folder.rmdir()
        deps.view.write({}, deps.clock.now().timestamp())
        hooks.remove(deps.repo)
        exclude.remove_excluded(deps.repo)
        _delete(deps, [*removal.branches, *refs.list_refs(deps.git, refs.OURS)])
        packedrefs.remove_empty(deps.repo)
        packs.drop_dead_keeps(deps.repo)
        deps.store.close()
        remove_tree(deps.repo.cmat)
    gone, packs_left = unused_packs.remove_unused(deps.repo, deps.git)
    for path in _decisions(deps):
        path.unlink(missing_ok=True)
    home = deps.view.home
    left = _records(home.work_tree) if home else []
    return Removed(packs=gone, packs_left=packs_left, left=tuple(left))


def _is_elsewhere(git: Git, ref: str) -> bool:
    """Whether a branch, tag or remote branch that is not ours has all its commits."""
    found = git.text("for-each-ref", "--format=%(refname)", f"--contains={ref}").splitlines()
    return any(name != ref and not name.startswith(refs.OURS) for name in found)


def _delete(deps: Deps, names: list[str]) -> None:
    """Delete refs, then what is left of our folders: locks, broken refs, empty folders."""
    fed = "".join(f"delete {name}\0\0" for name in names)
    deps.git.run("update-ref", "--no-deref", "--stdin", "-z", input=fed.encode())
    git_dir = deps.repo.common_dir
    for place in (git_dir / refs.OURS, git_dir / "logs" / refs.OURS):
        remove_tree(place)
    for name in names:
        for place in (git_dir / name, git_dir / "logs" / name):
            _drop_empty(place.parent, git_dir)


def _drop_empty(folder: Path, top: Path) -> None:
    """Remove empty folders that a branch such as ``cmat/a`` needed, up to ``refs/heads``."""
    while folder.name != "heads" and folder.is_relative_to(top):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent


def _records(work_tree: Path) -> list[str]:
    """The files in the folders of records."""
    places = [work_tree / layout.CMAT / name for name in layout.FACTS]
    return sorted(
        path.relative_to(work_tree).as_posix()
        for place in places
        for path in place.rglob("*")
        if not path.is_dir()
    )


def _intent(deps: Deps) -> Iterator[str]:
    folder = deps.repo.work_tree
    if folder is None:
        return
    for path in sorted((folder / layout.CMAT).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_dir() and not layout.is_fact(name):
            yield name


def _decisions(deps: Deps) -> Iterator[Path]:
    place = memory.place(deps.repo)
    yield from sorted(place.parent.glob(f"{place.name}*"))
