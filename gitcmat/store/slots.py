"""Where workspaces lie, and what each remembers of itself (``slot.json``)."""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Self

from gitcmat.errors import InvalidData, UserError
from gitcmat.store.git import Repository
from gitcmat.store.gitdirs import write_alternates
from gitcmat.system.files import read_regular, write_atomic

FORMAT: Final = 1
"""Raised when workspaces made before can no longer be used again."""

_LIMIT: Final = 20_000_000


def default_root() -> Path:
    """Return the folder that workspaces lie in unless the person names one."""
    cache = os.environ.get("XDG_CACHE_HOME", "")
    folder = Path(cache) if cache.startswith("/") else Path.home() / ".cache"
    return folder / "gitcmat"


def slot_folder(root: Path, host: Repository, number: int) -> Path:
    """Return the folder of a repository's workspace with this number; nothing is made.

    Raises:
        UserError: `root` lies inside the repository, where ``git clean`` and every search of the
            person's would meet it.
    """
    root = root.expanduser().resolve()
    for taken in {host.root, host.common_dir, host.main_work_tree or host.root}:
        if root.is_relative_to(taken):
            raise UserError(
                f"The folder of workspaces, {root}, lies inside the repository {taken}.",
                hint="Name a folder outside of it as `workspaces` in your own settings.",
            )
    home = host.main_work_tree or host.common_dir
    label = re.sub(r"[^A-Za-z0-9_-]+", "-", home.name).strip("-")[:40] or "repository"
    digest = hashlib.sha256(os.fsencode(host.common_dir)).hexdigest()[:10]
    return root / f"{label}-{digest}" / str(number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What a workspace was made from, and what happened in it since its setup."""

    host: str
    """The host's common git directory."""
    config: str
    """What ``git init`` wrote as settings for this filesystem."""
    start: str = ""
    """The commit that it was last prepared for."""
    work: str = ""
    """The run whose work lies in it and is not home yet; empty for none."""
    set_up: str = ""
    """The digest noted when the setup last went well; empty before."""
    set_up_at: str = ""
    """The commit that it was prepared for then."""
    touched: tuple[str, ...] = ()
    """Paths that runs changed since then."""
    identity: tuple[str, ...] = ()
    """Name and e-mail that the agent commits with."""
    copied: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    """Ignored paths that the setup made."""
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write it to ``slot.json``."""
        write_atomic(folder / "slot.json", json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, folder: Path, host: Repository) -> Self | None:
        """Read ``slot.json``; None for none, a damaged one, or one of another host or format."""
        try:
            data = json.loads(read_regular(folder / "slot.json", _LIMIT))
        except (OSError, InvalidData, ValueError):
            return None
        if not isinstance(data, dict) or data.keys() != {field.name for field in fields(cls)}:
            return None
        known: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        slot = cls(**known)
        return slot if slot.host == str(host.common_dir) and slot.format == FORMAT else None

    def after(self, paths: tuple[str, ...]) -> Self:
        """Return it with further paths that a run changed."""
        return replace(self, touched=tuple(sorted({*self.touched, *paths})))


def follow(folder: Path, host: Repository, before: Path) -> None:
    """Let the workspace in `folder` borrow objects from where its host is now.

    The host's git directory was `before`; nothing is done with a workspace of another host.
    """
    slot = Slot.read(folder, host._replace(common_dir=before))
    if slot is not None:
        write_alternates(folder / "vault", (host.common_dir / "objects",))
        replace(slot, host=str(host.common_dir)).write(folder)
