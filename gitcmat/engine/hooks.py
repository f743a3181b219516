"""Install our git hooks, say how they are, and take them out again.

A hook that a person has is called first and comes back byte for byte on removal. Where something
else manages hooks, nothing is touched unasked.
"""

import shlex
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from gitcmat.errors import Conflict
from gitcmat.store.git import Git, Repository
from gitcmat.system.assets import hooks_dir
from gitcmat.system.files import write_atomic

CHECK_SECONDS: Final = 10
"""How long the check before a commit may take."""

_SCRIPTS: Final = {
    "post-checkout": "wake",
    "post-commit": "wake",
    "post-merge": "wake",
    "post-rewrite": "wake",
    "pre-commit": "pre-commit",
}
_MARK: Final = b"# gitcmat hook: "
_BEFORE: Final = ".before-gitcmat"
_OWN_NAME: Final = (b"basename", b"##*/")
_MANAGERS: Final = {
    "husky": (".husky", ".huskyrc", ".huskyrc.json"),
    "lefthook": tuple(
        f"{dot}lefthook.{end}" for dot in ("", ".") for end in ("yml", "yaml", "toml", "json")
    ),
    "overcommit": (".overcommit.yml",),
    "pre-commit": (".pre-commit-config.yaml", ".pre-commit-config.yml"),
}


class HookState(StrEnum):
    """How one hook is."""

    ABSENT = "absent"
    OURS = "installed"
    CHAINED = "installed, calls yours first"
    THEIRS = "yours"

    @property
    def ours(self) -> bool:
        """Whether it is one that we put there."""
        return self in (HookState.OURS, HookState.CHAINED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """How the hooks of a repository are."""

    folder: Path
    states: dict[str, HookState]
    obstacle: str = ""
    """Why nothing can be installed, whatever is asked; empty when nothing is in the way."""
    manager: str = ""
    """What else manages the hooks here, and the file that says so; empty for nothing."""

    @property
    def free(self) -> bool:
        """Whether `init` may install: nothing is in the way, no hook is called what ours are."""
        theirs = HookState.THEIRS in self.states.values()
        return not (self.obstacle or self.manager or theirs)

    @property
    def installed(self) -> bool:
        """Whether all of ours are in place."""
        return all(state.ours for state in self.states.values())

    @property
    def why_not(self) -> str:
        """Why `init` installs nothing; empty when it may."""
        theirs = [name for name, state in self.states.items() if state is HookState.THEIRS]
        own = f"you have a hook {theirs[0]} of your own" if theirs else ""
        return self.obstacle or self.manager or own


def look(repo: Repository) -> Hooks:
    """Say how the hooks are; changes nothing."""
    folder = repo.common_dir / "hooks"
    return Hooks(
        folder=folder,
        states={name: _state(folder / name) for name in _SCRIPTS},
        obstacle=_obstacle(repo, folder),
        manager=_manager(repo),
    )


def install(repo: Repository, *, force: bool = False) -> Hooks:
    """Put our hooks in place, each calling the one that was there before; say how they are then.

    Raises `Conflict`, with nothing changed, where git runs other hooks, where a hook manager is
    (unless `force`), and for a hook that cannot be called under another name.
    """
    found = look(repo)
    if found.obstacle:
        raise Conflict(f"No hook was installed: {found.obstacle}.", hint=_BY_HAND)
    if found.manager and not force:
        raise Conflict(
            f"No hook was installed: {found.manager}.",
            hint="gitcmat hooks install --force, to be called before its hooks are",
        )
    for name, state in found.states.items():
        if state is HookState.THEIRS:
            _check_movable(found.folder / name)
    for name, script in _SCRIPTS.items():
        path = found.folder / name
        if found.states[name] is HookState.THEIRS:
            path.rename(_before(path))
        _put(path, _rendered(script))
    if repo.cmat.is_dir():  # where gitcmat was never used, hooks are all that it leaves
        write_atomic(_note(repo), b"")
    return look(repo)


def remove(repo: Repository) -> Hooks:
    """Take our hooks out and put back those that were there before; say how they are then."""
    found = look(repo)
    for name, state in found.states.items():
        path = found.folder / name
        if state is HookState.CHAINED:
            _before(path).replace(path)
        elif state is HookState.OURS:
            path.unlink()
    _note(repo).unlink(missing_ok=True)
    return look(repo)


def damage(repo: Repository) -> str:
    """Say what became of hooks that were installed and not removed by us; empty when they are in
    place.
    """
    found = look(repo)
    ours = any(state.ours for state in found.states.values())
    if found.installed or not (ours or _note(repo).exists()):
        return ""
    gone = {
        HookState.ABSENT: "was removed",
        HookState.THEIRS: "was overwritten",
    }
    return ", ".join(f"{name} {gone[s]}" for name, s in found.states.items() if s in gone)


_BY_HAND: Final = (
    'to wake gitcmat from your own hooks: touch "$(git rev-parse --git-common-dir)/cmat/wake"'
)


def _note(repo: Repository) -> Path:
    """Its presence says that the hooks were installed, and not removed by us."""
    return repo.cmat / "hooks-installed"


def _state(path: Path) -> HookState:
    if not _is_there(path):
        return HookState.ABSENT
    if not _is_ours(path):
        return HookState.THEIRS
    return HookState.CHAINED if _is_there(_before(path)) else HookState.OURS


def _is_there(path: Path) -> bool:
    return path.is_symlink() or path.exists()


def _is_ours(path: Path) -> bool:
    return path.is_file() and not path.is_symlink() and _MARK in path.read_bytes()[:200]


def _before(path: Path) -> Path:
    return path.with_name(path.name + _BEFORE)


def _obstacle(repo: Repository, folder: Path) -> str:
    git = Git(repo.git_dir, work_tree=repo.work_tree, silent=False)
    used = Path(git.text("rev-parse", "--path-format=absolute", "--git-path", "hooks"))
    if used.resolve() != folder.resolve():
        return f"core.hooksPath is set, so git runs the hooks of {used}"
    if not folder.resolve().is_relative_to(repo.common_dir):
        return f"{folder} is a link to {folder.resolve()}, which is not this repository's alone"
    return ""


def _manager(repo: Repository) -> str:
    if repo.work_tree is None:
        return ""
    for manager, names in _MANAGERS.items():
        for name in names:
            if _is_there(repo.work_tree / name):
                return f"{manager} manages the hooks here ({name})"
    return ""


def _check_movable(path: Path) -> None:
    """Refuse a hook that would not find itself under the name that it gets."""
    if _is_there(_before(path)):
        raise Conflict(
            f"No hook was installed: both {path.name} and {path.name}{_BEFORE} are in "
            f"{path.parent}, so somebody has replaced ours.",
            hint="put what both do into one of them, and remove the other",
        )
    if path.is_file() and any(word in path.read_bytes() for word in _OWN_NAME):
        raise Conflict(
            f"No hook was installed: {path} asks for its own name, "
            "which would be another one when ours calls it.",
            hint=_BY_HAND,
        )


def _rendered(script: str) -> bytes:
    text = (hooks_dir() / script).read_text(encoding="utf-8")
    text = text.replace("@PYTHON@", shlex.quote(sys.executable))
    return text.replace("@SECONDS@", str(CHECK_SECONDS)).encode()


def _put(path: Path, data: bytes) -> None:
    if not path.is_file() or path.read_bytes() != data:
        write_atomic(path, data, mode=0o755)
